// Changes beside the lanes that may be the builder's: one question, and what the answers do.
import { describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/core/event.ts";
import { answerProblem } from "../../src/core/request-problem.ts";
import { makePolicy, makeTask, shaOf, taskId } from "../support/run-parts.ts";
import type { RunStory } from "../support/run-story.ts";
import {
  answer,
  begin,
  crashed,
  dispatched,
  failedWith,
  finish,
  follow,
  lastAttemptOf,
  next,
  opened,
  recordOf,
  retry,
  skip,
} from "./tell.ts";

type Stage = Extract<RunEvent, { kind: "checkout-doubted" }>["stage"];

const what = ["files of the main checkout changed: x (changed)"];

function doubted(story: RunStory, task: string | null, stage: Stage = "develop"): RunStory {
  const attempt = task === null ? 1 : Math.max(1, recordOf(story, task).attempts.length);
  const id = task === null ? null : taskId(task);
  return story.add({ kind: "checkout-doubted", taskId: id, attempt, stage, what });
}

function questionOf(story: RunStory) {
  const event = next(story);
  return event?.kind === "question-asked" ? event.question : null;
}

const one = () => opened([makeTask("a")]);
const asking = () => follow(doubted(one().developed("a"), "a").candidate("a"));

describe("a change beside the lane that may be the builder's", () => {
  it("is asked about once the candidate is kept, before a gate runs", () => {
    const story = doubted(one().developed("a"), "a");
    expect(next(story)?.kind).toBe("candidate-started");
    expect(questionOf(story.candidate("a"))).toEqual({
      id: "checkout:a:1",
      about: { kind: "checkout", taskId: "a" },
      text: `Something changed outside of the lanes while task a was worked on (attempt 1): ${what[0]}. Was it you?`,
      options: [
        { id: "mine", label: "it was me; from now on such changes are only noted in this run" },
        {
          id: "reject",
          label: "it was the agent: its work is not taken (what it changed stays for you to mend)",
        },
      ],
      failure: null,
    });
  });

  it("is among the notes of the attempt", () => {
    const story = doubted(one().developed("a"), "a");
    expect(lastAttemptOf(story, "a").notes).toEqual([`during develop, not known by whom: ${what[0]}`]);
  });

  it("holds the task, and only that", () => {
    const story = doubted(opened([makeTask("a"), makeTask("b")]).developed("a"), "a").candidate("a");
    follow(story);
    expect(recordOf(story, "a").phase).toMatchObject({ kind: "held", question: "checkout:a:1" });
    expect(next(story)).toMatchObject({ kind: "dispatch-started", taskId: "b" });
  });

  it("takes only the options for an answer", () => {
    const { state } = asking();
    expect(answerProblem(state, "checkout:a:1", "mine")).toBeNull();
    expect(answerProblem(state, "checkout:a:1", "maybe")).toBe(
      'question "checkout:a:1" takes one of: mine, reject',
    );
  });

  it("that came with the review is asked about before the candidate is integrated", () => {
    const story = one().developed("a").candidate("a").gates("a").reviewed("a");
    expect(next(story)?.kind).toBe("integration-started");
    expect(questionOf(doubted(story, "a", "review"))?.id).toBe("checkout:a:1");
  });

  it("is still asked about when the attempt was interrupted and its work is carried on", () => {
    const story = one();
    const salvage = shaOf("salvage");
    doubted(story.developEnded("a", { kind: "interrupted", by: "SIGINT", salvage }), "a");
    story.ended("a", { kind: "interrupted", by: "SIGINT" });
    const startFrom = { kind: "salvaged", attempt: 1, commit: salvage } as const;
    const left = { tree: story.state.head, agentHead: null };
    const report = lastReport();
    dispatched(story, { stage: "develop", task: "a", startFrom }, { kind: "answered", report, left });
    expect(questionOf(story.candidate("a"))?.id).toBe("checkout:a:2");
  });

  it("of an attempt that failed is not put to a later one that starts afresh", () => {
    const story = doubted(one().developed("a"), "a").candidate("a");
    story.ended("a", { kind: "failed", failure: { reason: "metadata-changed", what: ["config"] } });
    story.developed("a").candidate("a");
    expect(next(story)?.kind).toBe("gate-started");
  });

  it("of a precheck is asked about with the attempt that follows; before it, it is told", () => {
    const story = doubted(one(), "a", "precheck");
    expect(story.state.told).toEqual([`during precheck, not known by whom: ${what[0]}`]);
    expect(questionOf(story.developed("a").candidate("a"))?.id).toBe("checkout:a:1");
  });
});

function lastReport() {
  const { develop } = lastAttemptOf(one().developed("a"), "a");
  if (develop.kind !== "answered") throw new Error("it answered");
  return develop.report;
}

describe("the answer mine", () => {
  it("lets the same candidate go on to its gates, without a word in the next prompt", () => {
    const story = answer(asking(), "mine");
    expect(next(story)).toMatchObject({ kind: "gate-started", taskId: "a", attempt: 1 });
    expect(recordOf(story, "a").builderNotes).toEqual([]);
  });

  it("makes later ones notes for the whole run", () => {
    const story = answer(asking(), "mine");
    doubted(story, "a", "gates");
    doubted(story, null, "recon");
    expect(story.state.doubts).toEqual([]);
    expect(lastAttemptOf(story, "a").notes).toHaveLength(2);
    expect(story.state.told).toHaveLength(1);
    expect(next(story)?.kind).toBe("gate-started");
  });
});

describe("the answer reject", () => {
  const rejection = { kind: "rejected", failure: { reason: "checkout-changed", what } };

  it("ends the attempt; the next one begins at the base and may be asked about again", () => {
    const story = answer(asking(), "reject");
    expect(next(story)).toMatchObject({ kind: "attempt-ended", attempt: 1, outcome: rejection });
    follow(story);
    expect(next(story)).toMatchObject({
      kind: "dispatch-started",
      stage: "develop",
      attempt: 2,
      startFrom: { kind: "base" },
    });
    expect(questionOf(doubted(story.developed("a"), "a").candidate("a"))?.id).toBe("checkout:a:2");
  });

  it("about a gate ends the attempt too", () => {
    const story = doubted(one().developed("a").candidate("a"), "a", "gates");
    expect(next(answer(follow(story), "reject"))).toMatchObject({
      kind: "attempt-ended",
      outcome: rejection,
    });
  });

  it("about the review has it made again, and asks under another name", () => {
    const story = doubted(one().developed("a").candidate("a").gates("a").reviewed("a"), "a", "review");
    answer(follow(story), "reject");
    expect(next(story)).toMatchObject({ kind: "dispatch-started", stage: "review", try: 2 });
    expect(lastAttemptOf(story, "a").reviewFailures).toEqual([rejection.failure]);
    doubted(story.reviewed("a"), "a", "review");
    expect(questionOf(story)?.id).toBe("checkout:a:1:2");
  });

  it("about advice alone only closes the question", () => {
    const story = doubted(one(), "a", "precheck").developed("a").candidate("a");
    expect(next(answer(follow(story), "reject"))?.kind).toBe("gate-started");
  });

  it("is what a retry of the held task comes to", () => {
    expect(next(retry(asking(), "a"))).toMatchObject({ kind: "attempt-ended", outcome: rejection });
  });
});

describe("several at a time", () => {
  const two = () => opened([makeTask("a"), makeTask("b")], { concurrency: 2 });

  it("are one question; the other task waits for its answer", () => {
    const story = two().developed("a").developed("b");
    doubted(doubted(story, "a"), "b").candidate("a").candidate("b");
    follow(story);
    expect(story.state.questions).toHaveLength(1);
    expect(next(story)).toMatchObject({ kind: "run-blocked", question: "checkout:a:1" });
    expect(next(answer(story, "mine"))).toMatchObject({ kind: "gate-started" });
    expect(story.state.doubts).toEqual([]);
  });

  it("are asked about one after the other when the first was the agent's", () => {
    const story = two().developed("a").developed("b");
    doubted(doubted(story, "a"), "b").candidate("a").candidate("b");
    answer(follow(story), "reject");
    expect(questionOf(story)?.id).toBe("checkout:b:1");
  });

  it("a skipped task asks nothing", () => {
    const story = skip(asking(), "a");
    expect(story.state.questions).toEqual([]);
    expect(next(follow(story))?.kind).not.toBe("question-asked");
  });
});

describe("a change while the lead was at work", () => {
  it("is asked about with the next candidate", () => {
    const story = doubted(one(), null, "recon").developed("a").candidate("a");
    expect(questionOf(story)?.text).toContain(what[0]);
    expect(next(answer(follow(story), "reject"))?.kind).toBe("gate-started");
    expect(story.state.doubts).toEqual([]);
  });

  it("is asked about before the run ends; a verdict that is not taken is asked for again", () => {
    const story = opened([makeTask("a")], makePolicy({ memory: { enabled: false, dir: "memory" } }));
    story.developed("a").candidate("a").gates("a").reviewed("a").integrated("a");
    doubted(story.holistic(), null, "holistic-review");
    const question = questionOf(story);
    expect(question).toMatchObject({ about: { kind: "checkout", taskId: null } });
    expect(question?.text).toContain("while the lead was at work");
    follow(story);
    expect(next(story)).toMatchObject({ kind: "run-blocked", question: question?.id });
    answer(story, "reject");
    expect(next(story)).toMatchObject({ kind: "dispatch-started", stage: "holistic-review" });
    expect(story.state).toMatchObject({ verdict: null, stageFailures: { times: 1 } });
  });

  it("with a holistic review that brought no report takes nothing from it", () => {
    const story = skip(one(), "a");
    begin(story, { stage: "holistic-review", task: null });
    finish(doubted(story, null, "holistic-review"), failedWith(crashed));
    answer(follow(story), "reject");
    expect(story.state.stageFailures).toMatchObject({ times: 1, last: crashed });
    expect(next(story)).toMatchObject({ kind: "dispatch-started", stage: "holistic-review" });
  });

  it("is nothing to wait for when it was advice, or the builder's", () => {
    const end = (text: string): RunEvent | null => {
      const story = skip(doubted(one(), null, "pre-mortem"), "a");
      return next(answer(follow(story), text));
    };
    for (const text of ["mine", "reject"]) expect(end(text)).toMatchObject({ stage: "holistic-review" });
  });

  it("while gates ran on the base is only told", () => {
    const story = doubted(one(), null, "gates");
    expect(story.state.doubts).toEqual([]);
    expect(story.state.told).toEqual([`during the gates, not known by whom: ${what[0]}`]);
  });
});
