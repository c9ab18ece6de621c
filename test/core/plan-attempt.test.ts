import { describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/core/event.ts";
import type { Failure } from "../../src/core/failure.ts";
import { planAttempt, planStart } from "../../src/core/plan-attempt.ts";
import { gatesOf } from "../../src/core/plan-judged.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Task } from "../../src/core/prd.ts";
import { InvariantBroken } from "../../src/core/result.ts";
import { makePolicy, makeTask, shaOf, taskId } from "../support/run-parts.ts";
import type { RunStory } from "../support/run-story.ts";
import {
  answer,
  begin,
  crashed,
  dispatched,
  failedWith,
  follow,
  gateFailed,
  gatesRan,
  gitFailed,
  interrupted,
  lastAttemptOf,
  next,
  opened,
  recordOf,
} from "./tell.ts";

const a = taskId("a");
const base = shaOf("base");
const candidate = shaOf("a/1 commit");

function one(over: Partial<Task> = {}, policy: Partial<Policy> = {}): RunStory {
  return opened([makeTask("a", over)], policy);
}

function ready(over: Partial<Task> = {}, policy: Partial<Policy> = {}): RunStory {
  return one(over, policy).developed("a").candidate("a");
}

function ending(outcome: object): object {
  return { kind: "attempt-ended", taskId: "a", attempt: 1, outcome };
}

describe("a task begins", () => {
  it("with a developer on the head of the branch", () => {
    expect(next(one())).toEqual({
      kind: "dispatch-started",
      dispatch: "d1",
      stage: "develop",
      role: "developer",
      agent: "developer",
      taskId: "a",
      attempt: 1,
      try: 1,
      lane: 1,
      base,
      candidate: null,
      startFrom: { kind: "base" },
    });
  });

  it("again with the next number and the dispatch after the last", () => {
    const story = ready().sentBack("a", { reason: "gates-red", gates: ["tests"], tests: [] });
    const startFrom = { kind: "rejected", attempt: 1, commit: candidate };
    expect(next(story)).toMatchObject({ attempt: 2, dispatch: "d2", startFrom });
  });

  const precheck = { precheck: "on" } as const;
  const judged = (verdict: "approved" | "needs_refinement") =>
    ({ kind: "answered", report: { stage: "precheck", verdict, issues: [] }, left: null }) as const;

  it("with a look at its prompt where the policy wants one", () => {
    expect(next(one({}, precheck))).toMatchObject({
      stage: "precheck",
      role: "reviewer",
      agent: "reviewer",
      attempt: 1,
      try: 1,
      startFrom: null,
    });
  });

  it.each<[string, (story: RunStory) => RunStory, string, number]>([
    [
      "after an approval",
      (story) => dispatched(story, { stage: "precheck", task: "a" }, judged("approved")),
      "develop",
      1,
    ],
    [
      "not before a second round when the first wants more",
      (story) => dispatched(story, { stage: "precheck", task: "a" }, judged("needs_refinement")),
      "precheck",
      2,
    ],
    [
      "not before a second round when the first failed",
      (story) => dispatched(story, { stage: "precheck", task: "a" }, failedWith(crashed)),
      "precheck",
      2,
    ],
    [
      "after two rounds, whatever came of them (I11)",
      (story) => {
        dispatched(story, { stage: "precheck", task: "a" }, failedWith(crashed));
        return dispatched(story, { stage: "precheck", task: "a" }, judged("needs_refinement"));
      },
      "develop",
      1,
    ],
    [
      "not after an interrupted look, which counts to nothing",
      (story) => {
        for (let time = 0; time < 5; time += 1)
          dispatched(story, { stage: "precheck", task: "a" }, interrupted);
        return story;
      },
      "precheck",
      6,
    ],
  ])("developing %s", (_when, tell, stage, tries) => {
    expect(next(tell(one({}, precheck)))).toMatchObject({ kind: "dispatch-started", stage, try: tries });
  });

  it("a second attempt without another look", () => {
    const story = ready({}, precheck).sentBack("a", { reason: "no-change" });
    expect(next(story)).toMatchObject({ stage: "develop", attempt: 2 });
  });
});

describe("what a developer's dispatch came to", () => {
  it.each<[string, (story: RunStory) => RunStory, object]>([
    [
      "an interruption ends the attempt as interrupted",
      (story) => dispatched(story, { stage: "develop", task: "a" }, interrupted),
      ending({ kind: "interrupted", by: "SIGINT" }),
    ],
    [
      "a failure ends it as failed",
      (story) => dispatched(story, { stage: "develop", task: "a" }, failedWith(crashed)),
      ending({ kind: "failed", failure: crashed }),
    ],
    [
      "an answer becomes a candidate of the tree it left",
      (story) => story.developed("a"),
      {
        kind: "candidate-started",
        taskId: "a",
        attempt: 1,
        lane: 1,
        base,
        tree: shaOf("a tree"),
        message: "Do a\n\nPRD-Run: 20260131T090000Z-3fa9c1\nPRD-Task: a\nPRD-Attempt: 1\n",
        replayOf: null,
      },
    ],
    [
      "a question is kept as a candidate too, and ends the attempt as asked",
      (story) => story.developed("a", { question: { text: "?", options: [] } }).candidate("a"),
      ending({ kind: "asked" }),
    ],
    [
      "no change is a rejection without gates",
      (story) => story.developed("a").candidate("a", { changeCount: 0 }),
      ending({ kind: "rejected", failure: { reason: "no-change" } }),
    ],
  ])("%s", (_what, tell, event) => expect(next(tell(one()))).toEqual(event));

  it("ends the attempt also when the run is about to pause (I6)", () => {
    const story = dispatched(one(), { stage: "develop", task: "a" }, interrupted);
    story.add({ kind: "pause-requested", now: true, by: "SIGINT" });
    expect(next(story)).toEqual(ending({ kind: "interrupted", by: "SIGINT" }));
  });

  it("is not planned further while it is under way", () => {
    const story = begin(one(), { stage: "develop", task: "a" });
    const at = [story.state, recordOf(story, "a"), lastAttemptOf(story, "a"), 0] as const;
    expect(() => planAttempt(...at)).toThrow(InvariantBroken);
  });
});

function refuse(story: RunStory, failure: Failure): RunStory {
  follow(story);
  return story.add({ kind: "candidate-made", taskId: a, attempt: 1, result: { kind: "refused", failure } });
}

describe("a candidate", () => {
  it("that cannot be made of the work is a rejection", () => {
    const failure: Failure = { reason: "nested-repository", paths: ["x"] };
    expect(next(refuse(one().developed("a"), failure))).toEqual(ending({ kind: "rejected", failure }));
  });

  it("that git could not make is tried again, five times in a row, and the work is kept (I11, I14)", () => {
    const story = one().developed("a");
    for (let time = 1; time <= 5; time += 1) refuse(story, gitFailed);
    expect(next(story)).toMatchObject({
      kind: "question-asked",
      question: { failure: { reason: "infrastructure-in-a-row", stage: "candidate", times: 5 } },
    });
    expect(next(answer(follow(story), "retry"))).toMatchObject({ kind: "candidate-started", attempt: 1 });
  });

  it("that could not be stored stops the run, and is made when it goes on", () => {
    const failure: Failure = { reason: "storage-failed", doing: "writing", path: "x", code: "ENOSPC" };
    const story = refuse(one().developed("a"), failure);
    expect(next(story)).toEqual({ kind: "run-paused", failure });
    expect(next(follow(story).started())).toMatchObject({ kind: "candidate-started", attempt: 1 });
  });

  it("is put on the head when the branch has moved", () => {
    const story = opened([makeTask("a"), makeTask("b")])
      .developed("a")
      .candidate("a")
      .completed("b");
    expect(next(story)).toMatchObject({
      kind: "candidate-started",
      taskId: "a",
      base: shaOf("b/1 commit"),
      tree: shaOf("a tree"),
      replayOf: candidate,
    });
  });

  it("of a task that was changed meanwhile is not looked at any more", () => {
    const story = ready().add({ kind: "run-paused", failure: { reason: "paused-by-builder", by: "me" } });
    const prd = { ...story.state.prd, tasks: [makeTask("a", { description: "Something else." })] };
    story.add({ kind: "plan-changed", prd, prdHash: "1", changes: ["task a"], by: "me" }).started();
    expect(next(story)).toEqual(ending({ kind: "interrupted", by: "the changed plan" }));
  });
});

describe("the gates of a candidate", () => {
  it("run one after another on exactly that commit, then are judged", () => {
    const story = ready();
    const at = { taskId: "a", attempt: 1, commit: candidate };
    expect(next(story)).toEqual({
      kind: "gate-started",
      ...at,
      lane: 1,
      gate: "typecheck",
      trial: "candidate",
    });
    gatesRan(story, "a", ["tests"]);
    expect(next(story)).toMatchObject({ kind: "gates-judged", ...at, red: ["tests"], findings: [] });
  });

  it("that are red send it back", () => {
    const story = follow(gatesRan(ready(), "a", ["tests"]));
    expect(next(story)).toEqual(
      ending({ kind: "rejected", failure: { reason: "gates-red", gates: ["tests"], tests: [] } }),
    );
  });

  it.each<[string, readonly string[] | null, readonly string[]]>([
    ["all that are configured, in that order", null, ["typecheck", "tests"]],
    [
      "those that the task names, in the configuration's order",
      ["tests", "typecheck"],
      ["typecheck", "tests"],
    ],
    ["none for a task that wants none", [], []],
    ["none that is not configured", ["magic"], []],
  ])("are %s", (_what, names, gates) => expect(gatesOf(one().state, names)).toEqual(gates));

  it("are not those that the builder dropped", () => {
    const story = one();
    story.add({
      kind: "question-asked",
      question: {
        id: "q",
        about: { kind: "baseline", gate: "tests" },
        text: "?",
        options: [],
        failure: null,
      },
    });
    expect(gatesOf(answer(story, "drop").state, null)).toEqual(["typecheck"]);
  });

  it("are tried again after trouble outside the work", () => {
    expect(next(gateFailed(ready(), "a", gitFailed))).toMatchObject({
      kind: "gate-started",
      gate: "typecheck",
    });
  });
});

it("starts nothing that the budget forbids while others work", () => {
  const budget = { ...makePolicy().budget, maxDispatches: 1 };
  const story = begin(opened([makeTask("a"), makeTask("b")], { budget }), { stage: "develop", task: "a" });
  const start = (): RunEvent | null => planStart(story.state, recordOf(story, "b"), story.state.updatedAtMs);
  expect(start()).toBeNull();
});
