// Requests to make prompts of: small, complete, and with text in every place.
import type { DispatchStarted } from "../../src/core/event.ts";
import type { EvidenceFinding } from "../../src/core/evidence/finding.ts";
import type { GateJudgement, GateResult } from "../../src/core/gate-result.ts";
import { dispatchId, type RunId, type Sha, type TaskId } from "../../src/core/ids.ts";
import type { Task } from "../../src/core/prd.ts";
import { type AgentStage, type Finding, roleOfStage } from "../../src/core/report.ts";
import type { DispatchRequest, GateWord } from "../../src/core/request.ts";
import { noUsage, type TaskPhase, type TaskRecord } from "../../src/core/state.ts";
import { makeTests } from "../support/run-parts.ts";

export const base = "b".repeat(40) as Sha; // by its form a Sha
export const candidate = "c".repeat(40) as Sha; // by its form a Sha
const earlier = "e".repeat(40) as Sha; // by its form a Sha

export function toId(text: string): TaskId {
  return text as TaskId; // the tests write only good ids
}

export const stages = Object.keys(roleOfStage) as readonly AgentStage[]; // its keys are exactly the stages

export function makeTask(changes: Partial<Task> = {}): Task {
  return {
    id: toId("task-2"),
    title: "Read dates with offsets",
    description: "`toDate` ignores the offset of a date.\n\nIt must use it; see docs/dates.md.",
    acceptanceCriteria: [
      "2020-01-01T00:00+02:00 is 2019-12-31T22:00Z",
      "a wrong offset is refused\nwith its text",
    ],
    dependsOn: [toId("task-1")],
    filesToRead: ["src/dates.ts"],
    filesTouched: ["src/dates.ts", "test/dates.test.ts"],
    warnings: ["Old rows have no offset"],
    mitigations: ["Keep the old reader for old rows"],
    priority: null,
    type: "auto",
    checkpoint: null,
    agent: null,
    gates: null,
    allowNoChanges: false,
    allowDeletions: false,
    claim: { status: "pending", passes: false, attemptCount: 0, notes: null, commitSha: null },
    extra: {},
    ...changes,
  };
}

export function makeRecord(changes: Partial<TaskRecord> = {}): TaskRecord {
  return {
    task: makeTask(),
    phase: { kind: "pending" },
    attempts: [],
    prechecks: [],
    precheckFailures: 0,
    precheckTries: 0,
    recon: null,
    cleared: [],
    asked: [],
    builderNotes: [],
    granted: 0,
    infrastructure: null,
    usage: noUsage,
    ...changes,
  };
}

export function makeIntent(stage: AgentStage, changes: Partial<DispatchStarted> = {}): DispatchStarted {
  const isAboutTask = stage === "develop" || stage === "precheck" || stage === "review";
  return {
    kind: "dispatch-started",
    dispatch: dispatchId(7),
    stage,
    role: roleOfStage[stage],
    agent: roleOfStage[stage],
    taskId: isAboutTask ? toId("task-2") : null,
    attempt: 1,
    try: 1,
    lane: 1,
    base,
    candidate: stage === "review" ? candidate : null,
    startFrom: stage === "develop" ? { kind: "base" } : null,
    ...changes,
  };
}

export function makeGate(
  changes: Partial<GateResult> = {},
  judgement: GateJudgement | null = null,
): GateWord {
  return { result: makeResult(changes), judgement };
}

function makeResult(changes: Partial<GateResult>): GateResult {
  return {
    gate: "tests",
    command: "npm test",
    outcome: "failed",
    exitCode: 1,
    durationMs: 1_200,
    outputSha256: "0".repeat(64),
    outputBytes: 40,
    tail: "not ok 1 - offsets\n  expected 22, got 0",
    detail: "",
    tests: makeTests(11, 1),
    ...changes,
  };
}

export function makeFinding(changes: Partial<Finding> = {}): Finding {
  return {
    id: "f1.1",
    severity: "major",
    file: "src/dates.ts",
    line: 40,
    problem: "the offset is read and dropped",
    fix: "pass it to toUtc",
    ...changes,
  };
}

export function makeEvidence(changes: Partial<EvidenceFinding> = {}): EvidenceFinding {
  return {
    id: "t1",
    kind: "test-skipped",
    effect: "justify",
    severity: "major",
    file: "test/dates.test.ts",
    line: 12,
    text: "a test is skipped",
    ...changes,
  };
}

/** A request with little in it: a first attempt without history. */
export function makeRequest(stage: AgentStage, changes: Partial<DispatchRequest> = {}): DispatchRequest {
  const intent = makeIntent(stage);
  return {
    intent,
    slug: "time-zones",
    runId: "20260131T120000Z-3fa9c1" as RunId, // by its form a RunId
    goal: "Every date in the product says which moment it means.",
    constraints: ["No new dependencies"],
    record: intent.taskId === null ? null : makeRecord(),
    files: [{ path: "src/dates.ts", why: "named by the task" }],
    mitigations: intent.taskId === null ? [] : ["Keep the old reader for old rows"],
    seen: { files: [], names: [] },
    learned: [],
    feedback: null,
    issues: [],
    gates: [],
    evidence: [],
    withheld: [],
    openFindings: [],
    developerReport: null,
    tasks: intent.taskId === null ? makePlan() : [],
    ...changes,
  };
}

/** A request with something in every place that the stage can have. */
export function makeFullRequest(stage: AgentStage): DispatchRequest {
  const plain = makeRequest(stage);
  const gate = makeGate();
  if (stage === "precheck") return { ...plain, issues: ["Which reader is the old one?"] };
  if (stage === "review") {
    return {
      ...plain,
      intent: makeIntent(stage, { attempt: 2 }),
      mitigations: [...plain.mitigations, "Two formats: store UTC"],
      gates: [makeGate({ gate: "types", command: "tsc", outcome: "passed", exitCode: 0, tests: null }), gate],
      evidence: [makeEvidence()],
      withheld: ["AGENTS.md"],
      openFindings: [makeFinding()],
      feedback: {
        gates: [],
        findings: [],
        evidence: [],
        conflict: [],
        note: "nobody justified what the program found",
      },
      developerReport: "Offsets are used now.\nAll tests pass.",
    };
  }
  if (stage !== "develop") return plain;
  return {
    ...plain,
    intent: makeIntent(stage, { attempt: 2, startFrom: { kind: "rejected", attempt: 1, commit: earlier } }),
    record: makeRecord({ builderNotes: ["Leave the parser of the importer alone."] }),
    mitigations: [...plain.mitigations, "Two formats: store UTC"],
    seen: {
      files: [{ path: "src/dates.ts", exists: true }],
      names: [{ name: "toUtc", foundIn: ["src/dates.ts"] }],
    },
    learned: [{ taskId: toId("task-1"), text: "Fixtures are made by npm run fixtures" }],
    issues: ["Which reader is the old one? readRow in src/rows.ts"],
    feedback: {
      gates: [gate],
      findings: [
        makeFinding({ id: "f1.2", severity: "minor", file: null, line: null, fix: "" }),
        makeFinding(),
      ],
      evidence: [makeEvidence()],
      conflict: [],
      note: "The builder says: Leave the parser of the importer alone.\n\ngates failed: tests",
    },
  };
}

function makePlan(): readonly TaskRecord[] {
  const complete: TaskPhase = { kind: "complete", commit: candidate, before: false };
  const skipped: TaskPhase = { kind: "skipped", why: "not now", by: "builder" };
  const first = makeTask({
    id: toId("task-1"),
    title: "Store | UTC",
    dependsOn: [],
    filesToRead: [],
    filesTouched: [],
  });
  return [
    makeRecord({ task: first, phase: complete }),
    makeRecord(),
    makeRecord({ task: makeTask({ id: toId("task-3"), title: "Show local time" }), phase: skipped }),
  ];
}
