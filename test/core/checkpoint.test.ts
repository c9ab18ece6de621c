// Checkpoints that answer themselves when nobody does in time.

import { describe, expect, it } from "vitest";
import { limits } from "../../src/core/limits.ts";
import type { Checkpoint, Task } from "../../src/core/prd.ts";
import { nextWakeMs } from "../../src/core/waits.ts";
import { makeTask } from "../support/run-parts.ts";
import type { RunStory } from "../support/run-story.ts";
import { answer, follow, next, opened, recordOf } from "./tell.ts";

const minute = 60_000;

/** Asked; at the moment of the question. */
function asked(checkpoint: Partial<Checkpoint>, others: readonly Task[] = []): RunStory {
  const whole = { message: "Which?", actions: [], defaultAction: null, timeoutMs: 0, ...checkpoint };
  const task = makeTask("a", { type: "checkpoint:decision", checkpoint: whole });
  return follow(opened([task, ...others]));
}

describe("a checkpoint with a time-out", () => {
  it("keeps the run from being blocked until then, and answers as the plan says", () => {
    const story = asked({ timeoutMs: minute, defaultAction: "the blue one" });
    expect(next(story)).toBeNull();
    expect(nextWakeMs(story.state, story.state.updatedAtMs)).toBe(story.state.updatedAtMs + minute);
    expect(next(story, minute - 1)).toBeNull();
    const event = next(story, minute);
    expect(event).toEqual({
      kind: "question-answered",
      question: "checkpoint:a",
      text: "the blue one",
      by: "the checkpoint's time-out",
    });
    if (event !== null) story.add(event, minute);
    expect(next(story)).toMatchObject({ kind: "dispatch-started" });
    expect(recordOf(story, "a").builderNotes).toEqual(["the blue one"]);
  });

  it("rejects where the plan does not say how it answers", () => {
    const story = asked({ timeoutMs: minute });
    expect(next(story, minute)).toMatchObject({ kind: "question-answered", text: "reject" });
  });

  it("does not speak after the builder, nor keep other tasks waiting", () => {
    const story = asked({ timeoutMs: minute, defaultAction: "reject" }, [makeTask("b")]);
    expect(next(story)).toMatchObject({ kind: "dispatch-started", taskId: "b" });
    answer(story, "approve", "checkpoint:a");
    expect(nextWakeMs(story.state, story.state.updatedAtMs)).toBeNull();
    expect(next(story, minute)).toMatchObject({ kind: "dispatch-started", taskId: "a" });
  });

  it("further away than anybody stays up for blocks the run; the start after it takes the answer", () => {
    const story = asked({ timeoutMs: limits.waitMs + 1, defaultAction: "approve" });
    expect(next(story)).toMatchObject({ kind: "run-blocked", question: "checkpoint:a" });
    expect(next(story, limits.waitMs + 1)).toMatchObject({ kind: "question-answered", text: "approve" });
  });

  it("does not keep a pause waiting", () => {
    const story = asked({ timeoutMs: minute }).add({ kind: "pause-requested", now: false, by: "me" });
    expect(next(story)).toMatchObject({ kind: "run-paused" });
  });
});

it("a checkpoint without one waits for the builder as long as it takes", () => {
  expect(next(asked({ defaultAction: "approve" }), limits.waitMs)).toMatchObject({ kind: "run-blocked" });
  expect(next(follow(opened([makeTask("a", { type: "checkpoint:human-action" })])), minute)).toMatchObject({
    kind: "run-blocked",
  });
});

it("what a candidate is asked about answers itself as well", () => {
  const checkpoint = { message: "", actions: [], defaultAction: "approve", timeoutMs: minute };
  const story = opened([makeTask("a", { type: "checkpoint:human-verify", checkpoint })]);
  follow(story.developed("a").candidate("a").gates("a").reviewed("a"));
  expect(next(story)).toBeNull();
  expect(next(story, minute)).toMatchObject({
    kind: "question-answered",
    question: "verify:a:1",
    text: "approve",
  });
});
