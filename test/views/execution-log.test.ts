// execution.log.json: a step for each end of a stage, in the order of the journal.
import { expect, test } from "vitest";
import { toExecutionLog } from "../../src/views/execution-log.ts";
import { makeTask } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";
import { blockedStory, completedStory } from "./feature-story.ts";

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

test("the text is JSON of two spaces with a line feed at its end, at every moment of a run", () => {
  for (const state of completedStory().states) {
    const text = toExecutionLog(state);
    expect(text).toBe(`${JSON.stringify(JSON.parse(text), null, 2)}\n`);
  }
});

test("the document and its steps have the contract's fields and nothing else", () => {
  const log = JSON.parse(toExecutionLog(completedStory().state));
  expect(Object.keys(log)).toEqual([
    "version",
    "goal",
    "started_at",
    "finished_at",
    "final_status",
    "completed_nodes",
    "steps",
  ]);
  for (const step of log.steps) {
    const { score, ...others } = step;
    expect(Object.keys(others)).toEqual([
      "step",
      "node_id",
      "handler_type",
      "attempt",
      "started_at",
      "finished_at",
      "outcome",
      "next_node_id",
    ]);
    expect(Object.keys(step.outcome)).toEqual(["status", "notes", "failure_reason"]);
    expect(step.started_at).toMatch(rfc3339);
    expect(step.finished_at).toMatch(rfc3339);
    expect(["success", "partial_success", "retry", "fail", "skipped"]).toContain(step.outcome.status);
    expect(score !== undefined).toBe(step.handler_type === "review");
  }
});

test("each step names the node of the next one, the last one none, also when it was the last before", () => {
  const { states } = completedStory();
  for (const state of states) {
    const { steps } = JSON.parse(toExecutionLog(state));
    steps.forEach((step: { step: number; next_node_id: string | null }, index: number) => {
      expect(step.step).toBe(index + 1);
      expect(step.next_node_id).toBe(steps[index + 1]?.node_id ?? null);
    });
  }
});

test("while it runs it is running and not finished, once completed it says when", () => {
  const running = JSON.parse(toExecutionLog(new RunStory({ tasks: [] }).started().state));
  expect(running).toMatchObject({
    final_status: "running",
    finished_at: null,
    started_at: "2026-01-31T09:00:02.000Z",
  });
  expect(JSON.parse(toExecutionLog(blockedStory().state))).toMatchObject({
    final_status: "blocked",
    finished_at: null,
  });
  const completed = JSON.parse(toExecutionLog(completedStory().state));
  expect(completed).toMatchObject({ final_status: "completed", finished_at: "2026-01-31T09:17:51.000Z" });
});

test("nodes are completed in the order in which they ended; a stage that follow-ups reopened is not", () => {
  const story = completedStory();
  expect(JSON.parse(toExecutionLog(story.state)).completed_nodes).toEqual([
    "baseline",
    "pre-mortem",
    "task-1",
    "task-4",
    "task-5",
    "follow-up-1-1",
    "holistic-review",
    "memory",
  ]);
  const reopened = story.states.find(({ followUpRounds }) => followUpRounds === 1);
  if (reopened === undefined) throw new Error("the story has a round of follow-ups");
  expect(JSON.parse(toExecutionLog(reopened)).completed_nodes).not.toContain("holistic-review");
});

test("a task is completed only once its attempt is accepted", () => {
  const story = new RunStory({ tasks: [makeTask("task-1")] })
    .started()
    .baseline()
    .stage("baseline")
    .completed("task-1");
  const before = story.states.at(-2);
  if (before === undefined) throw new Error("the story has more than one event");
  expect(JSON.parse(toExecutionLog(before)).completed_nodes).toEqual(["baseline"]);
  expect(JSON.parse(toExecutionLog(story.state)).completed_nodes).toEqual(["baseline", "task-1"]);
});
