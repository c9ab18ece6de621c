// fatal-<timestamp>.json: why a run gave up. Derived from the state in which the run stopped, so that it is the
// same file whenever it is made from that state.

import { classOf, describe, type Failure } from "../core/failure.ts";
import type { TaskId } from "../core/ids.ts";
import { type AttemptRecord, type RunState, type TaskRecord, taskOf } from "../core/state.ts";
import { toJsonDocument } from "./json-document.ts";
import { nextCommands } from "./next-commands.ts";
import { toIso, toLine, toSafeText } from "./text.ts";

/** null: the run has not given up. */
export function toFatal(state: RunState): { readonly name: string; readonly text: string } | null {
  const { phase } = state;
  if (phase.kind !== "failed" && phase.kind !== "blocked") return null;
  const at = toIso(state.stoppedAtMs ?? state.updatedAtMs);
  const cause = toCause(phase.failure);
  const text = toJsonDocument({
    at,
    runId: state.runId,
    slug: state.slug,
    stage: toStage(state, cause),
    event: phase.kind === "failed" ? "run-failed" : "run-blocked",
    reason: toSafeText(describe(phase.failure)),
    failure: cause.reason,
    attempts: concerned(state, phase.failure).flatMap(toAttempts),
    whatToTry: [...toAdvice(phase.failure), ...nextCommands(state)],
  });
  return { name: `fatal-${at.replace(/[-:.]/g, "")}.json`, text };
}

/** What stands behind a stop that only passes on what happened to a task. */
function toCause(failure: Failure): Failure {
  return failure.reason === "tasks-held" ? toCause(failure.because) : failure;
}

function toStage(state: RunState, failure: Failure): string {
  switch (failure.reason) {
    case "report-unusable-twice":
    case "infrastructure-in-a-row":
      return failure.stage;
    case "gate-red-on-base":
      return "baseline";
    case "gaps-left":
      return "holistic-review";
    case "agent-not-configured":
      return "preflight";
    default:
      return state.steps.last()?.stage ?? "preflight";
  }
}

function concerned(state: RunState, failure: Failure): readonly TaskRecord[] {
  const named = failure.reason === "tasks-held" ? failure.held : taskIdOf(failure);
  return named.flatMap((id) => taskOf(state, id) ?? []);
}

function taskIdOf(failure: Failure): readonly TaskId[] {
  return "taskId" in failure && failure.taskId !== null ? [failure.taskId] : [];
}

function toAttempts(record: TaskRecord): readonly object[] {
  return record.attempts.map((attempt) => ({
    taskId: record.task.id,
    attempt: attempt.number,
    agent: attempt.agent,
    outcome: attempt.outcome?.kind ?? "not ended",
    reason: toAttemptReason(attempt),
    papers: `attempts/${record.task.id}/${attempt.number}/`,
  }));
}

function toAttemptReason({ outcome }: AttemptRecord): string {
  if (outcome?.kind === "rejected" || outcome?.kind === "failed")
    return toLine(describe(outcome.failure), 1_000);
  return outcome?.kind === "interrupted" ? toLine(`interrupted by ${outcome.by}`) : "";
}

function toAdvice(failure: Failure): readonly string[] {
  const cause = toCause(failure);
  switch (classOf(cause)) {
    case "environment":
      return ["put right what the reason names, then resume"];
    case "conflict":
      return ["put the branch back, or start again with --fresh"];
    case "budget":
      return ["raise the budget, then resume"];
    case "builder":
      return cause.reason === "cancelled"
        ? ["resume goes on where the run was cancelled"]
        : ["mend the task, then resume"];
    default:
      return ["read the attempts' papers, then answer the question"];
  }
}
