import { describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/core/event.ts";
import type { Failure } from "../../src/core/failure.ts";
import { InvariantBroken } from "../../src/core/result.ts";
import { makeCandidate, makeGate, makeTask, makeWork, shaOf, taskId } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";
import { begin, finish, gateFailed, gatesRan, gitFailed, lastAttemptOf, opened, recordOf } from "./tell.ts";

const a = taskId("a");

function one(): RunStory {
  return opened([makeTask("a"), makeTask("b")]);
}

function ready(): RunStory {
  return one().developed("a").candidate("a");
}

describe("an attempt begins", () => {
  it("with its developer, numbered from 1, and moves the task to work", () => {
    const story = begin(one(), { stage: "develop", task: "a", lane: 2 });
    expect(recordOf(story, "a").phase).toEqual({
      kind: "working",
      stage: "develop",
      lane: 2,
      sinceMs: story.state.updatedAtMs,
    });
    expect(lastAttemptOf(story, "a")).toMatchObject({
      number: 1,
      develop: { kind: "running" },
      outcome: null,
    });
  });

  const start = (story: RunStory, over: object): RunEvent => {
    const event = begin(story, { stage: "develop", task: "a" }).entries.at(-1)?.event;
    return { ...event, ...over } as RunEvent; // an event with one thing changed
  };

  it.each<[string, () => RunStory]>([
    [
      "before the one before has ended (I6)",
      () =>
        one()
          .developed("a")
          .add(start(one(), { attempt: 2, dispatch: "d2" })),
    ],
    ["with another number than the next", () => one().add(start(one(), { attempt: 2 }))],
    ["without a place to start from", () => one().add(start(one(), { startFrom: null }))],
    ["for a task that the run does not have", () => one().add(start(one(), { taskId: "z" }))],
    ["in a stage that is the run's", () => one().add(start(one(), { stage: "recon" }))],
  ])("never %s", (_what, tell) => expect(tell).toThrow(InvariantBroken));

  it("and each stage of it keeps the time since when the task is in it", () => {
    const story = gatesRan(ready(), "a");
    const { phase } = recordOf(story, "a");
    expect(phase).toMatchObject({ kind: "working", stage: "gates" });
    expect(phase.kind === "working" && phase.sinceMs).toBeLessThan(story.state.updatedAtMs);
    expect(lastAttemptOf(story, "a").gatesStartedAtMs).toBe(phase.kind === "working" ? phase.sinceMs : null);
  });
});

describe("the developer's dispatch", () => {
  it("leaves its report and tree, and what was noticed", () => {
    const story = begin(one(), { stage: "develop", task: "a" });
    const left = { tree: shaOf("tree"), agentHead: null };
    finish(story, { kind: "answered", report: makeWork(), left }, { notes: ["moved a tag"] });
    expect(lastAttemptOf(story, "a")).toMatchObject({
      develop: { kind: "answered", left },
      notes: ["moved a tag"],
    });
  });
});

describe("a candidate", () => {
  const replay = (story: RunStory, patchId: string): RunStory => {
    story.completed("b");
    return story.candidate("a", makeCandidate("replayed", { patchId, base: story.state.head }));
  };
  const samePatch = makeCandidate("a/1").patchId;

  it("is what the attempt stands for from now on", () => {
    expect(lastAttemptOf(ready(), "a")).toMatchObject({
      candidate: { commit: shaOf("a/1 commit") },
      reviewedCommit: null,
      red: null,
      review: null,
    });
  });

  it("that was put on a moved branch has to pass the gates again", () => {
    const story = replay(ready().gates("a").reviewed("a"), samePatch);
    expect(lastAttemptOf(story, "a")).toMatchObject({
      gates: [],
      red: null,
      gatesStartedAtMs: null,
      base: story.state.head,
    });
  });

  it("keeps its review when the change itself is the same, and names the commit that was reviewed", () => {
    const story = ready().gates("a").reviewed("a", { score: 91 }).completed("b");
    const once = { patchId: samePatch, commit: shaOf("once"), base: story.state.head };
    story.candidate("a", once);
    expect(lastAttemptOf(story, "a")).toMatchObject({
      review: { score: 91 },
      reviewedCommit: shaOf("a/1 commit"),
    });
    story.candidate("a", { ...once, commit: shaOf("twice") });
    expect(lastAttemptOf(story, "a")).toMatchObject({
      review: { score: 91 },
      reviewedCommit: shaOf("a/1 commit"),
    });
  });

  it("loses review and builder's word when the change became another (I10)", () => {
    const story = ready().gates("a").reviewed("a");
    story.add({
      kind: "question-asked",
      question: {
        id: "q",
        about: { kind: "checkpoint-after", taskId: a },
        text: "?",
        options: [],
        failure: null,
      },
    });
    story.add({ kind: "question-answered", question: "q", text: "approve", by: "me" });
    expect(lastAttemptOf(story, "a").verification).toEqual({ kind: "approved" });
    replay(story, shaOf("another patch"));
    expect(lastAttemptOf(story, "a")).toMatchObject({
      review: null,
      reviewedCommit: null,
      verification: null,
    });
  });

  it("has no reviewed commit where nothing was reviewed yet", () => {
    expect(lastAttemptOf(replay(ready(), samePatch), "a")).toMatchObject({
      review: null,
      reviewedCommit: null,
    });
  });
});

describe("a gate", () => {
  it("that ran is kept with the candidate, and ends a row of trouble", () => {
    const story = gatesRan(gateFailed(ready(), "a", gitFailed), "a", ["tests"]);
    expect(lastAttemptOf(story, "a").gates.map(({ gate, outcome }) => [gate, outcome])).toEqual([
      ["typecheck", "passed"],
      ["tests", "failed"],
    ]);
    expect(recordOf(story, "a").infrastructure).toBeNull();
    expect(story.state.gateRuns).toBe(5);
  });

  it("that could not be looked at counts to a row of its own stage (I14)", () => {
    const story = gateFailed(gateFailed(ready(), "a", gitFailed), "a", gitFailed);
    expect(recordOf(story, "a").infrastructure).toEqual({ stage: "gates", times: 2, last: gitFailed });
    expect(story.state.trouble).toBeNull();
  });

  it("whose tree cannot be had stops the run", () => {
    const failure: Failure = { reason: "lane-unusable", path: "lane", detail: "not ours" };
    expect(gateFailed(ready(), "a", failure).state.trouble).toEqual(failure);
  });

  const gate = (
    story: RunStory,
    over: object,
    result: Extract<RunEvent, { kind: "gate-ended" }>["result"],
  ): RunStory => {
    const place = { taskId: a, attempt: 1, gate: "tests", commit: story.state.head, ...over };
    const at = { ...place, trial: "candidate" } as const;
    return story.add({ kind: "gate-started", lane: 1, ...at }).add({ kind: "gate-ended", ...at, result });
  };
  const gone = { kind: "interrupted", by: "me" } as const;

  it("that was interrupted says nothing", () => {
    const story = gate(ready(), {}, gone);
    expect(lastAttemptOf(story, "a").gates).toEqual([]);
    expect(recordOf(story, "a").infrastructure).toBeNull();
  });

  describe("of the baseline", () => {
    const fresh = (): RunStory => new RunStory({ tasks: [makeTask("a")] }).started();
    const ofBase = { taskId: null };
    const ran = { kind: "ran", result: makeGate("tests") } as const;

    it("is kept", () => expect(gate(fresh(), ofBase, ran).state.baseline.results).toHaveLength(1));

    it("says nothing when it was interrupted", () => {
      expect(gate(fresh(), ofBase, gone).state.baseline.results).toEqual([]);
    });

    it("stops the run when its tree cannot be had", () => {
      const story = gate(fresh(), ofBase, { kind: "failed", failure: gitFailed });
      expect(story.state.trouble).toEqual(gitFailed);
    });

    it("says nothing about a head that has moved since (I9)", () => {
      const story = gate(fresh(), { ...ofBase, commit: shaOf("head before the builder's commit") }, ran);
      expect(story.state.baseline.results).toEqual([]);
    });
  });

  it.each<[string, readonly string[], object]>([
    ["green", [], { status: "success", failureReason: "", notes: "2 gate(s)" }],
    ["red", ["tests"], { status: "retry", failureReason: "gates failed: tests" }],
  ])("all together are one step: %s", (_how, red, step) => {
    const story = gatesRan(ready(), "a", red);
    const at = { taskId: a, attempt: 1, commit: shaOf("a/1 commit") };
    story.add({ kind: "gates-judged", ...at, red, gates: [], findings: [] });
    const { gatesStartedAtMs } = lastAttemptOf(story, "a");
    expect(story.state.steps.last()).toMatchObject({
      nodeId: "a",
      stage: "gates",
      startedAtMs: gatesStartedAtMs,
      ...step,
    });
  });

  it("all together take no time for a task without gates", () => {
    const story = ready().add({
      kind: "gates-judged",
      taskId: a,
      attempt: 1,
      commit: shaOf("a/1 commit"),
      red: [],
      gates: [],
      findings: [],
    });
    const { updatedAtMs } = story.state;
    expect(story.state.steps.last()).toMatchObject({ startedAtMs: updatedAtMs, finishedAtMs: updatedAtMs });
  });
});

describe("an integration", () => {
  const integrate = (
    story: RunStory,
    result: Extract<RunEvent, { kind: "integration-ended" }>["result"],
  ): RunStory => {
    story.add({
      kind: "integration-started",
      taskId: a,
      attempt: 1,
      from: story.state.head,
      to: shaOf("a/1 commit"),
    });
    return story.add({ kind: "integration-ended", taskId: a, attempt: 1, result });
  };

  it("moves the head to the candidate", () => {
    const before = ready();
    const { updatedAtMs } = before.state;
    const story = integrate(before, { kind: "integrated" });
    expect(story.state.head).toBe(shaOf("a/1 commit"));
    const step = story.state.steps.last();
    expect(step).toMatchObject({ stage: "integrate", status: "success" });
    expect(step?.startedAtMs).toBeGreaterThan(updatedAtMs);
    expect(step?.finishedAtMs).toBeGreaterThan(step?.startedAtMs ?? Number.POSITIVE_INFINITY);
  });

  it("that was refused moves nothing and stops the run", () => {
    const failure: Failure = { reason: "branch-checked-out", branch: "x", path: "/y" };
    const story = integrate(ready(), { kind: "refused", failure });
    expect(story.state).toMatchObject({ head: shaOf("base"), trouble: failure });
    expect(story.state.steps.last()).toMatchObject({ status: "fail" });
    expect(story.state.steps.last()?.failureReason).toContain('checked out in "/y"');
  });

  it("takes no lane that another task works in", () => {
    const story = ready();
    story.add({
      kind: "question-asked",
      question: {
        id: "q",
        about: { kind: "checkpoint-after", taskId: a },
        text: "?",
        options: [],
        failure: null,
      },
    });
    begin(story, { stage: "develop", task: "b", lane: 1 });
    story.add({ kind: "question-answered", question: "q", text: "approve", by: "me" });
    story.add({
      kind: "integration-started",
      taskId: a,
      attempt: 1,
      from: story.state.head,
      to: shaOf("a/1 commit"),
    });
    expect(recordOf(story, "a").phase).toMatchObject({ kind: "working", stage: "integrate", lane: 2 });
  });

  it.each<[string, () => RunStory]>([
    ["of nothing", () => integrate(one().developed("a"), { kind: "integrated" })],
    ["of an attempt that was not started", () => integrate(one(), { kind: "integrated" })],
  ])("%s cannot be", (_what, tell) => expect(tell).toThrow(InvariantBroken));
});
