// The part of the report that says what went wrong on the way: attempts sent back and why, and what agents did beside
// their work.

import { describe, type Failure } from "../core/failure.ts";
import type { AttemptRecord, RunState } from "../core/state.ts";
import { toInline } from "./markdown.ts";

/** Each attempt that came to nothing, in the order of the plan. */
export function sentBackItems(state: RunState): readonly string[] {
  return eachAttempt(state).flatMap(({ taskId, attempt }) => {
    const failure = failureOf(attempt);
    return failure === null
      ? []
      : [`- ${taskId} (attempt ${attempt.number}): ${toInline(describe(failure), mostChars)}`];
  });
}

/** What was moved aside, put back or could not be told from the builder's own doing. */
export function notedItems(state: RunState): readonly string[] {
  return eachAttempt(state).flatMap(({ taskId, attempt }) =>
    attempt.notes.map((note) => `- ${taskId} (attempt ${attempt.number}): ${toInline(note, mostChars)}`),
  );
}

const mostChars = 1_000;

function eachAttempt(state: RunState): readonly { taskId: string; attempt: AttemptRecord }[] {
  return [...state.tasks].flatMap(({ task, attempts }) =>
    attempts.map((attempt) => ({ taskId: task.id, attempt })),
  );
}

function failureOf({ outcome }: AttemptRecord): Failure | null {
  return outcome?.kind === "rejected" || outcome?.kind === "failed" ? outcome.failure : null;
}
