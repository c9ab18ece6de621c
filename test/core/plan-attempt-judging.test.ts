import { describe, expect, it } from "vitest";
import type { Failure } from "../../src/core/failure.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Task } from "../../src/core/prd.ts";
import { makePolicy, makeTask, shaOf, taskId } from "../support/run-parts.ts";
import type { RunStory } from "../support/run-story.ts";
import { answer, dispatched, failedWith, follow, gitFailed, interrupted, next, opened } from "./tell.ts";

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
