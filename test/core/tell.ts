// More ways to tell a story of a run: any dispatch with any end, questions and answers, and what the plan says next.

import type {
  DispatchOutcome,
  Intent,
  Question,
  QuestionAbout,
  RunEvent,
  StartFrom,
} from "../../src/core/event.ts";
import type { Failure } from "../../src/core/failure.ts";
import type { GateResult } from "../../src/core/gate-result.ts";
import { dispatchId } from "../../src/core/ids.ts";
import { plan } from "../../src/core/plan.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Task } from "../../src/core/prd.ts";
import { type AgentStage, roleOfStage, type Usage } from "../../src/core/report.ts";
import { type AttemptRecord, type TaskRecord, taskOf } from "../../src/core/state.ts";
import { makeGate, makePolicy, makeTests, taskId } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";

export const gitFailed: Failure = { reason: "git-failed", doing: "looking", exitCode: 1, detail: "no" };
export const cannotStart: Failure = {
  reason: "agent-cannot-start",
  agent: "developer",
  command: "agent",
  detail: "ENOENT",
};
export const crashed: Failure = {
  reason: "agent-exited",
  agent: "developer",
  exitCode: 1,
  signal: null,
  tail: "",
};

/** A run whose stages before the tasks are behind it. */
export function opened(tasks: readonly Task[], over: Partial<Policy> = {}): RunStory {
  const story = new RunStory({ tasks }).started(makePolicy(over)).baseline().stage("baseline");
  return story.stage("recon", "skipped").stage("pre-mortem", "skipped");
}

/** What the plan says next, at the time of the last event unless later. */
export function next(story: RunStory, laterMs = 0): RunEvent | null {
  return plan(story.state, story.state.updatedAtMs + laterMs);
}

/** Lets the plan say `count` events, all of which must be decisions or intents of this kind of story. */
export function follow(story: RunStory, count = 1): RunStory {
  for (let step = 0; step < count; step += 1) {
    const event = next(story);
    if (event === null) throw new Error("the plan has nothing to say");
    story.add(event);
  }
  return story;
}

export function recordOf(story: RunStory, id: string): TaskRecord {
  const record = taskOf(story.state, taskId(id));
  if (record === undefined) throw new Error(`the story has no task ${id}`);
  return record;
}

export function lastAttemptOf(story: RunStory, id: string): AttemptRecord {
  const attempt = recordOf(story, id).attempts.at(-1);
  if (attempt === undefined) throw new Error(`task ${id} has no attempt`);
  return attempt;
}

interface DispatchPlace {
  readonly stage: AgentStage;
  readonly task: string | null;
  readonly lane?: number;
  readonly startFrom?: StartFrom;
  readonly notes?: readonly string[];
  readonly usage?: Usage;
}

/** A dispatch that has begun: a new attempt for the developer, the present one otherwise. */
export function begin(story: RunStory, { stage, task, lane = 1, startFrom }: DispatchPlace): RunStory {
  const attempts = task === null ? 0 : recordOf(story, task).attempts.length;
  const isReview = stage === "review";
  return story.add({
    kind: "dispatch-started",
    dispatch: dispatchId(story.state.dispatches + 1),
    stage,
    role: roleOfStage[stage],
    agent: roleOfStage[stage],
    taskId: task === null ? null : taskId(task),
    attempt: task === null ? 1 : attempts + (isReview ? 0 : 1),
    try: 1,
    lane,
    base: story.state.head,
    candidate: isReview && task !== null ? (lastAttemptOf(story, task).candidate?.commit ?? null) : null,
    startFrom: stage === "develop" ? (startFrom ?? { kind: "base" }) : null,
  });
}

/** Ends the last dispatch that has begun. */
export function finish(story: RunStory, outcome: DispatchOutcome, at: Partial<DispatchPlace> = {}): RunStory {
  const dispatch = [...story.state.running.values()].findLast(({ intent }) => isDispatch(intent));
  if (dispatch?.intent.kind !== "dispatch-started") throw new Error("no dispatch is under way");
  return story.add({
    kind: "dispatch-ended",
    dispatch: dispatch.intent.dispatch,
    outcome,
    usage: at.usage ?? null,
    durationMs: 1_000,
    notes: at.notes ?? [],
  });
}

function isDispatch(intent: Intent): boolean {
  return intent.kind === "dispatch-started";
}

export function dispatched(story: RunStory, at: DispatchPlace, outcome: DispatchOutcome): RunStory {
  return finish(begin(story, at), outcome, at);
}

export function failedWith(failure: Failure): DispatchOutcome {
  return { kind: "failed", failure, salvage: null };
}

export const interrupted: DispatchOutcome = { kind: "interrupted", by: "SIGINT", salvage: null };

/** A gate of a task's open attempt that could not be looked at. */
export function gateFailed(story: RunStory, id: string, failure: Failure): RunStory {
  const { number, candidate } = lastAttemptOf(story, id);
  const at = {
    taskId: taskId(id),
    attempt: number,
    gate: "typecheck",
    trial: "candidate",
    commit: candidate?.commit ?? story.state.head,
  } as const;
  story.add({ kind: "gate-started", lane: 1, ...at });
  return story.add({ kind: "gate-ended", ...at, result: { kind: "failed", failure } });
}

/** All gates of the policy on the task's candidate, with these red, not judged yet. */
export function gatesRan(story: RunStory, id: string, red: readonly string[] = []): RunStory {
  const { number, candidate } = lastAttemptOf(story, id);
  const commit = candidate?.commit ?? story.state.head;
  for (const { name } of story.state.policy?.gates ?? []) {
    const at = { taskId: taskId(id), attempt: number, gate: name, trial: "candidate", commit } as const;
    const result = makeGate(name, red.includes(name) ? { outcome: "failed", exitCode: 1, tail: "no" } : {});
    story
      .add({ kind: "gate-started", lane: 1, ...at })
      .add({ kind: "gate-ended", ...at, result: { kind: "ran", result } });
  }
  return story;
}

/** One run of the gate that the plan asks for next, with what it comes to; the story says which gate that is. */
export function runGate(story: RunStory, asked: string, over: Partial<GateResult> = {}): RunStory {
  const event = next(story);
  const said = event?.kind === "gate-started" ? toWords(event) : JSON.stringify(event);
  if (event?.kind !== "gate-started" || said !== asked)
    throw new Error(`asked for ${said}, not for ${asked}`);
  const { taskId: task, attempt, gate, trial, commit } = event;
  const result = { kind: "ran", result: makeGate(gate, over) } as const;
  return story.add(event).add({ kind: "gate-ended", taskId: task, attempt, gate, trial, commit, result });
}

function toWords({ gate, trial, taskId: task }: Extract<RunEvent, { kind: "gate-started" }>): string {
  return `${gate} of ${task ?? "the branch"}: ${trial}`;
}

/** A gate of 20 tests of which these fail. */
export function failing(...names: readonly string[]): Partial<GateResult> {
  return { outcome: "failed", exitCode: 1, tests: makeTests(20 - names.length, names) };
}

export const passing: Partial<GateResult> = { tests: makeTests(20) };

/** A gate that is red and cannot say by which tests. */
export const unnamed: Partial<GateResult> = { outcome: "failed", exitCode: 1, tests: makeTests(17, 3) };

export function ask(story: RunStory, about: QuestionAbout, over: Partial<Question> = {}): RunStory {
  const question: Question = {
    id: `q${story.state.seq}`,
    about,
    text: "?",
    options: [],
    failure: null,
    ...over,
  };
  return story.add({ kind: "question-asked", question });
}

/** Answers the oldest open question, or the one that is named. */
export function answer(story: RunStory, text: string, id?: string): RunStory {
  const question = id ?? story.state.questions[0]?.id ?? "none";
  return story.add({ kind: "question-answered", question, text, by: "the builder" });
}

export function skip(story: RunStory, id: string): RunStory {
  return story.add({ kind: "task-skipped", taskId: taskId(id), why: "not needed", by: "the builder" });
}

export function retry(story: RunStory, id: string, note = ""): RunStory {
  return story.add({ kind: "task-retried", taskId: taskId(id), note, by: "the builder" });
}
