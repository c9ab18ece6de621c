// How a task's record changes: stages begin and end, candidates, gates, integration, the end of an attempt.

import type {
  Candidate,
  CandidateMade,
  DispatchStarted,
  Entry,
  GateEnded,
  IntegrationEnded,
  Intent,
  RunEvent,
  TaskStage,
} from "./event.ts";
import { classOf, countsAsAttempt, describe, type Failure, stopsRun, triesIn } from "./failure.ts";
import type { GateResult } from "./gate-result.ts";
import { lookAtBase, moveBaseline } from "./gates.ts";
import type { Sha, TaskId } from "./ids.ts";
import { limits } from "./limits.ts";
import type { Task } from "./prd.ts";
import { assert } from "./result.ts";
import {
  type AttemptRecord,
  type BaselineRecord,
  integratedCommit,
  knownTask,
  noUsage,
  type ProgressItem,
  type RunState,
  type TaskPhase,
  type TaskRecord,
} from "./state.ts";
import { laneFor } from "./task-index.ts";
import { unjustified } from "./verdict.ts";
import { endWait } from "./waits.ts";

export function newTaskRecord(
  task: Task,
  completedBefore: readonly { readonly taskId: TaskId; readonly commit: Sha }[],
): TaskRecord {
  const before = completedBefore.find(({ taskId }) => taskId === task.id);
  return {
    task,
    phase:
      before === undefined ? { kind: "pending" } : { kind: "complete", commit: before.commit, before: true },
    attempts: [],
    prechecks: [],
    precheckFailures: 0,
    precheckTries: 0,
    recon: null,
    cleared: [],
    asked: [],
    builderNotes: [],
    granted: 0,
    infrastructure: null,
    usage: noUsage,
  };
}

/** The record of a task, changed; the task must be in the run. */
export function changeTask(
  state: RunState,
  id: TaskId,
  change: (record: TaskRecord) => TaskRecord,
): RunState {
  const index = state.indexOf.get(id);
  assert(index !== undefined, `task ${id} is in the run`);
  return { ...state, tasks: state.tasks.with(index, change(knownTask(state, id))) };
}

/** The numbered attempt of a task, changed. */
export function changeAttempt(
  record: TaskRecord,
  number: number,
  change: (attempt: AttemptRecord) => AttemptRecord,
): TaskRecord {
  const index = record.attempts.findIndex((attempt) => attempt.number === number);
  const attempt = record.attempts[index];
  assert(attempt !== undefined, `attempt ${number} of ${record.task.id} was started`);
  return { ...record, attempts: record.attempts.with(index, change(attempt)) };
}

/** An intent concerning a task moves it to the intent's stage; a `develop` dispatch opens a new attempt. */
export function startStage(state: RunState, intent: Intent, entry: Entry): RunState {
  if (intent.kind === "dispatch-started") return startDispatch(state, intent, entry);
  if (intent.kind === "memory-started") return state;
  if (intent.kind === "gate-started") {
    const counted = { ...state, gateRuns: state.gateRuns + 1 };
    if (intent.taskId === null) return counted;
    return changeTask(counted, intent.taskId, (record) =>
      changeAttempt(inStage(record, "gates", intent.lane, entry), intent.attempt, (attempt) => ({
        ...attempt,
        gatesStartedAtMs: attempt.gatesStartedAtMs ?? entry.atMs,
      })),
    );
  }
  if (intent.kind === "integration-started") {
    return changeTask(state, intent.taskId, (record) =>
      inStage(record, "integrate", laneFor(state, record), entry),
    );
  }
  return state;
}

function startDispatch(state: RunState, intent: DispatchStarted, entry: Entry): RunState {
  const waits = endWait(state.waits, intent.agent);
  const counted = { ...state, waits, dispatches: state.dispatches + 1 };
  if (intent.taskId === null) {
    const tries = (state.stageTries.get(intent.stage) ?? 0) + 1;
    return { ...counted, stageTries: new Map(state.stageTries).set(intent.stage, tries) };
  }
  const stage = intent.stage;
  assert(
    stage === "precheck" || stage === "develop" || stage === "review",
    "a task's dispatch is of a task's stage",
  );
  return changeTask(counted, intent.taskId, (record) => {
    const moved = inStage(record, stage, intent.lane, entry);
    if (stage === "develop") return openAttempt(moved, intent, entry);
    if (stage === "precheck") return { ...moved, precheckTries: moved.precheckTries + 1 };
    return changeAttempt(moved, intent.attempt, (attempt) => startReview(attempt, intent));
  });
}

/** A review that is asked for again left something out: it counts as a report that was no use. */
function startReview(attempt: AttemptRecord, { agent }: DispatchStarted): AttemptRecord {
  const { review, reviewFailures } = attempt;
  const lack = review === null ? null : unjustified(review, attempt);
  return {
    ...attempt,
    review: null,
    reviewFailures: lack === null ? reviewFailures : [...reviewFailures, lack],
    reviewTries: attempt.reviewTries + 1,
    reviewAgent: agent,
  };
}

function openAttempt(record: TaskRecord, intent: DispatchStarted, entry: Entry): TaskRecord {
  const last = record.attempts.at(-1);
  assert(last === undefined || last.outcome !== null, "an attempt ends before the next one starts (I6)");
  assert(intent.attempt === (last?.number ?? 0) + 1, "attempt numbers go up by one and are never reused");
  assert(intent.startFrom !== null, "a developer starts from something");
  const attempt: AttemptRecord = {
    number: intent.attempt,
    agent: intent.agent,
    base: intent.base,
    startFrom: intent.startFrom,
    startedAtMs: entry.atMs,
    endedAtMs: null,
    develop: { kind: "running" },
    candidate: null,
    reviewedCommit: null,
    candidateRefused: null,
    gatesStartedAtMs: null,
    gates: [],
    trials: [],
    red: null,
    judgements: [],
    evidence: [],
    judgedEvidence: [],
    evidenceWord: null,
    review: null,
    reviewFailures: [],
    reviewTries: 0,
    reviewAgent: null,
    reviewModel: null,
    verification: null,
    integration: null,
    isStale: false,
    outcome: null,
    usage: noUsage,
    notes: [],
  };
  return { ...record, attempts: [...record.attempts, attempt] };
}

function inStage(record: TaskRecord, stage: TaskStage, lane: number, entry: Entry): TaskRecord {
  const { phase } = record;
  if (phase.kind === "working" && phase.stage === stage) return record;
  return { ...record, phase: { kind: "working", stage, lane, sinceMs: entry.atMs } };
}

/** A candidate, or why the work cannot be one; trouble outside the work leaves it as it is, to be tried again. */
export function keepCandidate(state: RunState, event: CandidateMade): RunState {
  const { result, taskId } = event;
  if (result.kind === "made") {
    return changeTask(state, taskId, (record) =>
      changeAttempt({ ...record, infrastructure: null }, event.attempt, (attempt) =>
        withCandidate(attempt, result.candidate),
      ),
    );
  }
  const { failure } = result;
  if (classOf(failure) === "environment") return meetTrouble(state, { taskId, stage: "candidate", failure });
  return changeTask(state, taskId, (record) =>
    changeAttempt(record, event.attempt, (attempt) => ({ ...attempt, candidateRefused: failure })),
  );
}

/** Gates start anew; review and builder's word stand when a replay left the change itself as it was. */
function withCandidate(attempt: AttemptRecord, candidate: Candidate): AttemptRecord {
  const before = attempt.candidate;
  const isSame = before !== null && before.patchId === candidate.patchId;
  return {
    ...attempt,
    base: candidate.base,
    candidate,
    reviewedCommit: isSame && attempt.review !== null ? (attempt.reviewedCommit ?? before.commit) : null,
    gates: [],
    trials: [],
    gatesStartedAtMs: null,
    red: null,
    judgements: [],
    evidence: candidate.findings,
    // Until its gates are judged, what the words of before are about is that of the candidate before.
    judgedEvidence: attempt.red === null ? attempt.judgedEvidence : attempt.evidence,
    evidenceWord: isSame ? attempt.evidenceWord : null,
    review: isSame ? attempt.review : null,
    reviewFailures: [],
    verification: isSame ? attempt.verification : null,
    integration: null,
  };
}

export function endGate(state: RunState, event: GateEnded): RunState {
  const { result, taskId } = event;
  if (taskId === null) return endBaselineGate(state, event);
  if (result.kind === "interrupted") return state;
  if (result.kind === "failed")
    return meetTrouble(state, { taskId, stage: "gates", failure: result.failure });
  return changeTask(state, taskId, (record) =>
    changeAttempt({ ...record, infrastructure: null }, event.attempt, (attempt) =>
      event.trial === "candidate"
        ? { ...attempt, gates: [...attempt.gates, result.result] }
        : { ...attempt, trials: [...attempt.trials, { trial: event.trial, result: result.result }] },
    ),
  );
}

/** Trouble that is not the work's: counted, and the end of the session where another try would only repeat it. */
function meetTrouble(
  state: RunState,
  { taskId, stage, failure }: { taskId: TaskId; stage: string; failure: Failure },
): RunState {
  const troubled = changeTask(state, taskId, (record) => countTrouble(record, stage, failure));
  return stopsRun(failure) ? { ...troubled, trouble: failure } : troubled;
}

/** One more failure in a row that is not the work's (I14 bounds these by a row of their own). */
export function countTrouble(record: TaskRecord, stage: string, last: Failure): TaskRecord {
  const before = record.infrastructure?.stage === stage ? record.infrastructure.times : 0;
  return { ...record, infrastructure: { stage, times: before + triesIn(last), last } };
}

function endBaselineGate(state: RunState, event: GateEnded): RunState {
  const { result } = event;
  // A gate that was repeated on the head before the builder's commits says nothing about the head of now (I9).
  if (result.kind === "interrupted" || event.commit !== state.head) return state;
  if (result.kind === "failed") return { ...state, trouble: result.failure };
  return { ...state, baseline: withBaselineResult(state.baseline, event, result.result) };
}

/** A gate has one result at the base; a later look at the head only takes away from what is known to fail. */
function withBaselineResult(baseline: BaselineRecord, event: GateEnded, result: GateResult): BaselineRecord {
  const { commit, gate, trial } = event;
  if (trial === "candidate") {
    const failing = lookAtBase(baseline, { commit, first: result, again: undefined });
    const isLater = baseline.results.some((before) => before.gate === gate);
    return { ...baseline, failing, results: isLater ? baseline.results : [...baseline.results, result] };
  }
  const first = baseline.results.find((before) => before.gate === gate);
  assert(first !== undefined, "a gate runs a first time before it runs again");
  const failing = lookAtBase(baseline, { commit, first, again: result });
  return { ...baseline, failing, again: [...baseline.again, result] };
}

export function endIntegration(
  state: RunState,
  event: IntegrationEnded,
  at: { readonly startedAtMs: number; readonly atMs: number },
): RunState {
  const { result } = event;
  const changed = changeTask(state, event.taskId, (record) =>
    changeAttempt(record, event.attempt, (attempt) => ({ ...attempt, integration: result })),
  );
  const attempt = attemptOf(changed, event);
  const isIn = result.kind === "integrated";
  return {
    ...changed,
    baseline: isIn ? movedBaseline(changed.baseline, attempt) : changed.baseline,
    head: integratedCommit(attempt) ?? changed.head,
    trouble: isIn ? changed.trouble : result.failure,
    steps: changed.steps.push({
      nodeId: event.taskId,
      stage: "integrate",
      attempt: event.attempt,
      startedAtMs: at.startedAtMs,
      finishedAtMs: at.atMs,
      status: isIn ? "success" : "fail",
      notes: "",
      failureReason: isIn ? "" : describe(result.failure),
      score: null,
    }),
  };
}

function movedBaseline(
  baseline: BaselineRecord,
  { candidate, gates, trials }: AttemptRecord,
): BaselineRecord {
  assert(candidate !== null, "what is integrated is a candidate");
  const again = trials.filter(({ trial }) => trial === "again").map(({ result }) => result);
  return moveBaseline(baseline, { commit: candidate.commit, gates, again });
}

/** An attempt that was started. */
export function attemptOf(state: RunState, at: { taskId: TaskId; attempt: number }): AttemptRecord {
  const attempt = knownTask(state, at.taskId).attempts.find(({ number }) => number === at.attempt);
  assert(attempt !== undefined, `attempt ${at.attempt} of ${at.taskId} was started`);
  return attempt;
}

/** The one ending of an attempt (I6): the task is complete, or free for the next attempt. */
export function endAttempt(
  state: RunState,
  event: Extract<RunEvent, { kind: "attempt-ended" }>,
  entry: Entry,
): RunState {
  const attempt = attemptOf(state, event);
  assert(attempt.outcome === null, "an attempt ends once (I6)");
  const ended = changeTask(state, event.taskId, (record) => ({
    ...changeAttempt(record, event.attempt, (open) => ({
      ...open,
      outcome: event.outcome,
      endedAtMs: entry.atMs,
    })),
    phase: phaseAfter(record, event),
    infrastructure: infrastructureAfter(record, event),
  }));
  const learned = event.outcome.kind === "accepted" ? withLearned(ended, event.taskId, attempt) : ended;
  const item = progressOf(event);
  return item === null ? learned : { ...learned, progress: learned.progress.push(item) };
}

function phaseAfter(record: TaskRecord, event: Extract<RunEvent, { kind: "attempt-ended" }>): TaskPhase {
  if (event.outcome.kind === "accepted") {
    return { kind: "complete", commit: event.outcome.commit, before: false };
  }
  return record.phase.kind === "skipped" ? record.phase : { kind: "pending" };
}

// The program's own death or stop counts to nothing; an answer or the agent's own fault ends the row.
function infrastructureAfter(
  record: TaskRecord,
  event: Extract<RunEvent, { kind: "attempt-ended" }>,
): TaskRecord["infrastructure"] {
  const { outcome } = event;
  if (outcome.kind === "interrupted") return record.infrastructure;
  if (outcome.kind === "accepted" || outcome.kind === "asked" || countsAsAttempt(outcome.failure))
    return null;
  return countTrouble(record, "develop", outcome.failure).infrastructure;
}

function progressOf(event: Extract<RunEvent, { kind: "attempt-ended" }>): ProgressItem | null {
  const { outcome, taskId, attempt } = event;
  switch (outcome.kind) {
    case "accepted":
      return { taskId, attempt, status: "complete", reason: "" };
    case "failed":
      if (!countsAsAttempt(outcome.failure)) return null; // neither the work nor the agent was judged
      return { taskId, attempt, status: "sent back", reason: describe(outcome.failure) };
    case "rejected":
      return { taskId, attempt, status: "sent back", reason: describe(outcome.failure) };
    case "asked":
    case "interrupted":
      return null;
  }
}

function withLearned(state: RunState, taskId: TaskId, attempt: AttemptRecord): RunState {
  assert(attempt.develop.kind === "answered", "what is accepted was developed");
  const { reflection, summary } = attempt.develop.report;
  const text = reflection === "" ? summary : reflection;
  return { ...state, learned: [...state.learned, { taskId, text }].slice(-limits.learnedKept) };
}
