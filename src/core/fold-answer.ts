// What questions and the builder's words change: answers, grants, retries, skips.

import { attemptsLeft } from "./attempts.ts";
import { answerDoubt, rejectDoubted } from "./doubt.ts";
import type { Question, QuestionAbout, RunEvent } from "./event.ts";
import { describe } from "./failure.ts";
import { changeAttempt, changeTask } from "./fold-task.ts";
import type { TaskId } from "./ids.ts";
import { assert } from "./result.ts";
import { knownTask, type RunState, type TaskRecord } from "./state.ts";

type Answered = Extract<RunEvent, { kind: "question-answered" }>;

/** What an answer about one task can decide; the others are about the run. */
type AboutTask = Exclude<QuestionAbout, { kind: "baseline" | "pre-mortem" | "gaps" | "checkout" }>;

export function askQuestion(state: RunState, question: Question, atMs: number): RunState {
  const asked: RunState = { ...state, questions: [...state.questions, { ...question, askedAtMs: atMs }] };
  const taskId = taskOfQuestion(question.about);
  if (taskId === null) return asked;
  const failure = question.failure ?? { reason: "question-open", question: question.id, text: question.text };
  const held = changeTask(asked, taskId, (record) => ({
    ...record,
    asked: [...record.asked, question.id],
    phase: { kind: "held", question: question.id, failure },
  }));
  if (question.about.kind !== "attempts") return held;
  return {
    ...held,
    progress: held.progress.push({ taskId, status: "failed", attempt: null, reason: describe(failure) }),
  };
}

export function taskOfQuestion(about: QuestionAbout): TaskId | null {
  return "taskId" in about ? about.taskId : null;
}

export function applyAnswer(state: RunState, event: Answered): RunState {
  const question = state.questions.find(({ id }) => id === event.question);
  if (question === undefined) return state; // answered twice: the first one counts
  const closed: RunState = { ...state, questions: state.questions.filter(({ id }) => id !== event.question) };
  const { about } = question;
  switch (about.kind) {
    case "baseline":
      return answerBaseline(closed, about.gate, event.text);
    case "pre-mortem":
      return answerPreMortem(closed, event);
    case "checkout":
      return answerDoubt(closed, about.taskId, event);
    case "gaps":
      return event.text === "approve"
        ? { ...closed, gapsAccepted: true }
        : withNote({ ...closed, verdict: null, extraRounds: closed.extraRounds + 1 }, event.text);
    case "stage":
      return about.taskId === null
        ? { ...closed, stageFailures: null }
        : answerTask(closed, about.taskId, about, event);
    default:
      return answerTask(closed, about.taskId, about, event);
  }
}

function answerBaseline(state: RunState, gate: string, text: string): RunState {
  const { baseline } = state;
  return text === "accept"
    ? { ...state, baseline: { ...baseline, accepted: [...baseline.accepted, gate] } }
    : { ...state, baseline: { ...baseline, dropped: [...baseline.dropped, gate] } };
}

function answerPreMortem(state: RunState, event: Answered): RunState {
  if (event.text === "reject") return { ...state, cancelled: event.by };
  return withNote({ ...state, approved: [...state.approved, event.question] }, event.text);
}

/** Words that are an option's id are a decision, not a note for a prompt. */
const decisions: readonly string[] = ["approve", "reject", "retry", "skip", "accept", "drop"];

function withNote(state: RunState, text: string): RunState {
  return decisions.includes(text) ? state : { ...state, builderNotes: [...state.builderNotes, text] };
}

function answerTask(state: RunState, taskId: TaskId, about: AboutTask, event: Answered): RunState {
  // A developer's options are the developer's words: an answer to them is never a decision about the task.
  const isDecision = about.kind !== "developer";
  const isRefused =
    isDecision && (event.text === "skip" || (event.text === "reject" && !isAboutCandidate(about)));
  if (isRefused) {
    return skipTask(state, {
      kind: "task-skipped",
      taskId,
      why: `the builder answered "${event.text}"`,
      by: event.by,
    });
  }
  return changeTask(state, taskId, (record) => {
    const free: TaskRecord = { ...record, phase: { kind: "pending" } };
    const noted =
      isDecision && decisions.includes(event.text)
        ? free
        : { ...free, builderNotes: [...free.builderNotes, event.text] };
    return settle(state, noted, about, event.text);
  });
}

/** A rejected candidate goes back to the developer; the task goes on. */
function isAboutCandidate({ kind }: AboutTask): boolean {
  return kind === "checkpoint-after" || kind === "evidence";
}

function settle(state: RunState, record: TaskRecord, about: AboutTask, text: string): TaskRecord {
  switch (about.kind) {
    case "recon":
      return { ...record, cleared: [...record.cleared, "recon"] };
    case "checkpoint-before":
      return { ...record, cleared: [...record.cleared, "checkpoint-before"] };
    case "attempts":
    case "developer":
      return withOneMoreAttempt(state, record);
    case "checkpoint-after":
      return verifyLast(record, text);
    case "evidence":
      return allowEvidence(record, text);
    case "stage":
      return withReviewAgain(record);
  }
}

function verifyLast(record: TaskRecord, text: string): TaskRecord {
  const last = record.attempts.at(-1);
  assert(last !== undefined, "what is verified is an attempt");
  return changeAttempt(record, last.number, (attempt) => ({
    ...attempt,
    verification: text === "approve" ? { kind: "approved" } : { kind: "rejected", text },
  }));
}

function allowEvidence(record: TaskRecord, text: string): TaskRecord {
  const last = record.attempts.at(-1);
  assert(last !== undefined, "evidence is of an attempt");
  return changeAttempt(record, last.number, (attempt) => ({
    ...attempt,
    evidenceWord: text === "approve" ? { kind: "approved" } : { kind: "rejected", text },
  }));
}

function withReviewAgain(record: TaskRecord): TaskRecord {
  const last = record.attempts.at(-1);
  const cleared: TaskRecord = { ...record, infrastructure: null };
  if (last === undefined) return cleared;
  return changeAttempt(cleared, last.number, (attempt) => ({ ...attempt, reviewFailures: [] }));
}

/** Grants what is missing so that exactly one more attempt may start (I12: granted, never reset). */
function withOneMoreAttempt(state: RunState, record: TaskRecord): TaskRecord {
  if (state.policy === null) return record;
  const left = attemptsLeft(state.policy, record);
  return { ...record, granted: record.granted + Math.max(0, 1 - left), infrastructure: null };
}

/** `retry`: a held or skipped task may go on, with one more attempt and a note that leads its next prompt. */
export function retryTask(state: RunState, event: Extract<RunEvent, { kind: "task-retried" }>): RunState {
  const isDoubted = state.questions.some(
    ({ about }) => about.kind === "checkout" && about.taskId === event.taskId,
  );
  const open = withoutQuestionsOf(state, event.taskId);
  const closed = isDoubted ? rejectDoubted(open, event.taskId) : open;
  return changeTask(closed, event.taskId, (record) => {
    if (record.phase.kind !== "held" && record.phase.kind !== "skipped") return record;
    const again = withOneMoreAttempt(state, withReviewAgain({ ...record, phase: { kind: "pending" } }));
    return {
      ...again,
      cleared: ["recon", "checkpoint-before"],
      builderNotes: event.note === "" ? again.builderNotes : [...again.builderNotes, event.note],
    };
  });
}

/** `skip`: the task is not worked on; what depends on it goes on. A complete task stays complete. */
export function skipTask(state: RunState, event: Extract<RunEvent, { kind: "task-skipped" }>): RunState {
  const { phase } = knownTask(state, event.taskId);
  if (phase.kind === "complete" || phase.kind === "skipped") return state;
  const skipped = changeTask(withoutQuestionsOf(state, event.taskId), event.taskId, (record) => ({
    ...record,
    phase: { kind: "skipped", why: event.why, by: event.by },
  }));
  return {
    ...skipped,
    progress: skipped.progress.push({
      taskId: event.taskId,
      status: "skipped",
      attempt: null,
      reason: event.why,
    }),
  };
}

function withoutQuestionsOf(state: RunState, taskId: TaskId): RunState {
  return { ...state, questions: state.questions.filter(({ about }) => taskOfQuestion(about) !== taskId) };
}
