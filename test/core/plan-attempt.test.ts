import { describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/core/event.ts";
import type { Failure } from "../../src/core/failure.ts";
import { gatesOf, planAttempt, planStart } from "../../src/core/plan-attempt.ts";
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
    const story = ready().sentBack("a", { reason: "gates-red", gates: ["tests"] });
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
    expect(next(story)).toEqual({ kind: "gate-started", ...at, lane: 1, gate: "typecheck" });
    gatesRan(story, "a", ["tests"]);
    expect(next(story)).toEqual({ kind: "gates-judged", ...at, red: ["tests"] });
  });

  it("that are red send it back", () => {
    const story = follow(gatesRan(ready(), "a", ["tests"]));
    expect(next(story)).toEqual(
      ending({ kind: "rejected", failure: { reason: "gates-red", gates: ["tests"] } }),
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

describe("the review of a candidate", () => {
  const green = (policy: Partial<Policy> = {}): RunStory => ready({}, policy).gates("a");
  const integrating: object = {
    kind: "integration-started",
    taskId: "a",
    attempt: 1,
    from: base,
    to: candidate,
  };
  const reviewFails = (story: RunStory, failure: Failure): RunStory =>
    dispatched(story, { stage: "review", task: "a" }, failedWith(failure));
  const unusable: Failure = { reason: "report-missing", agent: "reviewer", stage: "review" };

  it("is asked for once the gates are green", () => {
    expect(next(green())).toEqual({
      kind: "dispatch-started",
      dispatch: "d2",
      stage: "review",
      role: "reviewer",
      agent: "reviewer",
      taskId: "a",
      attempt: 1,
      try: 1,
      lane: 1,
      base,
      candidate,
      startFrom: null,
    });
  });

  it("that approves lets it be integrated (I10)", () => {
    expect(next(green().reviewed("a"))).toEqual(integrating);
  });

  it("is left out where the policy says so", () => {
    expect(next(green({ review: { enabled: false, passScore: 80 } }))).toEqual(integrating);
  });

  it("that does not approve sends it back", () => {
    const failure = { reason: "review-rejected", score: 10, passScore: 80, problems: [] };
    expect(next(green().reviewed("a", { verdict: "iterate", score: 10 }))).toEqual(
      ending({ kind: "rejected", failure }),
    );
  });

  it("without a usable report is asked for once more, then the builder is asked", () => {
    const story = reviewFails(green(), unusable);
    expect(next(story)).toMatchObject({ stage: "review", try: 2 });
    expect(next(reviewFails(story, unusable))).toEqual({
      kind: "question-asked",
      question: {
        id: "review:a:1:2",
        about: { kind: "stage", stage: "review", taskId: "a" },
        text: 'the review report of task a was unusable twice: agent "reviewer" ended without writing its review report. Ask for the review again?',
        options: [
          { id: "retry", label: "review the same commit again" },
          { id: "skip", label: "skip the task; what depends on it goes on" },
        ],
        failure: {
          reason: "report-unusable-twice",
          stage: "review",
          taskId: "a",
          last: 'agent "reviewer" ended without writing its review report',
        },
      },
    });
  });

  it("is asked for again on the same commit when the builder says so", () => {
    const story = answer(follow(reviewFails(reviewFails(green(), unusable), unusable)), "retry");
    expect(next(story)).toMatchObject({ stage: "review", attempt: 1, try: 3, candidate });
  });

  it("that meets trouble outside the work five times in a row is put to the builder (I14)", () => {
    const story = green();
    for (let time = 1; time <= 5; time += 1) {
      expect(next(story)).toMatchObject({ stage: "review", try: time });
      reviewFails(story, gitFailed);
    }
    expect(next(story)).toMatchObject({
      question: {
        id: "review:a:1:5",
        failure: { reason: "infrastructure-in-a-row", stage: "review", times: 5 },
      },
    });
  });

  it("that is interrupted is asked for again, however often", () => {
    const story = green();
    for (let time = 1; time <= 7; time += 1) dispatched(story, { stage: "review", task: "a" }, interrupted);
    expect(next(story)).toMatchObject({ stage: "review", try: 8 });
  });

  it("is not started when the budget forbids it", () => {
    const budget = { ...makePolicy().budget, maxDispatches: 1 };
    expect(next(green({ budget }))).toMatchObject({
      kind: "run-paused",
      failure: { reason: "budget-dispatches" },
    });
  });
});

describe("a task that a human is to verify", () => {
  const verify = (over: Partial<Task> = {}, policy: Partial<Policy> = {}): RunStory =>
    ready({ type: "checkpoint:human-verify", ...over }, policy)
      .gates("a")
      .reviewed("a");

  it("is put to the builder before it is integrated", () => {
    expect(next(verify())).toEqual({
      kind: "question-asked",
      question: {
        id: "verify:a:1",
        about: { kind: "checkpoint-after", taskId: "a" },
        text: `Does commit ${candidate} do "Do a"?`,
        options: [
          { id: "approve", label: "integrate it" },
          { id: "reject", label: "send it back (any other text: send it back with this note)" },
        ],
        failure: null,
      },
    });
  });

  it("is put with the plan's words where it has any", () => {
    const checkpoint = { message: "Is it blue?", actions: [], defaultAction: null, timeoutMs: 0 };
    expect(next(verify({ checkpoint }))).toMatchObject({ question: { text: "Is it blue?" } });
    expect(next(verify({ checkpoint: { ...checkpoint, message: "" } }))).toMatchObject({
      question: { text: `Does commit ${candidate} do "Do a"?` },
    });
  });

  it.each<[string, () => RunStory, object]>([
    [
      "is integrated when the builder approves",
      () => answer(follow(verify()), "approve"),
      {
        kind: "integration-started",
      },
    ],
    [
      "is sent back with the builder's words",
      () => answer(follow(verify()), "too blue"),
      ending({ kind: "rejected", failure: { reason: "builder-rejected", text: "too blue" } }),
    ],
    [
      "is integrated without a question with --yes",
      () => verify({}, { yes: true }),
      { kind: "integration-started" },
    ],
  ])("%s", (_what, tell, event) => expect(next(tell())).toMatchObject(event));

  it("is put again when the work became another on a branch that moved", () => {
    const tasks = [makeTask("a", { type: "checkpoint:human-verify" }), makeTask("b")];
    const story = opened(tasks, { concurrency: 2 }).developed("a").candidate("a").gates("a").reviewed("a");
    answer(follow(story), "approve");
    story.completed("b");
    story
      .candidate("a", { commit: shaOf("replayed"), patchId: shaOf("another patch") })
      .gates("a")
      .reviewed("a");
    expect(next(story)).toMatchObject({ question: { id: "verify:a:1" } });
  });
});

describe("an integrated candidate", () => {
  const integrated = (policy: Partial<Policy> = {}): RunStory => {
    const story = ready({}, policy).gates("a").reviewed("a");
    story.add({ kind: "integration-started", taskId: a, attempt: 1, from: base, to: candidate });
    return story.add({ kind: "integration-ended", taskId: a, attempt: 1, result: { kind: "integrated" } });
  };

  it("completes its task (I10)", () => {
    expect(next(integrated())).toEqual(ending({ kind: "accepted", commit: candidate }));
  });

  it("also when gates were added since, which it could not have passed", () => {
    const story = integrated();
    const [tests] = makePolicy().gates;
    const gates = tests === undefined ? [] : [...makePolicy().gates, { ...tests, name: "new" }];
    story.started(makePolicy({ gates })).baseline().stage("baseline");
    expect(next(story)).toEqual(ending({ kind: "accepted", commit: candidate }));
  });
});

it("starts nothing that the budget forbids while others work", () => {
  const budget = { ...makePolicy().budget, maxDispatches: 1 };
  const story = begin(opened([makeTask("a"), makeTask("b")], { budget }), { stage: "develop", task: "a" });
  const start = (): RunEvent | null => planStart(story.state, recordOf(story, "b"), story.state.updatedAtMs);
  expect(start()).toBeNull();
});
