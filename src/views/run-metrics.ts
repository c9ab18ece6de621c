// Numbers about a whole run, for the report and the memory entry: all of them from the journal's fold.

import { countedAttempts } from "../core/attempts.ts";
import type { CostBasis } from "../core/report.ts";
import {
  type AttemptRecord,
  openAttempt,
  type RunState,
  type TaskRecord,
  type UsageSum,
} from "../core/state.ts";
import { acceptedAttempt, taskCounts } from "./task-overview.ts";
import { toCount, toNumber, toUsd } from "./text.ts";

export interface RunMetrics {
  readonly tasks: number;
  readonly complete: number;
  readonly completeBefore: number;
  readonly skipped: number;
  /** Tasks completed in this run, and those of them whose first counted attempt was accepted. */
  readonly completedHere: number;
  readonly atFirstAttempt: number;
  readonly attempts: number;
  readonly sentBack: number;
  readonly gateRuns: number;
  readonly dispatches: number;
  readonly commits: number;
  readonly usage: UsageSum;
}

export function runMetrics(state: RunState): RunMetrics {
  const counts = taskCounts(state);
  const sums = { completedHere: 0, atFirstAttempt: 0, attempts: 0, sentBack: 0, commits: 0 };
  for (const record of state.tasks) {
    sums.attempts += countedAttempts(record);
    sums.sentBack += sentBack(record).length;
    if (acceptedAttempt(record) === undefined) continue;
    sums.commits += 1;
    sums.completedHere += 1;
    if (isAtFirst(record)) sums.atFirstAttempt += 1;
  }
  return {
    ...sums,
    tasks: counts.total,
    complete: counts.complete,
    completeBefore: counts.before,
    skipped: counts.skipped,
    gateRuns: state.gateRuns,
    dispatches: state.dispatches,
    usage: state.usage,
  };
}

/** Accepted, and no attempt before was rejected or failed by the agent's own fault. */
export function isAtFirst(record: TaskRecord): boolean {
  return acceptedAttempt(record) !== undefined && countedAttempts(record) === 1;
}

export function sentBack(record: TaskRecord): readonly AttemptRecord[] {
  return record.attempts.filter(({ outcome }) => outcome?.kind === "rejected" || outcome?.kind === "failed");
}

export function followUpsOf(state: RunState): readonly TaskRecord[] {
  const planned = state.prd.tasks.length;
  return state.tasks.length === planned ? [] : [...state.tasks].slice(planned);
}

/** `tokens: 12,000 in, 3,000 out; cost $1.20, reported by the agents`; what is not known is said to be so. */
export function usageInWords(usage: UsageSum): string {
  if (usage.dispatches === 0) return "no agent was asked";
  const tokens = tokensInWords(usage);
  const counted = tokens === null ? "tokens unknown (no agent reported any)" : `tokens: ${tokens}`;
  return `${toCount(usage.dispatches, "dispatch").replace("dispatchs", "dispatches")}; ${counted}; ${costInWords(usage)}`;
}

/** null: nobody said. */
function tokensInWords(usage: UsageSum): string | null {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = usage;
  if (inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens === 0) return null;
  const read = cacheReadTokens === 0 ? "" : `, ${toNumber(cacheReadTokens)} read from caches`;
  const written = cacheWriteTokens === 0 ? "" : `, ${toNumber(cacheWriteTokens)} written to caches`;
  return `${toNumber(inputTokens)} in${written}${read}, ${toNumber(outputTokens)} out`;
}

/** Of a sum: as good as the worst of its parts. */
export function basisOf({ dispatches, measured, priced }: UsageSum): CostBasis {
  if (dispatches === 0 || priced < dispatches) return "unknown";
  return measured === dispatches ? "measured" : "reported";
}

function costInWords(usage: UsageSum): string {
  const { costUsd, dispatches, measured, priced } = usage;
  if (priced === 0) return "cost unknown (no agent reported any)";
  switch (basisOf(usage)) {
    case "measured":
      return `cost ${toUsd(costUsd)}, measured`;
    case "reported":
      return `cost ${toUsd(costUsd)}, reported by the agents${measured === 0 ? "" : ` (${measured} of ${dispatches} measured)`}`;
    case "unknown":
      return `cost unknown, at least ${toUsd(costUsd)} (known of ${priced} of ${dispatches} dispatches)`;
  }
}

export function percent(part: number, whole: number): string {
  return whole === 0 ? "none" : `${Math.round((100 * part) / whole)} %`;
}

/** The state's word with what a reader wants to know at once. */
export function taskStateWord(record: TaskRecord): string {
  const { phase } = record;
  switch (phase.kind) {
    case "working":
      return `working (${phase.stage})`;
    case "held":
      return "waits for the builder";
    case "complete":
      return phase.before ? "complete before this run" : "complete";
    case "skipped":
      return "skipped";
    case "pending":
      return openAttempt(record) === undefined ? "pending" : "working";
  }
}
