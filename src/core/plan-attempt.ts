// What happens next for one task: precheck, develop, candidate, gates, review, integrate.

import { nextAgent, startOf } from "./attempts.ts";
import { budgetStop } from "./budget.ts";
import { toCandidateMessage } from "./commit-message.ts";
import type { AttemptOutcome, Candidate, RunEvent } from "./event.ts";
import { describe, type Failure } from "./failure.ts";
import { dispatchId } from "./ids.ts";
import { limits } from "./limits.ts";
import { attemptsQuestion } from "./plan-hold.ts";
import { agentKeyFor, isStageOn } from "./policy.ts";
import { assert } from "./result.ts";
import {
  type AttemptRecord,
  integratedCommit,
  laneFor,
  lastAttempt,
  policyOf,
  type RunState,
  type TaskRecord,
} from "./state.ts";
import { redGates, repetition, reviewFailure, troubleInARow } from "./verdict.ts";

/** The next step of a task without an open attempt: a precheck of its prompt, or a new attempt. */
export function planStart(state: RunState, record: TaskRecord, nowMs: number): RunEvent | null {
  const stop = budgetStop(state, nowMs, record);
  if (stop !== null) return state.running.size > 0 ? null : stop;
  const policy = policyOf(state);
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
  if (wantsPrecheck(state, record)) {
    const agent = agentKeyFor(policy, "reviewer", null);
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
    agent: nextAgent(policy, record),
    try: 1,
    startFrom: startOf(policy, record),
  };
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
  if (integrated !== null) return end(record, attempt, { kind: "accepted", commit: integrated });
  if (attempt.isStale) {
    return end(record, attempt, { kind: "interrupted", by: "the changed plan" });
  }
  if (attempt.candidateRefused !== null) {
    return end(record, attempt, { kind: "rejected", failure: attempt.candidateRefused });
  }
  const { candidate } = attempt;
  if (candidate === null) return makeCandidate(state, record, attempt);
  if (develop.report.question !== null) return end(record, attempt, { kind: "asked" });
  const repeated = repetition(record, attempt);
  if (repeated !== null) return end(record, attempt, { kind: "rejected", failure: repeated });
  if (candidate.base !== state.head) return makeCandidate(state, record, attempt);
  return planJudging({ state, record, attempt, candidate, nowMs });
}

/** The first candidate, on the base of the attempt; a later one puts the one before on the head of now. */
function makeCandidate(state: RunState, record: TaskRecord, attempt: AttemptRecord): RunEvent {
  assert(attempt.develop.kind === "answered", "a candidate is made of an answered attempt");
  const trouble = troubleInARow(record);
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

/** A candidate on the head of the branch, and whose it is. */
interface Judged {
  readonly state: RunState;
  readonly record: TaskRecord;
  readonly attempt: AttemptRecord;
  readonly candidate: Candidate;
  readonly nowMs: number;
}

function planJudging(judged: Judged): RunEvent | null {
  const { state, record, attempt, candidate } = judged;
  const { id: taskId } = record.task;
  const at = { taskId, attempt: attempt.number } as const;
  const gate = nextGate(state, record, attempt);
  if (gate !== null) {
    const trouble = troubleInARow(record);
    if (trouble !== null) return holdOnTrouble(state, record, trouble);
    return { kind: "gate-started", ...at, lane: laneFor(state, record), gate, commit: candidate.commit };
  }
  if (attempt.red === null) {
    const red = redGates(attempt, state.baseline.accepted);
    return { kind: "gates-judged", ...at, commit: candidate.commit, red };
  }
  if (attempt.red.length > 0) {
    return end(record, attempt, { kind: "rejected", failure: { reason: "gates-red", gates: attempt.red } });
  }
  const review = planReview(judged);
  if (review !== "approved") return review;
  const verification = planVerification(judged);
  if (verification !== "verified") return verification;
  // One at a time: when the other has ended, this candidate is put on the head that it made.
  if (isIntegrating(state)) return null;
  return { kind: "integration-started", ...at, from: state.head, to: candidate.commit };
}

function isIntegrating(state: RunState): boolean {
  return [...state.running.values()].some(({ intent }) => intent.kind === "integration-started");
}

/** The next gate of the task without a result for the present candidate. */
function nextGate(state: RunState, record: TaskRecord, attempt: AttemptRecord): string | null {
  const wanted = gatesOf(state, record.task.gates);
  return wanted.find((name) => !attempt.gates.some(({ gate }) => gate === name)) ?? null;
}

/** Gates by name, in the configuration's order, without those the builder dropped. */
export function gatesOf(state: RunState, names: readonly string[] | null): readonly string[] {
  return policyOf(state)
    .gates.map(({ name }) => name)
    .filter((name) => (names === null || names.includes(name)) && !state.baseline.dropped.includes(name));
}

function planReview({ state, record, attempt, candidate, nowMs }: Judged): RunEvent | "approved" | null {
  const policy = policyOf(state);
  if (!policy.review.enabled) return "approved";
  if (attempt.review !== null) {
    const failure = reviewFailure(attempt.review, policy);
    return failure === null ? "approved" : end(record, attempt, { kind: "rejected", failure });
  }
  const failure = reviewTrouble(record, attempt);
  if (failure !== null) return holdReview(record, attempt, failure);
  const stop = budgetStop(state, nowMs, record);
  if (stop !== null) return state.running.size > 0 ? null : stop;
  return {
    kind: "dispatch-started",
    dispatch: dispatchId(state.dispatches + 1),
    stage: "review",
    role: "reviewer",
    agent: agentKeyFor(policy, "reviewer", null),
    taskId: record.task.id,
    attempt: attempt.number,
    try: attempt.reviewTries + 1,
    lane: laneFor(state, record),
    base: attempt.base,
    candidate: candidate.commit,
    startFrom: null,
  };
}

/** A bad report is asked for once more; trouble outside the work has a row of its own (I14). Neither is a pass. */
function reviewTrouble(record: TaskRecord, attempt: AttemptRecord): Failure | null {
  const { id: taskId } = record.task;
  const last = attempt.reviewFailures.at(-1);
  if (last !== undefined && attempt.reviewFailures.length >= limits.reportTries) {
    return { reason: "report-unusable-twice", stage: "review", taskId, last: describe(last) };
  }
  return troubleInARow(record);
}

/** Trouble with making or checking a candidate: the work is kept, and tried again when the builder says so. */
function holdOnTrouble(state: RunState, record: TaskRecord, failure: Failure): RunEvent {
  const { id } = record.task;
  return {
    kind: "question-asked",
    question: attemptsQuestion(`trouble:${id}:${state.seq}`, id, failure),
  };
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

function planVerification({ state, record, attempt, candidate }: Judged): RunEvent | "verified" {
  const { task } = record;
  if (task.type !== "checkpoint:human-verify" || policyOf(state).yes) return "verified";
  if (attempt.verification?.kind === "approved") return "verified";
  if (attempt.verification?.kind === "rejected") {
    const failure: Failure = { reason: "builder-rejected", text: attempt.verification.text };
    return end(record, attempt, { kind: "rejected", failure });
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

function end(record: TaskRecord, attempt: AttemptRecord, outcome: AttemptOutcome): RunEvent {
  return { kind: "attempt-ended", taskId: record.task.id, attempt: attempt.number, outcome };
}
