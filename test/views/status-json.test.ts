// status.json: small, after every event, with exactly the names that other programs rely on.
import { describe, expect, test } from "vitest";
import type { Question } from "../../src/core/event.ts";
import { toStatus, toStatusJson } from "../../src/views/status-json.ts";
import { makeTask, taskId } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";
import { blockedStory, completedStory } from "./feature-story.ts";

const contractKeys = [
  "planSlug",
  "status",
  "startedAt",
  "updatedAt",
  "currentTaskId",
  "completedTasks",
  "totalTasks",
  "worktree",
  "version",
  "runId",
  "journalSeq",
  "activeTaskIds",
  "reason",
  "question",
  "usage",
];

test("every document begins with the contract's fields, in their order", () => {
  for (const state of completedStory().states) {
    const text = toStatusJson(state);
    const document = JSON.parse(text);
    expect(Object.keys(document).slice(0, contractKeys.length)).toEqual(contractKeys);
    expect(Object.keys(document.worktree)).toEqual(["path", "branch"]);
    const usageKeys = ["inputTokens", "outputTokens", "costUsd", "costBasis"];
    expect(Object.keys(document.usage)).toEqual([...usageKeys, "cacheReadTokens", "cacheWriteTokens"]);
    expect(document).toMatchObject({ version: 1, journalSeq: state.seq, status: state.phase.kind });
    expect(text.endsWith("}\n")).toBe(true);
  }
});

test("a run that was only made is queued and has no start", () => {
  const status = toStatus(new RunStory({ tasks: [makeTask("task-1")] }).state);
  expect(status).toMatchObject({ status: "queued", startedAt: null, currentTaskId: null, totalTasks: 1 });
  expect(status).not.toHaveProperty("next");
});

test("the task being worked on is named while the run goes on, without commands", () => {
  const story = new RunStory({ tasks: [makeTask("task-1"), makeTask("task-2")] }).started().baseline();
  const status = toStatus(story.stage("baseline").developed("task-2").state);
  expect(status).toMatchObject({
    status: "running",
    currentTaskId: "task-2",
    activeTaskIds: ["task-2"],
    reason: null,
  });
  expect(status).not.toHaveProperty("next");
});

test("a blocked run says why, what is asked and how to answer", () => {
  const status = toStatus(blockedStory().state);
  expect(status).toMatchObject({
    status: "blocked",
    completedTasks: 2,
    reason: "task task-4 used up its 2 attempts; the last one: gates failed: tests",
    question: {
      id: "attempts:task-4:2",
      options: [
        { id: "retry", label: "one more attempt" },
        { id: "skip", label: "skip the task" },
      ],
    },
  });
  expect(status.next).toContain("execute-prd answer feature-x attempts:task-4:2 retry");
});

test("what was answered while nobody was at work is not the reason any more", () => {
  const story = blockedStory();
  const question = story.state.questions[0];
  story.add({ kind: "question-asked", question: openQuestion });
  const answer = (id: string): RunStory =>
    story.add({ kind: "question-answered", question: id, text: "retry", by: "me" });
  answer(question?.id ?? "");
  expect(toStatus(story.state)).toMatchObject({
    status: "blocked",
    reason: 'the builder has to answer question "checkpoint:x": Go on?',
    question: { id: "checkpoint:x" },
  });
  answer("checkpoint:x");
  expect(toStatus(story.state)).toMatchObject({
    status: "blocked",
    reason: expect.stringMatching(/^task task-4 used up .* \(answered: it goes on with resume\)$/),
    question: null,
  });
});

const openQuestion: Question = {
  id: "checkpoint:x",
  about: { kind: "gaps", round: 1 },
  text: "Go on?",
  options: [],
  failure: null,
};

test("an open question shows while other tasks go on", () => {
  const story = blockedStory().started();
  expect(toStatus(story.state)).toMatchObject({ status: "running", question: { id: "attempts:task-4:2" } });
});

test("a completed run says nothing of questions, and how to go on from it", () => {
  const status = toStatus(completedStory().state);
  expect(status).toMatchObject({ status: "completed", reason: null, question: null, completedTasks: 5 });
  expect(status.next).toContain("git switch main && git merge feature/feature-x");
});

test("the reason is one line, whatever an agent's output held", () => {
  const story = new RunStory({ tasks: [] }).started();
  const tail = "\u001b[2Jline one\nline two\u202e";
  story.add({
    kind: "run-paused",
    failure: { reason: "setup-failed", command: "npm ci", exitCode: 1, tail },
  });
  const { reason } = toStatus(story.state);
  expect(reason).toContain("line one line two");
  expect(reason).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

describe("what the cost is known from", () => {
  const usage = {
    inputTokens: 10,
    outputTokens: 5,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    costUsd: 0.5,
    costBasis: "reported",
    model: null,
  } as const;

  test.each([
    ["every dispatch reported one", [usage, usage], { costUsd: 1, costBasis: "reported" }],
    [
      "this program counted each",
      [
        { ...usage, costBasis: "measured" },
        { ...usage, costBasis: "measured" },
      ],
      { costUsd: 1, costBasis: "measured" },
    ],
    [
      "it counted one, and an agent told the other",
      [usage, { ...usage, costBasis: "measured" }],
      { costBasis: "reported" },
    ],
    ["one did not", [usage, null], { costUsd: 0.5, costBasis: "unknown" }],
    [
      "one reported tokens only",
      [usage, { ...usage, costUsd: null }],
      { costUsd: 0.5, costBasis: "unknown" },
    ],
    ["nobody was asked", [], { costUsd: 0, costBasis: "unknown" }],
  ] as const)("%s", (_what, usages, expected) => {
    const story = new RunStory({ tasks: [makeTask("task-1")] }).started().baseline().stage("baseline");
    for (const used of usages) {
      story.developEnded("task-1", { kind: "interrupted", by: "pause", salvage: null }, used);
      story.ended("task-1", { kind: "interrupted", by: "pause" });
    }
    expect(toStatus(story.state).usage).toMatchObject(expected);
  });
});

test("agents that wait are listed with the end of their wait, until it is over or the run stops", () => {
  const story = new RunStory({ tasks: [makeTask("task-1")] }).started();
  const failure = { reason: "rate-limited", agent: "developer", resetAtMs: null, detail: "5 hours" } as const;
  const untilMs = story.state.updatedAtMs + 5_000;
  story.add({ kind: "wait-started", agent: "developer", dispatch: null, untilMs, failure });
  const waiting = [
    {
      agent: "developer",
      until: new Date(untilMs).toISOString(),
      reason: expect.stringContaining("5 hours"),
    },
  ];
  expect(toStatus(story.state).waiting).toEqual(waiting);
  const paused = new RunStory({ tasks: [] }).started();
  paused.add({ kind: "wait-started", agent: "developer", dispatch: null, untilMs: 9e15, failure });
  paused.add({ kind: "run-paused", failure });
  expect(toStatus(paused.state).waiting).toEqual([]);
  story.add({ kind: "told", text: "later" }, 5_000);
  expect(toStatus(story.state).waiting).toEqual([]);
});

test("held and skipped tasks are listed with their reasons", () => {
  const status = toStatus(blockedStory().state);
  expect(status.held).toEqual([
    { taskId: taskId("task-4"), question: "attempts:task-4:2", reason: expect.stringContaining("used up") },
  ]);
  expect(status.skipped).toEqual([{ taskId: "task-2", why: "dates come later" }]);
  expect(status.counts).toMatchObject({
    complete: 2,
    completeBefore: 1,
    held: 1,
    skipped: 1,
    pending: 1,
    working: 0,
  });
});
