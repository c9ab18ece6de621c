// Putting a tree of a lane where it is wanted, in as few steps as its present state allows:
//
//   as left, same tree ──────────────────────────► strays removed ─► ready      (no git command where it is untouched)
//   as left, other tree ─► read-tree --reset -u ─► strays removed ─► setup? ─► ready
//   new or not as left ──► set aside, made ──────► read-tree …
//
// While a tree is not "ready" in its state file nothing in it is anybody's work, so a program killed in between
// starts over. What an agent left uncollected is collected (collect.ts) before anything here is called.
//
// The check tree keeps what its own `setup` made. Gates run agent-written code in it; check-guard.ts sees to it that
// what is installed there is installed anew when they change it.

import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import type { Result } from "../../core/result.ts";
import { failed, success } from "../../core/result.ts";
import type { GitRun } from "./git-run.ts";
import { attemptFiles } from "./git-run.ts";
import {
  ensureIndex,
  loadState,
  placeTree,
  saveReadyState,
  saveState,
  type TreePlace,
  type TreeState,
  toText,
} from "./lane-state.ts";
import { findDisorder, finishTree, makeTree, resetTree } from "./lanes.ts";
import type { WatchedTree } from "./metadata-guard.ts";
import { fillSubmodules, isSetupIntact, runSetupIn, toSetupKey } from "./setup.ts";
import {
  noChanges,
  readChanges,
  removeStrays,
  type TreeChanges,
  toMarks,
  withoutKnown,
} from "./tree-changes.ts";
import { isUntouched } from "./tree-look.ts";

export interface TreeWanted {
  /** Where HEAD is put. */
  readonly head: Sha;
  readonly tree: Sha;
  /** Command line; empty: none. null: whatever ran before is good enough. */
  readonly setup: string | null;
  /** Ref prefix of the attempt that it is for. */
  readonly attempt?: string | undefined;
}

/**
 * Puts the tree there. The caller has collected what is worth keeping in it, and may say what it has just seen
 * beside that.
 */
export function prepareTree(
  run: GitRun,
  at: { readonly place: TreePlace; readonly wanted: TreeWanted; readonly seen: TreeChanges | null },
  signal: AbortSignal,
): Promise<Result<TreeState, Failure>> {
  const { place, wanted, seen } = at;
  return attemptFiles({ doing: "preparing", path: place.path }, async () => {
    const found = await findOrMake(run, place, wanted);
    if (!found.ok) return found;
    const placed = await putAtTree(run, place, { state: found.value, tree: wanted.tree, seen });
    if (!placed.ok) return placed;
    const equipped = await equip(run, { place, state: placed.value, wanted }, signal);
    if (!equipped.ok) return equipped;
    const state = { ...equipped.value, head: wanted.head, ready: true, attempt: wanted.attempt ?? null };
    const finished = finishTree(place, state);
    return finished.ok ? saveReadyState(place, state) : finished;
  });
}

/**
 * Whether the check tree still is as it was prepared; if not, it is put back and the changed paths are returned.
 * Ignored files (caches) are taken away without being told.
 */
export async function restoreTree(
  run: GitRun,
  at: { readonly place: TreePlace; readonly wanted: TreeWanted },
  signal: AbortSignal,
): Promise<Result<readonly string[], Failure>> {
  const { place, wanted } = at;
  const before = loadState(place);
  let told: string[] = [];
  if (before?.ready === true && findDisorder(run, place, before) === null && before.tree === wanted.tree) {
    const looked = await lookForStrays(place, before);
    if (!looked.ok) return looked;
    const { changed, untracked, nested, ignored } = looked.value.strays;
    told = [...changed, ...untracked, ...nested].map(toText);
    const isHeadAsLeft = before.head === wanted.head;
    if (told.length === 0 && ignored.length === 0 && isHeadAsLeft) {
      const finished = finishTree(place, before);
      return finished.ok ? success([]) : finished;
    }
  }
  const state = await prepareTree(run, { ...at, seen: null }, signal);
  if (!state.ok) return state;
  if (isSetupIntact(place, state.value)) return success(told);
  // Setup cannot be run here: the next preparation does it.
  const marked = saveState(place, { ...state.value, setupKey: null });
  return marked.ok ? success(told) : marked;
}

/** Whether the tree was put there, whatever was done in it since. No git command in the usual case. */
export async function isPrepared(
  run: GitRun,
  at: { readonly place: TreePlace; readonly wanted: TreeWanted & { readonly setup: string } },
): Promise<Result<boolean, Failure>> {
  const { place, wanted } = at;
  const state = loadState(place);
  if (state?.ready !== true || state.head !== wanted.head || state.tree !== wanted.tree)
    return success(false);
  if (findDisorder(run, place, state) !== null) return success(false);
  const key = await toSetupKey(run, { setup: wanted.setup, tree: wanted.tree });
  return key.ok ? success(key.value === state.setupKey) : key;
}

/** The trees of a lane whose metadata files are watched: those that exist. */
export function watchedTrees(run: GitRun, lane: number): Result<readonly WatchedTree[], Failure> {
  const trees: WatchedTree[] = [];
  for (const kind of ["work", "check"] as const) {
    const place = placeTree(run, lane, kind);
    if (!place.ok) return place;
    const state = loadState(place.value);
    if (state !== null) trees.push({ gitFile: `${place.value.path}/.git`, adminDir: state.adminDir });
  }
  return success(trees);
}

async function findOrMake(
  run: GitRun,
  place: TreePlace,
  wanted: TreeWanted,
): Promise<Result<TreeState, Failure>> {
  const state = loadState(place);
  if (state !== null && findDisorder(run, place, state) === null) return success(state);
  return makeTree(run, place, wanted);
}

/** Tracked files as in the tree, strays removed. */
async function putAtTree(
  run: GitRun,
  place: TreePlace,
  at: { readonly state: TreeState; readonly tree: Sha; readonly seen: TreeChanges | null },
): Promise<Result<TreeState, Failure>> {
  const { state, tree, seen } = at;
  if (state.ready && state.tree === tree) {
    const looked = seen === null ? await lookForStrays(place, state) : success({ state, strays: seen });
    if (!looked.ok) return looked;
    const { strays } = looked.value;
    if (strays.changed.length === 0) {
      await removeStrays(place, strays);
      return success(looked.value.state);
    }
  }
  const reset = await resetTree(place, state, tree);
  if (!reset.ok) return reset;
  const trees = watchedTrees(run, place.lane);
  if (!trees.ok) return trees;
  const filled = await fillSubmodules(run, { place, state: reset.value, trees: trees.value });
  if (!filled.ok) return filled;
  // What `setup` made may be ignored no longer in this tree: only git can tell.
  const hasMade = reset.value.ignored.length > 0 || Object.keys(reset.value.made).length > 0;
  if (!hasMade && isUntouched(place, reset.value)) return success(reset.value);
  const changes = await readChanges(place, reset.value);
  if (!changes.ok) return changes;
  await removeStrays(place, withoutKnown(place, reset.value, changes.value));
  // What differs right after git has written it differs by nature: a filter that does not give back what it took.
  return success({ ...reset.value, dirty: toMarks(place, changes.value.changed) });
}

async function equip(
  run: GitRun,
  at: { readonly place: TreePlace; readonly state: TreeState; readonly wanted: TreeWanted },
  signal: AbortSignal,
): Promise<Result<TreeState, Failure>> {
  const { place, state, wanted } = at;
  if (wanted.setup === null) return success(state);
  const key = await toSetupKey(run, { setup: wanted.setup, tree: wanted.tree });
  if (!key.ok) return key;
  if (wanted.setup === "") return success({ ...state, setupKey: "" });
  if (state.setupKey === key.value && isSetupIntact(place, state)) return success(state);
  // HEAD and index must be right for it, and a set-up that fails has to run again.
  const bare = saveState(place, { ...state, head: wanted.head, ready: false, setupKey: null });
  if (!bare.ok) return bare;
  const finished = finishTree(place, bare.value);
  if (!finished.ok) return finished;
  const trees = watchedTrees(run, place.lane);
  if (!trees.ok) return trees;
  const ran = await runSetupIn(run, { place, trees: trees.value, setup: wanted.setup }, signal);
  if (!ran.ok) return ran;
  const disorder = findDisorder(run, place, bare.value);
  if (disorder !== null) {
    return failed({ reason: "lane-unusable", path: place.path, detail: `after setup ${disorder}` });
  }
  const changes = await readChanges(place, bare.value);
  if (!changes.ok) return changes;
  const { changed, untracked, nested, ignored } = changes.value;
  return success({
    ...bare.value,
    setupKey: key.value,
    dirty: toMarks(place, changed),
    made: toMarks(place, [...untracked, ...nested]),
    ignored,
  });
}

async function lookForStrays(
  place: TreePlace,
  state: TreeState,
): Promise<Result<{ readonly state: TreeState; readonly strays: TreeChanges }, Failure>> {
  const indexed = await ensureIndex(place, state);
  if (!indexed.ok) return indexed;
  if (isUntouched(place, indexed.value)) return success({ state: indexed.value, strays: noChanges });
  const changes = await readChanges(place, indexed.value);
  if (!changes.ok) return changes;
  return success({ state: indexed.value, strays: withoutKnown(place, indexed.value, changes.value) });
}
