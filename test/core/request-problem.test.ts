import { describe, expect, it } from "vitest";
import type { QuestionAbout } from "../../src/core/event.ts";
import { answerProblem, retryProblem, skipProblem } from "../../src/core/request-problem.ts";
import { type RunState, type TaskRecord, taskOf } from "../../src/core/state.ts";
import { makeTask, taskId } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";

function asking(...abouts: readonly QuestionAbout[]): RunState {
  const story = new RunStory({ tasks: [makeTask("a")] }).started();
  abouts.forEach((about, index) => {
    const options = [
      { id: "yes", label: "Yes" },
      { id: "no", label: "No" },
    ];
    story.add({
      kind: "question-asked",
      question: { id: `q${index}`, about, text: "?", options, failure: null },
    });
  });
  return story.state;
}

describe("an answer", () => {
  const developer: QuestionAbout = { kind: "developer", taskId: taskId("a") };
  const baseline: QuestionAbout = { kind: "baseline", gate: "tests" };
  const stage: QuestionAbout = { kind: "stage", stage: "review", taskId: taskId("a") };

  it.each<[string, readonly QuestionAbout[], string, string, string | null]>([
    ["to nothing is refused", [], "q0", "yes", "no question is open"],
    [
      "to another question is refused",
      [developer, baseline],
      "q9",
      "yes",
      'no open question "q9"; open: q0, q1',
    ],
    ["without a word is refused", [developer], "q0", " \n", "the answer is empty"],
    ["may be one of the options", [baseline], "q0", "yes", null],
    ["may be in the builder's own words", [developer], "q0", "as you like", null],
    [
      "about a red gate is one of the options",
      [baseline],
      "q0",
      "maybe",
      'question "q0" takes one of: yes, no',
    ],
    ["about a stage is one of the options", [stage], "q0", "maybe", 'question "q0" takes one of: yes, no'],
  ])("%s", (_what, abouts, id, text, problem) => {
    expect(answerProblem(asking(...abouts), id, text)).toBe(problem);
  });
});

describe("a request about a task", () => {
  const records = (): Record<string, TaskRecord | undefined> => {
    const story = new RunStory({
      tasks: ["pending", "held", "skipped", "complete"].map((id) => makeTask(id)),
    });
    story.started().completed("complete");
    story.add({ kind: "task-skipped", taskId: taskId("skipped"), why: "no", by: "me" });
    const about = { kind: "attempts", taskId: taskId("held") } as const;
    story.add({
      kind: "question-asked",
      question: { id: "q", about, text: "?", options: [], failure: null },
    });
    const of = (id: string): TaskRecord | undefined => taskOf(story.state, taskId(id));
    return { pending: of("pending"), held: of("held"), skipped: of("skipped"), complete: of("complete") };
  };

  it.each<[string, string | null]>([
    ["pending", "task pending is pending; only a held, failed or skipped task can be retried"],
    ["held", null],
    ["skipped", null],
    ["complete", "task complete is complete; only a held, failed or skipped task can be retried"],
    ["missing", 'there is no task "missing"'],
  ])("to retry: %s", (id, problem) => expect(retryProblem(records()[id], id)).toBe(problem));

  it.each<[string, string | null]>([
    ["pending", null],
    ["held", null],
    ["skipped", "task skipped is already skipped"],
    ["complete", "task complete is already complete"],
    ["missing", 'there is no task "missing"'],
  ])("to skip: %s", (id, problem) => expect(skipProblem(records()[id], id)).toBe(problem));
});
