// What a run is likely to take: from the stages of its policy, and from what earlier runs of the repository took.

import { isStageOn, maxDispatches, type Policy } from "../core/policy.ts";
import type { RunStatus } from "./status.ts";

export interface Estimate {
  /** Agent dispatches if everything is right at the first attempt, and where the run stops at the latest. */
  readonly dispatchesAtLeast: number;
  readonly dispatchesAtMost: number;
  readonly gateRunsAtLeast: number;
  /** As many a task as in earlier runs; null: there are none. */
  readonly dispatchesLikely: number | null;
  /** As much a task as in earlier runs whose cost is known; null: there are none. */
  readonly costUsdLikely: number | null;
  readonly basis: string;
}

export function estimateRun(
  policy: Policy,
  at: { tasks: number; left: number; earlier: readonly RunStatus[] },
): Estimate {
  const { tasks: count, left, earlier } = at;
  const perTask = 1 + (policy.review.enabled ? 1 : 0) + (isStageOn(policy, "precheck", count) ? 1 : 0);
  const opening =
    (isStageOn(policy, "recon", count) ? 1 : 0) + (isStageOn(policy, "pre-mortem", count) ? 1 : 0);
  const runs = earlier.flatMap((run) => toHistory(run) ?? []);
  const priced = runs.filter(({ isPriced }) => isPriced);
  const dispatches = perTaskOf(runs, ({ dispatches: all }) => all);
  const costUsd = perTaskOf(priced, ({ costUsd: all }) => all);
  return {
    dispatchesAtLeast: opening + left * perTask + 1,
    dispatchesAtMost: maxDispatches(policy, count),
    gateRunsAtLeast: policy.gates.length * (left + 2),
    dispatchesLikely: dispatches === null ? null : Math.ceil(dispatches * left),
    costUsdLikely: costUsd === null ? null : costUsd * left,
    basis: basisOf(runs, priced),
  };
}

interface History {
  /** Tasks that the run itself completed. */
  readonly tasks: number;
  readonly dispatches: number;
  readonly costUsd: number;
  /** The cost of every dispatch is known. */
  readonly isPriced: boolean;
}

/** What a status document says; it may be of another version, or damaged. */
function toHistory({ document }: RunStatus): History | null {
  const counts = document?.["counts"];
  const usage = document?.["usage"];
  const tasks = numberAt(counts, "complete") - numberAt(counts, "completeBefore");
  const dispatches = numberAt(counts, "dispatches");
  if (!(tasks > 0) || !(dispatches > 0)) return null;
  const costUsd = numberAt(usage, "costUsd");
  const basis = valueAt(usage, "costBasis");
  return { tasks, dispatches, costUsd, isPriced: basis === "measured" || basis === "reported" };
}

/** NaN: there is no number. */
function numberAt(value: unknown, key: string): number {
  const found = valueAt(value, key);
  return typeof found === "number" && found >= 0 ? found : Number.NaN;
}

function valueAt(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key] // hasOwn has looked
    : undefined;
}

function perTaskOf(runs: readonly History[], amount: (run: History) => number): number | null {
  if (runs.length === 0) return null;
  const sum = (of: (run: History) => number) => runs.reduce((total, run) => total + of(run), 0);
  return sum(amount) / sum(({ tasks }) => tasks);
}

function basisOf(runs: readonly History[], priced: readonly History[]): string {
  const least = "at least: every task right at its first attempt, no follow-ups";
  if (runs.length === 0) return `${least}; no earlier run of this repository says what is likely`;
  const tasks = runs.reduce((total, run) => total + run.tasks, 0);
  return `${least}; likely: the ${tasks} task(s) of ${runs.length} earlier run(s) here, ${priced.length} of them with a known cost`;
}
