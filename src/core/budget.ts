// What a run may use up: dispatches, money, time. Checked before every dispatch.

import type { RunEvent } from "./event.ts";
import type { Failure } from "./failure.ts";
import { maxDispatches } from "./policy.ts";
import { assert } from "./result.ts";
import { policyOf, type RunState, type TaskRecord } from "./state.ts";

/** A dispatch that the budget forbids is not started: the run pauses instead. */
export function budgetStop(state: RunState, nowMs: number, record: TaskRecord | null): RunEvent | null {
  const failure = budgetFailure(state, nowMs, record);
  return failure === null ? null : { kind: "run-paused", failure };
}

function budgetFailure(state: RunState, nowMs: number, record: TaskRecord | null): Failure | null {
  const policy = policyOf(state);
  const limit = maxDispatches(policy, state.tasks.length);
  const used = state.dispatches - state.interruptedDispatches;
  if (used >= limit) return { reason: "budget-dispatches", used, limit };
  assert(state.sessionStartedAtMs !== null, "who asks for an agent is in a session");
  const usedMs = state.activeMs + Math.max(0, nowMs - state.sessionStartedAtMs);
  const { wallClockMs, usd, perTaskUsd } = policy.budget;
  if (wallClockMs > 0 && usedMs >= wallClockMs) {
    return { reason: "budget-wall-clock", usedMs, limitMs: wallClockMs };
  }
  if (usd > 0 && state.usage.costUsd >= usd) {
    return { reason: "budget-cost", usedUsd: state.usage.costUsd, limitUsd: usd, taskId: null };
  }
  if (record !== null && perTaskUsd > 0 && record.usage.costUsd >= perTaskUsd) {
    return {
      reason: "budget-cost",
      usedUsd: record.usage.costUsd,
      limitUsd: perTaskUsd,
      taskId: record.task.id,
    };
  }
  return null;
}
