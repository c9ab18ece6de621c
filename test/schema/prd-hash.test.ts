// The hash of a PRD's content: blind to how it is written and to progress, and to nothing else.
import { describe, expect, test } from "vitest";
import { readPrd } from "../../src/schema/prd.ts";
import { hashPrd } from "../../src/schema/prd-hash.ts";

const task = {
  id: "a",
  title: "A",
  acceptanceCriteria: ["c"],
  description: "d",
  x: { b: [1, { d: 1, c: 2 }], a: null },
};
const plan = { name: "n", goal: "g", branchName: "b", userStories: [task], foo: 1 };
const hash = hashOf(JSON.stringify(plan));

test("it is 64 hex digits and the same in every version of the program", () => {
  expect(hash).toBe("31fdd3aaff455d34fcd3ebf80b433a82034cd759897219527d1bd4476349a3d6");
});

describe("it stays the same", () => {
  test.each([
    ["with other spaces", JSON.stringify(plan, null, 4)],
    ["with another order of keys", JSON.stringify(reversed(plan))],
    ["under the other name of the list", JSON.stringify({ ...plan, userStories: null, tasks: [task] })],
    [
      "with progress",
      withTask({ status: "done", passes: true, attemptCount: 3, notes: "n", commitSha: "abc1234" }),
    ],
    [
      "with metadata",
      JSON.stringify({ ...plan, metadata: { createdAt: "2026", totalTasks: 5, phases: [] } }),
    ],
    [
      "with what is missing written out",
      withTask({ dependsOn: [], gates: null, allowDeletions: false, type: "auto" }),
    ],
  ])("%s", (_what, text) => {
    expect(hashOf(text)).toBe(hash);
  });
});

describe("it changes", () => {
  test.each([
    ["with a title", withTask({ title: "B" })],
    ["with a criterion", withTask({ acceptanceCriteria: ["c", "d"] })],
    ["with the order of criteria", withTask({ acceptanceCriteria: ["d", "c"] })],
    ["with a gate", withTask({ gates: ["tests"] })],
    ["with a priority", withTask({ priority: 0 })],
    ["with an unknown field of a task", withTask({ x: 5 })],
    ["with an unknown field", JSON.stringify({ ...plan, foo: 2 })],
    ["with a field __proto__", `{"__proto__":1,${JSON.stringify(plan).slice(1)}`],
    ["with the goal", JSON.stringify({ ...plan, goal: "h" })],
    ["with a task more", JSON.stringify({ ...plan, userStories: [task, { ...task, id: "b" }] })],
  ])("%s", (_what, text) => {
    expect(hashOf(text)).not.toBe(hash);
  });
});

function withTask(fields: object): string {
  return JSON.stringify({ ...plan, userStories: [{ ...task, ...fields }] });
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  );
}

function hashOf(text: string): string {
  const result = readPrd({ text, file: "p" });
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return hashPrd(result.value.prd);
}
