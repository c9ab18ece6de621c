// The journal in words: a line for every event, whatever is in it.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { RunEvent } from "../../src/core/event.ts";
import { dispatchId } from "../../src/core/ids.ts";
import { createNarrator, inWords } from "../../src/views/words.ts";
import { makeCandidate, makeTask, shaOf, taskId } from "../support/run-parts.ts";
import { completedStory } from "./feature-story.ts";

test("every event of a run is one line that is not empty", () => {
  for (const entry of completedStory().entries) expect(inWords(entry)).toMatch(/^\S.*\S$/);
});

test("a narrator says of the end of a dispatch whose it was", () => {
  const narrate = createNarrator();
  const lines = completedStory().entries.map(narrate);
  expect(lines.some((line) => /^task-1, attempt 1: develop ended after/.test(line))).toBe(true);
  expect(lines.some((line) => /^holistic-review ended after/.test(line))).toBe(true);
  expect(lines.filter((line) => /^d\d+ ended/.test(line))).toEqual([]);
});

const at = { taskId: taskId("task-1"), attempt: 2 };
const failure = { reason: "paused-by-builder", by: "SIGINT" } as const;

const limited = { reason: "rate-limited", agent: "developer", resetAtMs: null, detail: "5 hours" } as const;
const noon = Date.UTC(2026, 0, 31, 12);

test.each<readonly [RunEvent, string]>([
  [
    { kind: "wait-started", agent: "developer", dispatch: null, untilMs: noon, failure: limited },
    'developer waits until 2026-01-31 12:00:00 UTC: agent "developer" has reached a limit: 5 hours',
  ],
  [
    { kind: "wait-started", agent: "developer", dispatch: dispatchId(4), untilMs: noon, failure: limited },
    'd4 waits until 2026-01-31 12:00:00 UTC: agent "developer" has reached a limit: 5 hours',
  ],
  [
    { kind: "budget-warned", taskId: null, usedUsd: 20, limitUsd: 25 },
    "$20.00 of the budget of $25.00 are used",
  ],
  [
    { kind: "budget-warned", taskId: at.taskId, usedUsd: 4, limitUsd: 5 },
    "$4.00 of the budget of $5.00 of task task-1 are used",
  ],
  [{ kind: "ownership-taken", from: "process 7" }, "took over from process 7, which is gone"],
  [{ kind: "journal-repaired", droppedBytes: 12 }, "cut a torn last line of 12 bytes off the journal"],
  [
    { kind: "foreign-commits-adopted", from: shaOf("a"), to: shaOf("b"), count: 2 },
    `adopted 2 commits put on the branch from outside (now ${shaOf("b").slice(0, 7)})`,
  ],
  [
    { kind: "stage-ended", stage: "recon", outcome: "skipped", notes: "switched off" },
    "recon skipped: switched off",
  ],
  [
    { kind: "candidate-made", ...at, result: { kind: "refused", failure: { reason: "no-change" } } },
    "task-1, attempt 2: no candidate: the developer changed nothing, and the task does not say allowNoChanges",
  ],
  [
    {
      kind: "candidate-made",
      ...at,
      result: { kind: "made", candidate: makeCandidate("x"), replayOf: null },
    },
    `task-1, attempt 2: candidate ${shaOf("x commit").slice(0, 7)} with 1 changed file`,
  ],
  [
    {
      kind: "gate-ended",
      ...at,
      gate: "t",
      trial: "again",
      commit: shaOf("a"),
      result: { kind: "interrupted", by: "pause" },
    },
    "task-1, attempt 2: gate t once more interrupted by pause",
  ],
  [
    { kind: "integration-ended", ...at, result: { kind: "refused", failure } },
    "task-1, attempt 2: not on the branch: paused by SIGINT",
  ],
  [{ kind: "attempt-ended", ...at, outcome: { kind: "asked" } }, "task-1, attempt 2: ended with a question"],
  [
    { kind: "task-retried", taskId: at.taskId, note: "", by: "builder" },
    "task-1: builder asked for another attempt",
  ],
  [
    { kind: "follow-ups-added", round: 1, tasks: [makeTask("follow-up-1-1", { title: "More" })] },
    "follow-ups, round 1: follow-up-1-1 (More)",
  ],
  [
    { kind: "memory-ended", result: { kind: "kept aside", ref: "refs/x", why: "gates" } },
    "learnings kept as refs/x: gates",
  ],
  [
    { kind: "memory-ended", result: { kind: "kept aside", ref: "", why: "a link" } },
    "learnings not written: a link",
  ],
  [{ kind: "pause-requested", now: true, by: "builder" }, "builder asked for a pause now"],
  [
    { kind: "pause-requested", now: false, by: "builder" },
    "builder asked for a pause at the end of the stage",
  ],
  [{ kind: "run-cancelled", by: "builder" }, "cancelled by builder"],
  [{ kind: "base-compared", movedBy: 0 }, "the base has not moved"],
  [{ kind: "base-compared", movedBy: null }, "how far the base has moved could not be found out"],
  [{ kind: "run-paused", failure }, "paused: paused by SIGINT"],
  [{ kind: "run-failed", failure }, "failed: paused by SIGINT"],
  [{ kind: "run-completed" }, "completed"],
])("%j", (event, expected) => {
  expect(inWords({ seq: 1, atMs: 0, session: "s1", event })).toBe(expected);
});

test("words of agents stay on their line and move no cursor", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 600 }), (text) => {
      const event: RunEvent = {
        kind: "attempt-ended",
        ...at,
        outcome: { kind: "rejected", failure: asked(text) },
      };
      const line = inWords({ seq: 1, atMs: 0, session: "s1", event });
      expect(line).toMatch(/^task-1, attempt 2: sent back: /);
      expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|(?![\u200c\u200d])\p{Cf}/u);
    }),
  );
});

function asked(text: string) {
  return { reason: "builder-rejected", text: `${text}.` } as const;
}
