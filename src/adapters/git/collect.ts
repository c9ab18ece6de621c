// Taking what is in a work tree into the object store: as the tree of a candidate, or as a salvage commit. Done
// before anything is put over it.

import fs from "node:fs";
import type { LeftTree } from "../../core/event.ts";
import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import type { Result } from "../../core/result.ts";
import { failed, success } from "../../core/result.ts";
import { commitTree } from "./commits.ts";
import { writePatchFile } from "./diff.ts";
import { attemptFiles, type GitRun, readCommit, runRefPrefix } from "./git-run.ts";
import {
  digestIndex,
  loadState,
  placeTree,
  saveState,
  type TreePlace,
  type TreeState,
  toFile,
} from "./lane-state.ts";
import { copyIndex, detachHead, isAdminDirIntact, isFolderItself, readHead } from "./lanes.ts";
import { keepNumbered, updateRefs } from "./refs.ts";
import { isLockfile, rememberLockfiles } from "./setup.ts";
import { takeChanges } from "./take-changes.ts";
import type { TreeChanges } from "./tree-changes.ts";
import { readOwnIndex } from "./tree-look.ts";

/** See Repository.snapshotWork. */
export function snapshotWork(
  run: GitRun,
  at: { readonly lane: number; readonly refPrefix: string },
): Promise<Result<LeftTree, Failure>> {
  const place = placeTree(run, at.lane, "work");
  if (!place.ok) return Promise.resolve(place);
  const { path } = place.value;
  return attemptFiles({ doing: "collecting", path }, async () => {
    const state = loadState(place.value);
    if (state === null || !isFolderItself(path) || !isAdminDirIntact(run, place.value, state)) {
      return failed({ reason: "lane-unusable", path, detail: "it is not as this run left it" });
    }
    const agentHead = await takeHead(run, state, { ref: `${at.refPrefix}/agent` });
    if (!agentHead.ok) return agentHead;
    const collected = await collect(run, { place: place.value, state, isSalvage: false });
    if (!collected.ok) return collected;
    return success({ tree: collected.value.tree, agentHead: agentHead.value });
  });
}

/** See Repository.salvageWork. */
export async function salvageWork(
  run: GitRun,
  at: { readonly lane: number; readonly base: Sha; readonly start: Sha; readonly refPrefix: string },
): Promise<Result<Sha | null, Failure>> {
  const start = await readCommit(run, at.start);
  if (!start.ok) return start;
  const isOurs = isReadyFor(run, at);
  if (!isOurs.ok || !isOurs.value) return isOurs.ok ? success(null) : isOurs;
  const left = await collectLeftovers(run, { lane: at.lane, agentRef: `${at.refPrefix}/agent` });
  if (!left.ok) return left;
  if (left.value === null || left.value.tree === start.value.tree) return success(null);
  const kept = await keepSalvage(run, { tree: left.value.tree, base: at.base, prefix: at.refPrefix });
  // Kept, but nothing to go on from: somebody replaced the tree, or an agent was about to.
  return kept.ok && left.value.wasEmptied ? success(null) : kept;
}

/**
 * A program that died before it made the lane ready for an attempt left the work of the attempt before in it, which
 * is kept already and must not become the new one's.
 */
function isReadyFor(
  run: GitRun,
  at: { readonly lane: number; readonly refPrefix: string },
): Result<boolean, Failure> {
  const place = placeTree(run, at.lane, "work");
  if (!place.ok) return place;
  const attempt = loadState(place.value)?.attempt ?? null;
  return success(attempt === null || attempt === at.refPrefix);
}

/**
 * Keeps what nobody collected before a tree is put elsewhere, below `refs/execute-prd/<run>/lane-<n>`. Normally
 * there is nothing; then what was seen in the tree is returned, so that nobody has to look again.
 */
export async function salvageUncollected(
  run: GitRun,
  lane: number,
): Promise<Result<TreeChanges | null, Failure>> {
  const prefix = `${runRefPrefix(run)}/lane-${lane}`;
  const left = await collectLeftovers(run, { lane, agentRef: null });
  if (!left.ok) return left;
  if (left.value === null) return success(null);
  if (left.value.tree === left.value.treeBefore) return success(left.value.strays);
  const kept = await keepSalvage(run, { tree: left.value.tree, base: left.value.head, prefix });
  return kept.ok ? success(null) : kept;
}

interface Leftovers {
  readonly tree: Sha;
  readonly treeBefore: Sha;
  readonly head: Sha;
  /** Nothing of what the tree was made with is in it. */
  readonly wasEmptied: boolean;
  /** What is in the tree beside that; null when it has to be looked at again. */
  readonly strays: TreeChanges | null;
}

/** What is in the work tree, whatever state the lane is in; null when there is nothing of an agent in it. */
async function collectLeftovers(
  run: GitRun,
  at: { readonly lane: number; readonly agentRef: string | null },
): Promise<Result<Leftovers | null, Failure>> {
  const place = placeTree(run, at.lane, "work");
  if (!place.ok) return place;
  return attemptFiles({ doing: "salvaging", path: place.value.path }, async () => {
    const state = loadState(place.value);
    if (state === null || !state.ready || !isFolderItself(place.value.path)) return success(null);
    const wasEmptied = isEmptied(place.value, state);
    if (wasEmptied && isBare(place.value)) return success(null);
    if (isAdminDirIntact(run, place.value, state)) {
      const ref = at.agentRef ?? { prefix: `${runRefPrefix(run)}/lane-${at.lane}`, name: "agent" };
      const head = await takeHead(run, state, typeof ref === "string" ? { ref } : ref);
      if (!head.ok) return head;
    }
    const collected = await collect(run, { place: place.value, state, isSalvage: true });
    if (!collected.ok) return collected;
    const { tree, strays } = collected.value;
    return success({ tree, treeBefore: state.tree, head: state.head, wasEmptied, strays });
  });
}

function isEmptied(place: TreePlace, state: TreeState): boolean {
  const index = readOwnIndex(place, state);
  if (index === null || index.entries.length === 0) return false;
  const names = new Set(index.entries.map(({ path }) => path.replace(/\/.*/s, "")));
  return [...names].every(
    (name) => fs.lstatSync(toFile(place.path, name), { throwIfNoEntry: false }) === undefined,
  );
}

/** A folder that was deleted and made again, not a tree whose files somebody deleted one by one. */
function isBare(place: TreePlace): boolean {
  return fs.readdirSync(place.path).every((name) => name === ".git");
}

/** Keeps commits that the agent made itself and puts HEAD back; the files are not touched. */
async function takeHead(
  run: GitRun,
  state: TreeState,
  at: { readonly ref: string } | { readonly prefix: string; readonly name: string },
): Promise<Result<Sha | null, Failure>> {
  const head = await readHead(run, state);
  // A HEAD that leads nowhere keeps no commit.
  const commit = head.ok ? head.value : null;
  const moved = commit !== null && commit !== state.head ? commit : null;
  const isThere = moved !== null && (await readCommit(run, moved)).ok;
  if (moved !== null && isThere) {
    const kept =
      "ref" in at
        ? await updateRefs(run, {
            changes: [{ ref: at.ref, to: moved }],
            doing: "keeping the agent's commits",
          })
        : await keepNumbered(run, { ...at, commit: moved });
    if (!kept.ok) return kept;
  }
  detachHead(state);
  return success(isThere ? moved : null);
}

/** Brings the private index up to date with the files and makes its tree. */
async function collect(
  run: GitRun,
  at: { readonly place: TreePlace; readonly state: TreeState; readonly isSalvage: boolean },
): Promise<Result<{ readonly tree: Sha; readonly strays: TreeChanges | null }, Failure>> {
  const { place, isSalvage } = at;
  const admin = isAdminDirIntact(run, place, at.state) ? at.state.adminDir : run.commonDir;
  const taken = await takeChanges(run, { place, state: { ...at.state, adminDir: admin }, isSalvage });
  if (!taken.ok) return taken;
  const { state, tree, paths, strays } = taken.value;
  const { adminDir } = at.state;
  if (strays !== null) {
    // An index that had to be made anew is not made anew each time.
    const saved = saveState(place, { ...state, adminDir });
    return saved.ok ? success({ tree, strays }) : saved;
  }
  const touchesSetup = paths.some((path) => isLockfile(path) || path in state.made);
  const lockfiles = run.lockfiles.get(state.tree);
  if (lockfiles !== undefined && !paths.some(isLockfile)) rememberLockfiles(run, tree, lockfiles);
  const saved = saveState(place, {
    ...state,
    adminDir,
    tree,
    setupKey: touchesSetup ? null : state.setupKey,
    dirty: without(state.dirty, paths),
    made: without(state.made, paths),
    indexSha256: digestIndex(place),
  });
  // Until the tree has a ref this index is what keeps it from being pruned.
  if (saved.ok && admin !== run.commonDir) copyIndex(place, saved.value);
  return saved.ok ? success({ tree, strays: null }) : saved;
}

async function keepSalvage(
  run: GitRun,
  at: { readonly tree: Sha; readonly base: Sha; readonly prefix: string },
): Promise<Result<Sha, Failure>> {
  const base = await readCommit(run, at.base);
  if (!base.ok) return base;
  // The base's date: salvaging the same tree again gives the same commit and no second ref.
  const commit = commitTree(run, {
    tree: at.tree,
    parents: [at.base],
    message: `Unfinished work of run ${run.runId}\n`,
    committedAt: base.value.committedAt,
    doing: "keeping unfinished work",
  });
  if (!commit.ok) return commit;
  const ref = await keepNumbered(run, { prefix: at.prefix, name: "salvage", commit: commit.value });
  if (!ref.ok) return ref;
  const name = ref.value.slice(runRefPrefix(run).length + 1).replaceAll("/", "-");
  const written = await writePatchFile(run, {
    base: at.base,
    commit: commit.value,
    file: `salvage/${name}.patch`,
  });
  return written.ok ? commit : written;
}

function without(marks: Readonly<Record<string, string>>, paths: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(marks).filter(([path]) => !paths.includes(path)));
}
