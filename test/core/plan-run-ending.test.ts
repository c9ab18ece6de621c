import { describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/core/event.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { FollowUp, HolisticReport } from "../../src/core/report.ts";
import { InvariantBroken } from "../../src/core/result.ts";
import { makeTask, shaOf } from "../support/run-parts.ts";
import type { RunStory } from "../support/run-story.ts";
import { answer, cannotStart, follow, next, opened } from "./tell.ts";

function stageEnded(stage: string, outcome: string, notes: string): object {
  return { kind: "stage-ended", stage, outcome, notes };
}

describe("when every task is complete", () => {
  const done = (over: Partial<Policy> = {}): RunStory => opened([makeTask("a")], over).completed("a");
  const gaps = (followUps: readonly FollowUp[]): Partial<HolisticReport> => ({
    verdict: "gaps",
    summary: "no help page",
    followUps,
  });
  const followUp: FollowUp = {
    title: "Help",
    description: "Add a help page.",
    acceptanceCriteria: ["there is one"],
  };
  const reviewed: RunEvent = {
    kind: "stage-ended",
    stage: "holistic-review",
    outcome: "done",
    notes: "All parts fit.",
  };

  it("the lead looks at the whole", () => {
    expect(next(done())).toMatchObject({ stage: "holistic-review", base: shaOf("a/1 commit"), try: 1 });
  });

  it("a pass ends the review", () => expect(next(done().holistic())).toEqual(reviewed));

  it("gaps become tasks of their own (the plan's own ids are left alone)", () => {
    const tasks = [makeTask("a"), makeTask("Follow-Up-1-1")];
    const story = opened(tasks).completed("a").completed("Follow-Up-1-1");
    story.holistic(gaps([followUp, { title: "Tidy", description: "", acceptanceCriteria: [] }]));
    const event = next(story);
    expect(event).toMatchObject({
      kind: "follow-ups-added",
      round: 1,
      tasks: [
        {
          id: "follow-up-1-2",
          title: "Help",
          description: "Add a help page.",
          acceptanceCriteria: ["there is one"],
        },
        { id: "follow-up-1-3", title: "Tidy", description: "Tidy", acceptanceCriteria: ["Tidy"] },
      ],
    });
    follow(story);
    expect(next(story)).toMatchObject({ stage: "develop", taskId: "follow-up-1-2" });
  });

  it("a follow-up without criteria is judged by its description", () => {
    const story = done().holistic(gaps([{ ...followUp, acceptanceCriteria: [] }]));
    expect(next(story)).toMatchObject({ tasks: [{ acceptanceCriteria: ["Add a help page."] }] });
  });

  const twice = (): RunStory => {
    const story = done();
    for (const id of ["follow-up-1-1", "follow-up-2-1"]) {
      follow(story.holistic(gaps([followUp])));
      story.completed(id);
    }
    return story.holistic(gaps([followUp]));
  };

  it("gaps after two rounds are put to the builder (I11)", () => {
    expect(next(twice())).toMatchObject({
      question: {
        id: "gaps:3",
        about: { kind: "gaps", round: 2 },
        failure: { reason: "gaps-left", rounds: 2, summary: "no help page" },
        options: [{ id: "approve" }, { id: "retry" }],
      },
    });
  });

  it("gaps without a follow-up are put to the builder at once", () => {
    expect(next(done().holistic(gaps([])))).toMatchObject({ question: { id: "gaps:1" } });
  });

  it.each<[string, object]>([
    ["approve", stageEnded("holistic-review", "done", "gaps accepted by the builder: no help page")],
    ["retry", { stage: "holistic-review", try: 4 }],
    ["look at the index page", { stage: "holistic-review", try: 4 }],
  ])("and the builder's word leads on: %s", (text, event) => {
    expect(next(answer(follow(twice()), text))).toMatchObject(event);
  });

  it("another look may lead to another round", () => {
    const story = answer(follow(twice()), "retry").holistic(gaps([followUp]));
    expect(next(story)).toMatchObject({
      kind: "follow-ups-added",
      round: 3,
      tasks: [{ id: "follow-up-3-1" }],
    });
  });

  it("what the run taught is committed, dated by the UTC day of the verdict", () => {
    const story = done().holistic().add(reviewed);
    const day = new Date(story.state.holisticAtMs ?? 0).toISOString().slice(0, 10);
    expect(next(story)).toEqual({ kind: "memory-started", lane: 1, head: shaOf("a/1 commit"), day });
    expect(next(follow(story))).toBeNull();
  });

  const remembered = (result: Extract<RunEvent, { kind: "memory-ended" }>["result"]): RunStory =>
    follow(done().holistic().add(reviewed)).add({ kind: "memory-ended", result });

  it.each<[string, () => RunStory, object]>([
    [
      "a memory commit ends the stage",
      () => remembered({ kind: "committed", commit: shaOf("m"), entry: "memory/x.md" }),
      stageEnded("memory", "done", ""),
    ],
    [
      "a memory commit that broke a gate is kept aside and told",
      () => remembered({ kind: "kept aside", ref: "refs/x", why: "gates fail with it: lint" }),
      stageEnded("memory", "done", "kept as refs/x: gates fail with it: lint"),
    ],
    [
      "one that could not be made is told",
      () => remembered({ kind: "kept aside", ref: "", why: "a link is in the way" }),
      stageEnded("memory", "done", "not written: a link is in the way"),
    ],
    [
      "an interrupted one is made again",
      () => remembered({ kind: "interrupted", by: "me" }),
      {
        kind: "memory-started",
      },
    ],
    [
      "a refused one stops the run",
      () => remembered({ kind: "refused", failure: cannotStart }),
      {
        kind: "run-paused",
        failure: cannotStart,
      },
    ],
    [
      "none is made where memory is off",
      () =>
        done({ memory: { enabled: false, dir: "memory" } })
          .holistic()
          .add(reviewed),
      stageEnded("memory", "skipped", "switched off"),
    ],
    [
      "then the run is complete",
      () => done().holistic().add(reviewed).stage("memory", "skipped"),
      {
        kind: "run-completed",
      },
    ],
  ])("%s", (_what, tell, event) => expect(next(tell())).toEqual(expect.objectContaining(event)));

  it("a memory without a verdict is a broken invariant", () => {
    expect(() => next(done().stage("holistic-review"))).toThrow(InvariantBroken);
  });
});
