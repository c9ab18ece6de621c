// What happens next for a candidate whose gates passed: the review, and the builder's look where the task wants one.

import { isHeldBack, planBudget } from "./budget.ts";
import type { RunEvent } from "./event.ts";
import { describe, type Failure } from "./failure.ts";
import { dispatchId } from "./ids.ts";
import { limits } from "./limits.ts";
import { endAttempt, type Judged } from "./plan-judged.ts";
import { agentKeyFor, type Policy } from "./policy.ts";
import { type AttemptRecord, policyOf, type TaskRecord } from "./state.ts";
import { laneFor } from "./task-index.ts";
import { reviewFailure, troubleInARow } from "./verdict.ts";
import { agentNow } from "./waits.ts";

export function planReview({
  state,
  record,
  attempt,
  candidate,
  nowMs,
}: Judged): RunEvent | "approved" | null {
  const policy = policyOf(state);
  if (!policy.review.enabled) return withoutReview(record, attempt);
  if (attempt.review !== null) {
    const failure = reviewFailure({ review: attempt.review, policy, record, attempt });
    if (failure === null) return "approved";
    if (!isToComplete(attempt, failure)) return endAttempt(record, attempt, { kind: "rejected", failure });
  }
  const failure = reviewTrouble(policy, record, attempt);
  if (failure !== null) return holdReview(record, attempt, failure);
  const agent = agentNow(state, agentKeyFor(policy, "reviewer", null), nowMs);
  if (agent === null) return null;
  const stop = planBudget(state, { stage: "review", agent, record, nowMs });
  if (stop !== null) return isHeldBack(state, stop) ? null : stop;
  return {
    kind: "dispatch-started",
    dispatch: dispatchId(state.dispatches + 1),
    stage: "review",
    role: "reviewer",
    agent,
    taskId: record.task.id,
    attempt: attempt.number,
    try: attempt.reviewTries + 1,
    lane: laneFor(state, record),
    base: attempt.base,
    candidate: candidate.commit,
    startFrom: null,
  };
}

/** What a reviewer left out is no fault of the work: the reviewer is asked for it once, on the same commit. */
function isToComplete({ reviewFailures }: AttemptRecord, { reason }: Failure): boolean {
  return reason === "evidence-unjustified" && reviewFailures.length === 0;
}

/** Without a review nobody says that there was nothing to do. */
function withoutReview(record: TaskRecord, attempt: AttemptRecord): RunEvent | "approved" {
  if (attempt.candidate?.changeCount !== 0) return "approved";
  const problems = [
    "nothing was changed, and reviews are switched off, so nobody says that nothing had to be",
  ];
  return endAttempt(record, attempt, {
    kind: "rejected",
    failure: { reason: "evidence-unjustified", problems },
  });
}

/** A bad report is asked for once more; trouble outside the work has a row of its own (I14). Neither is a pass. */
function reviewTrouble(policy: Policy, record: TaskRecord, attempt: AttemptRecord): Failure | null {
  const { id: taskId } = record.task;
  const last = attempt.reviewFailures.at(-1);
  if (last !== undefined && attempt.reviewFailures.length >= limits.reportTries) {
    return { reason: "report-unusable-twice", stage: "review", taskId, last: describe(last) };
  }
  return troubleInARow(policy, record);
}

function holdReview(record: TaskRecord, attempt: AttemptRecord, failure: Failure): RunEvent {
  const { id: taskId } = record.task;
  return {
    kind: "question-asked",
    question: {
      id: `review:${taskId}:${attempt.number}:${attempt.reviewTries}`,
      about: { kind: "stage", stage: "review", taskId },
      text: `${describe(failure)}. Ask for the review again?`,
      options: [
        { id: "retry", label: "review the same commit again" },
        { id: "skip", label: "skip the task; what depends on it goes on" },
      ],
      failure,
    },
  };
}

export function planVerification({ state, record, attempt, candidate }: Judged): RunEvent | "verified" {
  const { task } = record;
  if (task.type !== "checkpoint:human-verify" || policyOf(state).yes) return "verified";
  if (attempt.verification?.kind === "approved") return "verified";
  if (attempt.verification?.kind === "rejected") {
    const failure: Failure = { reason: "builder-rejected", text: attempt.verification.text };
    return endAttempt(record, attempt, { kind: "rejected", failure });
  }
  return {
    kind: "question-asked",
    question: {
      id: `verify:${task.id}:${attempt.number}`,
      about: { kind: "checkpoint-after", taskId: task.id },
      text: task.checkpoint?.message || `Does commit ${candidate.commit} do "${task.title}"?`,
      options: [
        { id: "approve", label: "integrate it" },
        { id: "reject", label: "send it back (any other text: send it back with this note)" },
      ],
      failure: null,
    },
  };
}
