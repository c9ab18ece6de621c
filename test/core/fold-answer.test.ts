import { describe, expect, it } from "vitest";
import type { QuestionAbout } from "../../src/core/event.ts";
import type { Failure } from "../../src/core/failure.ts";
import { InvariantBroken } from "../../src/core/result.ts";
import { makePolicy, makeTask, taskId } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";
import {
  answer,
  ask,
  crashed,
  dispatched,
  failedWith,
  gateFailed,
  gitFailed,
  lastAttemptOf,
  opened,
  recordOf,
  retry,
  skip,
} from "./tell.ts";

const a = taskId("a");
const why: Failure = { reason: "stalled", taskId: a, how: "slowly" };

function one(): RunStory {
  return opened([makeTask("a"), makeTask("b", { dependsOn: [a] })]);
}

describe("a question about a task holds it", () => {
  it("with the question's reason, told as a failure when the attempts led nowhere", () => {
    const story = ask(one(), { kind: "attempts", taskId: a }, { id: "attempts:a:1", failure: why });
    expect(recordOf(story, "a")).toMatchObject({
      phase: { kind: "held", question: "attempts:a:1", failure: why },
      asked: ["attempts:a:1"],
    });
    expect(story.state.progress.last()).toEqual({
      taskId: "a",
      status: "failed",
      attempt: null,
      reason: "task a makes no progress: slowly",
    });
  });

  it("because it is open, where it has no other reason, which is no failure to tell", () => {
    const story = ask(one(), { kind: "developer", taskId: a }, { id: "q", text: "which?" });
    const failure = { reason: "question-open", question: "q", text: "which?" };
    expect(recordOf(story, "a").phase).toEqual({ kind: "held", question: "q", failure });
    expect(story.state.progress).toHaveLength(0);
  });

  it("and one about the run holds none", () => {
    const story = ask(one(), { kind: "pre-mortem" });
    expect(story.state.questions).toHaveLength(1);
    expect(recordOf(story, "a").phase.kind).toBe("pending");
  });
});

describe("an answer about the run", () => {
  it.each<[string, QuestionAbout, string, object]>([
    [
      "accepts a red gate",
      { kind: "baseline", gate: "tests" },
      "accept",
      { baseline: { accepted: ["tests"], dropped: [] } },
    ],
    [
      "drops a red gate",
      { kind: "baseline", gate: "tests" },
      "drop",
      { baseline: { accepted: [], dropped: ["tests"] } },
    ],
    [
      "approves the pre-mortem",
      { kind: "pre-mortem" },
      "approve",
      { approved: ["q"], builderNotes: [], cancelled: null },
    ],
    [
      "approves the pre-mortem with a word for all",
      { kind: "pre-mortem" },
      "be kind",
      { approved: ["q"], builderNotes: ["be kind"] },
    ],
    ["rejects the pre-mortem", { kind: "pre-mortem" }, "reject", { approved: [], cancelled: "the builder" }],
    ["accepts gaps", { kind: "gaps", round: 2 }, "approve", { gapsAccepted: true, extraRounds: 0 }],
    [
      "wants another round",
      { kind: "gaps", round: 2 },
      "retry",
      { gapsAccepted: false, extraRounds: 1, builderNotes: [], verdict: null },
    ],
    [
      "wants another round with a word",
      { kind: "gaps", round: 2 },
      "the index",
      { extraRounds: 1, builderNotes: ["the index"] },
    ],
    [
      "lets a stage be asked again",
      { kind: "stage", stage: "recon", taskId: null },
      "retry",
      { stageFailures: null },
    ],
  ])("%s", (_what, about, text, expected) => {
    const story = dispatched(one(), { stage: "recon", task: null }, failedWith(crashed));
    answer(ask(story, about, { id: "q" }), text);
    expect(story.state).toMatchObject({ ...expected, questions: [] });
  });

  it("that comes a second time changes nothing: the first one counts", () => {
    const story = ask(one(), { kind: "gaps", round: 2 }, { id: "q" });
    answer(story, "approve", "q");
    answer(story, "retry", "q");
    expect(story.state).toMatchObject({ gapsAccepted: true, extraRounds: 0 });
  });
});

describe("an answer about a task", () => {
  const developer: QuestionAbout = { kind: "developer", taskId: a };
  const recon: QuestionAbout = { kind: "recon", taskId: a };
  const checkpoint: QuestionAbout = { kind: "checkpoint-before", taskId: a };
  const attempts: QuestionAbout = { kind: "attempts", taskId: a };
  const verify: QuestionAbout = { kind: "checkpoint-after", taskId: a };
  const evidence: QuestionAbout = { kind: "evidence", taskId: a };
  const answered = (about: QuestionAbout, text: string): RunStory =>
    answer(ask(one().developed("a").candidate("a"), about), text);

  it.each<[string, QuestionAbout, string, object]>([
    ["settles recon", recon, "approve", { cleared: ["recon"], builderNotes: [] }],
    ["settles recon with a word", recon, "only half", { cleared: ["recon"], builderNotes: ["only half"] }],
    [
      "settles a checkpoint",
      checkpoint,
      "green",
      { cleared: ["checkpoint-before"], builderNotes: ["green"] },
    ],
    ["lets a task try again", attempts, "retry", { granted: 0, builderNotes: [] }],
    ["lets a task try again with a word", attempts, "slowly", { builderNotes: ["slowly"] }],
    ["tells the developer", developer, "red", { builderNotes: ["red"] }],
    ["tells the developer also what looks like a decision", developer, "skip", { builderNotes: ["skip"] }],
  ])("%s, and the task may go on", (_what, about, text, expected) => {
    const story = answered(about, text);
    expect(recordOf(story, "a")).toMatchObject({ phase: { kind: "pending" }, ...expected });
    expect(story.state.questions).toEqual([]);
  });

  it.each<[string, QuestionAbout, string]>([
    ["rejects what recon found", recon, "reject"],
    ["rejects a checkpoint", checkpoint, "reject"],
    ["skips instead of trying again", attempts, "skip"],
    ["skips instead of verifying", verify, "skip"],
    ["skips instead of allowing what was found", evidence, "skip"],
    ["skips instead of reviewing again", { kind: "stage", stage: "review", taskId: a }, "skip"],
  ])("%s: the task is skipped, and told", (_what, about, text) => {
    const story = answered(about, text);
    expect(recordOf(story, "a").phase).toEqual({
      kind: "skipped",
      why: `the builder answered "${text}"`,
      by: "the builder",
    });
    expect(story.state.progress.last()).toMatchObject({ status: "skipped", attempt: null });
  });

  it.each<[string, object]>([
    ["approve", { kind: "approved" }],
    ["reject", { kind: "rejected", text: "reject" }],
    ["too blue", { kind: "rejected", text: "too blue" }],
  ])("verifies its last attempt: %s", (text, verification) => {
    expect(lastAttemptOf(answered(verify, text), "a").verification).toEqual(verification);
  });

  it.each<[string, object]>([
    ["approve", { kind: "approved" }],
    ["reject", { kind: "rejected", text: "reject" }],
    ["put the tests back", { kind: "rejected", text: "put the tests back" }],
  ])("decides on the evidence of its last attempt, which goes on: %s", (text, evidenceWord) => {
    const story = answered(evidence, text);
    expect(lastAttemptOf(story, "a")).toMatchObject({ evidenceWord, verification: null, outcome: null });
    expect(recordOf(story, "a").phase.kind).toBe("pending");
  });

  it.each([
    ["verifies", verify],
    ["allows", evidence],
  ] as const)("%s nothing where there is no attempt", (_what, about) => {
    expect(() => answer(ask(one(), about), "approve")).toThrow(InvariantBroken);
  });

  it("lets a review be asked for again, with its tries and its row of trouble forgiven", () => {
    const story = one().developed("a").candidate("a").gates("a");
    dispatched(story, { stage: "review", task: "a" }, failedWith(crashed));
    dispatched(story, { stage: "review", task: "a" }, failedWith(gitFailed));
    answer(ask(story, { kind: "stage", stage: "review", taskId: a }), "retry");
    expect(lastAttemptOf(story, "a")).toMatchObject({ reviewFailures: [], reviewTries: 2 });
    expect(recordOf(story, "a").infrastructure).toBeNull();
  });
});

describe("a retry", () => {
  const used = (): RunStory => {
    const story = opened([makeTask("a")], { maxAttempts: 1 });
    return story.developed("a").candidate("a").sentBack("a", { reason: "no-change" });
  };

  it("of a held task closes its question and grants exactly what is missing for one attempt (I12)", () => {
    const story = retry(ask(used(), { kind: "attempts", taskId: a }, { failure: why }), "a", "mind the gap");
    expect(recordOf(story, "a")).toMatchObject({
      phase: { kind: "pending" },
      granted: 1,
      builderNotes: ["mind the gap"],
      cleared: ["recon", "checkpoint-before"],
    });
    expect(story.state.questions).toEqual([]);
  });

  it("grants nothing while there are attempts left", () => {
    const story = retry(skip(one(), "a"), "a");
    expect(recordOf(story, "a")).toMatchObject({ phase: { kind: "pending" }, granted: 0, builderNotes: [] });
  });

  it("forgives trouble outside the work", () => {
    const story = gateFailed(one().developed("a").candidate("a"), "a", gitFailed);
    expect(recordOf(retry(ask(story, { kind: "attempts", taskId: a }), "a"), "a").infrastructure).toBeNull();
  });

  it("of a task that was skipped before the first session needs no grant", () => {
    const story = retry(skip(new RunStory({ tasks: [makeTask("a")] }), "a"), "a");
    expect(recordOf(story, "a")).toMatchObject({ phase: { kind: "pending" }, granted: 0 });
  });

  it.each<[string, (story: RunStory) => RunStory]>([
    ["pending", (story) => story],
    ["working", (story) => story.developed("a")],
    ["complete", (story) => story.completed("a")],
  ])("of a %s task changes nothing", (kind, tell) => {
    const before = recordOf(tell(one()), "a");
    expect(before.phase.kind).toBe(kind);
    expect(recordOf(retry(tell(one()), "a"), "a")).toEqual(before);
  });
});

describe("a skip", () => {
  it("closes the task's questions, and leaves those of others", () => {
    const story = ask(
      ask(one(), { kind: "developer", taskId: a }),
      { kind: "developer", taskId: taskId("b") },
      { id: "b" },
    );
    expect(skip(story, "a").state.questions.map(({ id }) => id)).toEqual(["b"]);
    expect(story.state.progress.last()).toEqual({
      taskId: "a",
      status: "skipped",
      attempt: null,
      reason: "not needed",
    });
  });

  it.each<[string, (story: RunStory) => RunStory]>([
    ["complete", (story) => story.completed("a")],
    ["skipped", (story) => skip(story, "a")],
  ])("of a task that is already %s changes nothing", (_kind, tell) => {
    const story = tell(one());
    const { phase } = recordOf(story, "a");
    const told = story.state.progress.length;
    expect(recordOf(skip(story, "a"), "a").phase).toEqual(phase);
    expect(story.state.progress).toHaveLength(told);
  });

  it("of a task that the run does not have is a broken invariant", () => {
    expect(() => skip(one(), "z")).toThrow(InvariantBroken);
    expect(() => retry(one().started(makePolicy()), "z")).toThrow(InvariantBroken);
  });
});
