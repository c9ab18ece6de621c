// The end of a dispatch: what an agent answered, failed at, or was interrupted in, stage by stage.

import { spentKey } from "./budget.ts";
import type { DispatchEnded, DispatchOutcome, DispatchStarted, Entry } from "./event.ts";
import { classOf, describe, type Failure, stopsRun, triesIn } from "./failure.ts";
import { changeAttempt, changeTask, countTrouble } from "./fold-task.ts";
import { limits } from "./limits.ts";
import type { StageReport, Usage } from "./report.ts";
import { assert, impossible } from "./result.ts";
import {
  type AttemptRecord,
  type DueWait,
  knownTask,
  noUsage,
  policyOf,
  type RunState,
  type Step,
  type TaskRecord,
  type UsageSum,
} from "./state.ts";
import { dueWaitAfter, isTooLong, rowLimit } from "./waits.ts";

export function endDispatch(state: RunState, event: DispatchEnded, entry: Entry): RunState {
  const key = `dispatch ${event.dispatch}`;
  const started = state.running.get(key);
  assert(started?.intent.kind === "dispatch-started", `dispatch ${event.dispatch} is under way`);
  const intent = started.intent;
  const running = new Map(state.running);
  running.delete(key);
  const counted: RunState = {
    ...state,
    running,
    usage: addUsage(state.usage, event.usage),
    spent: addSpent(state.spent, intent, event.usage),
    seenKinds: addSeen(state.seenKinds, intent, event),
    interruptedDispatches: state.interruptedDispatches + (event.outcome.kind === "interrupted" ? 1 : 0),
    steps: state.steps.push(toStep({ intent, event, startedAtMs: started.atMs, finishedAtMs: entry.atMs })),
    trouble: troubleOf(state, event, entry) ?? state.trouble,
  };
  const ended =
    intent.taskId === null
      ? endRunDispatch(counted, intent, event, entry)
      : endTaskDispatch(counted, intent, event);
  return { ...ended, dueWait: dueWaitOf(ended, intent, event, entry) };
}

/** What ends the session: another try would only repeat it, or come too early. */
function troubleOf(state: RunState, { outcome }: DispatchEnded, { atMs }: Entry): Failure | null {
  if (outcome.kind !== "failed") return null;
  const { failure } = outcome;
  return stopsRun(failure) || isTooLong(policyOf(state), failure, atMs) ? failure : null;
}

/** An attempt counts its failure only when it ends, after this. */
function dueWaitOf(
  state: RunState,
  { agent, dispatch, stage, taskId }: DispatchStarted,
  { outcome }: DispatchEnded,
  { atMs: failedAtMs }: Entry,
): DueWait | null {
  if (outcome.kind !== "failed" || state.trouble !== null) return null;
  const row = taskId === null ? state.stageFailures : knownTask(state, taskId).infrastructure;
  const before = row?.stage === stage ? row.times : 0;
  const times = stage === "develop" ? before + triesIn(outcome.failure) : before;
  if (times === 0) return null; // nobody is asked again
  return dueWaitAfter(state, { agent, dispatch, failure: outcome.failure, times, failedAtMs });
}

function endTaskDispatch(state: RunState, intent: DispatchStarted, event: DispatchEnded): RunState {
  assert(intent.taskId !== null, "the dispatch is a task's");
  return changeTask(state, intent.taskId, (record) => {
    const used = { ...record, usage: addUsage(record.usage, event.usage) };
    if (intent.stage === "precheck") return endPrecheck(state, used, event.outcome);
    const changed = changeAttempt(used, intent.attempt, (attempt) => ({
      ...(intent.stage === "develop" ? endDevelop(attempt, event.outcome) : endReview(attempt, event)),
      usage: addUsage(attempt.usage, event.usage),
      notes: [...attempt.notes, ...event.notes],
    }));
    return intent.stage === "review" ? countReviewTrouble(changed, event.outcome) : changed;
  });
}

function endPrecheck(state: RunState, record: TaskRecord, outcome: DispatchOutcome): TaskRecord {
  if (outcome.kind === "interrupted") return record;
  if (outcome.kind === "failed") return failPrecheck(state, record, outcome.failure);
  assert(outcome.report.stage === "precheck", "a precheck answers with its own report");
  return { ...record, infrastructure: null, prechecks: [...record.prechecks, outcome.report] };
}

/** It is advice: what the service does not give is asked for as often as anything, and then gone without. */
function failPrecheck(state: RunState, record: TaskRecord, failure: Failure): TaskRecord {
  if (stopsRun(failure)) return record;
  if (!isService(failure)) return { ...record, precheckFailures: record.precheckFailures + 1 };
  const counted = countTrouble(record, "precheck", failure);
  assert(counted.infrastructure !== null, "what was counted is there");
  const isOver = counted.infrastructure.times >= rowLimit(policyOf(state), failure);
  return isOver ? { ...record, infrastructure: null, precheckFailures: limits.precheckRounds } : counted;
}

function isService(failure: Failure): boolean {
  const failureClass = classOf(failure);
  return failureClass === "transient" || failureClass === "rate-limited";
}

function endDevelop(attempt: AttemptRecord, outcome: DispatchOutcome): AttemptRecord {
  switch (outcome.kind) {
    case "answered":
      assert(
        outcome.report.stage === "develop" && outcome.left !== null,
        "a developer leaves a report and a tree",
      );
      return { ...attempt, develop: { kind: "answered", report: outcome.report, left: outcome.left } };
    case "failed":
      return { ...attempt, develop: { kind: "failed", failure: outcome.failure, salvage: outcome.salvage } };
    case "interrupted":
      return { ...attempt, develop: { kind: "interrupted", by: outcome.by, salvage: outcome.salvage } };
  }
}

function endReview(attempt: AttemptRecord, { outcome, usage }: DispatchEnded): AttemptRecord {
  if (outcome.kind === "interrupted") return attempt;
  if (outcome.kind === "failed") {
    return isTrouble(outcome.failure)
      ? attempt
      : { ...attempt, reviewFailures: [...attempt.reviewFailures, outcome.failure] };
  }
  assert(outcome.report.stage === "review", "a review answers with its own report");
  return { ...attempt, review: outcome.report, reviewModel: usage?.model ?? null };
}

/** Trouble that is neither the work's nor the agent's: it is bounded by its own row, not by report tries (I14). */
function isTrouble(failure: Failure): boolean {
  return classOf(failure) !== "agent";
}

function countReviewTrouble(record: TaskRecord, outcome: DispatchOutcome): TaskRecord {
  if (outcome.kind === "interrupted") return record;
  if (outcome.kind === "answered" || !isTrouble(outcome.failure)) return { ...record, infrastructure: null };
  return countTrouble(record, "review", outcome.failure);
}

function endRunDispatch(
  state: RunState,
  intent: DispatchStarted,
  event: DispatchEnded,
  entry: Entry,
): RunState {
  const { outcome } = event;
  if (outcome.kind === "interrupted") return state;
  if (outcome.kind === "failed") {
    if (stopsRun(outcome.failure)) return state;
    assert(
      intent.stage === "recon" || intent.stage === "pre-mortem" || intent.stage === "holistic-review",
      "a run's dispatch",
    );
    const before = state.stageFailures;
    const isRow = before?.stage === intent.stage && isService(before.last) === isService(outcome.failure);
    const times = (isRow ? before.times : 0) + triesIn(outcome.failure);
    return { ...state, stageFailures: { stage: intent.stage, times, last: outcome.failure } };
  }
  return keepRunReport({ ...state, stageFailures: null }, outcome.report, entry);
}

function keepRunReport(state: RunState, report: StageReport, entry: Entry): RunState {
  switch (report.stage) {
    case "recon": {
      let next: RunState = { ...state, recon: report.tasks };
      for (const line of report.tasks) {
        if (next.indexOf.has(line.id))
          next = changeTask(next, line.id, (record) => ({ ...record, recon: line }));
      }
      return next;
    }
    case "pre-mortem":
      return { ...state, preMortem: report };
    case "holistic-review":
      return { ...state, holistic: [...state.holistic, report], verdict: report, holisticAtMs: entry.atMs };
    default:
      return impossible(`a run's dispatch does not answer with a ${report.stage} report`);
  }
}

function toStep(at: {
  intent: DispatchStarted;
  event: DispatchEnded;
  startedAtMs: number;
  finishedAtMs: number;
}): Step {
  const { intent, event } = at;
  const { outcome } = event;
  return {
    nodeId: intent.taskId ?? intent.stage,
    stage: intent.stage,
    attempt: intent.attempt,
    startedAtMs: at.startedAtMs,
    finishedAtMs: at.finishedAtMs,
    status: statusOf(outcome),
    notes: event.notes.join("; "),
    failureReason:
      outcome.kind === "failed"
        ? describe(outcome.failure)
        : outcome.kind === "interrupted"
          ? `interrupted by ${outcome.by}`
          : "",
    score: outcome.kind === "answered" && outcome.report.stage === "review" ? outcome.report.score : null,
  };
}

function statusOf(outcome: DispatchOutcome): Step["status"] {
  if (outcome.kind === "failed") return "fail";
  if (outcome.kind === "interrupted") return "retry";
  const { report } = outcome;
  switch (report.stage) {
    case "review":
      return report.verdict === "approved" ? "success" : "retry";
    case "holistic-review":
      return report.verdict === "pass" ? "success" : "retry";
    case "precheck":
      return report.verdict === "approved" ? "success" : "partial_success";
    default:
      return "success";
  }
}

function addSpent(
  spent: RunState["spent"],
  { agent, stage }: DispatchStarted,
  usage: Usage | null,
): RunState["spent"] {
  const sums = new Map(spent);
  for (const key of [spentKey(agent, stage), spentKey(agent, null)]) {
    sums.set(key, addUsage(sums.get(key) ?? noUsage, usage));
  }
  return sums;
}

/** One that did not come to its answer and has nothing to say of its cost tells nothing about others. */
function addSeen(
  seen: RunState["seenKinds"],
  { agent, stage }: DispatchStarted,
  { outcome, usage }: DispatchEnded,
): RunState["seenKinds"] {
  const kind = spentKey(agent, stage);
  const isSilent = usage === null && outcome.kind !== "answered";
  return isSilent || seen.has(kind) ? seen : new Set(seen).add(kind);
}

function addUsage(sum: UsageSum, usage: Usage | null): UsageSum {
  return {
    dispatches: sum.dispatches + 1,
    inputTokens: sum.inputTokens + (usage?.inputTokens ?? 0),
    outputTokens: sum.outputTokens + (usage?.outputTokens ?? 0),
    cacheReadTokens: sum.cacheReadTokens + (usage?.cacheReadTokens ?? 0),
    cacheWriteTokens: sum.cacheWriteTokens + (usage?.cacheWriteTokens ?? 0),
    costUsd: toExactUsd(sum.costUsd + (usage?.costUsd ?? 0)),
    priced: sum.priced + (usage?.costUsd === null || usage === null ? 0 : 1),
    measured: sum.measured + (usage?.costBasis === "measured" ? 1 : 0),
  };
}

/** Ten places: $0.1 and $0.2 are $0.3. */
function toExactUsd(usd: number): number {
  return Math.round(usd * 1e10) / 1e10;
}
