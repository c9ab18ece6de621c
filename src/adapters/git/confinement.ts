// What is looked at around everything that runs agent-written code (a dispatch, a gate, a set-up): the repository's
// metadata, the builder's worktrees, the branch's holder, the builder's checkouts, refs and stash, in this order.
// Only what can be proved safe is put back; a checkout of the builder is only ever looked at.

import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import { limits } from "../../core/limits.ts";
import type { Result } from "../../core/result.ts";
import { success } from "../../core/result.ts";
import type { Aftermath } from "../../ports.ts";
import { type CheckoutLooks, compareCheckouts, lookAtCheckouts } from "./checkout-changes.ts";
import { type GitRun, runRefPrefix } from "./git-run.ts";
import { compareHomes, type HomeLook, lookAtHome } from "./home-look.ts";
import { heldBranches, holdAgain } from "./integrate.ts";
import type { Metadata } from "./metadata.ts";
import { putBackMetadata, readMetadata, type WatchedTree } from "./metadata-guard.ts";
import { judgeRefs, type RefsBefore, readRefsBefore } from "./refs-guard.ts";
import { judgeWorktrees, readWorktrees, type Worktrees } from "./worktrees-guard.ts";

/** Plain data but for the looks, which only the same program can compare. */
export interface Before {
  readonly metadata: Metadata;
  readonly trees: readonly WatchedTree[];
  readonly worktrees: Worktrees;
  /** Branches of the run that were held. */
  readonly held: readonly string[];
  readonly refs: RefsBefore;
  readonly home: HomeLook;
}

export interface Opened {
  readonly before: Before;
  /** null: the program that looked is dead. */
  readonly looks: CheckoutLooks | null;
}

export interface Closed extends Aftermath {
  /** See RefsAftermath. */
  readonly movedAway: ReadonlyMap<string, Sha>;
}

/** `dispatch`: the id in the dispatch's identity; null: whatever the run's dispatches are called. */
export async function openConfinement(
  run: GitRun,
  at: { readonly trees: readonly WatchedTree[]; readonly dispatch: string | null },
): Promise<Result<Opened, Failure>> {
  const looks = await lookAtCheckouts(run);
  const refs = await readRefsBefore(run, at.dispatch);
  if (!refs.ok) return refs;
  const before = {
    metadata: readMetadata(run, at.trees),
    trees: at.trees,
    worktrees: readWorktrees(run),
    held: heldBranches(run),
    refs: refs.value,
    home: lookAtHome(),
  };
  return success({ before, looks });
}

export async function closeConfinement(
  run: GitRun,
  at: { readonly opened: Opened; readonly refPrefix: string },
): Promise<Result<Closed, Failure>> {
  const { before, looks } = at.opened;
  const metadata = putBackMetadata(run, { before: before.metadata, trees: before.trees });
  if (!metadata.ok) return metadata;
  const worktrees = judgeWorktrees(run, { before: before.worktrees, dispatch: before.refs.dispatch });
  const changes = looks === null ? null : await compareWith(run, looks);
  const refs = await judgeRefs(run, {
    before: before.refs,
    refPrefix: at.refPrefix,
    isSameProgram: looks !== null,
    worktrees: before.worktrees,
    isUntouched: (path) => changes !== null && looks?.has(path) === true && !changes.has(path),
  });
  if (!refs.ok) return refs;
  const holders = await holdAgain(run, looks === null ? [] : before.held);
  if (!holders.ok) return holders;
  const parts = [metadata.value, worktrees, refs.value, { violations: holders.value }];
  const ofHome = looks === null ? [] : compareHomes(before.home, lookAtHome());
  const doubts = [...(changes === null ? [] : [...changes.values()].flat()), ...worktrees.doubts, ...ofHome];
  const doubted = bounded([...doubts, ...refs.value.doubts]);
  const notes = [...metadata.value.notes, ...refs.value.notes];
  return success({
    violations: parts.flatMap(({ violations }) => violations),
    // In the sandbox nothing of this could be written: it is the builder's own.
    notes: run.isConfined === true ? [...notes, ...doubted.map(toBuilders)] : notes,
    doubts: run.isConfined === true ? [] : doubted,
    movedAway: refs.value.movedAway,
  });
}

function toBuilders(doubt: string): string {
  return `meanwhile, not by what ran in the sandbox: ${doubt}`;
}

/** Of two windows, one after the other. What a set-up changed was put back; it is the builder's command. */
export function withUnsaid(aftermath: Aftermath, unsaid: Aftermath | undefined): Aftermath {
  if (unsaid === undefined) return aftermath;
  return {
    violations: aftermath.violations,
    notes: [...unsaid.violations, ...unsaid.notes, ...aftermath.notes],
    doubts: bounded([...unsaid.doubts, ...aftermath.doubts]),
  };
}

/** Ref prefix of what is kept around a set-up. */
export function setupRefPrefix(run: GitRun, lane: number): string {
  return `${runRefPrefix(run)}/lane-${lane}/setup`;
}

async function compareWith(
  run: GitRun,
  before: CheckoutLooks,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const places = [...before.values()].map(({ place }) => place);
  return compareCheckouts(run, { before, after: await lookAtCheckouts(run, places) });
}

function bounded(doubts: readonly string[]): readonly string[] {
  const rest = doubts.length - limits.doubtsKept;
  return rest > 0 ? [...doubts.slice(0, limits.doubtsKept), `and ${rest} more changes`] : doubts;
}
