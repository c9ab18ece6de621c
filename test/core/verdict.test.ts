import { describe, expect, it } from "vitest";
import type { Candidate } from "../../src/core/event.ts";
import type { EvidenceFinding } from "../../src/core/evidence/finding.ts";
import type { Failure } from "../../src/core/failure.ts";
import type { Finding, ReviewReport } from "../../src/core/report.ts";
import { InvariantBroken } from "../../src/core/result.ts";
import { repetition, reviewFailure, stall } from "../../src/core/verdict.ts";
import { makePolicy, makeReview, makeTask, shaOf } from "../support/run-parts.ts";
import type { RunStory } from "../support/run-story.ts";
import { crashed, dispatched, gitFailed, interrupted, lastAttemptOf, opened, recordOf } from "./tell.ts";

function finding(problem: string, over: Partial<Finding> = {}): Finding {
  return { id: "f1", severity: "major", file: null, line: null, problem, fix: "mend it", ...over };
}

const reviewed = (over: Partial<Candidate> = {}): RunStory =>
  opened([makeTask("a")])
    .developed("a")
    .candidate("a", over);

function judgeReview(over: Partial<ReviewReport>, story = reviewed()): Failure | null {
  const [record, attempt] = [recordOf(story, "a"), lastAttemptOf(story, "a")];
  return reviewFailure({ review: makeReview(over), policy: makePolicy(), record, attempt });
}

describe("a review", () => {
  const met = { index: 0, verdict: "met", where: "a.ts" } as const;
  it.each<[string, Partial<ReviewReport>]>([
    ["that says so with the pass score", { score: 80 }],
    [
      "with criteria that are met or that it cannot tell",
      { criteria: [met, { ...met, verdict: "cannot tell" }] },
    ],
    ["with findings, which are notes then", { findings: [finding("slow")] }],
  ])("approves %s", (_what, over) => expect(judgeReview(over)).toBeNull());

  it.each<[string, Partial<ReviewReport>, Partial<Failure>]>([
    ["under the pass score", { score: 79 }, { problems: [] }],
    [
      "with a criterion that is not met, whatever its verdict says",
      { score: 100, criteria: [met, { index: 3, verdict: "not met", where: "" }] },
      { problems: ["criterion 3 is not met"] },
    ],
    [
      "that says iterate, with the findings that count",
      { verdict: "iterate", findings: [finding("slow"), finding("typo", { severity: "note" })] },
      { problems: ["slow"] },
    ],
  ])("does not approve %s (I10)", (_what, over, failure) => {
    expect(judgeReview(over)).toMatchObject({
      reason: "review-rejected",
      ...failure,
    });
  });
});

describe("a review of what the program found", () => {
  const found = (effect: EvidenceFinding["effect"]): EvidenceFinding => ({
    id: "t1",
    kind: "test-skipped",
    effect,
    severity: "major",
    file: "a.test.ts",
    line: 3,
    text: "a test is skipped",
  });
  const story = (effect: EvidenceFinding["effect"]): RunStory => reviewed({ findings: [found(effect)] });

  it("is no approval without a justification of what needs one", () => {
    const failure = { reason: "evidence-unjustified", problems: ["t1: a test is skipped in a.test.ts:3"] };
    expect(judgeReview({}, story("justify"))).toEqual(failure);
    expect(judgeReview({ justified: [{ finding: "t1", why: "  " }] }, story("justify"))).toEqual(failure);
    expect(judgeReview({ justified: [{ finding: "t2", why: "asked for" }] }, story("justify"))).toEqual(
      failure,
    );
  });

  it("takes no word such as ok for a justification, in whatever script a reason is written", () => {
    const words = ["ok", "fine", "LGTM", "1234567890", "as above", "ок"];
    for (const why of words) {
      expect(judgeReview({ justified: [{ finding: "t1", why }] }, story("justify"))).not.toBeNull();
    }
    for (const why of ["by design", "任务要求", "по задаче"]) {
      expect(judgeReview({ justified: [{ finding: "t1", why }] }, story("justify"))).toBeNull();
    }
  });

  it("is one with it, and needs none for notes and for what the builder allowed", () => {
    expect(judgeReview({ justified: [{ finding: "t1", why: "asked for" }] }, story("justify"))).toBeNull();
    expect(judgeReview({}, story("note"))).toBeNull();
    expect(judgeReview({}, story("hold"))).toBeNull();
  });
});

describe("a review of a candidate without changes", () => {
  const unchanged = reviewed({ changes: [], changeCount: 0 });
  const line = { index: 0, verdict: "met", where: "src/a.ts" } as const;

  it("says of every criterion where it is met already", () => {
    expect(judgeReview({ criteria: [line] }, unchanged)).toBeNull();
  });

  it.each<[string, Partial<ReviewReport>]>([
    ["without a line", { criteria: [] }],
    ["that cannot tell", { criteria: [{ ...line, verdict: "cannot tell" }] }],
    ["that names no place", { criteria: [{ ...line, where: " " }] }],
  ])("is no approval %s", (_how, over) => {
    expect(judgeReview(over, unchanged)).toMatchObject({
      reason: "review-rejected",
      problems: ["nothing was changed, and the review does not say where criterion 0 is met"],
    });
  });
});

describe("a candidate repeats", () => {
  const judge = (story: RunStory): Failure | null =>
    repetition(recordOf(story, "a"), lastAttemptOf(story, "a"));
  const rejectedOnce = (): RunStory =>
    opened([makeTask("a")])
      .developed("a")
      .candidate("a", { tree: shaOf("same") })
      .sentBack("a", { reason: "gates-red", gates: ["tests"], tests: [] })
      .developed("a");

  it("nothing when it is new", () => {
    expect(judge(rejectedOnce().candidate("a"))).toBeNull();
  });

  it("the base when nothing was changed, unless the task allows that", () => {
    const empty = { changeCount: 0 };
    expect(
      judge(
        opened([makeTask("a")])
          .developed("a")
          .candidate("a", empty),
      ),
    ).toEqual({ reason: "no-change" });
    const allowed = opened([makeTask("a", { allowNoChanges: true })])
      .developed("a")
      .candidate("a", empty);
    expect(judge(allowed)).toBeNull();
  });

  it("what was rejected when tree and base are the same", () => {
    const again = rejectedOnce().candidate("a", { tree: shaOf("same") });
    expect(judge(again)).toEqual({ reason: "same-as-rejected", attempt: 1 });
    const elsewhere = rejectedOnce().candidate("a", { tree: shaOf("same"), base: shaOf("other base") });
    expect(judge(elsewhere)).toBeNull();
  });

  it("nothing that was only interrupted", () => {
    const story = opened([makeTask("a")])
      .developed("a")
      .candidate("a", { tree: shaOf("same") });
    story
      .ended("a", { kind: "interrupted", by: "skip" })
      .developed("a")
      .candidate("a", { tree: shaOf("same") });
    expect(judge(story)).toBeNull();
  });

  it("only where there is one", () => {
    expect(() => judge(opened([makeTask("a")]).developed("a"))).toThrow(InvariantBroken);
  });
});

describe("a task gets nowhere (I11)", () => {
  const noChange: Failure = { reason: "no-change" };
  const same: Failure = { reason: "same-as-rejected", attempt: 1 };
  const red: Failure = { reason: "gates-red", gates: ["tests"], tests: [] };
  const rejectedBy = (...failures: readonly Failure[]): RunStory => {
    const story = opened([makeTask("a")]);
    for (const failure of failures) story.developed("a").candidate("a").sentBack("a", failure);
    return story;
  };
  const how = (story: RunStory): string | null => stall(recordOf(story, "a"));
  const noChangeTwice = "2 attempts in a row brought no change";

  it.each<[string, readonly Failure[], string | null]>([
    ["one attempt without a change is not", [noChange], null],
    ["two attempts in a row without a change are", [noChange, noChange], noChangeTwice],
    ["one without a change and one that repeats are", [noChange, same], noChangeTwice],
    ["two that are not in a row are not", [noChange, red, same], null],
  ])("%s", (_what, failures, expected) => expect(how(rejectedBy(...failures))).toBe(expected));

  it("also when an interruption came between, which counts to nothing", () => {
    const story = rejectedBy(noChange);
    dispatched(story, { stage: "develop", task: "a" }, interrupted).ended("a", {
      kind: "interrupted",
      by: "me",
    });
    story.developed("a").candidate("a").sentBack("a", noChange);
    expect(how(story)).toBe(noChangeTwice);
  });

  const reviewed = (story: RunStory, review: Partial<ReviewReport>, failure?: Failure): RunStory => {
    story
      .developed("a")
      .candidate("a")
      .gates("a")
      .reviewed("a", { verdict: "iterate", ...review });
    const rejection = {
      reason: "review-rejected",
      score: review.score ?? 0,
      passScore: 80,
      problems: [],
    } as const;
    return story.sentBack("a", failure ?? rejection);
  };
  const slow = (score: number): Partial<ReviewReport> => ({ score, findings: [finding("slow")] });
  const noBetter = "the review's score was not better 2 times in a row with the same findings";

  it.each<[string, readonly Partial<ReviewReport>[], string | null]>([
    ["one review that is no better is not", [slow(50), slow(50)], null],
    ["two reviews in a row that are no better are", [slow(50), slow(50), slow(40)], noBetter],
    ["a better score is progress", [slow(50), slow(50), slow(51)], null],
    ["a better score in the middle is progress", [slow(50), slow(51), slow(51)], null],
    ["other findings are progress", [slow(50), slow(50), { score: 50, findings: [finding("ugly")] }], null],
    [
      "the same findings in other words of fixing, other order or with new notes are the same",
      [
        { score: 50, findings: [finding("slow", { file: "a.ts" }), finding("ugly")] },
        { score: 50, findings: [finding("ugly", { fix: "paint it" }), finding("slow", { file: "a.ts" })] },
        {
          score: 50,
          findings: [finding("slow", { file: "a.ts" }), finding("ugly"), finding("hm", { severity: "note" })],
        },
      ],
      noBetter,
    ],
  ])("%s", (_what, reviews, expected) => {
    const story = opened([makeTask("a")]);
    for (const review of reviews) reviewed(story, review);
    expect(how(story)).toBe(expected);
  });

  it("but not by the builder's word, which is another one each time", () => {
    const story = opened([makeTask("a")]);
    for (const text of ["too blue", "too red", "too big"]) {
      reviewed(story, { verdict: "approved", score: 90 }, { reason: "builder-rejected", text });
    }
    expect(how(story)).toBeNull();
  });

  it.each<[string, (story: RunStory) => unknown]>([
    ["red gates", (story) => story.developed("a").candidate("a").sentBack("a", red)],
    [
      "a crash",
      (story) =>
        dispatched(
          story,
          { stage: "develop", task: "a" },
          { kind: "failed", failure: crashed, salvage: null },
        ).ended("a", { kind: "failed", failure: crashed }),
    ],
    [
      "git's own trouble",
      (story) =>
        dispatched(
          story,
          { stage: "develop", task: "a" },
          { kind: "failed", failure: gitFailed, salvage: null },
        ).ended("a", { kind: "failed", failure: gitFailed }),
    ],
  ])("but not when there was %s between the reviews", (_what, between) => {
    const story = reviewed(reviewed(opened([makeTask("a")]), slow(50)), slow(50));
    between(story);
    expect(how(reviewed(story, slow(50)))).toBeNull();
  });
});
