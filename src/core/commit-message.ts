// The messages of the program's commits. Text of plans and agents may not forge a trailer or a second subject.

import type { RunId, TaskId } from "./ids.ts";

const subjectChars = 100;

/** One line without control characters, at most 100 characters; `fallback` when nothing is left. */
export function toSubject(text: string, fallback: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029\s]+/gu, " ").trim();
  const honest = /^PRD-[A-Za-z]+\s*:/i.test(line) ? `"${line}"` : line;
  return honest === "" ? fallback : honest.slice(0, subjectChars).trim();
}

/** Subject, empty line, trailers `PRD-Run`, `PRD-Task`, `PRD-Attempt`. */
export function toCandidateMessage(at: {
  runId: RunId;
  taskId: TaskId;
  attempt: number;
  title: string;
}): string {
  const trailers = [`PRD-Run: ${at.runId}`, `PRD-Task: ${at.taskId}`, `PRD-Attempt: ${at.attempt}`];
  return `${toSubject(at.title, at.taskId)}\n\n${trailers.join("\n")}\n`;
}

export function toMemoryMessage(at: { runId: RunId; slug: string }): string {
  return `Remember what ${toSubject(at.slug, "the run")} taught\n\nPRD-Run: ${at.runId}\nPRD-Stage: memory\n`;
}
