// What happens next for one task: precheck, develop, candidate, gates, review, integrate.

import { nextAgent, startOf } from "./attempts.ts";
import { isHeldBack, planBudget } from "./budget.ts";
import { toCandidateMessage } from "./commit-message.ts";
import { planDoubt } from "./doubt.ts";
import type { RunEvent } from "./event.ts";
import { dispatchId } from "./ids.ts";
import { limits } from "./limits.ts";
import { endAttempt, holdOnTrouble } from "./plan-judged.ts";
import { planJudging } from "./plan-judging.ts";
import { agentKeyFor, isStageOn } from "./policy.ts";
import { assert } from "./result.ts";
import {
  type AttemptRecord,
  integratedCommit,
  lastAttempt,
  policyOf,
  type RunState,
  type TaskRecord,
} from "./state.ts";
import { laneFor } from "./task-index.ts";
import { repetition, troubleInARow } from "./verdict.ts";
import { agentNow } from "./waits.ts";

/** The next step of a task without an open attempt: a precheck of its prompt, or a new attempt. */
export function planStart(state: RunState, record: TaskRecord, nowMs: number): RunEvent | null {
  const isPrecheck = wantsPrecheck(state, record);
  const agent = startAgent(state, record, nowMs);
  if (agent === null) return null;
  const stop = planBudget(state, { stage: isPrecheck ? "precheck" : "develop", agent, record, nowMs });
  if (stop !== null) return isHeldBack(state, stop) ? null : stop;
  const attempt = (lastAttempt(record)?.number ?? 0) + 1;
  const common = {
    kind: "dispatch-started",
    dispatch: dispatchId(state.dispatches + 1),
    taskId: record.task.id,
    attempt,
    lane: laneFor(state, record),
    base: state.head,
    candidate: null,
  } as const;
  if (isPrecheck) {
    return {
      ...common,
      stage: "precheck",
      role: "reviewer",
      agent,
      try: record.precheckTries + 1,
      startFrom: null,
    };
  }
  return {
    ...common,
    stage: "develop",
    role: "developer",
    agent,
    try: 1,
    startFrom: startOf(policyOf(state), record),
  };
}

/** Who is asked first for a task without an open attempt; null: its agent waits. */
function startAgent(state: RunState, record: TaskRecord, nowMs: number): string | null {
  const policy = policyOf(state);
  const isPrecheck = wantsPrecheck(state, record);
  const wanted = isPrecheck ? agentKeyFor(policy, "reviewer", null) : nextAgent(policy, record);
  return agentNow(state, wanted, nowMs);
}

function wantsPrecheck(state: RunState, record: TaskRecord): boolean {
  if (record.attempts.length > 0) return false;
  if (!isStageOn(policyOf(state), "precheck", state.prd.tasks.length)) return false;
  if (record.prechecks.at(-1)?.verdict === "approved") return false;
  return record.prechecks.length + record.precheckFailures < limits.precheckRounds;
}

/** The next step of an attempt under way. */
export function planAttempt(
  state: RunState,
  record: TaskRecord,
  attempt: AttemptRecord,
  nowMs: number,
): RunEvent | null {
  const { develop } = attempt;
  assert(develop.kind === "answered", "an attempt without an answer is under way or over");
  const integrated = integratedCommit(attempt);
  if (integrated !== null) return endAttempt(record, attempt, { kind: "accepted", commit: integrated });
  if (attempt.isStale) {
    return endAttempt(record, attempt, { kind: "interrupted", by: "the changed plan" });
  }
  if (attempt.candidateRefused !== null) {
    return endAttempt(record, attempt, { kind: "rejected", failure: attempt.candidateRefused });
  }
  const { candidate } = attempt;
  if (candidate === null) return makeCandidate(state, record, attempt);
  const doubt = planDoubt(state, record, attempt);
  if (doubt !== "clear") return doubt;
  if (develop.report.question !== null) return endAttempt(record, attempt, { kind: "asked" });
  const repeated = repetition(record, attempt);
  if (repeated !== null) return endAttempt(record, attempt, { kind: "rejected", failure: repeated });
  if (candidate.base !== state.head) return makeCandidate(state, record, attempt);
  return planJudging({ state, record, attempt, candidate, nowMs });
}

/** The first candidate, on the base of the attempt; a later one puts the one before on the head of now. */
function makeCandidate(state: RunState, record: TaskRecord, attempt: AttemptRecord): RunEvent {
  assert(attempt.develop.kind === "answered", "a candidate is made of an answered attempt");
  const trouble = troubleInARow(policyOf(state), record);
  if (trouble !== null) return holdOnTrouble(state, record, trouble);
  return {
    kind: "candidate-started",
    taskId: record.task.id,
    attempt: attempt.number,
    lane: laneFor(state, record),
    base: attempt.candidate === null ? attempt.base : state.head,
    tree: attempt.develop.left.tree,
    message: toCandidateMessage({
      runId: state.runId,
      taskId: record.task.id,
      attempt: attempt.number,
      title: record.task.title,
    }),
    replayOf: attempt.candidate?.commit ?? null,
  };
}
