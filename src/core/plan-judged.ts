// What the rules for a candidate share: whose it is, the end of its attempt, trouble that is not the work's.

import type { AttemptOutcome, Candidate, RunEvent } from "./event.ts";
import type { Failure } from "./failure.ts";
import { attemptsQuestion } from "./plan-hold.ts";
import { type AttemptRecord, policyOf, type RunState, type TaskRecord } from "./state.ts";

/** A candidate on the head of the branch, and whose it is. */
export interface Judged {
  readonly state: RunState;
  readonly record: TaskRecord;
  readonly attempt: AttemptRecord;
  readonly candidate: Candidate;
  readonly nowMs: number;
}

export function endAttempt(record: TaskRecord, attempt: AttemptRecord, outcome: AttemptOutcome): RunEvent {
  return { kind: "attempt-ended", taskId: record.task.id, attempt: attempt.number, outcome };
}

/** Trouble with making or checking a candidate: the work is kept, and tried again when the builder says so. */
export function holdOnTrouble(state: RunState, record: TaskRecord, failure: Failure): RunEvent {
  const { id } = record.task;
  return {
    kind: "question-asked",
    question: attemptsQuestion(`trouble:${id}:${state.seq}`, id, failure),
  };
}

/** Gates by name, in the configuration's order, without those the builder dropped. */
export function gatesOf(state: RunState, names: readonly string[] | null): readonly string[] {
  return policyOf(state)
    .gates.map(({ name }) => name)
    .filter((name) => (names === null || names.includes(name)) && !state.baseline.dropped.includes(name));
}
