import { describe, expect, it } from "vitest";
import type { Failure } from "../../src/core/failure.ts";
import { limits } from "../../src/core/limits.ts";
import { InvariantBroken } from "../../src/core/result.ts";
import { makeTask, shaOf, taskId } from "../support/run-parts.ts";
import type { RunStory } from "../support/run-story.ts";
import {
  begin,
  crashed,
  dispatched,
  failedWith,
  gateFailed,
  gitFailed,
  interrupted,
  opened,
  recordOf,
  skip,
} from "./tell.ts";

const a = taskId("a");

function one(): RunStory {
  return opened([makeTask("a"), makeTask("b")]);
}

function ready(): RunStory {
  return one().developed("a").candidate("a");
}

describe("the end of an attempt (I6)", () => {
  it("accepted completes the task", () => {
    const story = one().completed("a", { summary: "made it", reflection: "" });
    expect(recordOf(story, "a").phase).toEqual({
      kind: "complete",
      commit: shaOf("a/1 commit"),
      before: false,
    });
    expect(story.state.learned).toEqual([{ taskId: "a", text: "made it" }]);
    expect(story.state.progress.last()).toEqual({ taskId: "a", attempt: 1, status: "complete", reason: "" });
  });

  it("accepted teaches the developer's reflection, the latest of them (I11)", () => {
    const ids = Array.from({ length: limits.learnedKept + 2 }, (_none, index) => `t${index}`);
    const story = opened(ids.map((id) => makeTask(id)));
    for (const id of ids) story.completed(id, { reflection: `on ${id}` });
    expect(story.state.learned).toHaveLength(limits.learnedKept);
    expect(story.state.learned.at(-1)).toEqual({ taskId: ids.at(-1), text: `on ${ids.at(-1)}` });
  });

  it.each<["rejected" | "failed", Failure, string]>([
    [
      "rejected",
      { reason: "no-change" },
      "the developer changed nothing, and the task does not say allowNoChanges",
    ],
    ["failed", crashed, 'agent "developer" ended with exit code 1'],
  ])("%s sends the task back, told", (kind, failure, reason) => {
    const story = ready().ended("a", { kind, failure });
    expect(recordOf(story, "a").phase).toEqual({ kind: "pending" });
    expect(story.state.progress.last()).toEqual({ taskId: "a", attempt: 1, status: "sent back", reason });
  });

  it.each(["asked", "interrupted"] as const)("%s is no progress to tell", (kind) => {
    const story = ready().ended("a", kind === "asked" ? { kind } : { kind, by: "me" });
    expect(recordOf(story, "a").phase).toEqual({ kind: "pending" });
    expect(story.state.progress).toHaveLength(0);
  });

  it("of a skipped task leaves it skipped", () => {
    const story = skip(ready(), "a").ended("a", { kind: "interrupted", by: "skip" });
    expect(recordOf(story, "a").phase.kind).toBe("skipped");
  });

  it.each<[string, (story: RunStory) => unknown]>([
    [
      "twice",
      (story) => story.add({ kind: "attempt-ended", taskId: a, attempt: 1, outcome: { kind: "asked" } }),
    ],
    [
      "before it began",
      (story) => story.add({ kind: "attempt-ended", taskId: a, attempt: 2, outcome: { kind: "asked" } }),
    ],
    [
      "for no task",
      (story) =>
        story.add({ kind: "attempt-ended", taskId: taskId("z"), attempt: 1, outcome: { kind: "asked" } }),
    ],
  ])("never comes %s", (_what, tell) => {
    const story = ready().ended("a", { kind: "asked" });
    expect(() => tell(story)).toThrow(InvariantBroken);
  });

  it("that was never developed cannot be accepted", () => {
    const story = begin(one(), { stage: "develop", task: "a" });
    expect(() => story.ended("a", { kind: "accepted", commit: shaOf("x") })).toThrow(InvariantBroken);
  });
});

describe("failures outside the work in a row (I14)", () => {
  const fail = (story: RunStory, failure: Failure): RunStory =>
    dispatched(story, { stage: "develop", task: "a" }, failedWith(failure)).ended("a", {
      kind: "failed",
      failure,
    });
  const times = (story: RunStory): number => recordOf(story, "a").infrastructure?.times ?? 0;

  it("are counted for one stage", () => {
    expect(times(fail(fail(one(), gitFailed), gitFailed))).toBe(2);
  });

  it.each<[string, (story: RunStory) => unknown, number]>([
    [
      "not by an interruption",
      (story) =>
        dispatched(story, { stage: "develop", task: "a" }, interrupted).ended("a", {
          kind: "interrupted",
          by: "me",
        }),
      1,
    ],
    ["by the agent's own fault", (story) => fail(story, crashed), 0],
    ["by a question", (story) => story.developed("a").ended("a", { kind: "asked" }), 0],
    ["by a candidate", (story) => story.developed("a").candidate("a"), 0],
    [
      "by trouble in another stage, which begins its own",
      (story) => gateFailed(story.developed("a"), "a", gitFailed),
      1,
    ],
  ])("are ended %s", (_what, tell, expected) => {
    const story = fail(one(), gitFailed);
    tell(story);
    expect(times(story)).toBe(expected);
  });
});
