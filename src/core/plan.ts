// The whole scheduler: what happens next in a run, as a function of its state and the time (I5).
//
// `plan` returns one event at a time: an intent, whose effect the engine then starts, or a decision, which is
// only recorded. The engine appends it, folds it and asks again; null means that nothing can begin until
// something that is under way ends. Whatever instant the program dies at, the same question on the folded journal
// gives the next step, so no path is special to recovery.
//
// Order of rules: end what must end, stop when told to, then baseline, recon, pre-mortem, tasks, holistic
// review, memory, completed.

import type { Intent, Question, RunEvent } from "./event.ts";
import { classOf, type Failure } from "./failure.ts";
import { heldBehind, isSelected, readyTasks } from "./graph.ts";
import { planAttempt, planStart } from "./plan-attempt.ts";
import { planHold } from "./plan-hold.ts";
import { planEnding, planOpening } from "./plan-run.ts";
import { openAttempt, type RunState, type TaskRecord } from "./state.ts";

export function plan(state: RunState, nowMs: number): RunEvent | null {
  if (state.phase.kind !== "running" || state.policy === null) return null;
  const abandoned = endAbandoned(state);
  if (abandoned !== null) return abandoned;
  const stop = stopOf(state);
  if (stop !== null) return state.running.size > 0 ? null : stop;
  if (runQuestion(state) !== null) return state.running.size > 0 ? null : blockOn(state);
  const opening = planOpening(state, nowMs);
  if (opening !== "over") return opening;
  const work = planTasks(state, nowMs);
  if (work !== null || state.running.size > 0) return work;
  return planEnd(state, nowMs);
}

/** An attempt of a task that the builder skipped meanwhile still gets its one ending (I6). */
function endAbandoned(state: RunState): RunEvent | null {
  for (const record of state.tasks) {
    const attempt = record.phase.kind === "skipped" ? openAttempt(record) : undefined;
    if (attempt === undefined || isBusy(state, record)) continue;
    return {
      kind: "attempt-ended",
      taskId: record.task.id,
      attempt: attempt.number,
      outcome: { kind: "interrupted", by: "skip" },
    };
  }
  return null;
}

function isBusy(state: RunState, record: TaskRecord): boolean {
  for (const { intent } of state.running.values()) if (taskOfIntent(intent) === record.task.id) return true;
  return false;
}

function taskOfIntent(intent: Intent): string | null {
  return intent.kind === "memory-started" ? null : intent.taskId;
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

/** Paused: goes on by `resume` once the cause is gone. Blocked: somebody has to put something right or decide. */
function stopFor(failure: Failure): RunEvent {
  const failureClass = classOf(failure);
  return failureClass === "environment" || failureClass === "budget"
    ? { kind: "run-paused", failure }
    : { kind: "run-blocked", failure, question: null };
}

/** An open question that keeps the whole run from going on. */
function runQuestion(state: RunState): Question | null {
  return state.questions.find(({ about }) => !("taskId" in about) || about.taskId === null) ?? null;
}

function blockOn(state: RunState): RunEvent | null {
  const question = runQuestion(state);
  if (question === null) return null;
  const failure: Failure = question.failure ?? {
    reason: "question-open",
    question: question.id,
    text: question.text,
  };
  return { kind: "run-blocked", failure, question: question.id };
}

function planTasks(state: RunState, nowMs: number): RunEvent | null {
  let busy = 0;
  for (const record of state.tasks) {
    const attempt =
      record.phase.kind === "working" || record.phase.kind === "pending" ? openAttempt(record) : undefined;
    if (record.phase.kind === "working") busy += 1;
    if (isBusy(state, record)) continue;
    if (attempt !== undefined) {
      const next = planAttempt(state, record, attempt, nowMs);
      if (next !== null) return next;
    } else if (record.phase.kind === "working") {
      const next = planStart(state, record, nowMs); // after a precheck
      if (next !== null) return next;
    }
  }
  const held = planHolds(state);
  if (held !== null) return held;
  if (busy >= (state.policy?.concurrency ?? 1)) return null;
  const ready = readyTasks(state).find((record) => openAttempt(record) === undefined);
  return ready === undefined ? null : planStart(state, ready, nowMs);
}

/** Questions about tasks are asked as soon as they are known, also while other work is under way. */
function planHolds(state: RunState): RunEvent | null {
  for (const record of state.tasks) {
    if (record.phase.kind !== "pending" || !isSelected(state, record)) continue;
    const hold = planHold(state, record);
    if (hold !== null) return hold;
  }
  return null;
}

/** Nothing is under way and no task can go on: finish, or say who is waited for. */
function planEnd(state: RunState, nowMs: number): RunEvent {
  let firstHeld: TaskRecord | null = null;
  let hasUnselected = false;
  for (const record of state.tasks) {
    const { kind } = record.phase;
    if (kind === "held") firstHeld ??= record;
    else if (kind === "pending" && heldBehind(state, record) === null) hasUnselected = true;
  }
  if (firstHeld !== null && firstHeld.phase.kind === "held") return blockOnTasks(state, firstHeld);
  if (hasUnselected) {
    return { kind: "run-paused", failure: { reason: "nothing-selected", only: state.policy?.only ?? [] } };
  }
  return planEnding(state, nowMs);
}

function blockOnTasks(state: RunState, first: TaskRecord): RunEvent {
  const held = [...state.tasks].filter(({ phase }) => phase.kind === "held").map(({ task }) => task.id);
  const phase = first.phase;
  const question = phase.kind === "held" ? phase.question : null;
  const cause = phase.kind === "held" ? phase.failure : null;
  const failure: Failure = {
    reason: "tasks-held",
    first: first.task.id,
    because: cause ?? { reason: "question-open", question: question ?? "", text: "" },
    held,
  };
  return { kind: "run-blocked", failure, question };
}
