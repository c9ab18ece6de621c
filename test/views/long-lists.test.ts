// Documents with lists so long that their texts are kept in parts: every moment of a run gives what a run without
// anything kept would give.
import { expect, test } from "vitest";
import { foldAll } from "../../src/core/fold.ts";
import { partLength } from "../../src/core/sequence.ts";
import type { RunState } from "../../src/core/state.ts";
import { toExecutionLog } from "../../src/views/execution-log.ts";
import { toPrdJson } from "../../src/views/prd-json.ts";
import { makeTask } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";

const taskCount = partLength + 6;

test("a long document is the same whether or not earlier ones were made, and its steps are numbered through", () => {
  const story = new RunStory({
    tasks: Array.from({ length: taskCount }, (_, index) => makeTask(`task-${index + 1}`)),
  }).started();
  story.baseline().stage("baseline");
  for (let task = 1; task <= taskCount; task += 1) story.completed(`task-${task}`);
  const { state: last } = story;
  expect(last.steps.length).toBeGreaterThan(2 * partLength);
  for (const state of story.states) {
    toExecutionLog(state);
    toPrdJson(state);
  }
  const fresh = foldAll(structuredClone(story.entries));
  expect(fresh).not.toBeNull();
  expect(toExecutionLog(last)).toBe(toExecutionLog(fresh as RunState)); // not null, as was just seen
  expect(toPrdJson(last)).toBe(toPrdJson(fresh as RunState));
  expect(toExecutionLog(last)).toBe(asWritten(toExecutionLog(last)));
  expect(toPrdJson(last)).toBe(asWritten(toPrdJson(last)));
  const { steps } = JSON.parse(toExecutionLog(last));
  steps.forEach((step: { step: number; next_node_id: string | null }, index: number) => {
    expect(step.step).toBe(index + 1);
    expect(step.next_node_id).toBe(steps[index + 1]?.node_id ?? null);
  });
  expect(JSON.parse(toPrdJson(last)).userStories.map(({ id }: { id: string }) => id)).toEqual(
    [...last.tasks].map(({ task }) => task.id),
  );
});

test("going back to an earlier moment gives that moment's document again", () => {
  const story = new RunStory({ tasks: [makeTask("task-1"), makeTask("task-2")] }).started();
  story.baseline().stage("baseline").completed("task-1").completed("task-2");
  const once = story.states.map((state) => [toExecutionLog(state), toPrdJson(state)]);
  const again = story.states.toReversed().map((state) => [toExecutionLog(state), toPrdJson(state)]);
  expect(again.toReversed()).toEqual(once);
});

function asWritten(text: string): string {
  return `${JSON.stringify(JSON.parse(text), null, 2)}\n`;
}
