import { describe, expect, it } from "vitest";
import type { Question } from "../../src/core/event.ts";
import type { Failure } from "../../src/core/failure.ts";
import { planHold } from "../../src/core/plan-hold.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Task } from "../../src/core/prd.ts";
import type { ReconLine } from "../../src/core/report.ts";
import { makePolicy, makeTask, taskId } from "../support/run-parts.ts";
import type { RunStory } from "../support/run-story.ts";
import {
  answer,
  crashed,
  dispatched,
  failedWith,
  follow,
  gitFailed,
  interrupted,
  next,
  opened,
  recordOf,
  retry,
  skip,
} from "./tell.ts";

const red: Failure = { reason: "gates-red", gates: ["tests"], tests: [] };

function hold(story: RunStory): Question | null {
  const event = planHold(story.state, recordOf(story, "a"));
  return event?.kind === "question-asked" ? event.question : null;
}

function rejected(story: RunStory, failure = red): RunStory {
  return story.developed("a").candidate("a").sentBack("a", failure);
}

function died(story: RunStory): RunStory {
  dispatched(story, { stage: "develop", task: "a" }, interrupted);
  return story.ended("a", { kind: "interrupted", by: "SIGINT" });
}

function one(over: Partial<Task> = {}, policy: Partial<Policy> = {}): RunStory {
  return opened([makeTask("a", over)], policy);
}

it("nothing keeps a new task from starting", () => expect(hold(one())).toBeNull());

describe("when the attempts are used up", () => {
  it("the builder is asked, with the last attempt's words", () => {
    const story = rejected(rejected(one({}, { maxAttempts: 2 })));
    const failure = { reason: "attempts-used-up", taskId: "a", attempts: 2, last: "gates failed: tests" };
    expect(hold(story)).toEqual({
      id: "attempts:a:2",
      about: { kind: "attempts", taskId: "a" },
      text: "task a used up its 2 attempts; the last one: gates failed: tests. Try once more?",
      options: [
        { id: "retry", label: "one more attempt (any other text: one more attempt, with this note)" },
        { id: "skip", label: "skip the task; what depends on it goes on" },
      ],
      failure,
    });
  });

  it.each<[string, (story: RunStory) => RunStory, string]>([
    ["a crash", (story) => fails(story, crashed), 'agent "developer" ended with exit code 1'],
    ["an interruption", (story) => died(rejected(story)), "no answer"],
  ])("also by %s", (_what, tell, last) => {
    expect(hold(tell(one({}, { maxAttempts: 1 })))?.failure).toMatchObject({
      reason: "attempts-used-up",
      last,
    });
  });

  it("the answer grants exactly one more, however often the question comes (I12)", () => {
    const story = rejected(one({}, { maxAttempts: 1 }));
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      expect(hold(story)?.id).toBe(`attempts:a:${attempt}`);
      answer(follow(story), "retry");
      expect(hold(story)).toBeNull();
      rejected(story);
    }
  });

  it("a granted attempt that the program's death cut short is still there (I14)", () => {
    const story = answer(follow(rejected(one({}, { maxAttempts: 1 }))), "retry");
    expect(hold(died(died(story)))).toBeNull();
    expect(hold(rejected(story))?.id).toBe("attempts:a:4");
  });

  it("a retried task may start once more, a skipped one too", () => {
    const story = follow(rejected(one({}, { maxAttempts: 1 })));
    expect(hold(retry(story, "a"))).toBeNull();
    expect(hold(retry(skip(story, "a"), "a"))).toBeNull();
  });
});

function fails(story: RunStory, failure: Failure): RunStory {
  return dispatched(story, { stage: "develop", task: "a" }, failedWith(failure)).ended("a", {
    kind: "failed",
    failure,
  });
}

describe("when a task makes no progress", () => {
  const stalled = (): RunStory =>
    rejected(rejected(one({}, { maxAttempts: 9 }), { reason: "no-change" }), {
      reason: "no-change",
    });

  it("the builder is asked although there are attempts left", () => {
    expect(hold(stalled())?.failure).toEqual({
      reason: "stalled",
      taskId: "a",
      how: "2 attempts in a row brought no change; the last one: the developer changed nothing, and the task does not say allowNoChanges",
    });
  });

  it("the reason has what was wrong in the first place, however often it was repeated", () => {
    const again: Failure = { reason: "same-as-rejected", attempt: 1 };
    const how = "the result is the same as that of attempt 1, which was rejected: gates failed: tests";
    const once = rejected(rejected(one({}, { maxAttempts: 2 })), again);
    expect(hold(once)?.failure).toMatchObject({ reason: "attempts-used-up", last: how });
    const twice = rejected(rejected(rejected(one({}, { maxAttempts: 9 })), again), again);
    expect(hold(twice)?.failure).toMatchObject({
      reason: "stalled",
      how: `2 attempts in a row brought no change; the last one: ${how}`,
    });
  });

  it("and is asked once: the next attempt starts on the builder's word, also after an interruption", () => {
    expect(hold(died(answer(follow(stalled()), "retry")))).toBeNull();
  });
});

describe("five failures outside the work in a row (I11, I14)", () => {
  const five = (): RunStory => {
    const story = one({}, { maxAttempts: 1 });
    for (let time = 0; time < 5; time += 1) fails(story, gitFailed);
    return story;
  };

  it("are put to the builder, although they count to no attempt", () => {
    const question = hold(five());
    expect(question?.failure).toMatchObject({
      reason: "infrastructure-in-a-row",
      stage: "develop",
      times: 5,
    });
    expect(question?.id).toBe("attempts:a:5");
  });

  it("are forgiven by the builder's word", () => expect(hold(answer(follow(five()), "retry"))).toBeNull());

  it("are forgiven by more attempts for all tasks", () => {
    const story = follow(five()).started(makePolicy({ maxAttempts: 1 }), 1);
    expect(recordOf(story, "a")).toMatchObject({
      phase: { kind: "pending" },
      granted: 1,
      infrastructure: null,
    });
    expect(story.state.questions).toEqual([]);
  });

  it("are not five when one of them was the work's", () => {
    const story = one({}, { maxAttempts: 9 });
    for (let time = 0; time < 4; time += 1) fails(story, gitFailed);
    expect(hold(fails(rejected(story), gitFailed))).toBeNull();
  });
});

describe("a developer's question", () => {
  const asked = (): RunStory => {
    const question = { text: "which colour?", options: ["red", "green"] };
    return one().developed("a", { question }).candidate("a").ended("a", { kind: "asked" });
  };

  it("is put to the builder with its options", () => {
    expect(hold(asked())).toEqual({
      id: "developer:a:1",
      about: { kind: "developer", taskId: "a" },
      text: "which colour?",
      options: [
        { id: "red", label: "red" },
        { id: "green", label: "green" },
      ],
      failure: null,
    });
  });

  it("is put once", () => expect(hold(answer(follow(asked()), "red"))).toBeNull());

  it("uses up an attempt, and the answer grants the one that the task needs for it (I12)", () => {
    const story = asked().started(makePolicy({ maxAttempts: 1 }));
    expect(hold(story)?.about.kind).toBe("developer");
    expect(hold(answer(follow(story), "red"))).toBeNull();
    expect(recordOf(story, "a").granted).toBe(1);
  });
});

describe("what recon thinks of a task", () => {
  const seen = (verdict: ReconLine["verdict"], policy: Partial<Policy> = {}): RunStory => {
    const line = { id: taskId("a"), verdict, evidence: "it is there already" };
    return one({}, policy).askedLead({ stage: "recon", tasks: [line] });
  };

  it.each(["partial", "phantom"] as const)("is put to the builder when it is %s", (verdict) => {
    expect(hold(seen(verdict))).toMatchObject({
      id: "recon:a",
      about: { kind: "recon", taskId: "a" },
      text: `recon calls task a "${verdict}": it is there already. Build it all the same?`,
    });
  });

  it.each<[string, () => RunStory]>([
    ["confirmed", () => seen("confirmed")],
    ["accepted by --yes", () => seen("phantom", { yes: true })],
    ["settled by the builder", () => answer(follow(seen("phantom")), "approve")],
    ["overruled by a retry", () => retry(follow(seen("phantom")), "a")],
  ])("is not when it is %s", (_when, tell) => expect(hold(tell())).toBeNull());
});

describe("a checkpoint before a task", () => {
  const checkpoint = {
    message: "Is the key there?",
    actions: [{ id: "done", label: "It is" }],
    defaultAction: null,
    timeoutMs: 0,
  };

  it.each(["checkpoint:decision", "checkpoint:human-action"] as const)(
    "of type %s is asked with its actions",
    (type) => {
      expect(hold(one({ type, checkpoint }))).toEqual({
        id: "checkpoint:a",
        about: { kind: "checkpoint-before", taskId: "a" },
        text: "Is the key there?",
        options: checkpoint.actions,
        failure: null,
      });
    },
  );

  it.each<[string, Task["checkpoint"]]>([
    ["nothing", null],
    ["no message", { ...checkpoint, message: "", actions: [] }],
  ])("that says %s is asked with the task's own words", (_what, said) => {
    expect(hold(one({ type: "checkpoint:decision", checkpoint: said }))).toMatchObject({
      text: "Do a: What a is about.",
      options: [
        { id: "approve", label: "go on" },
        { id: "reject", label: "skip it" },
      ],
    });
  });

  it("is asked once", () => {
    expect(hold(answer(follow(one({ type: "checkpoint:decision", checkpoint })), "done"))).toBeNull();
  });

  it("is not asked of a task that is to be verified afterwards", () => {
    expect(hold(one({ type: "checkpoint:human-verify", checkpoint }))).toBeNull();
  });

  it("keeps a task that waits for others from being asked too early or too late: it is asked at once", () => {
    const story = opened([
      makeTask("a", { dependsOn: [taskId("b")], type: "checkpoint:decision" }),
      makeTask("b"),
    ]);
    expect(next(story)).toMatchObject({ kind: "question-asked", question: { id: "checkpoint:a" } });
  });
});
