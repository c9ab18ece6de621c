// A journal of every version that was ever released reads and folds as it did when it was written. A golden file is
// never renewed: a change that breaks it needs a new version and a migration.
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { foldAll } from "../../src/core/fold.ts";
import { decodeJournal } from "../../src/schema/journal.ts";
import { journalVersion, migrateEvent } from "../../src/schema/migrations.ts";
import { derivedFiles } from "../../src/views/derived-files.ts";

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
      tasks: [
        "task-1 complete 1",
        "task-2 complete 2",
        "task-3 complete 2",
        "task-4 complete 1",
        "task-5 complete 1",
        "follow-up-1-1 complete 1",
      ],
      head: "57fa1a389acd0e9c74593383d8310e30dad17765",
      steps: 43,
      dispatches: 26,
      questions: [],
      files: 10,
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
