// status.json: where the run stands, in one small document (contract "status.json").

import { defaultAnswer } from "../core/checkpoint.ts";
import type { Question } from "../core/event.ts";
import { describe, type Failure } from "../core/failure.ts";
import type { CostBasis } from "../core/report.ts";
import type { OpenQuestion, RunState, UsageSum } from "../core/state.ts";
import { toJsonDocument } from "./json-document.ts";
import { nextCommands } from "./next-commands.ts";
import { basisOf } from "./run-metrics.ts";
import { taskCounts, toHeldReason } from "./task-overview.ts";
import { toIso, toLine } from "./text.ts";

interface StatusQuestion {
  readonly id: string;
  readonly text: string;
  readonly options: readonly { readonly id: string; readonly label: string }[];
  /** What counts as the answer from that moment on; only where the plan says so. */
  readonly default?: { readonly answer: string; readonly at: string };
}

interface StatusUsage {
  /** Fresh ones. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number;
  /** "unknown": the cost of at least one dispatch is not known, so the sum is a lower bound. */
  readonly costBasis: CostBasis;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
}

export interface StatusDocument {
  readonly planSlug: string;
  readonly status: RunState["phase"]["kind"];
  readonly startedAt: string | null;
  readonly updatedAt: string;
  readonly currentTaskId: string | null;
  readonly completedTasks: number;
  readonly totalTasks: number;
  readonly worktree: { readonly path: string; readonly branch: string };
  readonly version: 1;
  readonly runId: string;
  readonly journalSeq: number;
  readonly activeTaskIds: readonly string[];
  readonly reason: string | null;
  readonly question: StatusQuestion | null;
  readonly usage: StatusUsage;
  /** Agents that are not asked before `until`. */
  readonly waiting: readonly { readonly agent: string; readonly until: string; readonly reason: string }[];
  readonly branch: string;
  readonly base: string;
  readonly baseName: string;
  readonly baseMovedBy: number | null;
  readonly head: string;
  readonly counts: {
    readonly complete: number;
    readonly completeBefore: number;
    readonly working: number;
    readonly pending: number;
    readonly held: number;
    readonly skipped: number;
    readonly dispatches: number;
    readonly gateRuns: number;
  };
  readonly held: readonly { readonly taskId: string; readonly question: string; readonly reason: string }[];
  readonly skipped: readonly { readonly taskId: string; readonly why: string }[];
  /** Exact commands; only when the run is not running. */
  readonly next?: readonly string[];
}

export function toStatusJson(state: RunState): string {
  return toJsonDocument(toStatus(state));
}

export function toStatus(state: RunState): StatusDocument {
  const counts = taskCounts(state);
  const isOver = state.phase.kind !== "running" && state.phase.kind !== "queued";
  return {
    planSlug: state.slug,
    status: state.phase.kind,
    startedAt: state.startedAtMs === null ? null : toIso(state.startedAtMs),
    updatedAt: toIso(state.updatedAtMs),
    currentTaskId: counts.working[0] ?? null,
    completedTasks: counts.complete,
    totalTasks: counts.total,
    worktree: { path: `${state.worktrees}/lane-1/work`, branch: state.branch },
    version: 1,
    runId: state.runId,
    journalSeq: state.seq,
    activeTaskIds: counts.working,
    reason: toReason(state),
    question: toQuestion(state),
    usage: toUsage(state.usage),
    waiting: toWaiting(state),
    branch: state.branch,
    base: state.base,
    baseName: state.baseName,
    baseMovedBy: state.baseMovedBy,
    head: state.head,
    counts: {
      complete: counts.complete,
      completeBefore: counts.before,
      working: counts.working.length,
      pending: counts.pending,
      held: counts.held,
      skipped: counts.skipped,
      dispatches: state.dispatches,
      gateRuns: state.gateRuns,
    },
    held: counts.held === 0 ? [] : toHeld(state),
    skipped: counts.skipped === 0 ? [] : toSkipped(state),
    ...(isOver && { next: nextCommands(state) }),
  };
}

/** Agents that are not asked for a while; a wait that is over is no event, so it stays until the next one. */
function toWaiting({ phase, updatedAtMs, waits }: RunState): StatusDocument["waiting"] {
  if (phase.kind !== "running") return [];
  return [...waits]
    .filter(([, { untilMs }]) => untilMs > updatedAtMs)
    .map(([agent, { failure, untilMs }]) => ({
      agent,
      until: toIso(untilMs),
      reason: toLine(describe(failure), reasonChars),
    }));
}

/** Why the run is not going on, in one line; null while it is, and when it is done. */
function toReason({ phase, questions }: RunState): string | null {
  if (!("failure" in phase)) return null;
  const words = toLine(describe(phase.failure), reasonChars);
  const awaited = phase.kind === "blocked" ? phase.question : null;
  if (awaited === null || questions.some(({ id }) => id === awaited)) return words;
  // It was answered while no program was at work.
  const [next] = questions;
  if (next === undefined) return `${words} (answered: it goes on with resume)`;
  return toLine(describe(next.failure ?? toOpen(next)), reasonChars);
}

function toOpen({ id, text }: Question): Failure {
  return { reason: "question-open", question: id, text };
}

export function toUsage(usage: UsageSum): StatusUsage {
  return {
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    costUsd: usage.costUsd,
    costBasis: basisOf(usage),
    cacheReadTokens: usage.cacheReadTokens,
    cacheWriteTokens: usage.cacheWriteTokens,
  };
}

const reasonChars = 1_000;
const textChars = 4_000;

/** The question that the run waits for, else the first open one. */
function toQuestion(state: RunState): StatusQuestion | null {
  const awaited = state.phase.kind === "blocked" ? state.phase.question : null;
  const question: OpenQuestion | undefined =
    state.questions.find(({ id }) => id === awaited) ?? state.questions[0];
  if (question === undefined) return null;
  // An option's id is what the builder has to give back, so it is left as it is.
  const options = question.options.map(({ id, label }) => ({ id, label: toLine(label) }));
  const byItself = defaultAnswer(state, question);
  return {
    id: question.id,
    text: toLine(question.text, textChars),
    options,
    ...(byItself !== null && { default: { answer: toLine(byItself.text), at: toIso(byItself.atMs) } }),
  };
}

function toHeld(state: RunState): StatusDocument["held"] {
  const held: { taskId: string; question: string; reason: string }[] = [];
  for (const record of state.tasks) {
    if (record.phase.kind !== "held") continue;
    const reason = toLine(toHeldReason(record), reasonChars);
    held.push({ taskId: record.task.id, question: record.phase.question, reason });
  }
  return held;
}

function toSkipped(state: RunState): StatusDocument["skipped"] {
  const skipped: { taskId: string; why: string }[] = [];
  for (const { task, phase } of state.tasks) {
    if (phase.kind === "skipped") skipped.push({ taskId: task.id, why: toLine(phase.why) });
  }
  return skipped;
}
