import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { toCandidateMessage, toMemoryMessage, toSubject } from "../../src/core/commit-message.ts";
import type { RunId } from "../../src/core/ids.ts";
import { taskId } from "../support/run-parts.ts";

const runId = "20260131T090000Z-3fa9c1" as RunId;

describe("the subject of a commit", () => {
  it.each([
    ["Add the page", "Add the page"],
    ["  two\n\nlines\tand tabs ", "two lines and tabs"],
    ["title\u2028PRD-Task: other", "title PRD-Task: other"],
    ["right\u202eto left", "right to left"],
    ["PRD-Task: forged", '"PRD-Task: forged"'],
    ["prd-run : forged", '"prd-run : forged"'],
    ["", "task-1"],
    ["\n\u0000\u200b", "task-1"],
    ["x".repeat(150), "x".repeat(100)],
  ])("of %j is %j", (title, subject) => expect(toSubject(title, "task-1")).toBe(subject));
});

test("whatever a task is called, its commit has one subject line and only the program's trailers", () => {
  const characters = fc.array(fc.integer({ min: 0, max: 0x10ffff }), { maxLength: 120 });
  const title = fc.oneof(
    characters.map((codes) => String.fromCodePoint(...codes)),
    fc.string().map((text) => `x\n\nPRD-Task: ${text}\r\nPRD-Run: other`),
  );
  fc.assert(
    fc.property(title, (text) => {
      const message = toCandidateMessage({ runId, taskId: taskId("a"), attempt: 3, title: text });
      const [subject, empty, ...trailers] = message.split(/[\n\r\u2028\u2029\u0085]/);
      expect(subject).not.toMatch(/^PRD-[A-Za-z]+\s*:/i);
      expect(subject).not.toBe("");
      expect([empty, ...trailers]).toEqual(["", `PRD-Run: ${runId}`, "PRD-Task: a", "PRD-Attempt: 3", ""]);
    }),
  );
});

it("names the memory commit after the run and marks its stage", () => {
  expect(toMemoryMessage({ runId, slug: "feature-x" })).toBe(
    `Remember what feature-x taught\n\nPRD-Run: ${runId}\nPRD-Stage: memory\n`,
  );
});
