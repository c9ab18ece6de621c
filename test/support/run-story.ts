// Stories of runs, told as journal events: every event gets its number and its time, and is folded at once, so that
// a story that cannot happen fails where it is told.
//
//   const story = new RunStory({ tasks: [makeTask("task-1")] }).started().baseline().stage("baseline");
//   story.developed("task-1").candidate("task-1").gates("task-1").reviewed("task-1").integrated("task-1");
//   story.state …

import type {
  Candidate,
  DispatchEnded,
  DispatchOutcome,
  DispatchStarted,
  Entry,
  RunCreated,
  RunEvent,
} from "../../src/core/event.ts";
import type { Failure } from "../../src/core/failure.ts";
import { fold } from "../../src/core/fold.ts";
import type { GateJudgement, GateResult } from "../../src/core/gate-result.ts";
import {
  type DispatchId,
  dispatchId,
  type RunId,
  type Sha,
  type Slug,
  type TaskId,
} from "../../src/core/ids.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Prd, Task } from "../../src/core/prd.ts";
import type {
  AgentStage,
  DevelopReport,
  HolisticReport,
  ReviewReport,
  Usage,
} from "../../src/core/report.ts";
import { roleOfStage } from "../../src/core/report.ts";
import { openAttempt, type RunState, taskOf } from "../../src/core/state.ts";
import {
  hexOf,
  makeCandidate,
  makeGate,
  makePolicy,
  makePrd,
  makeReview,
  makeWork,
  shaOf,
  taskId,
} from "./run-parts.ts";

export interface StoryOptions {
  readonly tasks: readonly Task[];
  readonly prd?: Partial<Prd>;
  readonly created?: Partial<RunCreated>;
  readonly startMs?: number;
}

export class RunStory {
  readonly entries: Entry[] = [];
  readonly states: RunState[] = [];
  #atMs: number;
  #session = "s1";

  constructor({ tasks, prd = {}, created = {}, startMs = 1_769_850_000_000 }: StoryOptions) {
    this.#atMs = startMs;
    this.add({
      kind: "run-created",
      runId: "20260131T090000Z-3fa9c1" as RunId, // has the form of one
      slug: "feature-x" as Slug, // is kebab-case
      planFile: "dev/work/plans/feature-x/prd.json",
      prd: makePrd(tasks, prd),
      prdHash: hexOf("prd", 64),
      checkout: "/home/builder/project",
      worktrees: "/home/builder/project.worktrees/feature-x",
      branch: "feature/feature-x",
      base: shaOf("base"),
      baseName: "main",
      completedBefore: [],
      told: [],
      ...created,
    });
  }

  get state(): RunState {
    const last = this.states.at(-1);
    if (last === undefined) throw new Error("a story begins with run-created");
    return last;
  }

  /** Appends one event, `afterMs` after the one before. */
  add(event: RunEvent, afterMs = 1_000): this {
    this.#atMs += afterMs;
    const entry = { seq: this.entries.length + 1, atMs: this.#atMs, session: this.#session, event };
    this.entries.push(entry);
    this.states.push(fold(this.states.at(-1) ?? null, entry));
    return this;
  }

  started(policy: Policy = makePolicy(), extraAttempts = 0): this {
    this.#session = `s${this.state.sessions + 1}`;
    return this.add({
      kind: "session-started",
      session: this.#session,
      policy,
      flags: {},
      toolVersion: "0.1.0",
      extraAttempts,
      told: [],
    });
  }

  /** All gates of the policy on the base, green unless given otherwise. */
  baseline(results?: readonly GateResult[]): this {
    const policy = this.state.policy;
    for (const result of results ?? policy?.gates.map(({ name }) => makeGate(name)) ?? []) {
      this.#gate({ taskId: null, attempt: 1, commit: this.state.head, result });
    }
    return this;
  }

  stage(
    stage: Extract<RunEvent, { kind: "stage-ended" }>["stage"],
    outcome: "done" | "skipped" = "done",
  ): this {
    return this.add({ kind: "stage-ended", stage, outcome, notes: "" });
  }

  /** Asks an agent of a stage of the run. */
  askedLead(
    outcome: Extract<DispatchOutcome, { kind: "answered" }>["report"],
    usage: Usage | null = null,
  ): this {
    return this.#dispatch({
      stage: outcome.stage,
      taskId: null,
      attempt: 1,
      outcome: { kind: "answered", report: outcome, left: null },
      usage,
    });
  }

  holistic(over: Partial<HolisticReport> = {}): this {
    return this.askedLead({
      stage: "holistic-review",
      verdict: "pass",
      summary: "All parts fit.",
      followUps: [],
      learnings: [],
      ...over,
    });
  }

  /** One developer dispatch that answers. */
  developed(id: string, over: Partial<DevelopReport> = {}, usage: Usage | null = null): this {
    const left = { tree: shaOf(`${id} tree`), agentHead: null };
    return this.developEnded(id, { kind: "answered", report: makeWork(over), left }, usage);
  }

  /** One developer dispatch with any end; the next attempt of the task. */
  developEnded(id: string, outcome: DispatchOutcome, usage: Usage | null = null): this {
    const attempt = this.#record(id).attempts.length + 1;
    return this.#dispatch({ stage: "develop", taskId: taskId(id), attempt, outcome, usage });
  }

  candidate(id: string, over: Partial<Candidate> = {}): this {
    const attempt = this.#attempt(id);
    const replayOf = openAttempt(this.#record(id))?.candidate?.commit ?? null;
    const candidate = makeCandidate(`${id}/${attempt}`, { base: this.state.head, ...over });
    this.add({
      kind: "candidate-started",
      taskId: taskId(id),
      attempt,
      lane: 1,
      base: candidate.base,
      tree: candidate.tree,
      message: id,
      replayOf,
    });
    const result = { kind: "made", candidate, replayOf } as const;
    return this.add({ kind: "candidate-made", taskId: taskId(id), attempt, result });
  }

  /** Runs and judges gates: those of the policy, green, unless given otherwise. */
  gates(id: string, results?: readonly GateResult[]): this {
    const attempt = this.#attempt(id);
    const commit = openAttempt(this.#record(id))?.candidate?.commit ?? this.state.head;
    const all = results ?? (this.state.policy?.gates ?? []).map(({ name }) => makeGate(name));
    for (const result of all) this.#gate({ taskId: taskId(id), attempt, commit, result });
    const { accepted } = this.state.baseline;
    const red = all
      .filter(({ gate, outcome }) => outcome !== "passed" && !accepted.includes(gate))
      .map(({ gate }) => gate);
    const gates = all.map(
      ({ gate, outcome }): GateJudgement => ({
        gate,
        verdict: red.includes(gate) ? "failed" : outcome === "passed" ? "passed" : "accepted",
        newFailures: [],
        excused: [],
        flaky: [],
      }),
    );
    return this.add({ kind: "gates-judged", taskId: taskId(id), attempt, commit, red, gates, findings: [] });
  }

  reviewed(id: string, over: Partial<ReviewReport> = {}, usage: Usage | null = null): this {
    const outcome = { kind: "answered", report: makeReview(over), left: null } as const;
    return this.#dispatch({
      stage: "review",
      taskId: taskId(id),
      attempt: this.#attempt(id),
      outcome,
      usage,
    });
  }

  sentBack(id: string, failure: Failure): this {
    return this.ended(id, { kind: "rejected", failure });
  }

  ended(id: string, outcome: Extract<RunEvent, { kind: "attempt-ended" }>["outcome"]): this {
    return this.add({ kind: "attempt-ended", taskId: taskId(id), attempt: this.#attempt(id), outcome });
  }

  /** Moves the branch to the candidate and completes the task. */
  integrated(id: string): this {
    const attempt = this.#attempt(id);
    const to = openAttempt(this.#record(id))?.candidate?.commit ?? this.state.head;
    this.add({ kind: "integration-started", taskId: taskId(id), attempt, from: this.state.head, to });
    this.add({ kind: "integration-ended", taskId: taskId(id), attempt, result: { kind: "integrated" } });
    return this.ended(id, { kind: "accepted", commit: to });
  }

  /** A whole attempt without trouble. */
  completed(id: string, over: Partial<DevelopReport> = {}): this {
    return this.developed(id, over).candidate(id).gates(id).reviewed(id).integrated(id);
  }

  #gate(at: { taskId: TaskId | null; attempt: number; commit: Sha; result: GateResult }): void {
    const { result, ...place } = at;
    const gate = { ...place, gate: result.gate, trial: "candidate" } as const;
    this.add({ kind: "gate-started", ...gate, lane: 1 });
    this.add({ kind: "gate-ended", ...gate, result: { kind: "ran", result } }, 1_500);
  }

  #dispatch(at: {
    stage: AgentStage;
    taskId: TaskId | null;
    attempt: number;
    outcome: DispatchOutcome;
    usage: Usage | null;
  }): this {
    const { stage, taskId: task, attempt, outcome, usage } = at;
    const dispatch: DispatchId = dispatchId(this.state.dispatches + 1);
    const role = roleOfStage[stage];
    const started: DispatchStarted = {
      kind: "dispatch-started",
      dispatch,
      stage,
      role,
      agent: role,
      taskId: task,
      attempt,
      try: 1,
      lane: 1,
      base: this.state.head,
      candidate: null,
      startFrom: stage === "develop" ? { kind: "base" } : null,
    };
    const ended: DispatchEnded = {
      kind: "dispatch-ended",
      dispatch,
      outcome,
      usage,
      durationMs: 60_000,
      notes: [],
    };
    return this.add(started).add(ended, 60_000);
  }

  #record(id: string) {
    const record = taskOf(this.state, taskId(id));
    if (record === undefined) throw new Error(`the story has no task ${id}`);
    return record;
  }

  #attempt(id: string): number {
    const open = openAttempt(this.#record(id));
    if (open === undefined) throw new Error(`task ${id} has no open attempt`);
    return open.number;
  }
}
