import { describe, expect, it } from "vitest";
import type { Task } from "../../src/core/prd.ts";
import { makeTask, taskId } from "../support/run-parts.ts";
import type { RunStory } from "../support/run-story.ts";
import { ask, dispatched, lastAttemptOf, next, opened, recordOf, skip } from "./tell.ts";

const a = taskId("a");

/** The builder takes a plan of these tasks. */
function take(story: RunStory, tasks: readonly Task[], changes = ["something"]): RunStory {
  const prd = { ...story.state.prd, tasks };
  return story.add({ kind: "plan-changed", prd, prdHash: "2".repeat(64), changes, by: "me" });
}

function order(story: RunStory): readonly string[] {
  return [...story.state.tasks].map(({ task, phase }) => `${task.id} ${phase.kind}`);
}

function one(): RunStory {
  return opened([makeTask("a"), makeTask("b")]);
}

const other = makeTask("a", { description: "Something else." });

describe("a plan that the builder changed", () => {
  it("is the run's plan from now on, in its order, and told", () => {
    const story = take(one(), [makeTask("c"), makeTask("b"), makeTask("a")], ["added c", "moved a"]);
    expect(order(story)).toEqual(["c pending", "b pending", "a pending"]);
    expect(story.state.prdHash).toBe("2".repeat(64));
    expect(story.state.told.at(-1)).toBe("took the changed plan: added c; moved a");
    expect(next(story)).toMatchObject({ taskId: "c" });
  });

  it("leaves what is complete complete, also in other words or removed", () => {
    const story = one().completed("a").completed("b");
    expect(order(take(story, [other]))).toEqual(["a complete", "b complete"]);
    expect(recordOf(story, "a").task.description).toBe("Something else.");
  });

  it("skips what was removed, keeps what a holistic review added, and works on what is back", () => {
    const story = one().add({ kind: "follow-ups-added", round: 1, tasks: [makeTask("follow-up-1-1")] });
    take(story, [makeTask("a")]);
    expect(order(story)).toEqual(["a pending", "b skipped", "follow-up-1-1 pending"]);
    expect(recordOf(story, "b").phase).toEqual({
      kind: "skipped",
      why: "it was removed from the plan",
      by: "me",
    });
    expect(order(take(story, [makeTask("b"), makeTask("a")]))).toEqual([
      "b pending",
      "a pending",
      "follow-up-1-1 pending",
    ]);
  });

  it("is looked at as a whole again", () => {
    const story = one().completed("a").completed("b").holistic().stage("holistic-review");
    take(story, [makeTask("a"), makeTask("b")]);
    expect(story.state.stages.has("holistic-review")).toBe(false);
    expect(story.state).toMatchObject({ verdict: null, gapsAccepted: false });
  });
});

describe("a task that was changed", () => {
  it("is free of what was asked about the old one", () => {
    const story = ask(one(), { kind: "attempts", taskId: a }, { id: "attempts:a:1" });
    ask(story, { kind: "developer", taskId: taskId("b") }, { id: "developer:b:1" });
    ask(story, { kind: "pre-mortem" }, { id: "pre-mortem" });
    take(story, [other, makeTask("b")]);
    expect(order(story)).toEqual(["a pending", "b held"]);
    expect(story.state.questions.map(({ id }) => id)).toEqual(["developer:b:1", "pre-mortem"]);
  });

  it("is worked on although the old one was skipped", () => {
    expect(order(take(skip(one(), "a"), [other]))).toEqual(["a pending", "b skipped"]);
    expect(order(take(skip(one(), "a"), [makeTask("a")]))).toEqual(["a skipped", "b skipped"]);
  });

  it("ends the attempt for the old one and keeps those that have ended", () => {
    const story = one().developed("a").candidate("a").sentBack("a", { reason: "no-change" }).developed("a");
    take(story, [other, makeTask("b")]);
    expect(recordOf(story, "a").attempts.map(({ isStale }) => isStale)).toEqual([false, true]);
    expect(recordOf(story, "a").phase.kind).toBe("working");
    expect(next(story)).toMatchObject({
      kind: "attempt-ended",
      attempt: 2,
      outcome: { by: "the changed plan" },
    });
  });

  it("has its prompt looked at again", () => {
    const story = opened([makeTask("a")], { precheck: "on" });
    const report = { stage: "precheck", verdict: "approved", issues: [] } as const;
    dispatched(story, { stage: "precheck", task: "a" }, { kind: "answered", report, left: null });
    expect(recordOf(take(story, [other]), "a").prechecks).toEqual([]);
  });

  it("is the same one when only what the plan claims about its progress is another", () => {
    const claim = {
      status: "in_progress",
      passes: false,
      attemptCount: 3,
      notes: "x",
      commitSha: null,
    } as const;
    const story = one().developed("a");
    take(story, [makeTask("a", { claim }), makeTask("b")]);
    expect(lastAttemptOf(story, "a").isStale).toBe(false);
  });
});
