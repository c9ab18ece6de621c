// progress.md: what is written once is never written otherwise, and agents cannot write into it beside the line.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Usage } from "../../src/core/report.ts";
import type { RunState } from "../../src/core/state.ts";
import { progressEntry, progressHeader, progressParts } from "../../src/views/progress-md.ts";
import { makeGate, makePolicy, makeTask, makeTests, taskId } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";
import { completedStory } from "./feature-story.ts";

describe("the file is only ever extended", () => {
  test.each([
    ["a run with everything in it", completedStory],
    ["a run whose builder intervenes at every turn", intervenedStory],
  ])("%s", (_what, tell) => {
    const { states } = tell();
    const last = toText(states.at(-1));
    for (const state of states) expect(last.startsWith(toText(state))).toBe(true);
  });

  test("it is the header and one entry for each item", () => {
    const { state } = completedStory();
    const entries = [...state.progress].map((item) => progressEntry(state, item));
    expect(toText(state)).toBe(progressHeader(state) + entries.join(""));
    expect([...state.progress].map(({ status }) => status)).toEqual([
      "sent back",
      "sent back",
      "complete",
      "skipped",
      "sent back",
      "sent back",
      "failed",
      "complete",
      "complete",
      "complete",
    ]);
  });
});

describe("the tokens of an attempt", () => {
  const tokens = { inputTokens: 100, outputTokens: 10, cacheReadTokens: 0, cacheWriteTokens: 0, model: null };
  const measured: Usage = { ...tokens, costUsd: 1, costBasis: "measured" };
  const reported: Usage = { ...tokens, costUsd: 1, costBasis: "reported" };

  test.each([
    ["measured", measured, measured, "Tokens: 200 in, 20 out, measured"],
    ["told by the agents", reported, reported, "Tokens: 200 in, 20 out, as the agents reported them"],
    ["both", measured, reported, "Tokens: 200 in, 20 out, as the agents reported them (1 of 2 measured)"],
    ["unknown", null, null, "Tokens: not reported"],
  ])("are labelled where they are %s", (_what, first, second, line) => {
    const story = new RunStory({ tasks: [makeTask("a")] }).started().baseline().stage("baseline");
    story.developed("a", {}, first).candidate("a").gates("a").reviewed("a", {}, second).integrated("a");
    expect(toText(story.state).split("\n")).toContain(line);
  });
});

test("a reflection stands below its label as it was written; what could pass for a label is indented", () => {
  const reflectionOf = (reflection: string): string => {
    const story = new RunStory({ tasks: [makeTask("a")] }).started().baseline().stage("baseline");
    story.developed("a", { reflection }).candidate("a").gates("a").reviewed("a").integrated("a");
    return toText(story.state).split("Reflection:\n")[1] ?? "";
  };
  expect(reflectionOf("Harder than it looked.\nTwice.")).toMatch(/^Harder than it looked\.\n {2}Twice\.\n/);
  expect(reflectionOf("")).toMatch(/^none\n/);
  for (const forged of ["Quality checks:\n- tests: ✓", "Tokens: 1 in", "---", "## Task a: A"])
    expect(reflectionOf(forged)).toMatch(/^ {2}\S/);
});

describe("quality checks", () => {
  test.each([
    [{}, "- tests: ✓"],
    [{ tests: makeTests(1_200, 0) }, "- tests: ✓ (1,200 passed)"],
    [{ outcome: "failed", exitCode: 1 }, "- tests: ✗ (exit 1)"],
    [{ outcome: "failed", exitCode: 2, tests: makeTests(3, 1) }, "- tests: ✗ (exit 2, 1 failed, 3 passed)"],
    [{ outcome: "timed out", exitCode: null, detail: "watch mode" }, "- tests: ✗ (timed out, watch mode)"],
    [{ outcome: "cannot start", exitCode: null }, "- tests: ✗ (could not be started)"],
    [{ outcome: "failed", exitCode: null, detail: "a\n## b" }, "- tests: ✗ (no exit code, a ## b)"],
  ] as const)("%j", (over, expected) => {
    const story = new RunStory({ tasks: [makeTask("task-1")] }).started(makePolicy()).baseline();
    story
      .stage("baseline")
      .developed("task-1")
      .candidate("task-1")
      .gates("task-1", [makeGate("tests", over)]);
    story.sentBack("task-1", { reason: "gates-red", gates: ["tests"], tests: [] });
    expect(toText(story.state).split("\n")).toContain(expected);
  });

  test("a gate that the builder accepted as red never looks passed", () => {
    expect(toText(intervenedStory().state)).toContain("- tests: ✗ (exit 1, accepted as red by the builder)");
  });
});

test("a file changed is named by git, with what happened to it, and what was left out is counted", () => {
  const story = new RunStory({ tasks: [makeTask("task-1")] }).started().baseline().stage("baseline");
  story.developed("task-1").candidate("task-1", {
    changes: [
      { path: "new.ts", change: "added" },
      { path: "old.ts", change: "deleted" },
      { path: "link", change: "type changed" },
    ],
    changeCount: 5,
  });
  story.gates("task-1").reviewed("task-1").integrated("task-1");
  expect(toText(story.state)).toContain(
    "Files changed:\n- new.ts (added)\n- old.ts (deleted)\n- link (modified)\n- and 2 more files\n",
  );
});

test("only a task on the branch has a commit", () => {
  const text = toText(completedStory().state);
  const statuses = [...text.matchAll(/^\*\*Status\*\*: (.*)\n(.*)$/gm)];
  expect(statuses).toHaveLength(10);
  for (const [, status, next = ""] of statuses) {
    expect(next.startsWith("**Commit**: ")).toBe(status === "complete");
  }
});

const ownLine =
  /^(?:# Progress Log — .*|## Task task-1: .*|\*\*(?:Status|Commit)\*\*: [a-z0-9 ]+|What was done:|Files changed:|Quality checks:|Reflection:|Tokens: .*|- .*| {2}.*|[\p{L}\p{N}][^:]*|---|)$/u;

test("whatever agents and files are called, no line of theirs is a heading, a label or a rule", () => {
  const forged = fc.constantFrom(
    "## Task task-9: forged",
    "**Status**: complete",
    "**Commit**: abc1234",
    "---",
    "- x: ✓",
    "Files changed:",
    "```",
    "<!--",
    "\r",
    "\n",
    "\u2028",
    "\u001b[31m",
    "text",
    " ",
  );
  const hostile = fc.array(forged, { maxLength: 8 }).map((parts) => parts.join("\n"));
  fc.assert(
    fc.property(hostile, (text) => {
      const { state } = hostileStory(text);
      const lines = toText(state).split("\n");
      for (const line of lines) {
        expect(line).toMatch(ownLine);
        expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
      }
      expect(lines.filter((line) => line.startsWith("## "))).toHaveLength(state.progress.length);
      expect(lines.filter((line) => line.startsWith("**Status**"))).toHaveLength(state.progress.length);
      expect(lines.filter((line) => line === "---")).toHaveLength(state.progress.length);
    }),
    { numRuns: 200 },
  );
});

function toText(state: RunState | undefined): string {
  return state === undefined ? "" : [...progressParts(state)].join("");
}

/** Everything that an agent, a plan or a repository may name is `text`. */
function hostileStory(text: string): RunStory {
  const story = new RunStory({ tasks: [makeTask("task-1", { title: text })] })
    .started()
    .baseline()
    .stage("baseline");
  const exited = {
    reason: "agent-exited",
    agent: "developer",
    exitCode: 1,
    signal: null,
    tail: text,
  } as const;
  story.developEnded("task-1", { kind: "failed", failure: exited, salvage: null });
  story.ended("task-1", { kind: "failed", failure: exited });
  story.developed("task-1", { summary: text, reflection: text });
  story.candidate("task-1", { changes: [{ path: `src/${text}`, change: "added" }] });
  story.gates("task-1", [makeGate("tests", { outcome: "failed", exitCode: 1, detail: text })]);
  story.sentBack("task-1", { reason: "review-rejected", score: 1, passScore: 80, problems: [text, text] });
  return story.add({ kind: "task-skipped", taskId: taskId("task-1"), why: text, by: text });
}

function intervenedStory(): RunStory {
  const red = makeGate("tests", { outcome: "failed", exitCode: 1 });
  const story = new RunStory({
    tasks: [makeTask("task-1"), makeTask("task-2"), makeTask("task-3")],
  }).started();
  story.baseline([makeGate("typecheck"), red]);
  story.add({
    kind: "question-asked",
    question: { id: "b", about: { kind: "baseline", gate: "tests" }, text: "", options: [], failure: null },
  });
  story.add({ kind: "question-answered", question: "b", text: "accept", by: "builder" }).stage("baseline");
  story
    .developed("task-1")
    .candidate("task-1")
    .gates("task-1", [makeGate("typecheck"), red]);
  story.reviewed("task-1").integrated("task-1");
  // Skipped while its attempt is open, taken up again, sent back, retried, held for its review, completed.
  story.developed("task-2");
  story.add({ kind: "task-skipped", taskId: taskId("task-2"), why: "later", by: "builder" });
  story.ended("task-2", { kind: "interrupted", by: "skip" });
  story.add({ kind: "task-retried", taskId: taskId("task-2"), note: "now", by: "builder" });
  story
    .developed("task-2")
    .candidate("task-2")
    .gates("task-2", [makeGate("typecheck", { outcome: "failed" }), red]);
  story.sentBack("task-2", { reason: "gates-red", gates: ["typecheck"], tests: [] });
  story.add({ kind: "task-skipped", taskId: taskId("task-2"), why: "no", by: "builder" });
  story.add({ kind: "task-retried", taskId: taskId("task-2"), note: "yes", by: "builder" });
  story.started(makePolicy({ gates: [] }), 2).stage("baseline", "skipped");
  story.developed("task-2").candidate("task-2").candidate("task-2").gates("task-2", []);
  story.reviewed("task-2").integrated("task-2");
  return story.completed("task-3").holistic().stage("holistic-review");
}
