import { expect, describe as group, it } from "vitest";
import {
  classOf,
  countsAsAttempt,
  describe,
  type Failure,
  type FailureClass,
  stopsRun,
  triesIn,
} from "../../src/core/failure.ts";
import { shaOf, taskId } from "../support/run-parts.ts";

type Row = readonly [failure: Failure, sentence: string];

// One row for every sentence that a variant can make; the key makes the compiler ask for rows of a new variant.
const rows: { readonly [Reason in Failure["reason"]]: readonly Row[] } = {
  "agent-exited": [
    [
      { reason: "agent-exited", agent: "developer", exitCode: 1, signal: null, tail: "" },
      'agent "developer" ended with exit code 1',
    ],
    [
      { reason: "agent-exited", agent: "developer", exitCode: null, signal: null, tail: " \n" },
      'agent "developer" ended with no exit code',
    ],
    [
      { reason: "agent-exited", agent: "developer", exitCode: null, signal: "SIGKILL", tail: "a\nb\n" },
      'agent "developer" ended with signal SIGKILL; its output ended with:\na\nb',
    ],
    [
      { reason: "agent-exited", agent: "d", exitCode: 2, signal: null, tail: "1\n2\n3\n4\n5\n6\n7\n8" },
      'agent "d" ended with exit code 2; its output ended with:\n3\n4\n5\n6\n7\n8',
    ],
  ],
  "agent-timed-out": [
    [
      { reason: "agent-timed-out", agent: "developer", afterMs: 999, idle: false },
      'agent "developer" was still running after 999 ms and was ended',
    ],
    [
      { reason: "agent-timed-out", agent: "developer", afterMs: 90_000, idle: false },
      'agent "developer" was still running after 90 s and was ended',
    ],
    [
      { reason: "agent-timed-out", agent: "developer", afterMs: 3_600_000, idle: true },
      'agent "developer" showed no activity for 60 min and was ended',
    ],
  ],
  "report-missing": [
    [
      { reason: "report-missing", agent: "reviewer", stage: "review" },
      'agent "reviewer" ended without writing its review report',
    ],
  ],
  "report-invalid": [
    [
      { reason: "report-invalid", agent: "reviewer", stage: "review", problems: ["no score", "no verdict"] },
      'agent "reviewer" wrote a review report that cannot be used: no score; no verdict',
    ],
  ],
  "metadata-changed": [
    [
      { reason: "metadata-changed", what: [".git/config", "refs/heads/main"] },
      "the dispatch changed the repository's metadata: .git/config; refs/heads/main",
    ],
  ],
  "no-change": [
    [{ reason: "no-change" }, "the developer changed nothing, and the task does not say allowNoChanges"],
  ],
  "same-as-rejected": [
    [
      { reason: "same-as-rejected", attempt: 2 },
      "the result is the same as that of attempt 2, which was rejected",
    ],
  ],
  "nested-repository": [
    [
      { reason: "nested-repository", paths: ["vendor/a", "b"] },
      "there is a git repository inside the working directory: vendor/a, b; its files cannot be committed. Remove its .git",
    ],
  ],
  "gates-red": [
    [{ reason: "gates-red", gates: ["lint", "tests"], tests: [] }, "gates failed: lint, tests"],
    [
      { reason: "gates-red", gates: ["tests"], tests: ["adds", "subtracts"] },
      "gates failed: tests; new failing tests: adds, subtracts",
    ],
  ],
  "evidence-rejected": [
    [
      { reason: "evidence-rejected", problems: ["c1: a secret in a.ts:3"] },
      "the program found what no review can allow: c1: a secret in a.ts:3",
    ],
  ],
  "evidence-unjustified": [
    [
      { reason: "evidence-unjustified", problems: ["t1: a test is skipped"] },
      "nobody justified what the program found: t1: a test is skipped",
    ],
  ],
  "evidence-refused": [
    [
      { reason: "evidence-refused", text: "reject", problems: ["d1: 401 files are deleted"] },
      "the builder refused what the program found (reject): d1: 401 files are deleted",
    ],
  ],
  "evidence-held": [
    [
      { reason: "evidence-held", taskId: taskId("a"), problems: ["d1: 401 files are deleted"] },
      "the program found in task a what the builder has to allow: d1: 401 files are deleted",
    ],
  ],
  "review-rejected": [
    [
      { reason: "review-rejected", score: 60, passScore: 80, problems: ["slow", "ugly"] },
      "the review did not approve (score 60, needed 80): slow; ugly",
    ],
    [
      { reason: "review-rejected", score: 60, passScore: 80, problems: [] },
      "the review did not approve (score 60, needed 80)",
    ],
  ],
  "builder-rejected": [
    [{ reason: "builder-rejected", text: "too blue" }, "the builder rejected it: too blue"],
  ],
  "checkout-changed": [
    [
      { reason: "checkout-changed", what: ["a file", "a tag"] },
      "outside of the working directory something was changed that is the builder's: a file; a tag",
    ],
  ],
  "replay-conflict": [
    [
      { reason: "replay-conflict", files: ["a", "b"] },
      "the work conflicts with what is on the branch now, in a, b",
    ],
  ],
  "branch-moved": [
    [
      { reason: "branch-moved", branch: "feature/x", expected: shaOf("a"), found: shaOf("b") },
      `branch "feature/x" is at ${shaOf("b").slice(0, 7)}, but this run left it at ${shaOf("a").slice(0, 7)}; put it back with "git branch -f feature/x ${shaOf("a")}", or cancel the run and start again with "run --fresh"`,
    ],
    [
      { reason: "branch-moved", branch: "feature/x", expected: shaOf("a"), found: null },
      `branch "feature/x" is at no commit (deleted), but this run left it at ${shaOf("a").slice(0, 7)}; put it back with "git branch -f feature/x ${shaOf("a")}", or cancel the run and start again with "run --fresh"`,
    ],
  ],
  "branch-checked-out": [
    [
      { reason: "branch-checked-out", branch: "feature/x", path: "/home/me/x" },
      'branch "feature/x" is checked out in "/home/me/x"; run "git switch --detach" there, then resume',
    ],
  ],
  "attempts-used-up": [
    [
      { reason: "attempts-used-up", taskId: taskId("a"), attempts: 3, last: "gates failed: tests" },
      "task a used up its 3 attempts; the last one: gates failed: tests",
    ],
  ],
  stalled: [
    [
      { reason: "stalled", taskId: taskId("a"), how: "2 attempts in a row brought no change" },
      "task a makes no progress: 2 attempts in a row brought no change",
    ],
  ],
  "report-unusable-twice": [
    [
      { reason: "report-unusable-twice", stage: "review", taskId: taskId("a"), last: "no score" },
      "the review report of task a was unusable twice: no score",
    ],
    [
      { reason: "report-unusable-twice", stage: "recon", taskId: null, last: "no tasks" },
      "the recon report was unusable twice: no tasks",
    ],
  ],
  "infrastructure-in-a-row": [
    [
      {
        reason: "infrastructure-in-a-row",
        stage: "gates",
        taskId: taskId("a"),
        times: 5,
        last: "git failed",
      },
      "gates of task a failed 5 times in a row for reasons outside the work: git failed",
    ],
    [
      { reason: "infrastructure-in-a-row", stage: "recon", taskId: null, times: 5, last: "git failed" },
      "recon failed 5 times in a row for reasons outside the work: git failed",
    ],
    [
      { reason: "infrastructure-in-a-row", stage: "recon", taskId: null, times: 1, last: "git failed" },
      "recon failed for reasons outside the work: git failed",
    ],
  ],
  "question-open": [
    [
      { reason: "question-open", question: "developer:a:1", text: "which colour?" },
      'the builder has to answer question "developer:a:1": which colour?',
    ],
  ],
  "gate-red-on-base": [
    [
      {
        reason: "gate-red-on-base",
        gate: "tests",
        command: "npm test",
        exitCode: 1,
        how: "failed with exit code 1",
        tail: "1 failing",
      },
      'gate "tests" (npm test) failed with exit code 1 on the base, before any task; its output ended with:\n1 failing',
    ],
  ],
  "gaps-left": [
    [
      { reason: "gaps-left", rounds: 2, summary: "no help page" },
      "the holistic review still finds gaps after 2 rounds of follow-ups: no help page",
    ],
  ],
  "tasks-held": [
    [
      {
        reason: "tasks-held",
        first: taskId("a"),
        because: { reason: "gates-red", gates: ["tests"], tests: [] },
        held: [taskId("a"), taskId("b"), taskId("c")],
      },
      "gates failed: tests (also waiting for the builder: b, c)",
    ],
    [
      { reason: "tasks-held", first: taskId("a"), because: { reason: "no-change" }, held: [taskId("a")] },
      "the developer changed nothing, and the task does not say allowNoChanges",
    ],
  ],
  "nothing-selected": [
    [
      { reason: "nothing-selected", only: ["a", "b"] },
      "of the tasks selected with --only (a, b) each is done or waits for one that was not selected; resume without --only for the others",
    ],
  ],
  "agent-cannot-start": [
    [
      { reason: "agent-cannot-start", agent: "developer", command: "agent --now", detail: "ENOENT" },
      'agent "developer" cannot be started with "agent --now": ENOENT; correct agents.developer in execute-prd.config.json',
    ],
  ],
  "agent-not-configured": [
    [
      { reason: "agent-not-configured", agent: "third", known: ["developer", "second"] },
      'agent "third" is not configured (configured: developer, second); add agents.third to execute-prd.config.json',
    ],
    [
      { reason: "agent-not-configured", agent: "third", known: [] },
      'agent "third" is not configured (configured: none); add agents.third to execute-prd.config.json',
    ],
  ],
  "gate-cannot-start": [
    [
      { reason: "gate-cannot-start", gate: "tests", command: "npm test", detail: "ENOENT" },
      'gate "tests" cannot be started with "npm test": ENOENT; correct gates in execute-prd.config.json',
    ],
  ],
  "setup-failed": [
    [
      { reason: "setup-failed", command: "npm ci", exitCode: 1, tail: "EAI_AGAIN" },
      'setup "npm ci" failed with exit code 1; its output ended with:\nEAI_AGAIN',
    ],
    [
      { reason: "setup-failed", command: "npm ci", exitCode: null, tail: "" },
      'setup "npm ci" failed with no exit code',
    ],
  ],
  "lane-unusable": [
    [
      { reason: "lane-unusable", path: "/lanes/1", detail: "it is not a folder" },
      'the working tree "/lanes/1" cannot be used: it is not a folder',
    ],
  ],
  "git-failed": [
    [
      { reason: "git-failed", doing: "making a commit", exitCode: 128, detail: "fatal: no" },
      "git failed while making a commit (exit code 128): fatal: no",
    ],
    [
      { reason: "git-failed", doing: "making a commit", exitCode: null, detail: "timed out" },
      "git failed while making a commit: timed out",
    ],
  ],
  "storage-failed": [
    [
      { reason: "storage-failed", doing: "writing", path: "/run/journal.jsonl", code: "ENOSPC" },
      'writing "/run/journal.jsonl" failed with ENOSPC; make room or give back the permission, then resume',
    ],
  ],
  "journal-not-ours": [
    [
      { reason: "journal-not-ours", path: "/run/journal.jsonl", detail: "it has grown" },
      'the journal "/run/journal.jsonl" cannot be written any more: it has grown; if no other execute-prd works on this run, resume',
    ],
  ],
  "budget-dispatches": [
    [
      { reason: "budget-dispatches", used: 38, limit: 38 },
      "the budget of 38 dispatches is used up (38); raise budget.maxDispatches and resume",
    ],
  ],
  "budget-cost": [
    [
      { reason: "budget-cost", usedUsd: 25.004, limitUsd: 25, taskId: null },
      'the cost $25.00 reached the budget of $25.00; go on with "resume --budget-usd" and a higher value',
    ],
    [
      { reason: "budget-cost", usedUsd: 5.5, limitUsd: 5, taskId: taskId("a") },
      "the cost $5.50 of task a reached the budget of $5.00; raise budget.perTaskUsd and resume",
    ],
  ],
  "budget-wall-clock": [
    [
      { reason: "budget-wall-clock", usedMs: 28_800_000, limitMs: 28_800_000 },
      "the run has used 480 min of the 480 min in budget.wallClockMs; raise it and resume",
    ],
  ],
  "paused-by-builder": [[{ reason: "paused-by-builder", by: "SIGINT" }, "paused by SIGINT"]],
  "agent-refused": [
    [{ reason: "agent-refused", agent: "d", detail: "" }, 'the model behind agent "d" refused to answer'],
  ],
  "agent-went-nowhere": [
    [
      { reason: "agent-went-nowhere", agent: "d", how: "it read the same file 5 times in a row" },
      'agent "d" was ended: it read the same file 5 times in a row',
    ],
  ],
  "service-failed": [
    [
      { reason: "service-failed", agent: "d", status: 529, detail: "overloaded" },
      'the service behind agent "d" failed (status 529): overloaded',
    ],
    [
      { reason: "service-failed", agent: "d", status: null, detail: "ECONNRESET" },
      'the service behind agent "d" failed: ECONNRESET',
    ],
  ],
  "rate-limited": [
    [
      { reason: "rate-limited", agent: "d", resetAtMs: 1_767_225_599_000, detail: "5 hours" },
      'agent "d" has reached a limit, which ends at 2025-12-31 23:59:59 UTC: 5 hours',
    ],
    [
      { reason: "rate-limited", agent: "d", resetAtMs: null, detail: "429" },
      'agent "d" has reached a limit: 429',
    ],
  ],
  "not-logged-in": [
    [
      { reason: "not-logged-in", agent: "d", detail: "no key" },
      'agent "d" is not logged in: no key; log in (see "execute-prd doctor --agents"), then resume',
    ],
  ],
  "credit-empty": [
    [
      { reason: "credit-empty", agent: "d", detail: "balance 0" },
      'the credit of agent "d" is used up: balance 0; add credit, then resume',
    ],
  ],
  "request-refused": [
    [
      { reason: "request-refused", agent: "d", status: 404, detail: "no such model" },
      'the service behind agent "d" refused the request (status 404): no such model; do what it says, or correct agents.d in execute-prd.config.json, then resume',
    ],
    [
      { reason: "request-refused", agent: "d", status: null, detail: "no such model" },
      'the service behind agent "d" refused the request: no such model; do what it says, or correct agents.d in execute-prd.config.json, then resume',
    ],
  ],
  "sandbox-missing": [
    [
      { reason: "sandbox-missing", detail: "bwrap was not found" },
      'nothing can be run in the sandbox: bwrap was not found; mend it, or set "sandbox" to "off" in execute-prd.config.json',
    ],
  ],
  "budget-projected": [
    [
      { reason: "budget-projected", usedUsd: 0.4, nextUsd: 0.2, limitUsd: 0.5, taskId: null },
      'the next dispatch would pass the budget of $0.50: $0.40 are used, and it is likely to cost $0.20; go on with "resume --budget-usd" and a higher value',
    ],
  ],
  cancelled: [[{ reason: "cancelled", by: "the builder" }, "cancelled by the builder"]],
  "task-failure-stops": [
    [
      { reason: "task-failure-stops", taskId: taskId("a"), because: "gates failed: tests" },
      'onTaskFailure is "stop" and task a failed: gates failed: tests',
    ],
  ],
};

const all: readonly Row[] = Object.values(rows).flat();

group("every failure explains itself in one sentence", () => {
  it.each(all)("%j", (failure, sentence) => expect(describe(failure)).toBe(sentence));

  it("but one that nobody knows is a bug", () => {
    const failure = { reason: "later" } as unknown as Failure; // what a newer version could have written
    expect(() => describe(failure)).toThrow("describe: unknown variant");
  });
});

group("a failure's class", () => {
  const classes: { readonly [Class in FailureClass]: readonly Failure["reason"][] } = {
    agent: [
      "agent-exited",
      "agent-timed-out",
      "report-missing",
      "report-invalid",
      "metadata-changed",
      "agent-refused",
      "agent-went-nowhere",
    ],
    transient: ["service-failed"],
    "rate-limited": ["rate-limited"],
    auth: ["not-logged-in", "credit-empty"],
    rejected: [
      "no-change",
      "same-as-rejected",
      "nested-repository",
      "gates-red",
      "evidence-rejected",
      "evidence-unjustified",
      "evidence-refused",
      "review-rejected",
      "builder-rejected",
      "checkout-changed",
    ],
    conflict: ["replay-conflict", "branch-moved", "branch-checked-out"],
    "needs-builder": [
      "attempts-used-up",
      "stalled",
      "report-unusable-twice",
      "infrastructure-in-a-row",
      "question-open",
      "evidence-held",
      "gate-red-on-base",
      "gaps-left",
      "tasks-held",
      "nothing-selected",
    ],
    environment: [
      "agent-cannot-start",
      "agent-not-configured",
      "request-refused",
      "sandbox-missing",
      "gate-cannot-start",
      "setup-failed",
      "lane-unusable",
      "git-failed",
      "storage-failed",
      "journal-not-ours",
    ],
    budget: ["budget-dispatches", "budget-cost", "budget-projected", "budget-wall-clock"],
    builder: ["paused-by-builder", "cancelled", "task-failure-stops"],
  };
  const expected = new Map(
    Object.entries(classes).flatMap(([name, reasons]) => reasons.map((reason) => [reason, name])),
  );

  it.each(all.map(([failure]) => failure))("of $reason follows its reason alone", (failure) => {
    expect(classOf(failure)).toBe(expected.get(failure.reason));
  });

  it("decides what uses up an attempt: an answer or the agent's own fault, nothing else (I14)", () => {
    for (const [failure] of all) {
      const name = expected.get(failure.reason);
      expect([failure.reason, countsAsAttempt(failure)]).toEqual([
        failure.reason,
        name === "agent" || name === "rejected",
      ]);
    }
  });

  it("decides what stops the run at once: what another try would only repeat", () => {
    const stopping = all.filter(([failure]) => stopsRun(failure)).map(([failure]) => failure.reason);
    expect(new Set(stopping)).toEqual(
      new Set(
        [...classes.auth, ...classes.budget, ...classes.environment].filter(
          (reason) => reason !== "git-failed",
        ),
      ),
    );
  });

  it("stands for one try of a service, unless it says for how many", () => {
    const failure = { reason: "service-failed", agent: "d", status: 529, detail: "" } as const;
    expect(
      [failure, { ...failure, tries: 4 }, { ...failure, reason: "cancelled", by: "me" } as const].map(
        triesIn,
      ),
    ).toEqual([1, 4, 1]);
  });
});
