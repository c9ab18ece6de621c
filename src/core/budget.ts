// What a run may use up: dispatches, money, time. Checked before every dispatch, against what it is likely to cost.

import type { RunEvent } from "./event.ts";
import type { Failure } from "./failure.ts";
import { limits } from "./limits.ts";
import { maxDispatches } from "./policy.ts";
import type { AgentStage } from "./report.ts";
import { assert } from "./result.ts";
import { policyOf, type RunState, type TaskRecord } from "./state.ts";

/** A dispatch that is about to start. */
export interface Coming {
  readonly stage: AgentStage;
  readonly agent: string;
  /** null: of the run. */
  readonly record: TaskRecord | null;
  readonly nowMs: number;
}

/** A dispatch that the budget forbids is not started: the run pauses instead; before that, it is warned once. */
export function planBudget(state: RunState, coming: Coming): RunEvent | null {
  const failure = budgetFailure(state, coming);
  if (failure !== null && failure.reason !== "budget-projected") return { kind: "run-paused", failure };
  return warning(state, coming) ?? (failure === null ? null : { kind: "run-paused", failure });
}

/** What is under way ends before a run pauses. */
export function isHeldBack(state: RunState, event: RunEvent): boolean {
  return event.kind === "run-paused" && state.running.size > 0;
}

export function warningKey({ taskId, limitUsd }: { taskId: string | null; limitUsd: number }): string {
  return `${taskId ?? ""} ${limitUsd}`;
}

function budgetFailure(state: RunState, coming: Coming): Failure | null {
  const policy = policyOf(state);
  const limit = maxDispatches(policy, state.tasks.length);
  const used = state.dispatches - state.interruptedDispatches;
  if (used >= limit && !isMeasured(state)) return { reason: "budget-dispatches", used, limit };
  assert(state.sessionStartedAtMs !== null, "who asks for an agent is in a session");
  const usedMs = state.activeMs + Math.max(0, coming.nowMs - state.sessionStartedAtMs);
  const { wallClockMs } = policy.budget;
  if (wallClockMs > 0 && usedMs >= wallClockMs) {
    return { reason: "budget-wall-clock", usedMs, limitMs: wallClockMs };
  }
  const nextUsd = likelyUsd(state, coming);
  for (const { limitUsd, taskId, usedUsd } of caps(state, coming)) {
    if (isAtLeast(usedUsd, limitUsd)) return { reason: "budget-cost", usedUsd, limitUsd, taskId };
    if (!isAtLeast(limitUsd, usedUsd + reservedUsd(state, coming, taskId))) {
      return { reason: "budget-projected", usedUsd, nextUsd, limitUsd, taskId };
    }
  }
  return null;
}

/**
 * The default number of dispatches stands in for money that nobody counts. Those under way are not told of yet; of one
 * that was killed nobody knows what it cost.
 */
function isMeasured(state: RunState): boolean {
  const { budget } = policyOf(state);
  const { dispatches, measured } = state.usage;
  return budget.maxDispatches === 0 && budget.usd > 0 && dispatches > 0 && measured === dispatches;
}

interface Cap {
  readonly taskId: TaskRecord["task"]["id"] | null;
  readonly usedUsd: number;
  readonly limitUsd: number;
}

function caps(state: RunState, { record }: Coming): readonly Cap[] {
  const { usd, perTaskUsd } = policyOf(state).budget;
  const ofRun: Cap = { taskId: null, usedUsd: state.usage.costUsd, limitUsd: usd };
  const all =
    record === null
      ? [ofRun]
      : [ofRun, { taskId: record.task.id, usedUsd: record.usage.costUsd, limitUsd: perTaskUsd }];
  return all.filter(({ limitUsd }) => limitUsd > 0);
}

function warning(state: RunState, coming: Coming): RunEvent | null {
  const near = caps(state, coming).find(
    (cap) =>
      isAtLeast(cap.usedUsd, (cap.limitUsd * limits.budgetWarningPercent) / 100) &&
      !state.budgetWarnings.has(warningKey(cap)),
  );
  return near === undefined ? null : { kind: "budget-warned", ...near };
}

/**
 * What is kept for the coming dispatch and those under way, of the task or (null) of the whole run. One that goes alone
 * may find out what its kind costs; of several at once, each of a kind that none has ended of yet is taken to be dear.
 */
function reservedUsd(state: RunState, coming: Coming, taskId: Cap["taskId"]): number {
  let sumUsd = 0;
  for (const { intent } of state.running.values()) {
    if (intent.kind !== "dispatch-started") continue;
    if (taskId === null || intent.taskId === taskId) sumUsd += dearUsd(state, intent);
  }
  return sumUsd + (sumUsd === 0 ? likelyUsd : dearUsd)(state, coming);
}

function dearUsd(state: RunState, kind: Kind): number {
  const isKnown = state.seenKinds.has(spentKey(kind.agent, kind.stage));
  return Math.max(likelyUsd(state, kind), isKnown ? 0 : limits.unseenDispatchUsd);
}

type Kind = Pick<Coming, "agent" | "stage">;

/** What dispatches like it cost on average: of its stage and agent, else of its agent, else of any. */
function likelyUsd(state: RunState, { agent, stage }: Kind): number {
  const { spent } = state;
  const sums = [spent.get(spentKey(agent, stage)), spent.get(spentKey(agent, null)), state.usage];
  const known = sums.find((sum) => sum !== undefined && sum.priced > 0);
  return known === undefined ? 0 : known.costUsd / known.priced;
}

export function spentKey(agent: string, stage: AgentStage | null): string {
  return `${agent} ${stage ?? ""}`;
}

/** Sums of money are compared to a hundred thousandth of a dollar: 0.1 + 0.2 is 0.3. */
function isAtLeast(usd: number, limitUsd: number): boolean {
  return usd > limitUsd - 0.000_01;
}
