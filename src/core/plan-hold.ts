// Why a task waits for the builder before its next attempt: each reason is one question.

import { attemptsLeft, countedAttempts } from "./attempts.ts";
import type { Question, RunEvent } from "./event.ts";
import { describe, type Failure } from "./failure.ts";
import { isSelected } from "./graph.ts";
import type { TaskId } from "./ids.ts";
import type { Policy } from "./policy.ts";
import { assert } from "./result.ts";
import {
  type AttemptRecord,
  lastAttempt,
  openAttempt,
  policyOf,
  type RunState,
  type TaskRecord,
} from "./state.ts";
import { pendingTasks } from "./task-index.ts";
import { stall, troubleInARow } from "./verdict.ts";

/** Questions about tasks are asked as soon as they are known, also while other work is under way. */
export function planHolds(state: RunState): RunEvent | null {
  for (const pending of pendingTasks(state)) {
    const hold = holdAmong(state, pending);
    if (hold !== null) return hold;
  }
  return null;
}

/** What was asked of these tasks before, under which policy and plan: that decides, and the tasks themselves. */
interface Asked extends Pick<RunState, "policy" | "prd"> {
  readonly hold: RunEvent | null;
}

const askedOf = new WeakMap<readonly TaskRecord[], Asked>();

function holdAmong(state: RunState, pending: readonly TaskRecord[]): RunEvent | null {
  const { policy, prd } = state;
  const known = askedOf.get(pending);
  if (known?.policy === policy && known.prd === prd) return known.hold;
  const hold = firstHold(state, pending);
  askedOf.set(pending, { policy, prd, hold });
  return hold;
}

function firstHold(state: RunState, pending: readonly TaskRecord[]): RunEvent | null {
  for (const record of pending) {
    if (!isSelected(state, record) || openAttempt(record) !== undefined) continue; // what was begun goes on first
    const hold = planHold(state, record);
    if (hold !== null) return hold;
  }
  return null;
}

/** Why a pending task may not start, as the question that is put to the builder; null when it may. */
export function planHold(state: RunState, record: TaskRecord): RunEvent | null {
  const question = holdQuestion(state, record);
  return question === null ? null : { kind: "question-asked", question };
}

const retryOrSkip = [
  { id: "retry", label: "one more attempt (any other text: one more attempt, with this note)" },
  { id: "skip", label: "skip the task; what depends on it goes on" },
];

function holdQuestion(state: RunState, record: TaskRecord): Question | null {
  const policy = policyOf(state);
  const { id } = record.task;
  const developer = developerQuestion(record);
  if (developer !== null) return developer;
  const failure = exhaustion(policy, record);
  if (failure !== null) return attemptsQuestion(attemptsId(record), id, failure);
  return reconQuestion(policy, record) ?? checkpointQuestion(record);
}

/** Whether to try once more what got nowhere; `id` names the point at which it did. */
export function attemptsQuestion(id: string, taskId: TaskId, failure: Failure): Question {
  return {
    id,
    about: { kind: "attempts", taskId },
    text: `${describe(failure)}. Try once more?`,
    options: retryOrSkip,
    failure,
  };
}

// What was interrupted counts to nothing, so a grant that it did not use up is not asked for again.
function attemptsId(record: TaskRecord): string {
  const last = record.attempts.findLast(({ outcome }) => outcome?.kind !== "interrupted");
  return `attempts:${record.task.id}:${last?.number ?? 0}`;
}

function developerQuestion(record: TaskRecord): Question | null {
  const last = lastAttempt(record);
  if (last?.outcome?.kind !== "asked") return null;
  const id = `developer:${record.task.id}:${last.number}`;
  if (record.asked.includes(id)) return null;
  assert(last.develop.kind === "answered", "who asked has answered");
  const { question } = last.develop.report;
  assert(question !== null, "an attempt that ended by asking has a question");
  return {
    id,
    about: { kind: "developer", taskId: record.task.id },
    text: question.text,
    options: question.options.map((option) => ({ id: option, label: option })),
    failure: null,
  };
}

function exhaustion(policy: Policy, record: TaskRecord): Failure | null {
  const { id } = record.task;
  const trouble = troubleInARow(policy, record);
  if (trouble !== null) return trouble;
  if (record.asked.includes(attemptsId(record))) return null; // the builder has granted another
  const how = stall(record);
  if (how !== null) {
    return { reason: "stalled", taskId: id, how: `${how}; the last one: ${lastWords(record)}` };
  }
  if (attemptsLeft(policy, record) > 0) return null;
  const attempts = countedAttempts(record);
  return { reason: "attempts-used-up", taskId: id, attempts, last: lastWords(record) };
}

function lastWords(record: TaskRecord): string {
  const failure = failureOf(lastAttempt(record));
  if (failure === null) return "no answer";
  if (failure.reason !== "same-as-rejected") return describe(failure);
  // What is the matter was said of the earlier one.
  const first = failureOf(record.attempts.find(({ number }) => number === failure.attempt));
  assert(first !== null, "what is repeated was rejected");
  return `${describe(failure)}: ${describe(first)}`;
}

function failureOf(attempt: AttemptRecord | undefined): Failure | null {
  const outcome = attempt?.outcome;
  return outcome?.kind === "rejected" || outcome?.kind === "failed" ? outcome.failure : null;
}

function reconQuestion(policy: Policy, record: TaskRecord): Question | null {
  const { recon, task } = record;
  if (recon === null || recon.verdict === "confirmed" || policy.yes || record.cleared.includes("recon"))
    return null;
  return {
    id: `recon:${task.id}`,
    about: { kind: "recon", taskId: task.id },
    text: `recon calls task ${task.id} "${recon.verdict}": ${recon.evidence}. Build it all the same?`,
    options: [
      { id: "approve", label: "build it (any other text: build it, with this note)" },
      { id: "reject", label: "skip it; what depends on it goes on" },
    ],
    failure: null,
  };
}

function checkpointQuestion(record: TaskRecord): Question | null {
  const { task } = record;
  const isBefore = task.type === "checkpoint:decision" || task.type === "checkpoint:human-action";
  if (!isBefore || record.cleared.includes("checkpoint-before")) return null;
  const options = task.checkpoint?.actions ?? [];
  return {
    id: `checkpoint:${task.id}`,
    about: { kind: "checkpoint-before", taskId: task.id },
    text: task.checkpoint?.message || `${task.title}: ${task.description}`,
    options:
      options.length > 0
        ? options
        : [
            { id: "approve", label: "go on" },
            { id: "reject", label: "skip it" },
          ],
    failure: null,
  };
}
