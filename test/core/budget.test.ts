import { describe, expect, it } from "vitest";
import { type Coming, planBudget } from "../../src/core/budget.ts";
import type { Policy } from "../../src/core/policy.ts";
import { taskOf } from "../../src/core/state.ts";
import { makePolicy, makeTask, taskId } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";
import { dispatched, interrupted } from "./tell.ts";

const roomy: Policy["budget"] = { usd: 25, perTaskUsd: 5, wallClockMs: 3_600_000, maxDispatches: 100 };

/** What stops the next dispatch of task a, after one that cost 2 dollars. */
function stopAfter(over: Partial<Policy["budget"]>, later = 0): unknown {
  const story = new RunStory({ tasks: [makeTask("a")] }).started(
    makePolicy({ budget: { ...roomy, ...over } }),
  );
  story.developed("a", {}, {
    inputTokens: 1,
    outputTokens: 1,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    costUsd: 2,
    costBasis: "reported",
    model: null,
  } as const);
  const record = taskOf(story.state, taskId("a")) ?? null;
  const nowMs = story.state.updatedAtMs + later;
  const stop = planBudget(story.state, { stage: "develop", agent: "developer", record, nowMs });
  return stop?.kind === "run-paused" ? stop.failure : stop;
}

function comingAt(nowMs: number): Coming {
  return { stage: "recon", agent: "orchestrator", record: null, nowMs };
}

describe("a dispatch is not started, and the run pauses (I11)", () => {
  it.each<[string, Partial<Policy["budget"]>, object]>([
    [
      "when the dispatches are used up",
      { maxDispatches: 1 },
      { reason: "budget-dispatches", used: 1, limit: 1 },
    ],
    [
      "when the money is used up",
      { usd: 2 },
      { reason: "budget-cost", usedUsd: 2, limitUsd: 2, taskId: null },
    ],
    [
      "when the task's money is used up",
      { perTaskUsd: 1.5 },
      { reason: "budget-cost", usedUsd: 2, limitUsd: 1.5, taskId: "a" },
    ],
    [
      "when the next one would pass the money",
      { usd: 3.5 },
      { reason: "budget-projected", usedUsd: 2, nextUsd: 2, limitUsd: 3.5, taskId: null },
    ],
    [
      "when the next one would pass the task's money",
      { perTaskUsd: 3.99 },
      { reason: "budget-projected", usedUsd: 2, nextUsd: 2, limitUsd: 3.99, taskId: "a" },
    ],
    [
      "when the time is used up",
      { wallClockMs: 61_000 },
      { reason: "budget-wall-clock", usedMs: 61_000, limitMs: 61_000 },
    ],
  ])("%s", (_when, budget, failure) => expect(stopAfter(budget)).toEqual(failure));

  it.each<[string, Partial<Policy["budget"]>]>([
    ["while there is some of everything left", {}],
    ["however much is used when 0 switches the limits off", { usd: 0, perTaskUsd: 0, wallClockMs: 0 }],
  ])("but it is %s", (_when, budget) => expect(stopAfter(budget)).toBeNull());

  it("and an interrupted dispatch counts to nothing (I14)", () => {
    const story = new RunStory({ tasks: [makeTask("a")] });
    story.started(makePolicy({ budget: { ...roomy, maxDispatches: 1 } }));
    dispatched(story, { stage: "develop", task: "a" }, interrupted);
    expect(planBudget(story.state, comingAt(story.state.updatedAtMs))).toBeNull();
  });

  it("and a clock that was set back takes no time away", () => {
    expect(stopAfter({ wallClockMs: 1 }, -10_000_000)).toBeNull();
  });
});

it("counts the time of earlier sessions but not the time between them (I12)", () => {
  const policy = makePolicy({ budget: { ...roomy, wallClockMs: 10_000 } });
  const story = new RunStory({ tasks: [makeTask("a")] }).started(policy);
  const pause = { kind: "run-paused", failure: { reason: "paused-by-builder", by: "me" } } as const;
  story.add(pause, 6_000).add({ kind: "told", text: "a day later" }, 86_400_000).started(policy);
  expect(planBudget(story.state, comingAt(story.state.updatedAtMs + 3_999))).toBeNull();
  expect(planBudget(story.state, comingAt(story.state.updatedAtMs + 4_000))).toMatchObject({
    failure: { reason: "budget-wall-clock", usedMs: 10_000 },
  });
});

it("counts the time of a session that died up to its last word", () => {
  const policy = makePolicy({ budget: { ...roomy, wallClockMs: 10_000 } });
  const story = new RunStory({ tasks: [makeTask("a")] })
    .started(policy)
    .add({ kind: "told", text: "x" }, 9_000);
  story.started(policy);
  expect(planBudget(story.state, comingAt(story.state.updatedAtMs + 999))).toBeNull();
  expect(planBudget(story.state, comingAt(story.state.updatedAtMs + 1_000))).not.toBeNull();
});
