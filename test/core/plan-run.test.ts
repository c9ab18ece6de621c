import { describe, expect, it } from "vitest";
import type { Failure } from "../../src/core/failure.ts";
import type { Policy } from "../../src/core/policy.ts";
import { makeGate, makePolicy, makeTask, shaOf, taskId } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";
import {
  answer,
  ask,
  begin,
  cannotStart,
  crashed,
  dispatched,
  failedWith,
  follow,
  interrupted,
  next,
  opened,
} from "./tell.ts";

const three = [makeTask("a"), makeTask("b"), makeTask("c")];

function started(over: Partial<Policy> = {}, tasks = three): RunStory {
  return new RunStory({ tasks }).started(makePolicy(over));
}

function stageEnded(stage: string, outcome: string, notes: string): object {
  return { kind: "stage-ended", stage, outcome, notes };
}

describe("the baseline", () => {
  it("runs every gate on the base before anybody works", () => {
    const story = started();
    const place = { taskId: null, attempt: 1, lane: 1, trial: "candidate", commit: shaOf("base") };
    const at = { kind: "gate-started", ...place };
    expect(next(story)).toEqual({ ...at, gate: "typecheck" });
    story.baseline([makeGate("typecheck")]);
    expect(next(story)).toEqual({ ...at, gate: "tests" });
    story.baseline([makeGate("tests")]);
    expect(next(story)).toEqual(stageEnded("baseline", "done", "2 gate(s) on the base"));
  });

  it("waits for its gate", () => expect(next(follow(started()))).toBeNull());

  it("is skipped when there are no gates", () => {
    expect(next(started({ gates: [] }))).toEqual(stageEnded("baseline", "skipped", "no gates"));
  });

  it("puts a red gate to the builder, with why it is red", () => {
    const story = started().baseline([
      makeGate("typecheck", { outcome: "failed", exitCode: 2, tail: "no" }),
      makeGate("tests"),
    ]);
    const failure = {
      reason: "gate-red-on-base",
      gate: "typecheck",
      command: "npm run typecheck",
      exitCode: 2,
      how: "failed with exit code 2",
      tail: "no",
    };
    expect(next(story)).toMatchObject({
      kind: "question-asked",
      question: {
        id: "baseline:typecheck",
        about: { kind: "baseline", gate: "typecheck" },
        options: [{ id: "drop" }, { id: "accept" }],
        failure,
      },
    });
    expect(next(follow(story))).toEqual({ kind: "run-blocked", failure, question: "baseline:typecheck" });
  });

  it.each<[string, Parameters<typeof makeGate>[1], string]>([
    ["fails", { outcome: "failed", exitCode: null }, "failed with exit code none"],
    [
      "fails with a reason",
      { outcome: "failed", exitCode: 1, detail: "watch mode" },
      "failed with exit code 1 (watch mode)",
    ],
    ["does not end", { outcome: "timed out", exitCode: null }, "did not end in time"],
    [
      "is missing",
      { outcome: "cannot start", exitCode: null, detail: "ENOENT" },
      "could not be started (ENOENT)",
    ],
  ])("says how a gate is red that %s", (_how, over, how) => {
    const story = started().baseline([makeGate("typecheck", over), makeGate("tests")]);
    expect(next(story)).toMatchObject({ question: { failure: { how } } });
  });

  it.each<[string, string]>([
    ["accept", "2 gate(s) on the base"],
    ["drop", "1 gate(s) on the base"],
  ])("goes on when the builder says %s", (text, notes) => {
    const story = started().baseline([
      makeGate("typecheck", { outcome: "failed", exitCode: 1 }),
      makeGate("tests"),
    ]);
    expect(next(answer(follow(story), text))).toEqual(stageEnded("baseline", "done", notes));
  });
});

describe("the advice of the lead before the tasks", () => {
  const reports = {
    recon: { stage: "recon", tasks: [] },
    "pre-mortem": { stage: "pre-mortem", risks: [] },
  } as const;
  const upTo = (stage: "recon" | "pre-mortem", over: Partial<Policy>): RunStory => {
    const story = started(over).baseline().stage("baseline");
    return stage === "recon" ? story : story.stage("recon", "skipped");
  };
  const on = { recon: "on", preMortem: "on" } as const;

  it.each(["recon", "pre-mortem"] as const)("%s is asked of the lead at the head", (stage) => {
    expect(next(upTo(stage, on))).toEqual({
      kind: "dispatch-started",
      dispatch: "d1",
      stage,
      role: "orchestrator",
      agent: "orchestrator",
      taskId: null,
      attempt: 1,
      try: 1,
      lane: 1,
      base: shaOf("base"),
      candidate: null,
      startFrom: null,
    });
  });

  it.each(["recon", "pre-mortem"] as const)("%s is skipped where it is off", (stage) => {
    const notes = "switched off, or a PRD of fewer than 3 tasks";
    expect(next(upTo(stage, {}))).toEqual(stageEnded(stage, "skipped", notes));
  });

  it.each(["recon", "pre-mortem"] as const)("%s is waited for, and done when it was answered", (stage) => {
    expect(next(begin(upTo(stage, on), { stage, task: null }))).toBeNull();
    expect(next(upTo(stage, on).askedLead(reports[stage]))).toEqual(stageEnded(stage, "done", ""));
  });

  it("is asked for once more after a failure, then the builder is asked", () => {
    const story = dispatched(upTo("recon", on), { stage: "recon", task: null }, failedWith(crashed));
    expect(next(story)).toMatchObject({ stage: "recon", try: 2 });
    dispatched(story, { stage: "recon", task: null }, failedWith(crashed));
    expect(next(story)).toMatchObject({
      kind: "question-asked",
      question: {
        id: "stage:recon:2",
        about: { kind: "stage", stage: "recon", taskId: null },
        text: 'the recon report was unusable twice: agent "developer" ended with exit code 1. Ask again?',
        options: [{ id: "retry", label: "ask again" }],
        failure: { reason: "report-unusable-twice", stage: "recon", taskId: null },
      },
    });
    expect(next(answer(follow(story), "retry"))).toMatchObject({ stage: "recon", try: 3 });
  });

  it("is asked for again after interruptions and a new start, which count to nothing", () => {
    const story = dispatched(upTo("recon", on), { stage: "recon", task: null }, failedWith(crashed));
    dispatched(story, { stage: "recon", task: null }, interrupted);
    dispatched(story.started(makePolicy(on)), { stage: "recon", task: null }, failedWith(crashed));
    expect(next(story)).toMatchObject({ stage: "recon", try: 4 });
  });

  it("stops the run when the lead cannot be started, without counting it", () => {
    const story = dispatched(upTo("recon", on), { stage: "recon", task: null }, failedWith(cannotStart));
    expect(next(story)).toEqual({ kind: "run-paused", failure: cannotStart });
    expect(story.state.stageFailures).toBeNull();
  });

  it("is not asked for when the budget forbids it", () => {
    const budget = { ...makePolicy().budget, wallClockMs: 1 };
    expect(next(upTo("recon", { ...on, budget }))).toMatchObject({
      failure: { reason: "budget-wall-clock" },
    });
  });
});

describe("a pre-mortem that must be approved", () => {
  const risky = (over: Partial<Policy> = {}): RunStory => {
    const story = started({ preMortem: "approve", ...over })
      .baseline()
      .stage("baseline")
      .stage("recon", "skipped");
    const risk = { category: "c", severity: "major", problem: "p", verification: "v", taskIds: [] } as const;
    const risks = [
      { ...risk, name: "slow", mitigation: "measure" },
      { ...risk, name: "big", mitigation: "split" },
    ];
    return story.askedLead({ stage: "pre-mortem", risks }).stage("pre-mortem");
  };

  it("is put to the builder, and blocks the run until it is answered", () => {
    const story = risky();
    expect(next(story)).toMatchObject({
      question: {
        id: "pre-mortem",
        about: { kind: "pre-mortem" },
        text: "The pre-mortem names 2 risk(s): slow (measure); big (split). Go on?",
      },
    });
    expect(next(follow(story))).toMatchObject({ kind: "run-blocked", question: "pre-mortem" });
  });

  it.each<[string, () => RunStory, object]>([
    [
      "lets the run go on when it is approved",
      () => answer(follow(risky()), "approve"),
      { stage: "develop" },
    ],
    [
      "cancels the run when it is rejected",
      () => answer(follow(risky()), "reject"),
      {
        kind: "run-failed",
        failure: { reason: "cancelled", by: "the builder" },
      },
    ],
    ["is not put with --yes", () => risky({ yes: true }), { stage: "develop" }],
    ["is not put where there is none", () => opened(three, { preMortem: "approve" }), { stage: "develop" }],
  ])("%s", (_what, tell, event) => expect(next(tell())).toMatchObject(event));

  it("is put once nothing is under way", () => {
    expect(next(begin(risky(), { stage: "develop", task: "a" }))).toBeNull();
  });
});

describe("a task that is given up, with onTaskFailure stop", () => {
  const used: Failure = { reason: "attempts-used-up", taskId: taskId("a"), attempts: 3, last: "no" };
  const held = (failure: Failure, policy: Partial<Policy> = { onTaskFailure: "stop" }): RunStory =>
    ask(opened(three, policy), { kind: "attempts", taskId: taskId("a") }, { failure });

  it.each<[string, Failure]>([
    ["used up its attempts", used],
    ["stalled", { reason: "stalled", taskId: taskId("a"), how: "slowly" }],
  ])("fails the run when it %s", (_how, failure) => {
    expect(next(held(failure))).toMatchObject({
      kind: "run-failed",
      failure: { reason: "task-failure-stops", taskId: "a" },
    });
  });

  it.each<[string, () => RunStory]>([
    [
      "the builder is only asked something",
      () => held({ reason: "question-open", question: "q", text: "?" }),
    ],
    ["onTaskFailure is continue", () => held(used, {})],
  ])("does not when %s", (_when, tell) => expect(next(tell())).toMatchObject({ taskId: "b" }));

  it("lets the others end first", () => {
    const story = begin(opened(three, { onTaskFailure: "stop", concurrency: 2 }), {
      stage: "develop",
      task: "b",
    });
    ask(story, { kind: "attempts", taskId: taskId("a") }, { failure: used });
    expect(next(story)).toMatchObject({ kind: "dispatch-started", taskId: "c" });
  });
});
