import { describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/core/event.ts";
import type { Failure } from "../../src/core/failure.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { FollowUp, HolisticReport } from "../../src/core/report.ts";
import { InvariantBroken } from "../../src/core/result.ts";
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
    const at = { kind: "gate-started", taskId: null, attempt: 1, lane: 1, commit: shaOf("base") };
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

describe("when every task is complete", () => {
  const done = (over: Partial<Policy> = {}): RunStory => opened([makeTask("a")], over).completed("a");
  const gaps = (
    followUps: readonly FollowUp[],
    over: Partial<HolisticReport> = {},
  ): Partial<HolisticReport> => ({
    verdict: "gaps",
    summary: "no help page",
    followUps,
    ...over,
  });
  const followUp: FollowUp = {
    title: "Help",
    description: "Add a help page.",
    acceptanceCriteria: ["there is one"],
  };
  const reviewed: RunEvent = {
    kind: "stage-ended",
    stage: "holistic-review",
    outcome: "done",
    notes: "All parts fit.",
  };

  it("the lead looks at the whole", () => {
    expect(next(done())).toMatchObject({ stage: "holistic-review", base: shaOf("a/1 commit"), try: 1 });
  });

  it("a pass ends the review", () => expect(next(done().holistic())).toEqual(reviewed));

  it("gaps become tasks of their own (the plan's own ids are left alone)", () => {
    const tasks = [makeTask("a"), makeTask("follow-up-1-1")];
    const story = opened(tasks).completed("a").completed("follow-up-1-1");
    story.holistic(gaps([followUp, { title: "Tidy", description: "", acceptanceCriteria: [] }]));
    const event = next(story);
    expect(event).toMatchObject({
      kind: "follow-ups-added",
      round: 1,
      tasks: [
        {
          id: "follow-up-1-2",
          title: "Help",
          description: "Add a help page.",
          acceptanceCriteria: ["there is one"],
        },
        { id: "follow-up-1-3", title: "Tidy", description: "Tidy", acceptanceCriteria: ["Tidy"] },
      ],
    });
    follow(story);
    expect(next(story)).toMatchObject({ stage: "develop", taskId: "follow-up-1-2" });
  });

  it("a follow-up without criteria is judged by its description", () => {
    const story = done().holistic(gaps([{ ...followUp, acceptanceCriteria: [] }]));
    expect(next(story)).toMatchObject({ tasks: [{ acceptanceCriteria: ["Add a help page."] }] });
  });

  const twice = (): RunStory => {
    const story = done();
    for (const id of ["follow-up-1-1", "follow-up-2-1"]) {
      follow(story.holistic(gaps([followUp])));
      story.completed(id);
    }
    return story.holistic(gaps([followUp]));
  };

  it("gaps after two rounds are put to the builder (I11)", () => {
    expect(next(twice())).toMatchObject({
      question: {
        id: "gaps:3",
        about: { kind: "gaps", round: 2 },
        failure: { reason: "gaps-left", rounds: 2, summary: "no help page" },
        options: [{ id: "approve" }, { id: "retry" }],
      },
    });
  });

  it("gaps without a follow-up are put to the builder at once", () => {
    expect(next(done().holistic(gaps([])))).toMatchObject({ question: { id: "gaps:1" } });
  });

  it.each<[string, object]>([
    ["approve", stageEnded("holistic-review", "done", "gaps accepted by the builder: no help page")],
    ["retry", { stage: "holistic-review", try: 4 }],
    ["look at the index page", { stage: "holistic-review", try: 4 }],
  ])("and the builder's word leads on: %s", (text, event) => {
    expect(next(answer(follow(twice()), text))).toMatchObject(event);
  });

  it("another look may lead to another round", () => {
    const story = answer(follow(twice()), "retry").holistic(gaps([followUp]));
    expect(next(story)).toMatchObject({
      kind: "follow-ups-added",
      round: 3,
      tasks: [{ id: "follow-up-3-1" }],
    });
  });

  it("what the run taught is committed, dated by the UTC day of the verdict", () => {
    const story = done().holistic().add(reviewed);
    const day = new Date(story.state.holisticAtMs ?? 0).toISOString().slice(0, 10);
    expect(next(story)).toEqual({ kind: "memory-started", lane: 1, head: shaOf("a/1 commit"), day });
    expect(next(follow(story))).toBeNull();
  });

  const remembered = (result: Extract<RunEvent, { kind: "memory-ended" }>["result"]): RunStory =>
    follow(done().holistic().add(reviewed)).add({ kind: "memory-ended", result });

  it.each<[string, () => RunStory, object]>([
    [
      "a memory commit ends the stage",
      () => remembered({ kind: "committed", commit: shaOf("m"), entry: "memory/x.md" }),
      stageEnded("memory", "done", ""),
    ],
    [
      "a memory commit that broke a gate is kept aside and told",
      () => remembered({ kind: "kept aside", ref: "refs/x", why: "gates fail with it: lint" }),
      stageEnded("memory", "done", "kept as refs/x: gates fail with it: lint"),
    ],
    [
      "an interrupted one is made again",
      () => remembered({ kind: "interrupted", by: "me" }),
      {
        kind: "memory-started",
      },
    ],
    [
      "a refused one stops the run",
      () => remembered({ kind: "refused", failure: cannotStart }),
      {
        kind: "run-paused",
        failure: cannotStart,
      },
    ],
    [
      "none is made where memory is off",
      () =>
        done({ memory: { enabled: false, dir: "memory" } })
          .holistic()
          .add(reviewed),
      stageEnded("memory", "skipped", "switched off"),
    ],
    [
      "then the run is complete",
      () => done().holistic().add(reviewed).stage("memory", "skipped"),
      {
        kind: "run-completed",
      },
    ],
  ])("%s", (_what, tell, event) => expect(next(tell())).toEqual(expect.objectContaining(event)));

  it("a memory without a verdict is a broken invariant", () => {
    expect(() => next(done().stage("holistic-review"))).toThrow(InvariantBroken);
  });
});
