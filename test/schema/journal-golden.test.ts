// A journal of every version that was ever released reads and folds as it did when it was written. A golden file is
// never renewed: a change that breaks it needs a new version and a migration.
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Entry, RunEvent } from "../../src/core/event.ts";
import { fold, foldAll } from "../../src/core/fold.ts";
import { plan } from "../../src/core/plan.ts";
import type { RunState } from "../../src/core/state.ts";
import { decodeJournal } from "../../src/schema/journal.ts";
import { journalVersion, migrateEvent } from "../../src/schema/migrations.ts";
import { derivedFiles } from "../../src/views/derived-files.ts";
import { makePolicy } from "../support/run-parts.ts";

function goldenFile(version: number, name: string): URL {
  return new URL(`../golden/journal/v${version}-${name}.jsonl`, import.meta.url);
}

test.each([
  [
    1,
    "completed",
    {
      phase: "completed",
      tasks: [
        "task-0 complete 0",
        "task-1 complete 3",
        "task-2 skipped 0",
        "task-4 complete 3",
        "task-5 complete 1",
        "follow-up-1-1 complete 1",
      ],
      head: "a22af9452c2440671c11e711456b85cf093a22dd",
      steps: 30,
      dispatches: 16,
      questions: [],
      files: 8,
    },
  ],
  [
    1,
    "blocked",
    {
      phase: "blocked",
      tasks: [
        "task-0 complete 0",
        "task-1 complete 3",
        "task-2 skipped 0",
        "task-4 held 2",
        "task-5 pending 0",
      ],
      head: "81f557962f2bf886c5cd91d65dffcc8e63f8d7e6",
      steps: 15,
      dispatches: 8,
      questions: ["attempts:task-4:2"],
      files: 6,
    },
  ],
  [
    2,
    "completed",
    {
      phase: "completed",
      tasks: [
        "task-1 complete 1",
        "task-2 complete 2",
        "task-3 complete 2",
        "task-4 complete 1",
        "task-5 complete 1",
        "follow-up-1-1 complete 1",
      ],
      head: "5fe3df567d5d0018d8e73f80de5c6e6d2433845b",
      steps: 43,
      dispatches: 26,
      questions: [],
      files: 10,
    },
  ],
  [
    3,
    "completed",
    {
      phase: "completed",
      tasks: ["task-1 complete 2", "task-2 complete 2"],
      head: "6ebac2f75be53ae5789a77331cdae7f7a7ba18c1",
      steps: 20,
      dispatches: 12,
      questions: [],
      files: 6,
    },
  ],
])("a journal of version %i that is %s folds to the same run", (version, name, expected) => {
  const read = decodeJournal(readFileSync(goldenFile(version, name)));
  expect(read).toMatchObject({ ok: true });
  if (!read.ok) return;
  const state = foldAll(read.value.entries);
  expect(state).not.toBeNull();
  if (state === null) return;
  expect({
    phase: state.phase.kind,
    tasks: [...state.tasks].map(({ task, phase, attempts }) => `${task.id} ${phase.kind} ${attempts.length}`),
    head: state.head,
    steps: state.steps.length,
    dispatches: state.dispatches,
    questions: state.questions.map(({ id }) => id),
    files: derivedFiles(state).length,
  }).toEqual(expected);
});

test("a journal of version 3 says who counted what, who waited, and of which budget was warned", () => {
  const state = stateOf(3);
  expect(state.usage).toMatchObject({
    dispatches: 12,
    inputTokens: 10_800,
    outputTokens: 1_540,
    cacheReadTokens: 32_000,
    cacheWriteTokens: 1_200,
    priced: 11,
    measured: 8,
  });
  expect(state.usage.costUsd).toBeCloseTo(0.620_218_75, 9);
  expect([...state.waits.keys()]).toEqual([]);
  expect([...state.budgetWarnings]).toEqual([" 0.75"]);
  expect(state.policy?.agents).toMatchObject({
    developer: { instructions: "Keep each change small.\nSay what you could not do." },
    reviewer: { model: "claude-haiku-5-5" },
    orchestrator: { backend: "anthropic", effort: "low", tools: ["read", "glob"], maxTurns: 20 },
  });
  const [first] = state.tasks;
  expect(first?.attempts.at(-1)).toMatchObject({
    reviewModel: "claude-haiku-5-5-20261001",
    usage: { priced: 2, measured: 1 },
  });
  const kinds = entriesOf(3).flatMap(({ event }) => (event.kind === "wait-started" ? [event.dispatch] : []));
  expect(kinds).toEqual(["d1", null]);
});

test.each([1, 2, 3])("a run of version %i can be gone on with wherever it stopped", (version) => {
  const entries = entriesOf(version);
  for (let count = 1; count <= entries.length; count += 1) {
    const cut = foldAll(entries.slice(0, count));
    const [last] = entries.slice(count - 1);
    if (cut === null || last === undefined) throw new Error("a journal begins with its run");
    const atMs = last.atMs + 1;
    expect(() => plan(cut, atMs), `after line ${count}`).not.toThrow();
    expect(() => derivedFiles(cut), `after line ${count}`).not.toThrow();
    if (cut.phase.kind === "completed" || cut.phase.kind === "failed") continue;
    const policy = cut.policy ?? makePolicy();
    const event: RunEvent = { kind: "session-started", session: "s", policy, ...session };
    const resumed = fold(cut, { seq: last.seq + 1, atMs, session: "s", event });
    expect(() => plan(resumed, atMs), `resumed after line ${count}`).not.toThrow();
  }
});

const session = { flags: {}, toolVersion: "0.1.0", extraAttempts: 0, told: [] } as const;

function entriesOf(version: number): readonly Entry[] {
  const read = decodeJournal(readFileSync(goldenFile(version, "completed")));
  if (!read.ok) throw new Error(read.failure.detail);
  return read.value.entries;
}

function stateOf(version: number): RunState {
  const state = foldAll(entriesOf(version));
  if (state === null) throw new Error("a journal begins with its run");
  return state;
}

test("a journal of every version has a golden file", () => {
  for (let version = 1; version <= journalVersion; version += 1) {
    expect(existsSync(goldenFile(version, "completed"))).toBe(true);
  }
});

test("migrations are applied one step per version, from the version of the journal on", () => {
  const chain = [
    (event: unknown) => `${event} 2`,
    (event: unknown) => `${event} 3`,
    (event: unknown) => `${event} 4`,
  ];
  expect(migrateEvent("1", 1, chain)).toBe("1 2 3 4");
  expect(migrateEvent("1", 3, chain)).toBe("1 4");
  expect(migrateEvent("1", 4, chain)).toBe("1");
});
