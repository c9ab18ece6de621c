// What a candidate's findings do to it: stories from the candidate to the review.
import { describe, expect, it } from "vitest";
import type { Candidate } from "../../src/core/event.ts";
import type { EvidenceEffect, EvidenceFinding } from "../../src/core/evidence/finding.ts";
import { describe as describeFailure, type Failure } from "../../src/core/failure.ts";
import { limits } from "../../src/core/limits.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Task } from "../../src/core/prd.ts";
import { toDispatchRequest } from "../../src/core/request.ts";
import { makePolicy, makeReview, makeTask, shaOf } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";
import {
  answer,
  failing,
  finish,
  follow,
  lastAttemptOf,
  next,
  opened,
  passing,
  recordOf,
  runGate,
  unnamed,
} from "./tell.ts";

const gates = makePolicy().gates.filter(({ name }) => name === "tests");
const noReview = { review: { enabled: false, passScore: 80 } };
const candidate = shaOf("a/1 commit");

function found(effect: EvidenceEffect, id = "f1", over: Partial<EvidenceFinding> = {}): EvidenceFinding {
  const text = `something of ${id}`;
  return { id, kind: "more-findings", effect, severity: "major", file: "a.ts", line: 3, text, ...over };
}

interface Told {
  readonly candidate?: Partial<Candidate>;
  readonly task?: Partial<Task>;
  readonly policy?: Partial<Policy>;
}

function made({ candidate: over = {}, task = {}, policy = {} }: Told): RunStory {
  const story = opened([makeTask("a", task), makeTask("b")], { gates, ...policy });
  return story.developed("a").candidate("a", over);
}

/** The candidate with these findings, its gates passed and judged. */
function judged(findings: readonly EvidenceFinding[], told: Told = {}): RunStory {
  const story = made({ ...told, candidate: { findings, ...told.candidate } });
  return follow(runGate(story, "tests of a: candidate", passing));
}

function rejection(failure: object): object {
  return { kind: "attempt-ended", taskId: "a", attempt: 1, outcome: { kind: "rejected", failure } };
}

const review = { kind: "dispatch-started", stage: "review" };

describe("a finding that no review can allow", () => {
  it("sends the candidate back before any gate runs, in words with its place", () => {
    const findings = [found("note"), found("reject", "f2"), found("hold", "f3")];
    expect(next(made({ candidate: { findings } }))).toEqual(
      rejection({ reason: "evidence-rejected", problems: ["f2: something of f2 in a.ts:3"] }),
    );
  });

  it("is one of as many as a sentence takes; the others are counted (I11)", () => {
    const findings = Array.from({ length: limits.namesInSentence + 3 }, (_, index) =>
      found("reject", `f${index}`),
    );
    const event = next(made({ candidate: { findings } }));
    const failure =
      event?.kind === "attempt-ended" && event.outcome.kind === "rejected" && event.outcome.failure;
    const problems = failure && failure.reason === "evidence-rejected" ? failure.problems : [];
    expect(problems).toHaveLength(limits.namesInSentence + 1);
    expect(problems.at(-1)).toBe("and 3 more");
  });
});

describe("a finding that the builder has to allow", () => {
  const held = (over: Told = {}): RunStory => judged([found("hold"), found("note", "f2")], over);

  it("is put to the builder once the gates have passed", () => {
    const problems = ["f1: something of f1 in a.ts:3"];
    expect(next(held())).toEqual({
      kind: "question-asked",
      question: {
        id: "evidence:a:1",
        about: { kind: "evidence", taskId: "a" },
        text: `Commit ${candidate} of task a is held: f1: something of f1 in a.ts:3. Let it pass to the review?`,
        options: [
          { id: "approve", label: "let it pass to the review" },
          { id: "reject", label: "send it back (any other text: send it back with this note)" },
        ],
        failure: { reason: "evidence-held", taskId: "a", problems },
      },
    });
  });

  it("is not put when the gates are red: the candidate goes back as it is", () => {
    const story = made({ candidate: { findings: [found("hold")] } });
    follow(runGate(story, "tests of a: candidate", unnamed));
    expect(next(story)).toMatchObject(rejection({ reason: "gates-red" }));
  });

  it("goes on to the review when the builder approves, and needs no other word", () => {
    const story = answer(follow(held()), "approve");
    expect(next(story)).toMatchObject({ ...review, attempt: 1, candidate });
    expect(next(story.reviewed("a"))).toMatchObject({ kind: "integration-started" });
  });

  it.each<[string, readonly string[]]>([
    ["reject", []],
    ["put it back", ["put it back"]],
  ])("sends it back when the builder says %s, and the next attempt starts at the base", (text, notes) => {
    const story = answer(follow(held()), text);
    expect(next(story)).toEqual(
      rejection({ reason: "evidence-refused", text, problems: ["f1: something of f1 in a.ts:3"] }),
    );
    expect(recordOf(story, "a").builderNotes).toEqual(notes);
    expect(next(follow(story))).toMatchObject({ stage: "develop", attempt: 2, startFrom: { kind: "base" } });
  });

  it("ends the task when the builder says skip", () => {
    expect(recordOf(answer(follow(held()), "skip"), "a").phase.kind).toBe("skipped");
  });
});

describe("a finding that has to be justified", () => {
  it("goes to the review, which says why it is right", () => {
    const story = judged([found("justify")]);
    expect(next(story)).toMatchObject(review);
    story.reviewed("a", { justified: [{ finding: "f1", why: "the task asks for it" }] });
    expect(next(story)).toMatchObject({ kind: "integration-started" });
  });

  const lack: Failure = { reason: "evidence-unjustified", problems: ["f1: something of f1 in a.ts:3"] };

  it("is asked about once more when the review says nothing to it: the work is not at fault", () => {
    const story = judged([found("justify")]).reviewed("a");
    const again = next(story);
    expect(again).toMatchObject({ ...review, attempt: 1, candidate, try: 2 });
    follow(story);
    expect(lastAttemptOf(story, "a")).toMatchObject({ review: null, reviewFailures: [lack] });
    if (again?.kind === "dispatch-started")
      expect(toDispatchRequest(story.state, again).feedback?.note).toBe(describeFailure(lack));
    finish(story, {
      kind: "answered",
      report: makeReview({ justified: [{ finding: "f1", why: "the task asks for it" }] }),
      left: null,
    });
    expect(next(story)).toMatchObject({ kind: "integration-started" });
  });

  it("sends the candidate back when the review says nothing to it twice", () => {
    expect(
      next(
        judged([found("justify")])
          .reviewed("a")
          .reviewed("a"),
      ),
    ).toEqual(rejection(lack));
  });

  it("is not asked about again by a review that is no approval", () => {
    const story = judged([found("justify")]).reviewed("a", { verdict: "iterate", score: 10 });
    expect(next(story)).toMatchObject({
      kind: "attempt-ended",
      outcome: { failure: { reason: "review-rejected" } },
    });
  });

  it("is put to the builder where reviews are switched off", () => {
    const story = judged([found("justify")], { policy: noReview });
    expect(next(story)).toMatchObject({ question: { id: "evidence:a:1" } });
    expect(next(answer(follow(story), "approve"))).toMatchObject({ kind: "integration-started" });
  });
});

it("only tells the reviewer what is a note", () => {
  expect(next(judged([found("note")]))).toMatchObject(review);
  expect(next(judged([found("note")], { policy: noReview }))).toMatchObject({ kind: "integration-started" });
});

describe("a candidate that changed tests or what gates depend on", () => {
  const baseVersions = [
    { path: "a.test.ts", kind: "test", isInBase: true },
    { path: "package.json", kind: "gate definition", isInBase: true },
  ] as const;
  const changed = (over: Told = {}): RunStory =>
    made({ ...over, candidate: { baseVersions, ...over.candidate } });

  it("meets the base's versions of both after its own, and goes on when it passes with them", () => {
    const story = runGate(changed(), "tests of a: candidate", passing);
    runGate(story, "tests of a: base tests", passing);
    runGate(story, "tests of a: base definitions", passing);
    expect(next(story)).toMatchObject({ kind: "gates-judged", commit: candidate, red: [], findings: [] });
    expect(next(follow(story))).toMatchObject(review);
    expect(lastAttemptOf(story, "a").trials.map(({ trial }) => trial)).toEqual([
      "base tests",
      "base definitions",
    ]);
  });

  it("does not meet them when it is red by itself", () => {
    const story = runGate(changed(), "tests of a: candidate", unnamed);
    expect(next(story)).toMatchObject({ kind: "gates-judged", red: ["tests"], findings: [] });
  });

  it("has to have each failing test of the base justified, and is held for a gate that is red with its old definition", () => {
    const story = runGate(
      changed({ candidate: { findings: [found("note")] } }),
      "tests of a: candidate",
      passing,
    );
    runGate(story, "tests of a: base tests", failing("adds"));
    runGate(story, "tests of a: base definitions", failing("adds"));
    follow(story);
    expect(lastAttemptOf(story, "a").evidence.map(({ id, effect }) => [id, effect])).toEqual([
      ["f1", "note"],
      ["b1", "hold"],
      ["b2", "justify"],
    ]);
    expect(next(story)).toMatchObject({
      question: {
        failure: {
          problems: [`b1: with the base's version of what gate "tests" depends on, it is red: "adds"`],
        },
      },
    });
    const allowed = answer(follow(story), "approve");
    expect(next(allowed)).toMatchObject(review);
    expect(next(allowed.reviewed("a").reviewed("a"))).toMatchObject(
      rejection({
        reason: "evidence-unjustified",
        problems: ["b2: the base's version of a changed test fails: adds"],
      }),
    );
  });

  it("is not asked about tests that were flaky, but about their version of the base", () => {
    const story = runGate(changed(), "tests of a: candidate", failing("adds"));
    runGate(story, "tests of a: again", passing);
    runGate(story, "tests of a: base tests", failing("adds"));
    runGate(story, "tests of a: base definitions", passing);
    expect(next(story)).toMatchObject({
      red: [],
      findings: [{ kind: "base-test-fails", effect: "justify" }],
    });
  });

  it("is not asked about what the builder accepted as red", () => {
    const story = new RunStory({ tasks: [makeTask("a")] }).started(makePolicy({ gates }));
    runGate(story, "tests of the branch: candidate", unnamed);
    follow(answer(follow(story), "accept"), 3);
    story.developed("a").candidate("a", { baseVersions });
    runGate(story, "tests of a: candidate", failing("adds"));
    runGate(story, "tests of a: again", failing("adds"));
    runGate(story, "tests of a: base tests", failing("adds"));
    runGate(story, "tests of a: base definitions", failing("adds"));
    expect(next(story)).toMatchObject({ red: [], gates: [{ verdict: "accepted" }], findings: [] });
  });
});

describe("a candidate without changes, of a task that allows it", () => {
  const none: Told = { task: { allowNoChanges: true }, candidate: { changes: [], changeCount: 0 } };

  it("is done only when the review says of every criterion where it is met", () => {
    const met = { index: 0, verdict: "met", where: "src/a.ts:1" } as const;
    expect(next(judged([], none).reviewed("a", { criteria: [met] }))).toMatchObject({
      kind: "integration-started",
    });
    expect(next(judged([], none).reviewed("a", { criteria: [] }))).toMatchObject(
      rejection({ reason: "review-rejected" }),
    );
  });

  it("is sent back where reviews are switched off: nobody says that nothing had to be done", () => {
    expect(next(judged([], { ...none, policy: noReview }))).toEqual(
      rejection({
        reason: "evidence-unjustified",
        problems: [
          "nothing was changed, and reviews are switched off, so nobody says that nothing had to be",
        ],
      }),
    );
  });
});
