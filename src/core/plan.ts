// The whole scheduler: what happens next in a run, as a function of its state and the time (I5).
//
// `plan` returns one event at a time: an intent, whose effect the engine then starts, or a decision, which is
// only recorded. The engine appends it, folds it and asks again; null means that nothing can begin until
// something that is under way ends, or a wait does. Whatever instant the program dies at, the same question on the
// folded journal gives the next step, so no path is special to recovery.
//
// Order of rules: end what must end, stop when told to, then baseline, recon, pre-mortem, tasks, holistic
// review, memory, completed.

import { planDefaultAnswer, timesOfDefaults } from "./checkpoint.ts";
import { planRunDoubt } from "./doubt.ts";
import type { AttemptOutcome, Question, RunEvent } from "./event.ts";
import { classOf, type Failure, type FailureClass } from "./failure.ts";
import { readyTasks } from "./graph.ts";
import type { TaskId } from "./ids.ts";
import { planAttempt, planStart } from "./plan-attempt.ts";
import { planHolds } from "./plan-hold.ts";
import { planEnding, planOpening } from "./plan-run.ts";
import { assert } from "./result.ts";
import {
  type AttemptRecord,
  integratedCommit,
  openAttempt,
  policyOf,
  type RunState,
  type TaskRecord,
  tasksUnderWay,
} from "./state.ts";
import { tasksWithOpenAttempt, workingTasks } from "./task-index.ts";
import { endsOfWaits, planWait } from "./waits.ts";

export function plan(state: RunState, nowMs: number): RunEvent | null {
  if (state.phase.kind !== "running") return null;
  const underWay = tasksUnderWay(state);
  const over = endOver(state, underWay);
  if (over !== null) return over;
  const stop = stopOf(state);
  if (stop !== null) return state.running.size > 0 ? null : stop;
  const timed = planWait(state, nowMs) ?? planDefaultAnswer(state, nowMs);
  if (timed !== null) return timed;
  const question = runQuestion(state);
  if (question !== null) return state.running.size > 0 ? null : blockOn(question);
  const opening = planOpening(state, nowMs);
  if (opening !== "over") return opening;
  const work = planTasks(state, underWay, nowMs);
  if (work !== null || state.running.size > 0 || isWaitedFor(state, nowMs)) return work;
  return planEnd(state, nowMs);
}

/**
 * Whether time alone brings more work: an answer comes by itself, or a task goes on when a wait is over. The wait of
 * an agent that no task asks keeps nobody from coming to an end.
 */
function isWaitedFor(state: RunState, nowMs: number): boolean {
  if (timesOfDefaults(state, nowMs).length > 0) return true;
  if (endsOfWaits(state, nowMs).length === 0) return false;
  return readyTasks(state).length > 0 || workingTasks(state).next().done !== true;
}

/**
 * An attempt that is over gets its one ending (I6) also when the run is about to stop: one whose dispatch was cut
 * short or failed, and one whose task the builder skipped meanwhile.
 */
function endOver(state: RunState, underWay: ReadonlySet<TaskId>): RunEvent | null {
  for (const record of tasksWithOpenAttempt(state)) {
    const { task, phase } = record;
    const attempt = openAttempt(record);
    if (attempt === undefined || underWay.has(task.id)) continue;
    const outcome = phase.kind === "skipped" ? outcomeOfSkipped(attempt) : outcomeOfDispatch(attempt);
    if (outcome !== null) return { kind: "attempt-ended", taskId: task.id, attempt: attempt.number, outcome };
  }
  return null;
}

/** A skip that came after the branch had moved came too late. */
function outcomeOfSkipped(attempt: AttemptRecord): AttemptOutcome {
  const commit = integratedCommit(attempt);
  return commit === null ? { kind: "interrupted", by: "skip" } : { kind: "accepted", commit };
}

function outcomeOfDispatch({ develop }: AttemptRecord): AttemptOutcome | null {
  if (develop.kind === "interrupted") return { kind: "interrupted", by: develop.by };
  return develop.kind === "failed" ? { kind: "failed", failure: develop.failure } : null;
}

/** The event that stops the run, once nothing is under way. */
function stopOf(state: RunState): RunEvent | null {
  if (state.cancelled !== null) {
    return { kind: "run-failed", failure: { reason: "cancelled", by: state.cancelled } };
  }
  if (state.trouble !== null) return stopFor(state.trouble);
  if (state.pause !== null) {
    return { kind: "run-paused", failure: { reason: "paused-by-builder", by: state.pause.by } };
  }
  return null;
}

const pausing: readonly FailureClass[] = ["environment", "budget", "auth", "rate-limited"];

/** Paused: goes on by `resume` once the cause is gone. Blocked: somebody has to put something right or decide. */
function stopFor(failure: Failure): RunEvent {
  const failureClass = classOf(failure);
  return pausing.includes(failureClass)
    ? { kind: "run-paused", failure }
    : { kind: "run-blocked", failure, question: null };
}

/** An open question that keeps the whole run from going on. */
function runQuestion(state: RunState): Question | null {
  return state.questions.find(({ about }) => !("taskId" in about) || about.taskId === null) ?? null;
}

function blockOn(question: Question): RunEvent {
  const failure: Failure = question.failure ?? {
    reason: "question-open",
    question: question.id,
    text: question.text,
  };
  return { kind: "run-blocked", failure, question: question.id };
}

/** Work goes on where it is under way; what is pending begins, or goes on after an answer, when there is room. */
function planTasks(state: RunState, underWay: ReadonlySet<TaskId>, nowMs: number): RunEvent | null {
  const busy = new Set(underWay);
  const lanes = lanesOfTheRun(state);
  for (const record of workingTasks(state)) {
    busy.add(record.task.id);
    const isTaken = lanes.has(record.phase.lane);
    const next = underWay.has(record.task.id) || isTaken ? null : planNext(state, record, nowMs);
    if (next !== null) return next;
  }
  const hold = planHolds(state);
  if (hold !== null) return hold;
  if (busy.size >= policyOf(state).concurrency) return null;
  for (const ready of readyTasks(state)) {
    const next = underWay.has(ready.task.id) ? null : planNext(state, ready, nowMs);
    if (next !== null) return next;
  }
  return null;
}

/** Lanes in which a gate looks at the head of the branch: the task that works there has nowhere to go on meanwhile. */
function lanesOfTheRun(state: RunState): ReadonlySet<number> {
  const lanes = new Set<number>();
  for (const { intent } of state.running.values()) {
    if (intent.kind === "gate-started" && intent.taskId === null) lanes.add(intent.lane);
  }
  return lanes;
}

function planNext(state: RunState, record: TaskRecord, nowMs: number): RunEvent | null {
  const attempt = openAttempt(record);
  return attempt === undefined ? planStart(state, record, nowMs) : planAttempt(state, record, attempt, nowMs);
}

/** Nothing is under way and no task can go on: finish, or say who is waited for. */
function planEnd(state: RunState, nowMs: number): RunEvent | null {
  const held: { readonly id: TaskId; readonly question: string; readonly failure: Failure }[] = [];
  let hasPending = false;
  for (const { task, phase } of state.tasks) {
    if (phase.kind === "held") held.push({ id: task.id, question: phase.question, failure: phase.failure });
    else if (phase.kind === "pending") hasPending = true;
  }
  const [first] = held;
  if (first !== undefined) {
    const ids = held.map(({ id }) => id);
    const failure: Failure = { reason: "tasks-held", first: first.id, because: first.failure, held: ids };
    return { kind: "run-blocked", failure, question: first.question };
  }
  if (!hasPending) return planRunDoubt(state) ?? planEnding(state, nowMs);
  // Without --only a pending task is ready, or waits for one that is ready or held.
  const { only } = policyOf(state);
  assert(only !== null, "tasks that nothing keeps from starting are started");
  return { kind: "run-paused", failure: { reason: "nothing-selected", only } };
}
