// Version 1 to 2: what an event of each kind that has changed becomes, and that everything else is left as it is.
import { readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { withEvidence } from "../../src/schema/migrate-evidence.ts";
import { migrateEvent } from "../../src/schema/migrations.ts";

type Event = Readonly<Record<string, unknown>>;

const place = { taskId: "a", attempt: 1, commit: "c".repeat(40) };
const counts = { passed: 17, failed: 3 };
const newCounts = { ...counts, skipped: 0, failures: [], isNamed: false };
const red = { reason: "gates-red", gates: ["tests"] };
const newRed = { ...red, tests: [] };
const held = { reason: "tasks-held", first: "a", held: ["a"], because: red };

const cases: readonly (readonly [string, Event, Event])[] = [
  [
    "a gate that began ran on the candidate as it was",
    { kind: "gate-started", ...place, gate: "tests" },
    { kind: "gate-started", ...place, gate: "tests", trial: "candidate" },
  ],
  [
    "a gate that ended did so too, and named no failing test",
    { kind: "gate-ended", ...place, result: { kind: "ran", result: { gate: "tests", tests: counts } } },
    {
      kind: "gate-ended",
      ...place,
      trial: "candidate",
      result: { kind: "ran", result: { gate: "tests", tests: newCounts } },
    },
  ],
  [
    "a gate without counts has none",
    { kind: "gate-ended", ...place, result: { kind: "ran", result: { gate: "lint", tests: null } } },
    {
      kind: "gate-ended",
      ...place,
      trial: "candidate",
      result: { kind: "ran", result: { gate: "lint", tests: null } },
    },
  ],
  [
    "a gate that was interrupted has no result",
    { kind: "gate-ended", ...place, result: { kind: "interrupted", by: "SIGINT" } },
    { kind: "gate-ended", ...place, trial: "candidate", result: { kind: "interrupted", by: "SIGINT" } },
  ],
  [
    "a candidate was not looked into",
    {
      kind: "candidate-made",
      ...place,
      result: { kind: "made", candidate: { changeCount: 1 }, replayOf: null },
    },
    {
      kind: "candidate-made",
      ...place,
      result: { kind: "made", candidate: { changeCount: 1, findings: [], baseVersions: [] }, replayOf: null },
    },
  ],
  [
    "work that became no candidate is as it was",
    { kind: "candidate-made", ...place, result: { kind: "refused", failure: { reason: "no-change" } } },
    { kind: "candidate-made", ...place, result: { kind: "refused", failure: { reason: "no-change" } } },
  ],
  [
    "gates were judged without a word on each",
    { kind: "gates-judged", ...place, red: ["tests"] },
    { kind: "gates-judged", ...place, red: ["tests"], gates: [], findings: [] },
  ],
  [
    "an attempt that red gates ended names no test",
    { kind: "attempt-ended", taskId: "a", attempt: 1, outcome: { kind: "rejected", failure: red } },
    { kind: "attempt-ended", taskId: "a", attempt: 1, outcome: { kind: "rejected", failure: newRed } },
  ],
  [
    "nor does a question because of red gates",
    { kind: "question-asked", question: { id: "q", failure: red } },
    { kind: "question-asked", question: { id: "q", failure: newRed } },
  ],
  [
    "nor a run that stopped because of them",
    { kind: "run-blocked", failure: held, question: "q" },
    { kind: "run-blocked", failure: { ...held, because: newRed }, question: "q" },
  ],
];

const others: readonly Event[] = [
  { kind: "attempt-ended", taskId: "a", attempt: 1, outcome: { kind: "accepted", commit: place.commit } },
  {
    kind: "attempt-ended",
    taskId: "a",
    attempt: 1,
    outcome: { kind: "failed", failure: { reason: "no-change" } },
  },
  { kind: "run-failed", failure: { reason: "task-failure-stops", taskId: "a", because: "gates-red" } },
  { kind: "question-answered", question: "q", text: "approve", by: "me" },
  { kind: "question-asked", question: { id: "q", failure: null } },
  { kind: "told", text: "gates-red" },
  { kind: "gate-ended", result: null },
  { kind: "gate-ended", result: { kind: "ran", result: "?" } },
  { kind: "candidate-made", result: [] },
  { kind: "run-completed" },
];

describe("an event of version 1", () => {
  it.each(cases)("%s", (_what, before, after) => {
    expect(migrateEvent(before, 1)).toEqual(after);
    expect(migrateEvent(before, 2)).toEqual(before);
  });

  it("of any other form is left to the reader of events", () => {
    for (const event of others) {
      const { trial, ...rest } = migrateEvent(event, 1) as Event; // an object stays one
      expect(trial === undefined || trial === "candidate").toBe(true);
      expect(rest).toEqual(event);
    }
    for (const event of [null, 7, "gate-ended", [{ kind: "gates-judged" }]]) {
      expect(migrateEvent(event, 1)).toEqual(event);
    }
  });
});

describe("an event that has the newer form already", () => {
  it.each(cases)("is left as it is: %s", (_what, before, after) => {
    expect(withEvidence(withEvidence(before))).toEqual(after);
  });

  test("so a run that an older program began goes on in the same file", () => {
    const journal = readFileSync(new URL("../golden/journal/v3-completed.jsonl", import.meta.url), "utf8");
    const events = journal
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((line): unknown => JSON.parse(line).event);
    expect(events.length).toBeGreaterThan(50);
    expect(events.map((event) => migrateEvent(event, 1))).toEqual(events);
  });

  it.each<[string, Event]>([
    ["a second run", { kind: "gate-started", ...place, trial: "again" }],
    [
      "named tests",
      { kind: "attempt-ended", outcome: { kind: "rejected", failure: { ...red, tests: ["adds"] } } },
    ],
    ["findings", { kind: "gates-judged", red: [], gates: [{ gate: "tests" }], findings: [{ id: "b1" }] }],
    [
      "named failures of a gate",
      {
        kind: "gate-ended",
        trial: "base tests",
        result: { result: { tests: { ...newCounts, failures: ["x"], isNamed: true } } },
      },
    ],
  ])("keeps %s", (_what, event) => expect(withEvidence(event)).toEqual(event));
});
