import { describe, expect, it } from "vitest";
import { attemptsLeft, countedAttempts, nextAgent, startOf } from "../../src/core/attempts.ts";
import type { StartFrom } from "../../src/core/event.ts";
import type { Failure } from "../../src/core/failure.ts";
import type { Policy } from "../../src/core/policy.ts";
import { type TaskRecord, taskOf } from "../../src/core/state.ts";
import { makePolicy, makeTask, shaOf, taskId } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";
import { dispatched } from "./tell.ts";

const crash: Failure = { reason: "agent-exited", agent: "developer", exitCode: 1, signal: null, tail: "" };
const gitFailed: Failure = { reason: "git-failed", doing: "looking", exitCode: 1, detail: "no" };

function begin(policy: Policy = makePolicy(), agent: string | null = null): RunStory {
  return new RunStory({ tasks: [makeTask("a", { agent })] }).started(policy);
}

function recordOf(story: RunStory): TaskRecord {
  const record = taskOf(story.state, taskId("a"));
  if (record === undefined) throw new Error("the story has a task a");
  return record;
}

function failing(story: RunStory, failure: Failure, salvage: "salvage" | null = null): RunStory {
  const kept = salvage === null ? null : shaOf(salvage);
  return story
    .developEnded("a", { kind: "failed", failure, salvage: kept })
    .ended("a", { kind: "failed", failure });
}

function interrupted(story: RunStory, salvage: "salvage" | null = null): RunStory {
  const kept = salvage === null ? null : shaOf(salvage);
  return story
    .developEnded("a", { kind: "interrupted", by: "SIGINT", salvage: kept })
    .ended("a", { kind: "interrupted", by: "SIGINT" });
}

function rejected(story: RunStory, changeCount = 1): RunStory {
  return story.developed("a").candidate("a", { changeCount }).sentBack("a", { reason: "no-change" });
}

function sentBack(story: RunStory, failure: Failure): RunStory {
  return story.developed("a").candidate("a").sentBack("a", failure);
}

function withFallback(maxAttempts: number): Policy {
  const { developer, ...others } = makePolicy().agents;
  if (developer === undefined) throw new Error("the policy has a developer");
  const agents = { developer: { ...developer, fallback: "second" }, second: developer, ...others };
  return makePolicy({ agents, maxAttempts });
}

describe("an attempt counts to maxAttempts (I14)", () => {
  it.each<[string, (story: RunStory) => RunStory, number]>([
    ["when it was accepted", (story) => story.completed("a"), 1],
    ["when it was rejected", (story) => rejected(story), 1],
    ["when the agent crashed", (story) => failing(story, crash), 1],
    [
      "when the agent asked",
      (story) =>
        story
          .developed("a", { question: { text: "?", options: [] } })
          .candidate("a")
          .ended("a", { kind: "asked" }),
      1,
    ],
    ["but not while it is open", (story) => story.developed("a"), 0],
    ["but not when it was interrupted", (story) => interrupted(story), 0],
    ["but not when git failed", (story) => failing(story, gitFailed), 0],
    [
      "but not when it met a conflict with the branch",
      (story) =>
        story
          .developed("a")
          .candidate("a")
          .sentBack("a", { reason: "replay-conflict", files: ["x"] }),
      0,
    ],
  ])("%s", (_when, tell, count) => {
    const record = recordOf(tell(begin()));
    expect(record.attempts).toHaveLength(1);
    expect(countedAttempts(record)).toBe(count);
    expect(attemptsLeft(makePolicy({ maxAttempts: 3 }), record)).toBe(3 - count);
  });

  it("beside one for the fallback and what the builder granted (I12)", () => {
    const policy = withFallback(2);
    const story = begin(policy);
    expect(attemptsLeft(policy, recordOf(story))).toBe(3);
    story.started(policy, 4);
    expect(attemptsLeft(policy, recordOf(story))).toBe(7);
  });

  it("and a lowered limit leaves less than none", () => {
    const record = recordOf(rejected(rejected(begin())));
    expect(attemptsLeft(makePolicy({ maxAttempts: 1 }), record)).toBe(-1);
  });
});

describe("the next attempt's agent", () => {
  it("is the fallback exactly once, after the task's own agent used up its attempts", () => {
    const policy = withFallback(2);
    const story = begin(policy);
    const agents = [nextAgent(policy, recordOf(story))];
    for (let attempt = 1; attempt <= 4; attempt += 1)
      agents.push(nextAgent(policy, recordOf(rejected(story))));
    expect(agents).toEqual(["developer", "developer", "second", "developer", "developer"]);
  });

  it("is the fallback again when the fallback was interrupted, which counts to nothing", () => {
    const policy = withFallback(1);
    expect(nextAgent(policy, recordOf(interrupted(rejected(begin(policy)))))).toBe("second");
  });

  it("is the task's own where it names one, and that one's fallback where it has one", () => {
    const policy = withFallback(1);
    expect(nextAgent(policy, recordOf(begin(policy, "second")))).toBe("second");
    expect(attemptsLeft(policy, recordOf(begin(policy, "second")))).toBe(1);
    expect(attemptsLeft(policy, recordOf(begin(policy, "nobody")))).toBe(1);
    expect(nextAgent(policy, recordOf(rejected(begin(policy, "nobody"))))).toBe("nobody");
  });
});

describe("the next attempt starts", () => {
  const clean = makePolicy({ onInterrupted: "clean" });
  const base: StartFrom = { kind: "base" };
  const salvaged: StartFrom = { kind: "salvaged", attempt: 1, commit: shaOf("salvage") };
  const metadata: Failure = { reason: "metadata-changed", what: ["config"] };

  it.each<[string, (story: RunStory) => RunStory, StartFrom]>([
    ["at the base when there was none before", (story) => story, base],
    [
      "from what was rejected",
      (story) => rejected(story),
      { kind: "rejected", attempt: 1, commit: shaOf("a/1 commit") },
    ],
    ["at the base when what was rejected is nothing", (story) => rejected(story, 0), base],
    [
      "at the base when there was no candidate to reject",
      (story) => story.developed("a").sentBack("a", { reason: "nested-repository", paths: ["x"] }),
      base,
    ],
    [
      "at the base when what was rejected was tampered with",
      (story) => sentBack(story, { reason: "evidence-rejected", problems: ["a key"] }),
      base,
    ],
    [
      "at the base when nobody justified what was found",
      (story) => sentBack(story, { reason: "evidence-unjustified", problems: ["a skipped test"] }),
      base,
    ],
    [
      "at the base when the builder refused what was found",
      (story) => sentBack(story, { reason: "evidence-refused", text: "no", problems: ["40 files gone"] }),
      base,
    ],
    ["from what an interrupted agent left", (story) => interrupted(story, "salvage"), salvaged],
    ["from what a failed agent left", (story) => failing(story, crash, "salvage"), salvaged],
    [
      "at the base when the dispatch touched the metadata",
      (story) => failing(story, metadata, "salvage"),
      base,
    ],
    ["where the interrupted one started when that left nothing", (story) => interrupted(story), base],
    [
      "at the base after an answered attempt that the builder's skip ended",
      (story) => story.developed("a").candidate("a").ended("a", { kind: "interrupted", by: "skip" }),
      base,
    ],
  ])("%s", (_where, tell, start) => expect(startOf(makePolicy(), recordOf(tell(begin())))).toEqual(start));

  it("at the base after an interruption when the policy wants it clean", () => {
    expect(startOf(clean, recordOf(interrupted(begin(clean), "salvage")))).toEqual(base);
  });

  it("where the one before started when that one was interrupted before it changed anything", () => {
    const story = rejected(begin());
    const startFrom = startOf(makePolicy(), recordOf(story));
    dispatched(
      story,
      { stage: "develop", task: "a", startFrom },
      { kind: "interrupted", by: "SIGINT", salvage: null },
    );
    story.ended("a", { kind: "interrupted", by: "SIGINT" });
    expect(startOf(makePolicy(), recordOf(story))).toEqual(startFrom);
    expect(startFrom).toMatchObject({ kind: "rejected" });
  });
});
