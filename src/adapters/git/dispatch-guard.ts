// Around one dispatch: what is remembered before it, and what is judged and put right after it. Kept in a file too,
// so that a program that died during the dispatch puts the metadata back at its next start, before it uses git.

import fs from "node:fs";
import { join } from "node:path";
import type { Failure } from "../../core/failure.ts";
import type { Result } from "../../core/result.ts";
import { success } from "../../core/result.ts";
import type { Aftermath } from "../../ports.ts";
import { attemptStorage, replaceFile, unless } from "../storage.ts";
import { readLine } from "./admin-dirs.ts";
import { type CheckSeen, judgeCheck, judgeInstalled, lookAtCheck, lookAtInstalled } from "./check-guard.ts";
import { type Before, closeConfinement, type Opened, openConfinement, withUnsaid } from "./confinement.ts";
import { attemptFiles, dispatchFile, type GitRun } from "./git-run.ts";
import { loadState, placeTree } from "./lane-state.ts";
import { isAdminDirIntact } from "./lanes.ts";
import { putBackMetadata } from "./metadata-guard.ts";
import { watchedTrees } from "./prepare.ts";
import { refIn } from "./ref-look.ts";
import { fromStoredRefs, type StoredRefs, toStoredRefs } from "./refs-guard.ts";

/** What is known about a lane's dispatch; memory is believed before the file, which an agent could reach. */
export type PendingDispatches = Map<number, Pending>;

interface Pending extends Opened {
  /** null: others may be at work in the check tree, or the program that looked is dead. */
  readonly check: CheckSeen | null;
  /** Of a gate or a reviewer, who work in the check tree; else null. */
  readonly installed: CheckSeen | null;
}

/** See Repository.beforeDispatch; `dispatch` is the id that the dispatch's identity was made with. */
export function beforeDispatch(
  run: GitRun,
  pending: PendingDispatches,
  at: { readonly lane: number; readonly dispatch?: string; readonly isCheckIdle?: boolean },
): Promise<Result<void, Failure>> {
  return attemptFiles({ doing: "reading", path: run.commonDir }, async () => {
    const file = placeFile(run, at.lane);
    if (!file.ok) return file;
    const trees = watchedTrees(run, at.lane);
    if (!trees.ok) return trees;
    const opened = await openConfinement(run, { trees: trees.value, dispatch: at.dispatch ?? null });
    if (!opened.ok) return opened;
    const isIdle = at.isCheckIdle === true;
    const check = isIdle ? lookAtCheck(run, at.lane) : null;
    const installed = isIdle ? null : lookAtInstalled(run, at.lane);
    pending.set(at.lane, { ...opened.value, check, installed });
    return attemptStorage({ doing: "writing", path: file.value }, () => {
      const { before } = opened.value;
      replaceFile(file.value, JSON.stringify({ ...before, refs: toStoredRefs(before.refs) }));
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
    const opened = pending.get(at.lane) ?? readPending(file.value);
    if (opened === null) return success({ violations: [], notes: [], doubts: [] });
    const closed = await closeConfinement(run, { opened, refPrefix: at.refPrefix });
    if (!closed.ok) return closed;
    const inCheck = judgeCheck(run, at.lane, opened.check);
    const installed = judgeInstalled(run, at.lane, opened.installed);
    if (!installed.ok) return installed;
    const switched = judgeLane(run, { lane: at.lane, before: opened.before });
    if (!switched.ok) return switched;
    const detached = detachFromMoved(run, { lane: at.lane, movedAway: closed.value.movedAway });
    if (!detached.ok) return detached;
    pending.delete(at.lane);
    fs.rmSync(file.value, { force: true });
    const { doubts } = closed.value;
    const notes = [...closed.value.notes, ...installed.value];
    const violations = [...closed.value.violations, ...switched.value, ...inCheck];
    const unsaid = run.unsaid.get(at.lane);
    run.unsaid.delete(at.lane);
    return success(withUnsaid({ violations, notes, doubts }, unsaid));
  });
}

/** Puts metadata back that a dispatch may have changed whose program died; called before git is used for a lane. */
export function settleMetadata(run: GitRun, pending: PendingDispatches, lane: number): Result<void, Failure> {
  if (pending.has(lane)) return success(undefined);
  const file = placeFile(run, lane);
  if (!file.ok) return file;
  const before = readPending(file.value);
  if (before === null) return success(undefined);
  const { metadata, trees } = before.before;
  const restored = putBackMetadata(run, { before: metadata, trees });
  if (!restored.ok) return restored;
  // Once: what is changed from now on is the builder's doing.
  fs.rmSync(file.value, { force: true });
  return success(undefined);
}

function placeFile(run: GitRun, lane: number): Result<string, Failure> {
  const place = placeTree(run, lane, "work");
  return place.ok ? success(dispatchFile(place.value.laneFolder)) : place;
}

function readPending(file: string): Pending | null {
  const text = unless(["ENOENT"], () => fs.readFileSync(file, "utf8"));
  if (text === undefined) return null;
  try {
    // Written by beforeDispatch, replaced atomically; what does not parse was not written by us.
    const stored = JSON.parse(text) as Omit<Before, "refs"> & { readonly refs: StoredRefs };
    const before = { ...stored, refs: fromStoredRefs(stored.refs) };
    return { before, looks: null, check: null, installed: null };
  } catch {
    return null;
  }
}

/** A lane is detached, or on a branch that the agent made; on another its files are not this attempt's work. */
function judgeLane(
  run: GitRun,
  at: { readonly lane: number; readonly before: Before },
): Result<readonly string[], Failure> {
  const head = readLaneHead(run, at.lane);
  if (!head.ok) return head;
  const ref = /^ref: (.+)$/.exec(head.value ?? "")?.[1];
  const isForeign = ref !== undefined && refIn(at.before.refs.refs, ref) !== undefined;
  return success(isForeign ? [`the lane was switched to "${ref}"`] : []);
}

function readLaneHead(run: GitRun, lane: number): Result<string | null, Failure> {
  const place = placeTree(run, lane, "work");
  if (!place.ok) return place;
  const state = loadState(place.value);
  if (state === null || !isAdminDirIntact(run, place.value, state)) return success(null);
  return success(readLine(join(state.adminDir, "HEAD")));
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
