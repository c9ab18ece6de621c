// Changes in the builder's checkout while an agent or a gate was at work, of which nobody can tell whose they are.
// Nothing is undone; what was worked on meanwhile waits until the builder has said it. "mine" holds for the whole
// run: from then on such changes are notes.

import type { Question, RunEvent, StartFrom } from "./event.ts";
import type { Failure } from "./failure.ts";
import { changeAttempt, changeTask } from "./fold-task.ts";
import type { TaskId } from "./ids.ts";
import type { AgentStage } from "./report.ts";
import {
  type AttemptRecord,
  type Doubt,
  lastAttempt,
  type RunState,
  type TaskRecord,
  taskOf,
} from "./state.ts";

type Doubted = Extract<RunEvent, { kind: "checkout-doubted" }>;
type Answered = Extract<RunEvent, { kind: "question-answered" }>;

export function keepDoubt(state: RunState, event: Doubted): RunState {
  const { taskId, attempt, stage, what } = event;
  const noted = withNotes(state, event);
  // Gates of the run as a whole run on what the builder has, or on what was reviewed: nothing hangs on the answer.
  const isOnlyTold = state.isCheckoutBuilders || (taskId === null && stage === "gates");
  return isOnlyTold ? noted : { ...noted, doubts: [...noted.doubts, { taskId, attempt, stage, what }] };
}

/** The question that an attempt waits for; null: it waits for an answer that is due already. */
export function planDoubt(
  state: RunState,
  record: TaskRecord,
  attempt: AttemptRecord,
): RunEvent | null | "clear" {
  const doubts = doubtsAbout(state, record, attempt);
  if (doubts.length === 0) return "clear";
  if (isAsked(state)) return null;
  const { id } = record.task;
  const when = `while task ${id} was worked on (attempt ${attempt.number})`;
  return ask({ id: freeId(record, `checkout:${id}:${attempt.number}`), taskId: id, when, doubts });
}

/** The question that the run's ending waits for. */
export function planRunDoubt(state: RunState): RunEvent | null {
  const doubts = state.doubts.filter(({ taskId }) => taskId === null);
  if (doubts.length === 0) return null;
  return ask({ id: `checkout:${state.seq}`, taskId: null, when: "while the lead was at work", doubts });
}

/** `mine`, or that it was the agent: then its work is not taken. */
export function answerDoubt(state: RunState, taskId: TaskId | null, event: Answered): RunState {
  const freed = taskId === null ? state : changeTask(state, taskId, (record) => free(record));
  if (event.text === "mine") return { ...freed, isCheckoutBuilders: true, doubts: [] };
  return rejectDoubted(freed, taskId);
}

/** What was worked on meanwhile is not taken: the developer's attempt, or what the reviewer or the lead said. */
export function rejectDoubted(state: RunState, taskId: TaskId | null): RunState {
  const record = taskId === null ? undefined : taskOf(state, taskId);
  const attempt = record === undefined ? undefined : lastAttempt(record);
  const doubts =
    record === undefined || attempt === undefined
      ? state.doubts.filter((doubt) => doubt.taskId === null)
      : doubtsAbout(state, record, attempt);
  const closed: RunState = { ...state, doubts: state.doubts.filter((doubt) => !doubts.includes(doubt)) };
  const failure: Failure = { reason: "checkout-changed", what: whatOf(doubts) };
  const has = (stage: Doubt["stage"]): boolean => doubts.some((doubt) => doubt.stage === stage);
  if (record === undefined || attempt === undefined) {
    return has("holistic-review") ? withoutVerdict(closed, failure) : closed;
  }
  return changeTask(closed, record.task.id, (open) =>
    changeAttempt(open, attempt.number, (present) => {
      if (has("develop") || has("gates")) return { ...present, candidateRefused: failure };
      if (!has("review")) return present;
      return { ...present, review: null, reviewFailures: [...present.reviewFailures, failure] };
    }),
  );
}

/** Doubts about the attempt, about earlier ones whose work it carries on, and about what the lead did before it. */
function doubtsAbout(state: RunState, record: TaskRecord, attempt: AttemptRecord): readonly Doubt[] {
  if (state.doubts.length === 0) return [];
  const numbers = new Set<number>();
  let present: AttemptRecord | undefined = attempt;
  while (present !== undefined) {
    numbers.add(present.number);
    const startFrom: StartFrom = present.startFrom;
    if (startFrom.kind === "base") break;
    present = record.attempts.find(({ number }) => number === startFrom.attempt);
  }
  return state.doubts.filter(
    (doubt) => doubt.taskId === null || (doubt.taskId === record.task.id && numbers.has(doubt.attempt)),
  );
}

function isAsked(state: RunState): boolean {
  return state.questions.some(({ about }) => about.kind === "checkout");
}

function ask(at: { id: string; taskId: TaskId | null; when: string; doubts: readonly Doubt[] }): RunEvent {
  const question: Question = {
    id: at.id,
    about: { kind: "checkout", taskId: at.taskId },
    text: `Something changed outside of the lanes ${at.when}: ${whatOf(at.doubts).join("; ")}. Was it you?`,
    options: [
      { id: "mine", label: "it was me; from now on such changes are only noted in this run" },
      {
        id: "reject",
        label: "it was the agent: its work is not taken (what it changed stays for you to mend)",
      },
    ],
    failure: null,
  };
  return { kind: "question-asked", question };
}

/** An attempt may be asked about again: about its review, after it was asked about the developer. */
function freeId(record: TaskRecord, wanted: string): string {
  let id = wanted;
  for (let k = 2; record.asked.includes(id); k += 1) id = `${wanted}:${k}`;
  return id;
}

function whatOf(doubts: readonly Doubt[]): readonly string[] {
  return [...new Set(doubts.flatMap(({ what }) => what))];
}

function free(record: TaskRecord): TaskRecord {
  return { ...record, phase: { kind: "pending" } };
}

function withNotes(state: RunState, { taskId, attempt, stage, what }: Doubted): RunState {
  const notes = what.map((each) => `during ${nameOf(stage)}, not known by whom: ${each}`);
  const record = taskId === null ? undefined : taskOf(state, taskId);
  const isThere = record?.attempts.some(({ number }) => number === attempt) === true;
  if (record === undefined || !isThere) return { ...state, told: [...state.told, ...notes] };
  return changeTask(state, record.task.id, (open) =>
    changeAttempt(open, attempt, (present) => ({ ...present, notes: [...present.notes, ...notes] })),
  );
}

function nameOf(stage: AgentStage | "gates"): string {
  return stage === "gates" ? "the gates" : stage;
}

function withoutVerdict(state: RunState, last: Failure): RunState {
  if (state.verdict === null) return state; // it brought no report: that is counted already
  return { ...state, verdict: null, stageFailures: { stage: "holistic-review", times: 1, last } };
}
