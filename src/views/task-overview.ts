// What several views say about the tasks of a run: counts, the word prd.json has for a state, and why a task is
// where it is.

import { describe } from "../core/failure.ts";
import type { GateJudgement, GateResult } from "../core/gate-result.ts";
import { isSelected, waitsFor } from "../core/graph.ts";
import type { TaskId } from "../core/ids.ts";
import type { ClaimedStatus } from "../core/prd.ts";
import type { Sequence } from "../core/sequence.ts";
import {
  type AttemptRecord,
  lastAttempt,
  openAttempt,
  type RunState,
  type TaskRecord,
  taskOf,
} from "../core/state.ts";
import { toCount, toLine } from "./text.ts";

export interface TaskCounts {
  readonly total: number;
  /** Complete in all, also before this run. */
  readonly complete: number;
  readonly before: number;
  readonly skipped: number;
  readonly held: number;
  readonly pending: number;
  readonly working: readonly TaskId[];
}

const countsOf = new WeakMap<Sequence<TaskRecord>, TaskCounts>();

/** Counted once for each change of a task: status.json follows every event. */
export function taskCounts(state: RunState): TaskCounts {
  const known = countsOf.get(state.tasks);
  if (known !== undefined) return known;
  const counts = countAll(state.tasks);
  countsOf.set(state.tasks, counts);
  return counts;
}

function countAll(tasks: Sequence<TaskRecord>): TaskCounts {
  const working: TaskId[] = [];
  const counts = { total: 0, complete: 0, before: 0, skipped: 0, held: 0, pending: 0 };
  for (const part of tasks.parts()) {
    const some = countPart(part);
    for (const id of some.working) working.push(id);
    for (const name of ["total", "complete", "before", "skipped", "held", "pending"] as const) {
      counts[name] += some[name];
    }
  }
  return { ...counts, working };
}

const countsOfPart = new WeakMap<readonly TaskRecord[], TaskCounts>();

function countPart(part: readonly TaskRecord[]): TaskCounts {
  const known = countsOfPart.get(part);
  if (known !== undefined) return known;
  const working: TaskId[] = [];
  const counts = { complete: 0, before: 0, skipped: 0, held: 0, pending: 0 };
  for (const { task, phase } of part) {
    if (phase.kind === "working") working.push(task.id);
    else counts[phase.kind] += 1;
    if (phase.kind === "complete" && phase.before) counts.before += 1;
  }
  const counted = { ...counts, working, total: part.length };
  countsOfPart.set(part, counted);
  return counted;
}

/** The word that prd.json has for a task's state. */
export function toStatusWord(record: TaskRecord): ClaimedStatus {
  switch (record.phase.kind) {
    case "working":
      return "in_progress";
    case "complete":
      return "complete";
    case "held":
      return "failed";
    case "skipped":
      return "pending";
    case "pending":
      // Between two stages, after the builder's word: still the same attempt.
      return openAttempt(record) === undefined ? "pending" : "in_progress";
  }
}

/** Why a task is where it is, in one line; empty when there is nothing to say. */
export function toTaskNote(state: RunState, record: TaskRecord): string {
  const { phase } = record;
  switch (phase.kind) {
    case "working":
      return `in progress: ${phase.stage}, attempt ${attemptUnderWay(record)}`;
    case "complete":
      return phase.before ? "complete before this run" : toAcceptance(record);
    case "skipped":
      return toLine(`skipped by ${phase.by}: ${phase.why}`);
    case "held":
      return toLine(`waits for the builder to answer "${phase.question}": ${toHeldReason(record)}`);
    case "pending":
      return toPendingNote(state, record);
  }
}

/** Why a held task waits, without the sentence that an answer is wanted. */
export function toHeldReason(record: TaskRecord): string {
  const { phase } = record;
  if (phase.kind !== "held") return "";
  return phase.failure.reason === "question-open" ? phase.failure.text : describe(phase.failure);
}

/** The attempt whose commit is on the branch. */
export function acceptedAttempt(record: TaskRecord): AttemptRecord | undefined {
  return record.attempts.findLast(({ outcome }) => outcome?.kind === "accepted");
}

/** What a gate's results came to; a journal of the first version names only the red ones. */
export function judgementOf(attempt: AttemptRecord, { gate, outcome }: GateResult): GateJudgement {
  const judged = attempt.judgements.find((judgement) => judgement.gate === gate);
  if (judged !== undefined) return judged;
  const isAccepted = attempt.red !== null && !attempt.red.includes(gate);
  const verdict = outcome === "passed" ? "passed" : isAccepted ? "accepted" : "failed";
  return { gate, verdict, newFailures: [], excused: [], flaky: [] };
}

/** Gates that did not pass and that the builder accepted as red on the base. */
function acceptedRed(attempt: AttemptRecord): readonly string[] {
  return attempt.gates
    .filter((result) => judgementOf(attempt, result).verdict === "accepted")
    .map(({ gate }) => gate);
}

function attemptUnderWay(record: TaskRecord): number {
  return openAttempt(record)?.number ?? (lastAttempt(record)?.number ?? 0) + 1;
}

function toAcceptance(record: TaskRecord): string {
  const attempt = acceptedAttempt(record);
  if (attempt === undefined) return "";
  const red = acceptedRed(attempt);
  return [
    `accepted at attempt ${attempt.number}`,
    ...(attempt.review === null ? ["without a review"] : [`review score ${attempt.review.score}`]),
    ...(red.length === 0 ? [] : [`red by the builder's leave: ${red.join(", ")}`]),
  ].join(", ");
}

function toPendingNote(state: RunState, record: TaskRecord): string {
  const parts: string[] = [];
  if (!isSelected(state, record)) parts.push("not selected with --only");
  const waits = waitsFor(state, record);
  if (waits.length > 0) parts.push(toWaitsNote(state, waits));
  const past = toPastNote(record);
  if (past !== "") parts.push(past);
  return toLine(parts.join("; "));
}

const waitsNamed = 5;

function toWaitsNote(state: RunState, waits: readonly TaskId[]): string {
  const named = waits.slice(0, waitsNamed).map((id) => `${id} (${whyNotDone(state, id)})`);
  const more = waits.length - named.length;
  return `waits for ${named.join(", ")}${more > 0 ? ` and ${toCount(more, "other task")}` : ""}`;
}

function whyNotDone(state: RunState, id: TaskId): string {
  const record = taskOf(state, id);
  if (record === undefined) return "not in this run";
  if (record.phase.kind === "held") return `held: ${toLine(toHeldReason(record), 160)}`;
  if (record.phase.kind === "working") return `in progress: ${record.phase.stage}`;
  const held = heldAhead(state).get(id);
  if (held !== undefined) return `behind ${held}, which is held`;
  return isSelected(state, record) ? "not done yet" : "not selected with --only";
}

function toPastNote(record: TaskRecord): string {
  const last = lastAttempt(record);
  const outcome = last?.outcome;
  if (last === undefined || outcome == null) return "";
  switch (outcome.kind) {
    case "rejected":
    case "failed":
      return `attempt ${last.number} was sent back: ${describe(outcome.failure)}`;
    case "interrupted":
      return `attempt ${last.number} was interrupted by ${outcome.by}`;
    case "asked":
      return `attempt ${last.number} ended with a question`;
    case "accepted":
      return "";
  }
}

const heldAheadOf = new WeakMap<Sequence<TaskRecord>, ReadonlyMap<TaskId, TaskId>>();

/** For each pending task behind a held one, directly or through others: the first held one that reaches it. */
function heldAhead(state: RunState): ReadonlyMap<TaskId, TaskId> {
  const known = heldAheadOf.get(state.tasks);
  if (known !== undefined) return known;
  const ahead = taskCounts(state).held === 0 ? new Map<TaskId, TaskId>() : spreadFromHeld(state);
  heldAheadOf.set(state.tasks, ahead);
  return ahead;
}

// Once over all dependencies: asking for each task by itself would be quadratic in a long chain.
function spreadFromHeld(state: RunState): ReadonlyMap<TaskId, TaskId> {
  const dependents = new Map<TaskId, TaskRecord[]>();
  const held: TaskId[] = [];
  for (const record of state.tasks) {
    if (record.phase.kind === "held") held.push(record.task.id);
    if (record.phase.kind !== "pending") continue;
    for (const id of record.task.dependsOn) {
      const known = dependents.get(id);
      if (known === undefined) dependents.set(id, [record]);
      else known.push(record);
    }
  }
  const ahead = new Map<TaskId, TaskId>();
  for (const first of held) {
    const open: TaskId[] = [first];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      for (const { task } of dependents.get(id) ?? []) {
        if (ahead.has(task.id)) continue;
        ahead.set(task.id, first);
        open.push(task.id);
      }
    }
  }
  return ahead;
}
