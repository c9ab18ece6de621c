// What an agent is told, as plain data (contract "Agent protocol"): a function of the state and the dispatch.
// The prompt says the same in words (src/prompts).

import type { DispatchStarted } from "./event.ts";
import type { EvidenceFinding } from "./evidence/finding.ts";
import { countsAsAttempt, describe } from "./failure.ts";
import type { GateJudgement, GateResult, GateTrial } from "./gate-result.ts";
import { processMark, type TaskId } from "./ids.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { limits } from "./limits.ts";
import { nothingSeen, type OwnLook } from "./own-look.ts";
import { toTaskFields } from "./prd.ts";
import type { Finding, Risk } from "./report.ts";
import { type AttemptRecord, knownTask, type RunState, type TaskRecord } from "./state.ts";

export interface FileToRead {
  readonly path: string;
  readonly why: string;
}

/** A gate's result with what it was judged to be; null where it was not judged. */
export interface GateWord {
  readonly result: GateResult;
  readonly judgement: GateJudgement | null;
}

interface Feedback {
  readonly gates: readonly GateWord[];
  /** What the program found in the attempt before. */
  readonly evidence: readonly EvidenceFinding[];
  readonly findings: readonly Finding[];
  /** Files in which the earlier work could not be put on the base; empty without a conflict. */
  readonly conflict: readonly string[];
  /** Why the attempt before ended, and the builder's words. */
  readonly note: string;
}

export interface DispatchRequest {
  readonly intent: DispatchStarted;
  readonly slug: string;
  readonly runId: string;
  readonly goal: string;
  readonly constraints: readonly string[];
  readonly record: TaskRecord | null;
  readonly files: readonly FileToRead[];
  readonly mitigations: readonly string[];
  /** Whether the files and names that the task speaks of are there, as the program saw itself. */
  readonly seen: OwnLook;
  readonly learned: readonly { readonly taskId: TaskId; readonly text: string }[];
  readonly feedback: Feedback | null;
  /** Issues that the prechecks raised. */
  readonly issues: readonly string[];
  readonly gates: readonly GateWord[];
  /** What the program found in the candidate, for the reviewer. */
  readonly evidence: readonly EvidenceFinding[];
  /** Files that the reviewer sees as they are in the base. */
  readonly withheld: readonly string[];
  readonly openFindings: readonly Finding[];
  /** The developer's own words, for the reviewer: quoted, not believed. */
  readonly developerReport: string | null;
  /** Every task with its state, for run stages. */
  readonly tasks: readonly TaskRecord[];
}

/** What is looked up when a dispatch begins and is not in the state. */
export interface Surroundings {
  /** Files in which earlier work could not be put on the base. */
  readonly conflicts?: readonly string[];
  readonly seen?: OwnLook;
}

/** Gathers what a dispatch needs to know. */
export function toDispatchRequest(
  state: RunState,
  intent: DispatchStarted,
  { conflicts = [], seen = nothingSeen }: Surroundings = {},
): DispatchRequest {
  const record = intent.taskId === null ? null : knownTask(state, intent.taskId);
  const attempt = record?.attempts.find(({ number }) => number === intent.attempt) ?? null;
  const reviewed = intent.stage === "review" ? attempt : null;
  return {
    intent,
    slug: state.slug,
    runId: state.runId,
    goal: state.prd.goal,
    constraints: [...state.prd.globalConstraints, ...state.builderNotes],
    record,
    files: filesToRead(state, record),
    mitigations: mitigationsFor(state, record),
    seen,
    learned: intent.stage === "develop" ? state.learned : [],
    feedback:
      intent.stage === "develop" && record !== null
        ? feedbackFor(record, intent.attempt, conflicts)
        : feedbackOnReport(reviewed),
    issues: record?.prechecks.at(-1)?.issues ?? [],
    gates: reviewed === null ? [] : gateWords(reviewed),
    evidence: reviewed?.evidence ?? [],
    withheld: reviewed === null ? [] : withheldPaths(reviewed),
    openFindings: reviewed !== null && record !== null ? openFindings(record, reviewed.number) : [],
    developerReport: reviewed?.develop.kind === "answered" ? reviewed.develop.report.summary : null,
    tasks: record === null ? [...state.tasks] : [],
  };
}

function filesToRead(state: RunState, record: TaskRecord | null): readonly FileToRead[] {
  const named = (record?.task.filesToRead ?? []).map((path) => ({ path, why: "named by the task" }));
  const required = state.prd.requiredReading.map((path) => ({ path, why: "required reading of the plan" }));
  return [...named, ...required];
}

function mitigationsFor(state: RunState, record: TaskRecord | null): readonly string[] {
  if (record === null) return [];
  const { id, mitigations } = record.task;
  const risks = (state.preMortem?.risks ?? []).filter((risk) => concerns(risk, id));
  return [...mitigations, ...risks.map((risk) => `${risk.name}: ${risk.mitigation}`)];
}

function concerns(risk: Risk, id: TaskId): boolean {
  return risk.taskIds.length === 0 || risk.taskIds.includes(id);
}

/**
 * What the last attempt came to in which the work was judged, and what kept a later one from getting so far: a
 * fallback is told why it is asked.
 */
function feedbackFor(record: TaskRecord, attempt: number, conflicts: readonly string[]): Feedback | null {
  const before = record.attempts.filter(({ number }) => number < attempt);
  const judged = before.findLast(({ outcome }) => isJudged(outcome));
  const latest = before.findLast(({ outcome }) => outcome !== null && outcome.kind !== "interrupted");
  const parts = [
    ...record.builderNotes.map((note) => `The builder says: ${note}`),
    ...wordsOn(judged),
    ...(latest === judged ? [] : wordsOn(latest)),
  ];
  if (judged === undefined && parts.length === 0 && conflicts.length === 0) return null;
  return {
    gates: judged === undefined ? [] : gateWords(judged).filter(({ result }) => result.outcome !== "passed"),
    evidence: judged?.evidence.filter(({ effect }) => effect !== "note") ?? [],
    findings: judged?.review?.findings ?? [],
    conflict: conflicts,
    note: parts.join("\n\n"),
  };
}

/** Why the review is asked for again. */
function feedbackOnReport(reviewed: AttemptRecord | null): Feedback | null {
  const last = reviewed?.reviewFailures.at(-1);
  if (last === undefined) return null;
  return { gates: [], evidence: [], findings: [], conflict: [], note: describe(last) };
}

/** By whatever it ended: the work, or what the agent did, was looked at. */
function isJudged(outcome: AttemptRecord["outcome"]): boolean {
  if (outcome === null || outcome.kind === "interrupted") return false;
  return outcome.kind !== "failed" || countsAsAttempt(outcome.failure);
}

/** Instructions for agents that the attempt changed. */
export function withheldPaths({ candidate }: AttemptRecord): readonly string[] {
  const versions = candidate?.baseVersions ?? [];
  return versions.filter(({ kind }) => kind === "agent instruction").map(({ path }) => path);
}

function gateWords(attempt: AttemptRecord): readonly GateWord[] {
  return attempt.gates.map((result) => ({
    result,
    judgement: attempt.judgements.find(({ gate }) => gate === result.gate) ?? null,
  }));
}

function wordsOn(judged: AttemptRecord | undefined): readonly string[] {
  const outcome = judged?.outcome;
  return outcome?.kind === "rejected" || outcome?.kind === "failed" ? [describe(outcome.failure)] : [];
}

/** Findings of the review before this one, for later rounds to judge. */
function openFindings(record: TaskRecord, attempt: number): readonly Finding[] {
  const before = record.attempts.findLast(({ number, review }) => number < attempt && review !== null);
  return before?.review?.findings.filter(({ severity }) => severity !== "note") ?? [];
}

/** The request as JSON, with exactly the names of contract "Agent protocol"; the runner adds `reportSchema`. */
export function toRequestJson(request: DispatchRequest): JsonObject {
  const { intent, record, feedback } = request;
  return {
    stage: intent.stage,
    role: intent.role,
    slug: request.slug,
    runId: request.runId,
    dispatch: processMark(request.runId, intent.dispatch),
    goal: request.goal,
    constraints: request.constraints,
    ...(record !== null && { task: toTaskFields(record.task), attempt: intent.attempt }),
    base: intent.base,
    ...(intent.candidate !== null && { candidate: intent.candidate }),
    files: request.files.map(({ path, why }) => ({ path, why })),
    mitigations: request.mitigations,
    ...(request.seen.files.length + request.seen.names.length > 0 && { seen: toSeenJson(request.seen) }),
    learned: request.learned.map(({ taskId, text }) => ({ taskId, text })),
    ...(feedback !== null && { feedback: toFeedbackJson(feedback) }),
    ...(request.issues.length > 0 && { issues: request.issues }),
    ...(intent.stage === "review" && {
      gates: request.gates.map(toGateJson),
      evidence: request.evidence.map(toEvidenceJson),
      ...(request.withheld.length > 0 && { withheld: request.withheld }),
      openFindings: request.openFindings.map(toFindingJson),
      developerReport: request.developerReport,
    }),
    ...(record === null && { tasks: request.tasks.map(toTaskJson) }),
  };
}

function toSeenJson({ files, names }: OwnLook): JsonObject {
  return {
    files: files.map(({ path, exists }) => ({ path, exists })),
    names: names.map(({ name, foundIn }) => ({ name, foundIn })),
  };
}

function toFeedbackJson(feedback: Feedback): JsonObject {
  return {
    gates: feedback.gates.map(toGateJson),
    findings: feedback.findings.map(toFindingJson),
    evidence: feedback.evidence.map(toEvidenceJson),
    conflict: feedback.conflict,
    note: feedback.note,
  };
}

function toGateJson({ result, judgement }: GateWord): JsonValue {
  return {
    name: result.gate,
    passed: result.outcome === "passed" || hasPassed(judgement),
    exitCode: result.exitCode,
    newFailures: judgement?.newFailures ?? [],
    excused: judgement?.excused ?? [],
    flaky: judgement?.flaky ?? [],
    tail: result.tail.slice(-limits.outputTailChars),
  };
}

function hasPassed(judgement: GateJudgement | null): boolean {
  return judgement?.verdict === "flaky" || judgement?.verdict === "excused";
}

function toEvidenceJson(finding: EvidenceFinding): JsonValue {
  const { id, kind, effect, severity, file, line, text } = finding;
  return { id, kind, effect, severity, file, line, text };
}

function toFindingJson(finding: Finding): JsonValue {
  return {
    id: finding.id,
    severity: finding.severity,
    ...(finding.file !== null && { file: finding.file }),
    ...(finding.line !== null && { line: finding.line }),
    problem: finding.problem,
    fix: finding.fix,
  };
}

function toTaskJson(record: TaskRecord): JsonValue {
  const { phase } = record;
  return {
    ...toTaskFields(record.task),
    state: phase.kind,
    ...(phase.kind === "complete" && { commit: phase.commit }),
  };
}

/** Where the papers of a dispatch are kept in the run folder (contract "Files of a run"). */
export function evidencePlace(intent: DispatchStarted): { readonly folder: string; readonly prefix: string } {
  if (intent.taskId === null) return { folder: `attempts/_run/${intent.stage}/${intent.try}`, prefix: "" };
  const folder = `attempts/${intent.taskId}/${intent.attempt}`;
  if (intent.stage === "develop") return { folder, prefix: "" };
  const again = intent.try === 1 ? "" : `${intent.try}-`;
  return { folder, prefix: `${intent.stage}-${again}` };
}

/** Where a gate's whole output is kept; the baseline's lies with the run's stages. */
export function gateLogPlace(at: {
  taskId: TaskId | null;
  attempt: number;
  gate: string;
  trial: GateTrial;
}): string {
  const name = `${at.gate}${trialSuffix(at.trial)}.log`;
  return at.taskId === null
    ? `attempts/_run/baseline/${at.attempt}/gates/${name}`
    : `attempts/${at.taskId}/${at.attempt}/gates/${name}`;
}

/** Tells the further runs of a gate from the first one, in the names of files and dispatches. */
export function trialSuffix(trial: GateTrial): string {
  return trial === "candidate" ? "" : `.${trial.replace(" ", "-")}`;
}
