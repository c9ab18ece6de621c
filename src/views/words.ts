// The journal in words: one line for each event, for `log` and for a live run without a screen. Words of agents,
// plans and repositories are made safe; nothing here needs more than the event itself.

import { confinementOf, isConfinementNote } from "../core/confinement.ts";
import type {
  AttemptOutcome,
  CandidateMade,
  DispatchEnded,
  DispatchStarted,
  Entry,
  GateEnded,
  GatesJudged,
  MemoryEnded,
  Question,
  RunEvent,
} from "../core/event.ts";
import { describe } from "../core/failure.ts";
import { keptAs } from "../core/fold-stage.ts";
import type { GateResult, GateTrial } from "../core/gate-result.ts";
import { redFailure } from "../core/gates.ts";
import { shortSha, type TaskId } from "../core/ids.ts";
import type { StageReport, Usage } from "../core/report.ts";
import { toUtcMoment } from "../core/time.ts";
import { toCount, toDuration, toLine, toUsd } from "./text.ts";

/** One line without the time, which `entry.atMs` has. */
export function inWords(entry: Entry): string {
  return toLine(toWords(entry.event));
}

/**
 * Tells a journal in order: the end of a dispatch alone does not say whose it was, so that is remembered from its
 * start.
 */
export function createNarrator(): (entry: Entry) => string {
  const whose = new Map<string, string>();
  return (entry) => {
    const { event } = entry;
    if (event.kind === "dispatch-started") {
      const of = event.taskId === null ? "" : `${at({ taskId: event.taskId, attempt: event.attempt })}: `;
      whose.set(event.dispatch, `${of}${event.stage}`);
    }
    const words = inWords(entry);
    const label = event.kind === "dispatch-ended" ? whose.get(event.dispatch) : undefined;
    if (event.kind !== "dispatch-ended" || label === undefined) return words;
    whose.delete(event.dispatch);
    return `${toLine(label)}${words.slice(event.dispatch.length)}`;
  };
}

/** What a start tells beside what it is, a line each: uncommitted changes, claims of the plan, settings. */
export function toldBy({ event }: Entry): readonly string[] {
  if (event.kind !== "run-created" && event.kind !== "session-started") return [];
  return event.told.filter((text) => !isConfinementNote(text)).map((text) => toLine(text));
}

function toWords(event: RunEvent): string {
  switch (event.kind) {
    case "run-created":
      return `run ${event.runId}: ${toCount(event.prd.tasks.length, "task")} on branch ${event.branch} from ${event.baseName} (${shortSha(event.base)})`;
    case "session-started":
      return `started (version ${event.toolVersion}, concurrency ${event.policy.concurrency}${confinement(event.told)})${granted(event.extraAttempts)}`;
    case "stage-ended":
      return `${event.stage} ${event.outcome}${because(event.notes)}`;
    case "dispatch-started":
      return dispatchStarted(event);
    case "dispatch-ended":
      return dispatchEnded(event);
    case "checkout-doubted":
      return `${event.taskId === null ? "" : `${event.taskId}: `}during ${event.stage}, not known by whom: ${event.what.join("; ")}`;
    case "candidate-started":
      return `${at(event)}: making a commit of the work${event.replayOf === null ? "" : `, ${shortSha(event.replayOf)} put on the moved branch`}`;
    case "candidate-made":
      return candidateMade(event);
    case "gate-started":
      return `${gateAt(event)}: gate ${event.gate}${trialWords(event.trial)} on ${shortSha(event.commit)}`;
    case "gate-ended":
      return `${gateAt(event)}: gate ${event.gate}${trialWords(event.trial)} ${gateResult(event.result)}`;
    case "gates-judged":
      return `${at(event)}: ${event.red.length === 0 ? `gates passed${because(judgedWords(event))}` : describe(redFailure(event))}`;
    case "integration-started":
      return `${at(event)}: moving the branch from ${shortSha(event.from)} to ${shortSha(event.to)}`;
    case "integration-ended":
      return `${at(event)}: ${event.result.kind === "integrated" ? "on the branch" : `not on the branch: ${describe(event.result.failure)}`}`;
    case "attempt-ended":
      return `${at(event)}: ${attemptOutcome(event.outcome)}`;
    case "memory-started":
      return `writing down what was learnt (${event.day})`;
    case "memory-ended":
      return memoryResult(event.result);
    default:
      return toWordsOfBuilder(event);
  }
}

function trialWords(trial: GateTrial): string {
  switch (trial) {
    case "candidate":
      return "";
    case "again":
      return " once more";
    case "base tests":
      return " with the base's tests";
    case "base definitions":
      return " with the base's gate definitions";
  }
}

function judgedWords({ findings, gates }: GatesJudged): string {
  const excused = gates.flatMap((gate) => gate.excused).length;
  const flaky = gates.flatMap((gate) => gate.flaky).length;
  return [
    ...(excused > 0 ? [`${toCount(excused, "test")} failing before too`] : []),
    ...(flaky > 0 ? [`${toCount(flaky, "flaky test")}`] : []),
    ...(findings.length > 0 ? [`${toCount(findings.length, "finding")} with the base's versions`] : []),
  ].join(", ");
}

type BuilderEvent = Extract<
  RunEvent,
  {
    kind:
      | "ownership-taken"
      | "journal-repaired"
      | "foreign-commits-adopted"
      | "plan-changed"
      | "question-asked"
      | "question-answered"
      | "task-retried"
      | "task-skipped"
      | "follow-ups-added"
      | "wait-started"
      | "budget-warned"
      | "pause-requested"
      | "run-cancelled"
      | "told"
      | "base-compared"
      | "run-paused"
      | "run-blocked"
      | "run-failed"
      | "run-completed";
  }
>;

/** Questions and answers, what the builder asked for, and how the run stands. */
function toWordsOfBuilder(event: BuilderEvent): string {
  switch (event.kind) {
    case "ownership-taken":
      return `took over from ${event.from}, which is gone`;
    case "journal-repaired":
      return `cut a torn last line of ${event.droppedBytes} bytes off the journal`;
    case "foreign-commits-adopted":
      return `adopted ${toCount(event.count, "commit")} put on the branch from outside (now ${shortSha(event.to)})`;
    case "plan-changed":
      return `${event.by} changed the plan: ${event.changes.join("; ")}`;
    case "question-asked":
      return asked(event.question);
    case "question-answered":
      return `${event.by} answered ${event.question}: ${event.text}`;
    case "task-retried":
      return `${event.taskId}: ${event.by} asked for another attempt${because(event.note)}`;
    case "task-skipped":
      return `${event.taskId}: skipped by ${event.by}${because(event.why)}`;
    case "follow-ups-added":
      return `follow-ups, round ${event.round}: ${event.tasks.map(({ id, title }) => `${id} (${title})`).join(", ")}`;
    case "wait-started":
      return `${event.dispatch ?? event.agent} waits until ${toUtcMoment(event.untilMs)}: ${describe(event.failure)}`;
    case "budget-warned":
      return `${toUsd(event.usedUsd)} of the budget of ${toUsd(event.limitUsd)}${event.taskId === null ? "" : ` of task ${event.taskId}`} are used`;
    case "pause-requested":
      return `${event.by} asked for a pause${event.now ? " now" : " at the end of the stage"}`;
    case "run-cancelled":
      return `cancelled by ${event.by}`;
    case "told":
      return event.text;
    case "base-compared":
      return baseMove(event.movedBy);
    case "run-paused":
      return `paused: ${describe(event.failure)}`;
    case "run-blocked":
      return `blocked: ${describe(event.failure)}`;
    case "run-failed":
      return `failed: ${describe(event.failure)}`;
    case "run-completed":
      return "completed";
  }
}

function at({ taskId, attempt }: { taskId: TaskId; attempt: number }): string {
  return `${taskId}, attempt ${attempt}`;
}

function gateAt({ taskId, attempt }: { taskId: TaskId | null; attempt: number }): string {
  return taskId === null ? "base" : at({ taskId, attempt });
}

function because(text: string): string {
  return text === "" ? "" : `: ${text}`;
}

function confinement(told: readonly string[]): string {
  const said = confinementOf(told);
  return said === null ? "" : `, confinement: ${said}`;
}

function granted(extraAttempts: number): string {
  return extraAttempts === 0 ? "" : `, ${toCount(extraAttempts, "more attempt")} for every task`;
}

function dispatchStarted(event: DispatchStarted): string {
  const who = event.taskId === null ? "" : `${at({ taskId: event.taskId, attempt: event.attempt })}: `;
  const again = event.try === 1 ? "" : `, try ${event.try}`;
  const start = event.startFrom;
  const from =
    start === null || start.kind === "base" ? "" : `, going on from attempt ${start.attempt} (${start.kind})`;
  return `${who}${event.stage} by ${event.agent} (${event.dispatch}${again})${from}`;
}

function dispatchEnded(event: DispatchEnded): string {
  const { outcome, usage, notes } = event;
  const end = `${event.dispatch} ended after ${toDuration(event.durationMs)}${costInWords(usage)}`;
  const noted = notes.length === 0 ? "" : ` [${notes.join("; ")}]`;
  switch (outcome.kind) {
    case "answered":
      return `${end}: ${reportInWords(outcome.report)}${noted}`;
    case "failed":
      return `${end}: ${describe(outcome.failure)}${noted}`;
    case "interrupted":
      return `${end}: interrupted by ${outcome.by}${outcome.salvage === null ? "" : ", its changes are kept"}${noted}`;
  }
}

function costInWords(usage: Usage | null): string {
  if (usage === null) return "";
  const { costBasis, costUsd } = usage;
  return costUsd === null ? ", cost unknown" : `, ${toUsd(costUsd)} (${costBasis})`;
}

function reportInWords(report: StageReport): string {
  switch (report.stage) {
    case "develop":
      return report.question === null ? report.summary : `asks: ${report.question.text}`;
    case "review":
      return `${report.verdict}, score ${report.score}, ${toCount(report.findings.length, "finding")}`;
    case "precheck":
      return report.verdict === "approved"
        ? "task is clear"
        : `task needs refinement: ${report.issues.join("; ")}`;
    case "recon":
      return report.tasks.map(({ id, verdict }) => `${id} ${verdict}`).join(", ");
    case "pre-mortem":
      return `${toCount(report.risks.length, "risk")}${because(report.risks.map(({ name }) => name).join("; "))}`;
    case "holistic-review":
      return `${report.verdict}: ${report.summary}`;
  }
}

function candidateMade(event: CandidateMade): string {
  const { result } = event;
  if (result.kind === "refused") return `${at(event)}: no candidate: ${describe(result.failure)}`;
  const { commit, changeCount } = result.candidate;
  return `${at(event)}: candidate ${shortSha(commit)} with ${toCount(changeCount, "changed file")}`;
}

function gateResult(result: GateEnded["result"]): string {
  switch (result.kind) {
    case "ran":
      return gateInWords(result.result);
    case "interrupted":
      return `interrupted by ${result.by}`;
    case "failed":
      return `could not run: ${describe(result.failure)}`;
  }
}

function gateInWords({ outcome, exitCode, durationMs, tests, detail }: GateResult): string {
  const code = outcome === "failed" && exitCode !== null ? ` (exit ${exitCode})` : "";
  const counts = tests === null ? "" : `, ${tests.passed} passed, ${tests.failed} failed`;
  return `${outcome}${code}${counts} in ${toDuration(durationMs)}${because(detail)}`;
}

function attemptOutcome(outcome: AttemptOutcome): string {
  switch (outcome.kind) {
    case "accepted":
      return `complete as ${shortSha(outcome.commit)}`;
    case "rejected":
      return `sent back: ${describe(outcome.failure)}`;
    case "failed":
      return `failed: ${describe(outcome.failure)}`;
    case "asked":
      return "ended with a question";
    case "interrupted":
      return `interrupted by ${outcome.by}`;
  }
}

function baseMove(movedBy: number | null): string {
  if (movedBy === null) return "how far the base has moved could not be found out";
  return movedBy === 0 ? "the base has not moved" : `the base has moved by ${toCount(movedBy, "commit")}`;
}

function asked({ id, text, options }: Question): string {
  const choice = options.length === 0 ? "" : ` [${options.map((option) => option.id).join(" | ")}]`;
  return `question ${id}${choice}: ${text}`;
}

function memoryResult(result: MemoryEnded["result"]): string {
  switch (result.kind) {
    case "committed":
      return `learnings committed as ${shortSha(result.commit)} (${result.entry})`;
    case "kept aside":
      return `learnings ${keptAs(result.ref)}: ${result.why}`;
    case "interrupted":
      return `writing down what was learnt was interrupted by ${result.by}`;
    case "refused":
      return `learnings could not be written: ${describe(result.failure)}`;
  }
}
