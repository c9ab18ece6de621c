// prd.json of the run folder: the plan's tasks under their canonical names with the journal's progress.
import { describe, expect, test } from "vitest";
import type { RunState } from "../../src/core/state.ts";
import { readPrd } from "../../src/schema/prd.ts";
import { toPrdJson } from "../../src/views/prd-json.ts";
import { makeGate, makePolicy, makeTask, shaOf, taskId } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";
import { blockedStory, completedStory } from "./feature-story.ts";

test("the text is JSON of two spaces with a line feed at its end", () => {
  for (const state of completedStory().states) {
    const text = toPrdJson(state);
    expect(text).toBe(`${JSON.stringify(JSON.parse(text), null, 2)}\n`);
  }
  const { state } = new RunStory({ tasks: [] });
  expect(JSON.parse(toPrdJson(state)).userStories).toEqual([]);
});

test("the lenient reader reads the same plan back", () => {
  const { state } = completedStory();
  const read = readPrd({ text: toPrdJson(state), file: "prd.json" });
  if (!read.ok) throw new Error(JSON.stringify(read.failure));
  const { prd } = read.value;
  expect(prd.tasks.slice(0, state.prd.tasks.length).map(({ claim: _claim, ...task }) => task)).toEqual(
    state.prd.tasks.map(({ claim: _claim, ...task }) => task),
  );
  expect(prd).toMatchObject({
    name: "feature-x",
    goal: state.prd.goal,
    globalConstraints: state.prd.globalConstraints,
    createdAt: state.prd.createdAt,
    extra: state.prd.extra,
    metadataExtra: state.prd.metadataExtra,
  });
  expect(read.value.told).toEqual([]);
});

test("unknown fields survive, also those with names that objects have already", () => {
  const odd = JSON.parse('{"__proto__":{"a":1},"constructor":"c","7":[null]}');
  const { state } = new RunStory({
    tasks: [makeTask("task-1", { extra: odd })],
    prd: { extra: odd, metadataExtra: odd },
  });
  const text = toPrdJson(state);
  for (const place of [JSON.parse(text), JSON.parse(text).userStories[0], JSON.parse(text).metadata]) {
    expect(Object.keys(place)).toEqual(expect.arrayContaining(["7", "__proto__", "constructor"]));
  }
});

describe("what a task's inner state is called", () => {
  test("waiting is pending, being worked on is in_progress, on the branch is complete", () => {
    const story = new RunStory({ tasks: [makeTask("task-1")] }).started().baseline().stage("baseline");
    expect(taskIn(story.state)).toMatchObject({
      status: "pending",
      passes: false,
      attemptCount: 0,
      commitSha: "",
    });
    story.developed("task-1");
    expect(taskIn(story.state)).toMatchObject({
      status: "in_progress",
      notes: "in progress: develop, attempt 1",
    });
    story.candidate("task-1").gates("task-1").reviewed("task-1").integrated("task-1");
    expect(taskIn(story.state)).toMatchObject({
      status: "complete",
      passes: true,
      attemptCount: 1,
      notes: "accepted at attempt 1, review score 92",
      commitSha: shaOf("task-1/1 commit"),
    });
  });

  test("waiting for the builder is failed, with the question and its reason", () => {
    const held = taskIn(blockedStory().state, 3);
    expect(held).toMatchObject({ id: "task-4", status: "failed", passes: false, attemptCount: 2 });
    expect(held.notes).toContain('"attempts:task-4:2"');
    expect(held.notes).toContain("gates failed: tests");
  });

  test("skipped is pending, with who and why", () => {
    expect(taskIn(blockedStory().state, 2)).toMatchObject({
      status: "pending",
      notes: "skipped by builder: dates come later",
    });
  });

  test("complete before this run says so, and counts no attempt", () => {
    expect(taskIn(blockedStory().state, 0)).toMatchObject({
      status: "complete",
      passes: true,
      attemptCount: 0,
      notes: "complete before this run",
      commitSha: shaOf("before"),
    });
  });

  test("an attempt that was interrupted or failed outside the work counts to nothing", () => {
    const story = new RunStory({ tasks: [makeTask("task-1")] }).started().baseline().stage("baseline");
    story.developEnded("task-1", { kind: "interrupted", by: "pause", salvage: null });
    story.ended("task-1", { kind: "interrupted", by: "pause" });
    expect(taskIn(story.state)).toMatchObject({
      status: "pending",
      attemptCount: 0,
      notes: "attempt 1 was interrupted by pause",
    });
  });

  test("a gate that is red by the builder's leave is named", () => {
    const story = new RunStory({ tasks: [makeTask("task-1")] }).started();
    const red = makeGate("tests", { outcome: "failed", exitCode: 1 });
    story.baseline([makeGate("typecheck"), red]);
    story.add({
      kind: "question-asked",
      question: { id: "q", about: { kind: "baseline", gate: "tests" }, text: "", options: [], failure: null },
    });
    story.add({ kind: "question-answered", question: "q", text: "accept", by: "builder" }).stage("baseline");
    story
      .developed("task-1")
      .candidate("task-1")
      .gates("task-1", [makeGate("typecheck"), red]);
    story.reviewed("task-1").integrated("task-1");
    expect(taskIn(story.state).notes).toContain("red by the builder's leave: tests");
  });
});

describe("why a task waits", () => {
  test("it names what it waits for, and why that does not go on, however far behind it is", () => {
    const story = blockedChain();
    const [, second, third, last] = JSON.parse(toPrdJson(story.state)).userStories;
    expect(second.notes).toBe("waits for task-1 (held: Which one?)");
    expect(third.notes).toBe("waits for task-2 (behind task-1, which is held)");
    expect(last.notes).toBe("waits for task-1 (held: Which one?), task-3 (behind task-1, which is held)");
  });

  test("a note changes with the other task, though its own task did not", () => {
    const story = blockedChain();
    toPrdJson(story.state);
    story.add({ kind: "question-answered", question: "developer:task-1:1", text: "a", by: "builder" });
    expect(taskIn(story.state, 1).notes).toBe("waits for task-1 (not done yet)");
    story.completed("task-1");
    expect(taskIn(story.state, 1).notes).toBe("");
  });

  test("many are named in part, and what is not selected says so", () => {
    const ids = Array.from({ length: 8 }, (_, index) => taskId(`task-${index}`));
    const tasks = [...ids.map((id) => makeTask(id)), makeTask("last", { dependsOn: ids })];
    const story = new RunStory({ tasks }).started(makePolicy({ only: ["last"] }));
    const { notes } = taskIn(story.state, 8);
    expect(notes).toContain("task-4 (not selected with --only) and 3 other tasks");
    expect(notes).not.toContain("task-5");
    expect(taskIn(story.state, 0).notes).toBe("not selected with --only");
  });

  test("the plan's own note stays while there is nothing else to say", () => {
    const claim = {
      status: "pending",
      passes: false,
      attemptCount: 0,
      notes: "ask Ada",
      commitSha: null,
    } as const;
    const story = new RunStory({ tasks: [makeTask("task-1", { claim })] });
    expect(taskIn(story.state).notes).toBe("ask Ada");
  });
});

describe("metadata", () => {
  test("times come from the journal, totals are counted", () => {
    expect(JSON.parse(toPrdJson(blockedStory().state)).metadata).toEqual({
      ticket: 17,
      createdAt: "2026-01-30T08:00:00Z",
      startedAt: "2026-01-31T09:00:02.000Z",
      completedAt: "",
      totalTasks: 5,
      completedTasks: 2,
      failedTasks: 1,
    });
    expect(JSON.parse(toPrdJson(completedStory().state)).metadata.completedAt).toBe(
      "2026-01-31T09:17:51.000Z",
    );
  });

  test("a plan without a time of creation gets that of the run", () => {
    const { state } = new RunStory({ tasks: [] });
    expect(JSON.parse(toPrdJson(state)).metadata).toMatchObject({
      createdAt: "2026-01-31T09:00:01.000Z",
      startedAt: "",
    });
  });
});

test("a task's text is made again only when the task or its note changes", () => {
  let made = 0;
  const extra = Object.defineProperty({}, "probe", {
    enumerable: true,
    get: () => {
      made += 1;
      return 1;
    },
  });
  const story = new RunStory({ tasks: [makeTask("task-1", { extra }), makeTask("task-2")] }).started();
  story.baseline().stage("baseline");
  toPrdJson(story.state);
  const once = made;
  for (const state of story.completed("task-2").states.slice(5)) toPrdJson(state);
  expect(made).toBe(once);
  toPrdJson(story.completed("task-1").state);
  expect(made).toBeGreaterThan(once);
});

function taskIn(state: RunState, index = 0) {
  return JSON.parse(toPrdJson(state)).userStories[index];
}

/** task-4 needs task-3, that needs task-2, that needs task-1, which has asked a question. */
function blockedChain(): RunStory {
  const story = new RunStory({
    tasks: [
      makeTask("task-1"),
      makeTask("task-2", { dependsOn: [taskId("task-1")] }),
      makeTask("task-3", { dependsOn: [taskId("task-2")] }),
      makeTask("task-4", { dependsOn: [taskId("task-1"), taskId("task-3")] }),
    ],
  });
  story.started().baseline().stage("baseline");
  story.developed("task-1", { question: { text: "Which one?", options: ["a", "b"] } }).candidate("task-1");
  story.ended("task-1", { kind: "asked" });
  return story.add({
    kind: "question-asked",
    question: {
      id: "developer:task-1:1",
      about: { kind: "developer", taskId: taskId("task-1") },
      text: "Which one?",
      options: [],
      failure: null,
    },
  });
}
