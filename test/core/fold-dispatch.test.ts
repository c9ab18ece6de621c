import { describe, expect, it } from "vitest";
import type { DispatchOutcome } from "../../src/core/event.ts";
import type { Failure } from "../../src/core/failure.ts";
import type { StageReport, Usage } from "../../src/core/report.ts";
import { InvariantBroken } from "../../src/core/result.ts";
import { makeReview, makeTask, makeWork, shaOf, taskId } from "../support/run-parts.ts";
import type { RunStory } from "../support/run-story.ts";
import {
  begin,
  cannotStart,
  crashed,
  dispatched,
  failedWith,
  finish,
  follow,
  gitFailed,
  interrupted,
  lastAttemptOf,
  next,
  opened,
  recordOf,
} from "./tell.ts";

const left = { tree: shaOf("tree"), agentHead: null };

function answers(report: StageReport): DispatchOutcome {
  return { kind: "answered", report, left: report.stage === "develop" ? left : null };
}

function one(): RunStory {
  return opened([makeTask("a"), makeTask("b")]);
}

function green(): RunStory {
  return one().developed("a").candidate("a").gates("a");
}

describe("the cost of dispatches", () => {
  const cheap: Usage = {
    inputTokens: 10,
    outputTokens: 1,
    cacheReadTokens: 5,
    cacheWriteTokens: 0,
    costUsd: 0.5,
    costBasis: "reported",
    model: null,
  } as const;

  it("is summed for the run, the task and the attempt, and unknown cost is never zero cost", () => {
    const story = dispatched(one(), { stage: "develop", task: "a", usage: cheap }, answers(makeWork()));
    story.candidate("a").gates("a");
    dispatched(
      story,
      { stage: "review", task: "a", usage: { ...cheap, costUsd: null } },
      answers(makeReview()),
    );
    dispatched(story, { stage: "precheck", task: "b" }, interrupted);
    const both = {
      dispatches: 2,
      inputTokens: 20,
      outputTokens: 2,
      cacheReadTokens: 10,
      cacheWriteTokens: 0,
      costUsd: 0.5,
      priced: 1,
      measured: 0,
    };
    expect(story.state.usage).toEqual({ ...both, dispatches: 3 });
    expect(recordOf(story, "a").usage).toEqual(both);
    expect(lastAttemptOf(story, "a").usage).toEqual(both);
    expect(recordOf(story, "b").usage).toMatchObject({ dispatches: 1, costUsd: 0, priced: 0 });
  });

  it("is exact in the sum: $0.1 and $0.2 are $0.3", () => {
    const story = one();
    for (const costUsd of [0.1, 0.2])
      dispatched(story, { stage: "precheck", task: "a", usage: { ...cheap, costUsd } }, interrupted);
    expect(story.state.usage.costUsd).toBe(0.3);
  });

  it("of an interrupted dispatch is counted apart, because it counts to no limit (I14)", () => {
    const story = dispatched(one(), { stage: "develop", task: "a" }, interrupted);
    expect(story.state).toMatchObject({ dispatches: 1, interruptedDispatches: 1 });
  });
});

describe("a dispatch is one step", () => {
  const holistic = { stage: "holistic-review", summary: "", followUps: [], learnings: [] } as const;
  const step = (
    stage: StageReport["stage"],
    task: string | null,
    outcome: DispatchOutcome,
  ): object | undefined => {
    const story = stage === "review" ? green() : one();
    return dispatched(story, { stage, task, notes: ["x", "y"] }, outcome).state.steps.last();
  };

  it.each<[string, StageReport["stage"], string | null, DispatchOutcome, object]>([
    [
      "a developer's answer",
      "develop",
      "a",
      answers(makeWork()),
      { nodeId: "a", status: "success", score: null },
    ],
    ["an approval with its score", "review", "a", answers(makeReview()), { status: "success", score: 92 }],
    [
      "a review that iterates",
      "review",
      "a",
      answers(makeReview({ verdict: "iterate", score: 3 })),
      { status: "retry", score: 3 },
    ],
    [
      "a good prompt",
      "precheck",
      "a",
      answers({ stage: "precheck", verdict: "approved", issues: [] }),
      { status: "success" },
    ],
    [
      "a prompt with issues",
      "precheck",
      "a",
      answers({ stage: "precheck", verdict: "needs_refinement", issues: [] }),
      { status: "partial_success" },
    ],
    [
      "a pass of the whole",
      "holistic-review",
      null,
      answers({ ...holistic, verdict: "pass" }),
      { nodeId: "holistic-review", status: "success" },
    ],
    [
      "gaps in the whole",
      "holistic-review",
      null,
      answers({ ...holistic, verdict: "gaps" }),
      { status: "retry" },
    ],
    ["advice", "recon", null, answers({ stage: "recon", tasks: [] }), { nodeId: "recon", status: "success" }],
    [
      "a failure",
      "develop",
      "a",
      failedWith(crashed),
      { status: "fail", failureReason: 'agent "developer" ended with exit code 1' },
    ],
    [
      "an interruption",
      "develop",
      "a",
      interrupted,
      { status: "retry", failureReason: "interrupted by SIGINT" },
    ],
  ])("%s", (_what, stage, task, outcome, expected) => {
    expect(step(stage, task, outcome)).toMatchObject({ stage, notes: "x; y", ...expected });
  });
});

describe("trouble that another try would only repeat stops the run", () => {
  it("wherever it is met", () => {
    for (const stage of ["develop", "precheck"] as const) {
      expect(dispatched(one(), { stage, task: "a" }, failedWith(cannotStart)).state.trouble).toEqual(
        cannotStart,
      );
    }
    expect(
      dispatched(green(), { stage: "review", task: "a" }, failedWith(cannotStart)).state.trouble,
    ).toEqual(cannotStart);
  });

  it("also a budget that was used up within a dispatch, however much others leave of it", () => {
    const spent: Failure = { reason: "budget-cost", usedUsd: 5, limitUsd: 5, taskId: null };
    const story = dispatched(one(), { stage: "develop", task: "a" }, failedWith(spent));
    follow(story);
    expect(next(story)).toEqual({ kind: "run-paused", failure: spent });
    expect(recordOf(story, "a").attempts.at(-1)?.outcome).toEqual({ kind: "failed", failure: spent });
  });

  it("and stays when a later dispatch ends well", () => {
    const story = begin(one(), { stage: "develop", task: "a" });
    begin(story, { stage: "develop", task: "b", lane: 2 });
    finish(story, failedWith(cannotStart));
    finish(story, answers(makeWork()));
    expect(story.state.trouble).toEqual(cannotStart);
  });

  it("but not an agent's own fault", () => {
    expect(dispatched(one(), { stage: "develop", task: "a" }, failedWith(crashed)).state.trouble).toBeNull();
  });
});

describe("a precheck", () => {
  const look = (outcome: DispatchOutcome): object => {
    const { prechecks, precheckFailures, precheckTries } = recordOf(
      dispatched(one(), { stage: "precheck", task: "a" }, outcome),
      "a",
    );
    return { reports: prechecks.length, precheckFailures, precheckTries };
  };

  it.each<[string, DispatchOutcome, object]>([
    [
      "that answers is kept",
      answers({ stage: "precheck", verdict: "approved", issues: [] }),
      { reports: 1, precheckFailures: 0 },
    ],
    ["that fails is counted", failedWith(crashed), { reports: 0, precheckFailures: 1 }],
    ["that cannot be started is not", failedWith(cannotStart), { reports: 0, precheckFailures: 0 }],
    ["that is interrupted is not", interrupted, { reports: 0, precheckFailures: 0 }],
  ])("%s", (_what, outcome, expected) => expect(look(outcome)).toEqual({ precheckTries: 1, ...expected }));
});

describe("a developer's dispatch leaves the attempt", () => {
  it.each<[string, DispatchOutcome, object]>([
    ["answered", answers(makeWork()), { kind: "answered", report: makeWork(), left }],
    ["failed", failedWith(crashed), { kind: "failed", failure: crashed, salvage: null }],
    ["interrupted", interrupted, { kind: "interrupted", by: "SIGINT", salvage: null }],
  ])("%s", (_what, outcome, develop) => {
    expect(lastAttemptOf(dispatched(one(), { stage: "develop", task: "a" }, outcome), "a").develop).toEqual(
      develop,
    );
  });
});

describe("a review", () => {
  const review = (...outcomes: readonly DispatchOutcome[]): RunStory => {
    const story = green();
    for (const outcome of outcomes) dispatched(story, { stage: "review", task: "a" }, outcome);
    return story;
  };
  const metadata: Failure = { reason: "metadata-changed", what: ["config"] };

  it("is kept with the agent that gave it", () => {
    expect(lastAttemptOf(review(answers(makeReview())), "a")).toMatchObject({
      review: { verdict: "approved" },
      reviewAgent: "reviewer",
      reviewTries: 1,
      reviewFailures: [],
    });
  });

  it.each<[string, Failure]>([
    ["without a usable report", crashed],
    ["whose agent touched the metadata", metadata],
  ])("%s is a failure of the review, which counts to its two tries", (_what, failure) => {
    const story = review(failedWith(gitFailed), failedWith(failure));
    expect(lastAttemptOf(story, "a").reviewFailures).toEqual([failure]);
    expect(recordOf(story, "a").infrastructure).toBeNull();
  });

  it("that meets trouble outside the work counts to a row of its own (I14)", () => {
    const story = review(failedWith(gitFailed), failedWith(gitFailed), interrupted);
    expect(lastAttemptOf(story, "a")).toMatchObject({ reviewFailures: [], reviewTries: 3, review: null });
    expect(recordOf(story, "a").infrastructure).toMatchObject({ stage: "review", times: 2 });
  });

  it("that answers ends that row", () => {
    expect(recordOf(review(failedWith(gitFailed), answers(makeReview())), "a").infrastructure).toBeNull();
  });
});

describe("a dispatch of the run", () => {
  it("recon says what it found about each task, and nothing about tasks that are not there", () => {
    const story = one().askedLead({
      stage: "recon",
      tasks: [
        { id: taskId("a"), verdict: "phantom", evidence: "it is there" },
        { id: taskId("z"), verdict: "confirmed", evidence: "" },
      ],
    });
    expect(recordOf(story, "a").recon).toMatchObject({ verdict: "phantom" });
    expect(recordOf(story, "b").recon).toBeNull();
    expect(story.state.recon).toHaveLength(2);
  });

  it("holistic reviews are kept, the latest as the verdict with its time", () => {
    const story = one().holistic({ verdict: "gaps" }).holistic();
    expect(story.state.holistic.map(({ verdict }) => verdict)).toEqual(["gaps", "pass"]);
    expect(story.state).toMatchObject({
      verdict: { verdict: "pass" },
      holisticAtMs: story.state.updatedAtMs,
    });
  });

  const lead = (...outcomes: readonly DispatchOutcome[]): unknown => {
    const story = one();
    for (const outcome of outcomes) dispatched(story, { stage: "recon", task: null }, outcome);
    return story.state.stageFailures?.times ?? 0;
  };

  it.each<[string, readonly DispatchOutcome[], number]>([
    ["failures in a row are counted", [failedWith(crashed), failedWith(gitFailed)], 2],
    ["an interruption counts to nothing", [failedWith(crashed), interrupted], 1],
    ["an agent that cannot be started counts to nothing", [failedWith(cannotStart)], 0],
    ["an answer ends the row", [failedWith(crashed), answers({ stage: "recon", tasks: [] })], 0],
  ])("%s", (_what, outcomes, times) => expect(lead(...outcomes)).toBe(times));

  it("each stage has a row of its own", () => {
    const story = dispatched(one(), { stage: "recon", task: null }, failedWith(crashed));
    dispatched(story, { stage: "pre-mortem", task: null }, failedWith(crashed));
    dispatched(story, { stage: "holistic-review", task: null }, failedWith(crashed));
    expect(story.state.stageFailures).toMatchObject({ stage: "holistic-review", times: 1 });
  });
});

describe("what cannot be is a broken invariant", () => {
  it.each<[string, () => unknown]>([
    [
      "the end of a dispatch that is not under way (I9)",
      () => {
        const story = dispatched(one(), { stage: "develop", task: "a" }, interrupted);
        const last = story.entries.at(-1)?.event;
        if (last !== undefined) story.add(last);
      },
    ],
    [
      "a developer with a reviewer's report",
      () => dispatched(one(), { stage: "develop", task: "a" }, answers(makeReview())),
    ],
    [
      "a developer without a tree",
      () =>
        dispatched(
          one(),
          { stage: "develop", task: "a" },
          { kind: "answered", report: makeWork(), left: null },
        ),
    ],
    [
      "a precheck with another report",
      () => dispatched(one(), { stage: "precheck", task: "a" }, answers(makeReview())),
    ],
    [
      "a review with another report",
      () => dispatched(green(), { stage: "review", task: "a" }, answers(makeWork())),
    ],
    [
      "a lead with a developer's report",
      () => dispatched(one(), { stage: "recon", task: null }, answers(makeWork())),
    ],
    [
      "a task's stage without a task",
      () => dispatched(one(), { stage: "develop", task: null }, failedWith(crashed)),
    ],
  ])("%s", (_what, tell) => expect(tell).toThrow(InvariantBroken));
});
