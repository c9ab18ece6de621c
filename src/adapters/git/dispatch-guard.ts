// Around one dispatch: what is remembered before it, and what is judged and put right after it. Kept in a file too,
// so that a program that died during the dispatch puts the metadata back at its next start, before it uses git.

import fs from "node:fs";
import { join } from "node:path";
import type { Failure } from "../../core/failure.ts";
import type { Result } from "../../core/result.ts";
import { success } from "../../core/result.ts";
import type { Aftermath } from "../../ports.ts";
import { attemptStorage, replaceFile, unless } from "../storage.ts";
import { attemptFiles, type GitRun } from "./git-run.ts";
import { loadState, placeTree } from "./lane-state.ts";
import { isAdminDirIntact } from "./lanes.ts";
import { type Metadata, putBackMetadata, readMetadata, type WatchedTree } from "./metadata-guard.ts";
import { watchedTrees } from "./prepare.ts";
import { readLine } from "./refs.ts";
import { judgeRefs, type RefsBefore, readRefsBefore } from "./refs-guard.ts";

/** What is known about a lane's dispatch; memory is believed before the file, which an agent could reach. */
export type PendingDispatches = Map<number, Pending>;

interface Pending {
  readonly metadata: Metadata;
  readonly trees: readonly WatchedTree[];
  readonly refs: RefsBefore;
}

/** See Repository.beforeDispatch; `dispatch` is the id that the dispatch's identity was made with. */
export function beforeDispatch(
  run: GitRun,
  pending: PendingDispatches,
  at: { readonly lane: number; readonly dispatch?: string },
): Promise<Result<void, Failure>> {
  return attemptFiles({ doing: "reading", path: run.commonDir }, async () => {
    const file = placeFile(run, at.lane);
    if (!file.ok) return file;
    const trees = watchedTrees(run, at.lane);
    if (!trees.ok) return trees;
    const refs = await readRefsBefore(run, at.dispatch ?? null);
    if (!refs.ok) return refs;
    const remembered = { metadata: readMetadata(run, trees.value), trees: trees.value, refs: refs.value };
    pending.set(at.lane, remembered);
    return attemptStorage({ doing: "writing", path: file.value }, () => {
      replaceFile(file.value, JSON.stringify(remembered));
    });
  });
}

/** See Repository.afterDispatch. Without a dispatch that began there is nothing to say. */
export function afterDispatch(
  run: GitRun,
  pending: PendingDispatches,
  at: { readonly lane: number; readonly refPrefix: string },
): Promise<Result<Aftermath, Failure>> {
  return attemptFiles({ doing: "reading", path: run.commonDir }, async () => {
    const file = placeFile(run, at.lane);
    if (!file.ok) return file;
    const isSameProgram = pending.has(at.lane);
    const before = pending.get(at.lane) ?? readPending(file.value);
    if (before === null) return success({ violations: [], notes: [] });
    const metadata = putBackMetadata(run, { before: before.metadata, trees: before.trees });
    if (!metadata.ok) return metadata;
    const refs = await judgeRefs(run, { before: before.refs, refPrefix: at.refPrefix, isSameProgram });
    if (!refs.ok) return refs;
    const detached = detachFromMoved(run, { lane: at.lane, movedAway: refs.value.movedAway });
    if (!detached.ok) return detached;
    pending.delete(at.lane);
    fs.rmSync(file.value, { force: true });
    return success({
      violations: [...metadata.value.violations, ...refs.value.violations],
      notes: [...metadata.value.notes, ...refs.value.notes],
    });
  });
}

/** Puts metadata back that a dispatch may have changed whose program died; called before git is used for a lane. */
export function settleMetadata(run: GitRun, pending: PendingDispatches, lane: number): Result<void, Failure> {
  if (pending.has(lane)) return success(undefined);
  const file = placeFile(run, lane);
  if (!file.ok) return file;
  const before = readPending(file.value);
  if (before === null) return success(undefined);
  const restored = putBackMetadata(run, { before: before.metadata, trees: before.trees });
  if (!restored.ok) return restored;
  // Once: what is changed from now on is the builder's doing.
  fs.rmSync(file.value, { force: true });
  return success(undefined);
}

function placeFile(run: GitRun, lane: number): Result<string, Failure> {
  const place = placeTree(run, lane, "work");
  return place.ok ? success(join(place.value.laneFolder, "private", "dispatch.json")) : place;
}

function readPending(file: string): Pending | null {
  const text = unless(["ENOENT"], () => fs.readFileSync(file, "utf8"));
  if (text === undefined) return null;
  try {
    // Written by beforeDispatch, replaced atomically; what does not parse was not written by us.
    return JSON.parse(text) as Pending;
  } catch {
    return null;
  }
}

/** A HEAD that stands on a branch which was moved away gets that branch's commit, so that it can be collected. */
function detachFromMoved(
  run: GitRun,
  at: { readonly lane: number; readonly movedAway: ReadonlyMap<string, string> },
): Result<void, Failure> {
  const place = placeTree(run, at.lane, "work");
  if (!place.ok) return place;
  const state = loadState(place.value);
  if (state === null || !isAdminDirIntact(run, place.value, state)) return success(undefined);
  const head = join(state.adminDir, "HEAD");
  const commit = at.movedAway.get((readLine(head) ?? "").replace(/^ref: /, ""));
  return attemptStorage({ doing: "writing", path: head }, () => {
    if (commit !== undefined) replaceFile(head, `${commit}\n`);
  });
}
