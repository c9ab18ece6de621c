import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { DispatchOutcome, RunEvent } from "../../src/core/event.ts";
import type { Failure } from "../../src/core/failure.ts";
import { plan } from "../../src/core/plan.ts";
import type { Policy } from "../../src/core/policy.ts";
import { InvariantBroken } from "../../src/core/result.ts";
import { makePolicy, makeTask, makeWork, shaOf, taskId } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";
import {
  answer,
  ask,
  begin,
  cannotStart,
  crashed,
  dispatched,
  failedWith,
  finish,
  follow,
  gateFailed,
  gatesRan,
  interrupted,
  next,
  opened,
  recordOf,
  retry,
  skip,
} from "./tell.ts";

const a = taskId("a");
const three = [makeTask("a"), makeTask("b"), makeTask("c")];

/** The task that the next event is about, with its kind. */
function nextFor(story: RunStory): string | null {
  const event = next(story);
  if (event === null) return null;
  const about = "taskId" in event ? ` ${event.taskId}` : "";
  const stage = event.kind === "dispatch-started" ? ` ${event.stage}` : "";
  return `${event.kind}${stage}${about}`;
}

describe("a run that is not running has no next event", () => {
  it.each<[string, RunEvent]>([
    ["paused", { kind: "run-paused", failure: { reason: "paused-by-builder", by: "me" } }],
    ["blocked", { kind: "run-blocked", failure: { reason: "no-change" }, question: null }],
    ["failed", { kind: "run-failed", failure: { reason: "cancelled", by: "me" } }],
    ["completed", { kind: "run-completed" }],
  ])("%s", (_phase, event) => expect(next(opened(three).add(event))).toBeNull());

  it("queued", () => expect(next(new RunStory({ tasks: three }))).toBeNull());
});

describe("what stops a run", () => {
  const cancelled: RunEvent = { kind: "run-cancelled", by: "me" };
  const pause: RunEvent = { kind: "pause-requested", now: false, by: "me" };
  const troubled = (failure: Failure): RunStory =>
    follow(dispatched(opened(three), { stage: "develop", task: "a" }, failedWith(failure)));

  it.each<[string, () => RunStory, object]>([
    [
      "the builder's cancel fails it",
      () => opened(three).add(cancelled),
      {
        kind: "run-failed",
        failure: { reason: "cancelled", by: "me" },
      },
    ],
    [
      "the builder's pause pauses it",
      () => opened(three).add(pause),
      {
        kind: "run-paused",
        failure: { reason: "paused-by-builder", by: "me" },
      },
    ],
    [
      "an agent that cannot be started pauses it",
      () => troubled(cannotStart),
      {
        kind: "run-paused",
        failure: cannotStart,
      },
    ],
    [
      "a cancel comes before trouble, trouble before a pause",
      () => troubled(cannotStart).add(pause).add(cancelled),
      {
        kind: "run-failed",
      },
    ],
    ["trouble comes before a pause", () => troubled(cannotStart).add(pause), { failure: cannotStart }],
  ])("%s", (_what, tell, event) => expect(next(tell())).toMatchObject(event));

  it("a branch that somebody moved blocks it, because somebody has to put it right", () => {
    const story = opened([makeTask("a")])
      .developed("a")
      .candidate("a")
      .gates("a")
      .reviewed("a");
    const failure: Failure = { reason: "branch-moved", branch: "x", expected: "1", found: "2" };
    story.add({
      kind: "integration-started",
      taskId: a,
      attempt: 1,
      from: story.state.head,
      to: shaOf("a/1 commit"),
    });
    story.add({ kind: "integration-ended", taskId: a, attempt: 1, result: { kind: "refused", failure } });
    expect(next(story)).toEqual({ kind: "run-blocked", failure, question: null });
  });

  it("waits until nothing is under way, and starts nothing meanwhile", () => {
    const story = begin(opened(three, { concurrency: 3 }), { stage: "develop", task: "a" }).add(pause);
    expect(next(story)).toBeNull();
    expect(nextFor(finish(story, interrupted))).toBe("attempt-ended a");
    expect(nextFor(follow(story))).toBe("run-paused");
  });
});

describe("an open question about the run blocks it", () => {
  it.each<[string, Failure | null, object]>([
    ["with the question's own reason", { reason: "no-change" }, { reason: "no-change" }],
    ["or because it is open", null, { reason: "question-open", question: "pre-mortem", text: "?" }],
  ])("%s", (_how, failure, expected) => {
    const story = ask(opened(three), { kind: "pre-mortem" }, { id: "pre-mortem", failure });
    expect(next(story)).toEqual({ kind: "run-blocked", failure: expected, question: "pre-mortem" });
  });

  it("once nothing is under way", () => {
    const story = begin(opened(three), { stage: "develop", task: "a" });
    expect(next(ask(story, { kind: "stage", stage: "recon", taskId: null }))).toBeNull();
  });
});

describe("which task goes next", () => {
  it("what is under way goes on before anything new begins", () => {
    expect(nextFor(opened(three, { concurrency: 2 }).developed("b"))).toBe("candidate-started b");
  });

  it("no more tasks are worked on at once than concurrency allows (I11)", () => {
    const story = begin(opened(three, { concurrency: 2 }), { stage: "develop", task: "a" });
    expect(nextFor(story)).toBe("dispatch-started develop b");
    begin(story, { stage: "develop", task: "b", lane: 2 });
    expect(next(story)).toBeNull();
  });

  it("each in the lowest lane that is free", () => {
    const story = begin(opened(three, { concurrency: 3 }), { stage: "develop", task: "a", lane: 2 });
    expect(next(story)).toMatchObject({ taskId: "b", lane: 1 });
    begin(story, { stage: "develop", task: "b", lane: 1 });
    expect(next(story)).toMatchObject({ taskId: "c", lane: 3 });
  });

  it("an integration has a task but no lane of its own", () => {
    const story = opened(three, { concurrency: 2 }).developed("a").candidate("a").gates("a").reviewed("a");
    story.add({
      kind: "integration-started",
      taskId: a,
      attempt: 1,
      from: story.state.head,
      to: shaOf("a/1 commit"),
    });
    expect(next(story)).toMatchObject({ taskId: "b", lane: 2 });
  });

  it("one integration at a time: the next candidate is put on the head that it makes", () => {
    const story = opened(three, { concurrency: 2 }).developed("a").candidate("a").gates("a").reviewed("a");
    const { head } = story.state;
    dispatched(story, { stage: "develop", task: "b", lane: 2 }, answeredBy("b"));
    story.candidate("b").gates("b").reviewed("b");
    follow(story);
    expect(next(story)).toBeNull();
    story.add({ kind: "integration-ended", taskId: a, attempt: 1, result: { kind: "integrated" } });
    follow(story);
    expect(next(story)).toMatchObject({
      kind: "candidate-started",
      taskId: "b",
      replayOf: shaOf("b/1 commit"),
    });
    expect(story.state.head).not.toBe(head);
  });

  it("a skipped task's agent keeps its lane and its place until it has ended", () => {
    const one = skip(begin(opened(three), { stage: "develop", task: "a" }), "a");
    expect(next(one)).toBeNull();
    const two = skip(begin(opened(three, { concurrency: 2 }), { stage: "develop", task: "a" }), "a");
    expect(next(two)).toMatchObject({ taskId: "b", lane: 2 });
    expect(nextFor(follow(finish(one, interrupted)))).toBe("dispatch-started develop b");
  });

  it("a skipped and retried task waits for its agent before it goes on", () => {
    const story = begin(opened([makeTask("a")], { concurrency: 2 }), { stage: "develop", task: "a" });
    expect(next(retry(skip(story, "a"), "a"))).toBeNull();
    expect(next(finish(story, interrupted))).toMatchObject({
      kind: "attempt-ended",
      outcome: { by: "SIGINT" },
    });
  });

  it("a task that was answered waits for room, and goes on before what is new", () => {
    const story = opened([makeTask("a", { type: "checkpoint:human-verify" }), makeTask("b"), makeTask("c")]);
    follow(story.developed("a").candidate("a").gates("a").reviewed("a"));
    expect(recordOf(story, "a").phase.kind).toBe("held");
    begin(story, { stage: "develop", task: "b" });
    answer(story, "approve");
    expect(next(story)).toBeNull();
    finish(story, failedWith(cannotStart)).started();
    follow(story, 1);
    expect(nextFor(story)).toBe("integration-started a");
  });

  it("not one that --only leaves out", () => {
    expect(nextFor(opened(three, { only: ["b"] }))).toBe("dispatch-started develop b");
  });

  it("a question about a task is asked while another is worked on", () => {
    const story = opened([makeTask("a"), makeTask("b", { type: "checkpoint:decision" })]);
    begin(story, { stage: "develop", task: "a" });
    expect(next(story)).toMatchObject({ kind: "question-asked", question: { id: "checkpoint:b" } });
  });

  it("a budget that is used up lets others end before the run pauses", () => {
    const policy: Partial<Policy> = { concurrency: 2, budget: { ...makePolicy().budget, maxDispatches: 1 } };
    const story = begin(opened(three, policy), { stage: "develop", task: "a" });
    expect(next(story)).toBeNull();
    finish(story, failedWith(crashed));
    follow(story);
    expect(next(story)).toMatchObject({ kind: "run-paused", failure: { reason: "budget-dispatches" } });
  });

  it("a review that the budget forbids waits for others, then the run pauses", () => {
    const policy: Partial<Policy> = { concurrency: 2, budget: { ...makePolicy().budget, maxDispatches: 2 } };
    const story = begin(opened(three, policy).developed("a").candidate("a"), {
      stage: "develop",
      task: "b",
      lane: 2,
    });
    story.gates("a");
    expect(next(story)).toBeNull();
    follow(finish(story, failedWith(crashed)));
    expect(next(story)).toMatchObject({ kind: "run-paused", failure: { reason: "budget-dispatches" } });
  });
});

describe("a task that the builder skips in the middle of its work", () => {
  it("gets the one ending of its attempt once nothing is under way for it (I6)", () => {
    const story = skip(begin(opened(three), { stage: "develop", task: "a" }), "a");
    expect(next(story)).toBeNull();
    finish(story, interrupted);
    expect(next(story)).toEqual({
      kind: "attempt-ended",
      taskId: "a",
      attempt: 1,
      outcome: { kind: "interrupted", by: "skip" },
    });
    expect(nextFor(follow(story))).toBe("dispatch-started develop b");
    expect(recordOf(story, "a").phase.kind).toBe("skipped");
  });

  it("is complete all the same when its commit was already on the branch (I10)", () => {
    const story = opened(three).developed("a").candidate("a").gates("a").reviewed("a");
    const to = shaOf("a/1 commit");
    story.add({ kind: "integration-started", taskId: a, attempt: 1, from: story.state.head, to });
    skip(story, "a").add({
      kind: "integration-ended",
      taskId: a,
      attempt: 1,
      result: { kind: "integrated" },
    });
    follow(story);
    expect(recordOf(story, "a").phase).toEqual({ kind: "complete", commit: to, before: false });
  });

  it("leaves nothing to end when it had not begun", () => {
    expect(nextFor(skip(opened(three), "a"))).toBe("dispatch-started develop b");
    expect(nextFor(skip(opened(three).completed("a"), "b"))).toBe("dispatch-started develop c");
  });
});

describe("when nothing is under way and no task can go on", () => {
  it("the run is blocked on the first held task, naming all of them", () => {
    const story = opened([makeTask("a"), makeTask("b"), makeTask("c", { dependsOn: [a] })]).completed("b");
    const failure: Failure = { reason: "stalled", taskId: a, how: "slowly" };
    ask(story, { kind: "attempts", taskId: a }, { id: "attempts:a:1", failure });
    expect(next(story)).toEqual({
      kind: "run-blocked",
      question: "attempts:a:1",
      failure: { reason: "tasks-held", first: "a", because: failure, held: ["a"] },
    });
  });

  it("the run pauses when --only left tasks out", () => {
    const story = opened(three, { only: ["b"] }).completed("b");
    expect(next(story)).toEqual({ kind: "run-paused", failure: { reason: "nothing-selected", only: ["b"] } });
  });

  it("the run ends when every task is complete or skipped", () => {
    const story = skip(skip(opened(three).completed("b"), "a"), "c");
    expect(nextFor(story)).toBe("dispatch-started holistic-review null");
  });

  it("and a pending task that nothing keeps from starting is a broken invariant", () => {
    const story = opened([makeTask("a", { dependsOn: [taskId("nobody")] })]);
    expect(() => next(story)).toThrow(InvariantBroken);
  });
});

describe("trouble outside the work (I14)", () => {
  const fiveTimes = (): RunStory => {
    const story = opened([makeTask("a")])
      .developed("a")
      .candidate("a");
    for (let time = 1; time <= 5; time += 1) {
      expect(nextFor(story)).toBe("gate-started a");
      gateFailed(story, "a", { reason: "git-failed", doing: "looking", exitCode: 1, detail: "no" });
    }
    return story;
  };

  it("with a gate is put to the builder after five times in a row instead of going on for ever (I11)", () => {
    const story = fiveTimes();
    expect(next(story)).toMatchObject({
      kind: "question-asked",
      question: {
        about: { kind: "attempts", taskId: "a" },
        failure: { reason: "infrastructure-in-a-row", stage: "gates", times: 5 },
      },
    });
    expect(nextFor(follow(story))).toBe("run-blocked");
  });

  it("goes on where it was when the builder says so, and is bounded again", () => {
    const story = answer(follow(fiveTimes()), "retry");
    expect(nextFor(story)).toBe("gate-started a");
    expect(recordOf(story, "a")).toMatchObject({ granted: 0, infrastructure: null });
    expect(nextFor(gatesRan(story, "a"))).toBe("gates-judged a");
  });
});

test("the same state and time always give the same next event, whatever has happened (I5)", () => {
  const stories = fc.array(fc.nat(5), { maxLength: 25 });
  fc.assert(
    fc.property(stories, (choices) => {
      const story = opened(three, { concurrency: 2 });
      for (const choice of choices) {
        const [first, second] = [next(story), plan({ ...story.state }, story.state.updatedAtMs)];
        expect(first).toEqual(second);
        if (choice === 5) skip(story, choices.length % 2 === 0 ? "a" : "b");
        else if (first === null || first.kind === "dispatch-started") begun(story, first, choice);
        else if (first.kind === "attempt-ended" || first.kind === "question-asked") story.add(first);
        else return;
      }
    }),
    { numRuns: 50 },
  );
});

function answeredBy(id: string): DispatchOutcome {
  return { kind: "answered", report: makeWork(), left: { tree: shaOf(`${id} tree`), agentHead: null } };
}

/** Starts what the plan asks for, or ends what was started. */
function begun(story: RunStory, event: RunEvent | null, choice: number): void {
  if (event !== null && choice > 1) story.add(event);
  else if (story.state.running.size > 0) finish(story, choice === 0 ? interrupted : failedWith(cannotStart));
}
