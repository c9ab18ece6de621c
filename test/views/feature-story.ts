// One run with everything in it, for the golden files: a task complete before, rework after red gates and after a
// review, a task skipped, one held until the builder grants another attempt, a follow-up, and the memory commit.

import { foldAll } from "../../src/core/fold.ts";
import type { RunState } from "../../src/core/state.ts";
import { makeGate, makePolicy, makeTask, makeTests, shaOf, taskId } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";

const usage = {
  inputTokens: 12_000,
  outputTokens: 3_400,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  costUsd: 0.25,
  costBasis: "reported",
  model: null,
} as const;

/** Up to the point where only the builder can go on. */
export function blockedStory(): RunStory {
  const story = new RunStory({ tasks: featureTasks(), prd: featurePrd, created: featureCreated });
  story
    .started(makePolicy({ preMortem: "on", maxAttempts: 2 }))
    .baseline()
    .stage("baseline");
  story.stage("recon", "skipped").askedLead(preMortem, usage).stage("pre-mortem");
  tellParser(story);
  tellSkipped(story);
  tellHeld(story);
  return story.add({ kind: "base-compared", movedBy: 2 }).add({
    kind: "run-blocked",
    failure: {
      reason: "tasks-held",
      first: taskId("task-4"),
      because: {
        reason: "attempts-used-up",
        taskId: taskId("task-4"),
        attempts: 2,
        last: "gates failed: tests",
      },
      held: [taskId("task-4")],
    },
    question: "attempts:task-4:2",
  });
}

/** The same run, gone on to its end. */
export function completedStory(): RunStory {
  const story = blockedStory().started(makePolicy({ preMortem: "on", maxAttempts: 2 }));
  story.add({
    kind: "question-answered",
    question: "attempts:task-4:2",
    text: "mind the locale",
    by: "builder",
  });
  story.completed("task-4", { summary: "Formats by the locale.", reflection: "The note said it all." });
  story.developed("task-5").candidate("task-5", { changes: [], changeCount: 0 });
  story.gates("task-5", [makeGate("typecheck"), makeGate("tests", { tests: makeTests(20, 0) })]);
  story.reviewed("task-5", { criteria: [] }).integrated("task-5");
  story.holistic({
    verdict: "gaps",
    summary: "The documents do not mention the flag.",
    followUps: [{ title: "Document the flag", description: "", acceptanceCriteria: ["README names it"] }],
    learnings: ["Plan the documents with the code."],
  });
  story.add({
    kind: "follow-ups-added",
    round: 1,
    tasks: [makeTask("follow-up-1-1", { title: "Document the flag" })],
  });
  story.completed("follow-up-1-1", { summary: "README says how." });
  story.holistic({ summary: "All parts fit now.", learnings: [] }).stage("holistic-review");
  story.add({ kind: "memory-started", lane: 1, head: story.state.head, day: "2026-01-31" });
  const entry = "memory/entries/2026-01-31_feature-x-learnings.md";
  story.add({ kind: "memory-ended", result: { kind: "committed", commit: shaOf("memory"), entry } });
  story.stage("memory").add({ kind: "base-compared", movedBy: 2 });
  return story.add({ kind: "run-completed" });
}

export function stateOf(story: RunStory): RunState {
  const state = foldAll(story.entries);
  if (state === null) throw new Error("a story has a first event");
  return state;
}

const preMortem = {
  stage: "pre-mortem",
  risks: [
    {
      name: "Locale",
      category: "runtime",
      severity: "major",
      problem: "Numbers are formatted by the machine's locale.",
      mitigation: "Pass the locale.",
      verification: "A test with two locales.",
      taskIds: [taskId("task-4")],
    },
  ],
} as const;

const featurePrd = {
  goal: "Parse and show numbers in every locale.",
  globalConstraints: ["No new dependencies"],
  createdAt: "2026-01-30T08:00:00Z",
  extra: { owner: "team numbers" },
  metadataExtra: { ticket: 17 },
};

const featureCreated = {
  completedBefore: [{ taskId: taskId("task-0"), commit: shaOf("before") }],
  told: ["task-0 is taken as complete: its commit is on the base"],
};

function featureTasks() {
  return [
    makeTask("task-0", { title: "Set up the folder" }),
    makeTask("task-1", {
      title: "Parse numbers",
      acceptanceCriteria: ["parses 1,5", "refuses 1,,5"],
      filesTouched: ["src/parse.ts"],
      priority: 1,
      extra: { estimate: "2h" },
    }),
    makeTask("task-2", { title: "Parse dates", dependsOn: [taskId("task-1")] }),
    makeTask("task-4", { title: "Show numbers" }),
    makeTask("task-5", { title: "Show tables", dependsOn: [taskId("task-4")], allowNoChanges: true }),
  ];
}

function tellParser(story: RunStory): void {
  const red = makeGate("tests", { outcome: "failed", exitCode: 1, tests: makeTests(10, 2) });
  story.developed("task-1", { summary: "Wrote the parser.\n\n- handles commas" }, usage);
  story.candidate("task-1", { changes: [{ path: "src/parse.ts", change: "added" }] });
  story.gates("task-1", [makeGate("typecheck"), red]);
  story.sentBack("task-1", { reason: "gates-red", gates: ["tests"], tests: [] });

  const problem = "1,,5 is taken for 15";
  const finding = {
    id: "f1.1",
    severity: "major",
    file: "src/parse.ts",
    line: 12,
    problem,
    fix: "refuse it",
  } as const;
  story.developed("task-1", { summary: "Corrected the tests." }, usage).candidate("task-1").gates("task-1");
  story.reviewed("task-1", { verdict: "iterate", score: 55, findings: [finding] }, usage);
  story.sentBack("task-1", { reason: "review-rejected", score: 55, passScore: 80, problems: [problem] });

  story.developed(
    "task-1",
    {
      summary: "Refuses two commas in a row.",
      reflection: "Harder than it looks.\nRead the locale tables first.",
    },
    usage,
  );
  story.candidate("task-1", {
    changes: [
      { path: "src/parse.ts", change: "added" },
      { path: "test/parse.test.ts", change: "modified" },
      { path: "src/old-parse.ts", change: "deleted" },
    ],
    changeCount: 3,
    deletions: 1,
  });
  story.gates("task-1", [makeGate("typecheck"), makeGate("tests", { tests: makeTests(12, 0) })]);
  const note = {
    id: "f3.1",
    severity: "note",
    file: null,
    line: null,
    problem: "a name could be better",
    fix: "",
  } as const;
  story.reviewed("task-1", { score: 92, findings: [note] }, usage).integrated("task-1");
}

function tellSkipped(story: RunStory): void {
  story.add({ kind: "task-skipped", taskId: taskId("task-2"), why: "dates come later", by: "builder" });
}

function tellHeld(story: RunStory): void {
  const red = makeGate("tests", { outcome: "failed", exitCode: 1 });
  const tail = "TypeError: x is not a function";
  const exited = { reason: "agent-exited", agent: "developer", exitCode: 3, signal: null, tail } as const;
  story.developEnded("task-4", { kind: "failed", failure: exited, salvage: null });
  story.ended("task-4", { kind: "failed", failure: exited });
  story
    .developed("task-4")
    .candidate("task-4")
    .gates("task-4", [makeGate("typecheck"), red]);
  story.sentBack("task-4", { reason: "gates-red", gates: ["tests"], tests: [] });
  story.add({
    kind: "question-asked",
    question: {
      id: "attempts:task-4:2",
      about: { kind: "attempts", taskId: taskId("task-4") },
      text: "task task-4 used up its 2 attempts; the last one: gates failed: tests. Try once more?",
      options: [
        { id: "retry", label: "one more attempt" },
        { id: "skip", label: "skip the task" },
      ],
      failure: {
        reason: "attempts-used-up",
        taskId: taskId("task-4"),
        attempts: 2,
        last: "gates failed: tests",
      },
    },
  });
}
