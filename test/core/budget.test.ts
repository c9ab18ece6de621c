import { describe, expect, it } from "vitest";
import { type Coming, planBudget } from "../../src/core/budget.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Usage } from "../../src/core/report.ts";
import { taskOf } from "../../src/core/state.ts";
import { makePolicy, makeTask, taskId } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";
import { begin, crashed, dispatched, failedWith, finish, interrupted, next, opened } from "./tell.ts";

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

function spend(story: RunStory, costUsd: number | null, over: Partial<Usage> = {}): RunStory {
  const costBasis = costUsd === null ? "unknown" : "measured";
  const tokens = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0, model: null };
  return dispatched(
    story,
    { stage: "recon", task: null, usage: { ...tokens, costUsd, costBasis, ...over } },
    failedWith(crashed),
  );
}

function begun(budget: Partial<Policy["budget"]>): RunStory {
  return new RunStory({ tasks: [makeTask("a")] }).started(makePolicy({ budget: { ...roomy, ...budget } }));
}

describe("what the next dispatch is likely to cost", () => {
  it("is what those of its stage cost on average, else those of its agent, else all", () => {
    const story = begun({ usd: 11 });
    spend(spend(spend(story, 6), 2), null);
    const at = comingAt(story.state.updatedAtMs);
    const failure = { reason: "budget-projected", usedUsd: 8, nextUsd: 4, limitUsd: 11 };
    for (const coming of [at, { ...at, stage: "holistic-review" as const }, { ...at, agent: "developer" }]) {
      expect(planBudget(story.state, coming)).toMatchObject({ kind: "run-paused", failure });
    }
  });

  it("may use the budget up to the last cent", () => {
    const story = begun({ usd: 0.3 });
    spend(spend(story, 0.1), 0.1);
    expect(planBudget(story.state, comingAt(story.state.updatedAtMs))).toBeNull();
    spend(story, 0.1);
    expect(planBudget(story.state, comingAt(story.state.updatedAtMs))).toMatchObject({
      failure: { reason: "budget-cost" },
    });
  });

  it("is nothing where nobody said what anything cost: then the dispatches are counted", () => {
    const story = begun({ usd: 0.01, maxDispatches: 0 });
    for (let count = 1; count <= 26; count += 1) {
      expect(planBudget(story.state, comingAt(story.state.updatedAtMs))).toBeNull();
      spend(story, null);
    }
    expect(planBudget(story.state, comingAt(story.state.updatedAtMs))).toMatchObject({
      failure: { reason: "budget-dispatches", used: 26, limit: 26 },
    });
  });
});

describe("the default number of dispatches", () => {
  it.each([
    ["holds where one of them is on the agent's word", { costBasis: "reported" as const }, true],
    ["does not hold where every one was measured", {}, false],
  ])("%s", (_what, over, holds) => {
    const story = begun({ usd: 25, maxDispatches: 0 });
    for (let count = 1; count <= 26; count += 1) spend(story, 0.01, count === 1 ? over : {});
    expect(planBudget(story.state, comingAt(story.state.updatedAtMs)) !== null).toBe(holds);
  });

  it("holds where one was killed, and nobody knows what it cost", () => {
    const story = begun({ usd: 25, maxDispatches: 0 });
    dispatched(story, { stage: "recon", task: null }, interrupted);
    for (let count = 1; count <= 26; count += 1) spend(story, 0.01);
    expect(planBudget(story.state, comingAt(story.state.updatedAtMs))).toMatchObject({
      failure: { reason: "budget-dispatches", used: 26 },
    });
  });

  it("does not hold back a dispatch beside others under way, which are not counted yet", () => {
    const story = opened([makeTask("a")], { budget: { ...roomy, maxDispatches: 0 } });
    for (let count = 1; count <= 26; count += 1) spend(story, 0.01);
    begin(story, { stage: "develop", task: "a" });
    expect(planBudget(story.state, comingAt(story.state.updatedAtMs))).toBeNull();
  });

  it("holds where there is no budget of money", () => {
    const story = begun({ usd: 0, maxDispatches: 0 });
    for (let count = 1; count <= 26; count += 1) spend(story, 0.01);
    expect(planBudget(story.state, comingAt(story.state.updatedAtMs))).not.toBeNull();
  });
});

describe("at 80 % of a budget", () => {
  it("the builder is warned, once for each budget and each height of it", () => {
    const story = begun({ usd: 10, perTaskUsd: 0 });
    spend(story, 2);
    expect(next(story)?.kind).not.toBe("budget-warned");
    for (let count = 1; count <= 3; count += 1) spend(story, 2);
    const coming = comingAt(story.state.updatedAtMs);
    expect(planBudget(story.state, coming)).toEqual({
      kind: "budget-warned",
      taskId: null,
      usedUsd: 8,
      limitUsd: 10,
    });
    story.add({ kind: "budget-warned", taskId: null, usedUsd: 8, limitUsd: 10 });
    expect(planBudget(story.state, coming)).toBeNull();
  });

  it("of a task, the task is named", () => {
    const story = begun({ usd: 100, perTaskUsd: 10 });
    for (let count = 1; count <= 9; count += 1) {
      dispatched(story, { stage: "precheck", task: "a", usage: usageOf(1) }, failedWith(crashed));
    }
    const record = taskOf(story.state, taskId("a")) ?? null;
    const coming = { ...comingAt(story.state.updatedAtMs), record };
    expect(planBudget(story.state, coming)).toMatchObject({ kind: "budget-warned", taskId: "a", usedUsd: 9 });
  });
});

describe("dispatches under way", () => {
  /** Task a is worked on after task b was, with this much money; each time a developer took a dollar. */
  function atWork(budget: Partial<Policy["budget"]>, over: Partial<Policy> = {}): RunStory {
    const policy = { concurrency: 2, budget: { ...roomy, ...budget }, ...over };
    const story = opened([makeTask("a"), makeTask("b"), makeTask("c")], policy);
    dispatched(story, { stage: "develop", task: "b", usage: usageOf(1) }, failedWith(crashed));
    story.add(endOfAttempt("b"));
    return begin(story, { stage: "develop", task: "a" });
  }

  /** Two at a time, and nobody has asked anyone yet. */
  function unseen(budget: Partial<Policy["budget"]>): RunStory {
    return opened([makeTask("a"), makeTask("b")], { concurrency: 2, budget: { ...roomy, ...budget } });
  }

  function endOfAttempt(id: string, attempt = 1) {
    const outcome = { kind: "failed", failure: crashed } as const;
    return { kind: "attempt-ended", taskId: taskId(id), attempt, outcome } as const;
  }

  function endOfInterrupted(id: string) {
    const outcome = { kind: "interrupted", by: "a test" } as const;
    return { kind: "attempt-ended", taskId: taskId(id), attempt: 1, outcome } as const;
  }

  it("count at what they are likely to cost: the next one waits for their end", () => {
    const story = atWork({ usd: 2.5 });
    const coming = { ...comingAt(story.state.updatedAtMs), stage: "develop", agent: "developer" } as const;
    expect(planBudget(story.state, coming)).toMatchObject({
      failure: { reason: "budget-projected", usedUsd: 1, nextUsd: 1, limitUsd: 2.5 },
    });
    expect(next(story)).toBeNull();
    finish(story, failedWith(crashed), { usage: usageOf(0.1) }).add(endOfAttempt("a"));
    expect(next(story)).toMatchObject({ kind: "dispatch-started" });
  });

  it("leave what fits beside them, and gates cost nothing", () => {
    const story = atWork({ usd: 3 });
    expect(next(story)).toMatchObject({ kind: "dispatch-started", taskId: "b" });
    const look = { taskId: null, attempt: 1, gate: "typecheck", trial: "candidate" } as const;
    story.add({ kind: "gate-started", lane: 2, commit: story.state.head, ...look });
    const coming = { ...comingAt(story.state.updatedAtMs), stage: "develop", agent: "developer" } as const;
    expect(planBudget(story.state, coming)).toBeNull();
  });

  it("of a kind that none has ended of yet are taken to be dear: a small budget lets one find out", () => {
    const story = unseen({ usd: 0.5 });
    begin(story, { stage: "develop", task: "a" });
    expect(next(story)).toBeNull();
    finish(story, interrupted).add(endOfInterrupted("a"));
    begin(story, { stage: "develop", task: "a" });
    expect(next(story), "one that was killed told nothing").toBeNull();
    finish(story, failedWith(crashed), { usage: usageOf(0.2) }).add(endOfAttempt("a", 2));
    begin(story, { stage: "develop", task: "a" });
    expect(next(story), "0.2 are used, and two more go to 0.6").toBeNull();
  });

  it("of such a kind are not made less dear by another that was cheap", () => {
    const story = unseen({ usd: 0.5 });
    dispatched(story, { stage: "precheck", task: "a", usage: usageOf(0.001) }, failedWith(crashed));
    begin(story, { stage: "develop", task: "a" });
    expect(next(story)).toBeNull();
  });

  it("go side by side with the usual budget, and with any where they turn out to say no cost", () => {
    const usual = begin(unseen({}), { stage: "develop", task: "a" });
    expect(next(usual)).toMatchObject({ kind: "dispatch-started", taskId: "b" });
    const small = begin(unseen({ usd: 0.5 }), { stage: "develop", task: "a" });
    finish(small, failedWith(crashed), { usage: { ...usageOf(0), costUsd: null, costBasis: "unknown" } });
    begin(small.add(endOfAttempt("a")), { stage: "develop", task: "a" });
    expect(next(small)).toMatchObject({ kind: "dispatch-started", taskId: "b" });
  });

  it("of other tasks take nothing from a task's own budget", () => {
    const story = atWork({ perTaskUsd: 2 });
    const ofTask = (id: string) => ({
      ...comingAt(story.state.updatedAtMs),
      stage: "develop" as const,
      agent: "developer",
      record: taskOf(story.state, taskId(id)) ?? null,
    });
    expect(planBudget(story.state, ofTask("b"))).toBeNull();
    finish(story, failedWith(crashed), { usage: usageOf(1) }).add(endOfAttempt("a"));
    begin(story, { stage: "develop", task: "a" });
    expect(planBudget(story.state, ofTask("a"))).toMatchObject({
      failure: { reason: "budget-projected", taskId: "a", usedUsd: 1, nextUsd: 1 },
    });
  });
});

it("a dispatch that the budget forbids waits for the end of what is under way", () => {
  const policy = { concurrency: 2, budget: { ...roomy, usd: 1 } };
  const story = opened([makeTask("a"), makeTask("b")], policy);
  dispatched(story, { stage: "precheck", task: "a", usage: usageOf(1) }, failedWith(crashed));
  begin(story, { stage: "develop", task: "a" });
  expect(next(story)).toBeNull();
});

function usageOf(costUsd: number): Usage {
  const tokens = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0 };
  return { ...tokens, costUsd, costBasis: "reported", model: null };
}

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
