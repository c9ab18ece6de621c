// Why a request of the builder does not fit the run's state, in words; null when it does. Commands ask before
// they send a request, the engine asks again before it believes one.

import type { Question } from "./event.ts";
import type { RunState, TaskRecord } from "./state.ts";

export function answerProblem(state: RunState, id: string, text: string): string | null {
  const question = state.questions.find((open) => open.id === id);
  if (question === undefined) {
    const open = state.questions.map((other) => other.id);
    return open.length === 0 ? "no question is open" : `no open question "${id}"; open: ${open.join(", ")}`;
  }
  if (text.trim() === "") return "the answer is empty";
  if (takesFreeText(question) || question.options.some((option) => option.id === text)) return null;
  return `question "${id}" takes one of: ${question.options.map((option) => option.id).join(", ")}`;
}

/** Questions whose answer leads somewhere only as one of their options. */
function takesFreeText(question: Question): boolean {
  const { kind } = question.about;
  return kind !== "baseline" && kind !== "stage" && kind !== "checkout";
}

export function retryProblem(record: TaskRecord | undefined, id: string): string | null {
  if (record === undefined) return `there is no task "${id}"`;
  const { kind } = record.phase;
  if (kind === "held" || kind === "skipped") return null;
  return `task ${id} is ${kind}; only a held, failed or skipped task can be retried`;
}

export function skipProblem(record: TaskRecord | undefined, id: string): string | null {
  if (record === undefined) return `there is no task "${id}"`;
  const { kind } = record.phase;
  return kind === "complete" || kind === "skipped" ? `task ${id} is already ${kind}` : null;
}
