// Everything that can go wrong in a run, as one closed union: each variant carries exactly the data that its
// sentence needs, and `describe` is the only place with sentences.

import type { TaskId } from "./ids.ts";
import { shortSha } from "./ids.ts";
import type { AgentStage } from "./report.ts";
import { unreachable } from "./result.ts";
import { toUtcMoment } from "./time.ts";

export type Failure =
  // agent: the agent's own fault
  | { reason: "agent-exited"; agent: string; exitCode: number | null; signal: string | null; tail: string }
  | { reason: "agent-timed-out"; agent: string; afterMs: number; idle: boolean }
  | { reason: "report-missing"; agent: string; stage: AgentStage }
  | { reason: "report-invalid"; agent: string; stage: AgentStage; problems: readonly string[] }
  | { reason: "metadata-changed"; what: readonly string[] }
  | { reason: "agent-refused"; agent: string; detail: string }
  | { reason: "agent-went-nowhere"; agent: string; how: string }
  // transient, rate-limited, auth: the service behind an agent; `tries`: how often the dispatch asked it (missing: 1)
  | { reason: "service-failed"; agent: string; status: number | null; detail: string; tries?: number }
  | { reason: "rate-limited"; agent: string; resetAtMs: number | null; detail: string; tries?: number }
  | { reason: "not-logged-in"; agent: string; detail: string }
  | { reason: "credit-empty"; agent: string; detail: string }
  // rejected: the work is not good enough
  | { reason: "no-change" }
  | { reason: "same-as-rejected"; attempt: number }
  | { reason: "nested-repository"; paths: readonly string[] }
  | { reason: "gates-red"; gates: readonly string[] /** New failures, by name. */; tests: readonly string[] }
  | { reason: "evidence-rejected"; problems: readonly string[] }
  | { reason: "evidence-unjustified"; problems: readonly string[] }
  | { reason: "review-rejected"; score: number; passScore: number; problems: readonly string[] }
  | { reason: "builder-rejected"; text: string }
  | { reason: "evidence-refused"; text: string; problems: readonly string[] }
  | { reason: "checkout-changed"; what: readonly string[] }
  // conflict
  | { reason: "replay-conflict"; files: readonly string[] }
  | { reason: "branch-moved"; branch: string; expected: string; found: string | null }
  | { reason: "branch-checked-out"; branch: string; path: string }
  // stalled, needs-builder
  | { reason: "attempts-used-up"; taskId: TaskId; attempts: number; last: string }
  | { reason: "stalled"; taskId: TaskId; how: string }
  | { reason: "report-unusable-twice"; stage: AgentStage; taskId: TaskId | null; last: string }
  | { reason: "infrastructure-in-a-row"; stage: string; taskId: TaskId | null; times: number; last: string }
  | { reason: "question-open"; question: string; text: string }
  | { reason: "evidence-held"; taskId: TaskId; problems: readonly string[] }
  | {
      reason: "gate-red-on-base";
      gate: string;
      command: string;
      exitCode: number | null;
      how: string;
      tail: string;
    }
  | { reason: "gaps-left"; rounds: number; summary: string }
  | { reason: "tasks-held"; first: TaskId; because: Failure; held: readonly TaskId[] }
  | { reason: "nothing-selected"; only: readonly string[] }
  // environment
  | { reason: "agent-cannot-start"; agent: string; command: string; detail: string }
  | { reason: "agent-not-configured"; agent: string; known: readonly string[] }
  | { reason: "request-refused"; agent: string; status: number | null; detail: string }
  | { reason: "sandbox-missing"; detail: string }
  | { reason: "gate-cannot-start"; gate: string; command: string; detail: string }
  | { reason: "setup-failed"; command: string; exitCode: number | null; tail: string }
  | { reason: "lane-unusable"; path: string; detail: string }
  | { reason: "git-failed"; doing: string; exitCode: number | null; detail: string }
  | { reason: "storage-failed"; doing: string; path: string; code: string }
  | { reason: "journal-not-ours"; path: string; detail: string }
  // budget
  | { reason: "budget-dispatches"; used: number; limit: number }
  | { reason: "budget-cost"; usedUsd: number; limitUsd: number; taskId: TaskId | null }
  | { reason: "budget-projected"; usedUsd: number; nextUsd: number; limitUsd: number; taskId: TaskId | null }
  | { reason: "budget-wall-clock"; usedMs: number; limitMs: number }
  // the builder's word
  | { reason: "paused-by-builder"; by: string }
  | { reason: "cancelled"; by: string }
  | { reason: "task-failure-stops"; taskId: TaskId; because: string };

export type FailureClass =
  | "agent"
  | "rejected"
  | "conflict"
  | "needs-builder"
  | "transient"
  | "rate-limited"
  | "auth"
  | "environment"
  | "budget"
  | "builder";

/** Which of the failure classes (docs/architecture.md) a failure belongs to. */
export function classOf(failure: Failure): FailureClass {
  switch (failure.reason) {
    case "agent-exited":
    case "agent-timed-out":
    case "report-missing":
    case "report-invalid":
    case "metadata-changed":
    case "agent-refused":
    case "agent-went-nowhere":
      return "agent";
    case "service-failed":
      return "transient";
    case "rate-limited":
      return "rate-limited";
    case "not-logged-in":
    case "credit-empty":
      return "auth";
    case "no-change":
    case "same-as-rejected":
    case "nested-repository":
    case "gates-red":
    case "evidence-rejected":
    case "evidence-unjustified":
    case "evidence-refused":
    case "review-rejected":
    case "builder-rejected":
    case "checkout-changed":
      return "rejected";
    case "replay-conflict":
    case "branch-moved":
    case "branch-checked-out":
      return "conflict";
    case "agent-cannot-start":
    case "agent-not-configured":
    case "request-refused":
    case "sandbox-missing":
    case "gate-cannot-start":
    case "setup-failed":
    case "lane-unusable":
    case "git-failed":
    case "storage-failed":
    case "journal-not-ours":
      return "environment";
    case "budget-dispatches":
    case "budget-cost":
    case "budget-projected":
    case "budget-wall-clock":
      return "budget";
    case "paused-by-builder":
    case "cancelled":
    case "task-failure-stops":
      return "builder";
    default:
      return "needs-builder";
  }
}

/** Whether an attempt that ended so counts to `maxAttempts`: the agent's answer or its own fault does (I14). */
export function countsAsAttempt(failure: Failure): boolean {
  const failureClass = classOf(failure);
  return failureClass === "agent" || failureClass === "rejected";
}

/** How many tries of a service a failure stands for: an agent may have tried again by itself. */
export function triesIn(failure: Failure): number {
  return "tries" in failure ? failure.tries : 1;
}

/** Trouble that another try would only repeat: the run stops at once, and `resume` goes on when it is mended. */
export function stopsRun(failure: Failure): boolean {
  const failureClass = classOf(failure);
  if (failureClass === "auth" || failureClass === "budget") return true;
  return failureClass === "environment" && failure.reason !== "git-failed";
}

/** One or two sentences: what happened with which value, and what to do next where the builder has to act. */
export function describe(failure: Failure): string {
  switch (failure.reason) {
    case "agent-exited":
      return `agent "${failure.agent}" ended with ${endOf(failure)}${ended(failure.tail)}`;
    case "agent-timed-out":
      return failure.idle
        ? `agent "${failure.agent}" showed no activity for ${seconds(failure.afterMs)} and was ended`
        : `agent "${failure.agent}" was still running after ${seconds(failure.afterMs)} and was ended`;
    case "report-missing":
      return `agent "${failure.agent}" ended without writing its ${failure.stage} report`;
    case "report-invalid":
      return `agent "${failure.agent}" wrote a ${failure.stage} report that cannot be used: ${failure.problems.join("; ")}`;
    case "metadata-changed":
      return `the dispatch changed the repository's metadata: ${failure.what.join("; ")}`;
    case "agent-refused":
      return `the model behind agent "${failure.agent}" refused to answer${ended(failure.detail)}`;
    case "agent-went-nowhere":
      return `agent "${failure.agent}" was ended: ${failure.how}`;
    case "no-change":
      return "the developer changed nothing, and the task does not say allowNoChanges";
    case "same-as-rejected":
      return `the result is the same as that of attempt ${failure.attempt}, which was rejected`;
    case "nested-repository":
      return `there is a git repository inside the working directory: ${failure.paths.join(", ")}; its files cannot be committed. Remove its .git`;
    case "gates-red":
      return `gates failed: ${failure.gates.join(", ")}${failure.tests.length === 0 ? "" : `; new failing tests: ${failure.tests.join(", ")}`}`;
    case "evidence-rejected":
      return `the program found what no review can allow${list(failure.problems)}`;
    case "evidence-unjustified":
      return `nobody justified what the program found${list(failure.problems)}`;
    case "evidence-refused":
      return `the builder refused what the program found (${failure.text})${list(failure.problems)}`;
    case "review-rejected":
      return `the review did not approve (score ${failure.score}, needed ${failure.passScore})${list(failure.problems)}`;
    case "builder-rejected":
      return `the builder rejected it: ${failure.text}`;
    case "checkout-changed":
      return `outside of the working directory something was changed that is the builder's: ${failure.what.join("; ")}`;
    default:
      return describeTrouble(failure);
  }
}

type Trouble = Exclude<
  Failure,
  {
    reason:
      | "agent-exited"
      | "agent-timed-out"
      | "report-missing"
      | "report-invalid"
      | "metadata-changed"
      | "agent-refused"
      | "agent-went-nowhere"
      | "no-change"
      | "same-as-rejected"
      | "nested-repository"
      | "gates-red"
      | "evidence-rejected"
      | "evidence-unjustified"
      | "evidence-refused"
      | "review-rejected"
      | "builder-rejected"
      | "checkout-changed";
  }
>;

function describeTrouble(failure: Trouble): string {
  switch (failure.reason) {
    case "replay-conflict":
      return `the work conflicts with what is on the branch now, in ${failure.files.join(", ")}`;
    case "branch-moved":
      return `branch "${failure.branch}" is at ${failure.found === null ? "no commit (deleted)" : shortSha(failure.found)}, but this run left it at ${shortSha(failure.expected)}; put it back with "git branch -f ${failure.branch} ${failure.expected}", or cancel the run and start again with "run --fresh"`;
    case "branch-checked-out":
      return `branch "${failure.branch}" is checked out in "${failure.path}"; run "git switch --detach" there, then resume`;
    case "attempts-used-up":
      return `task ${failure.taskId} used up its ${failure.attempts === 1 ? "only attempt" : `${failure.attempts} attempts`}; the last one: ${failure.last}`;
    case "stalled":
      return `task ${failure.taskId} makes no progress: ${failure.how}`;
    case "report-unusable-twice":
      return `the ${failure.stage} report${of(failure.taskId)} was unusable twice: ${failure.last}`;
    case "infrastructure-in-a-row":
      return `${failure.stage}${of(failure.taskId)} failed ${failure.times === 1 ? "" : `${failure.times} times in a row `}for reasons outside the work: ${failure.last}`;
    case "question-open":
      return `the builder has to answer question "${failure.question}": ${failure.text}`;
    case "evidence-held":
      return `the program found in task ${failure.taskId} what the builder has to allow${list(failure.problems)}`;
    case "gate-red-on-base":
      return `gate "${failure.gate}" (${failure.command}) ${failure.how} on the base, before any task${ended(failure.tail)}`;
    case "gaps-left":
      return `the holistic review still finds gaps after ${failure.rounds} rounds of follow-ups: ${failure.summary}`;
    case "tasks-held":
      return `${describe(failure.because)}${othersHeld(failure)}`;
    case "nothing-selected":
      return `of the tasks selected with --only (${failure.only.join(", ")}) each is done or waits for one that was not selected; resume without --only for the others`;
    case "budget-dispatches":
      return `the budget of ${failure.limit} dispatches is used up (${failure.used}); raise budget.maxDispatches and resume`;
    case "budget-cost":
      return `the cost ${usd(failure.usedUsd)}${of(failure.taskId)} reached the budget of ${usd(failure.limitUsd)}; ${moreFor(failure.taskId)}`;
    case "budget-projected":
      return `the next dispatch would pass the budget of ${usd(failure.limitUsd)}${of(failure.taskId)}: ${usd(failure.usedUsd)} are used, and it is likely to cost ${usd(failure.nextUsd)}; ${moreFor(failure.taskId)}`;
    case "budget-wall-clock":
      return `the run has used ${seconds(failure.usedMs)} of the ${seconds(failure.limitMs)} in budget.wallClockMs; raise it and resume`;
    case "paused-by-builder":
      return `paused by ${failure.by}`;
    case "cancelled":
      return `cancelled by ${failure.by}`;
    case "task-failure-stops":
      return `onTaskFailure is "stop" and task ${failure.taskId} failed: ${failure.because}`;
    default:
      return describeEnvironment(failure);
  }
}

type EnvironmentTrouble = Extract<
  Failure,
  {
    reason:
      | "service-failed"
      | "rate-limited"
      | "not-logged-in"
      | "credit-empty"
      | "request-refused"
      | "sandbox-missing"
      | "agent-cannot-start"
      | "agent-not-configured"
      | "gate-cannot-start"
      | "setup-failed"
      | "lane-unusable"
      | "git-failed"
      | "storage-failed"
      | "journal-not-ours";
  }
>;

function describeEnvironment(failure: EnvironmentTrouble): string {
  switch (failure.reason) {
    case "service-failed":
      return `the service behind agent "${failure.agent}" failed${failure.status === null ? "" : ` (status ${failure.status})`}: ${failure.detail}`;
    case "rate-limited":
      return `agent "${failure.agent}" has reached a limit${failure.resetAtMs === null ? "" : `, which ends at ${toUtcMoment(failure.resetAtMs)}`}: ${failure.detail}`;
    case "not-logged-in":
      return `agent "${failure.agent}" is not logged in: ${failure.detail}; log in (see "execute-prd doctor --agents"), then resume`;
    case "credit-empty":
      return `the credit of agent "${failure.agent}" is used up: ${failure.detail}; add credit, then resume`;
    case "request-refused":
      return `the service behind agent "${failure.agent}" refused the request${failure.status === null ? "" : ` (status ${failure.status})`}: ${failure.detail}; do what it says, or correct agents.${failure.agent} in execute-prd.config.json, then resume`;
    case "sandbox-missing":
      return `nothing can be run in the sandbox: ${failure.detail}; mend it, or set "sandbox" to "off" in execute-prd.config.json`;
    case "agent-cannot-start":
      return `agent "${failure.agent}" cannot be started with "${failure.command}": ${failure.detail}; correct agents.${failure.agent} in execute-prd.config.json`;
    case "agent-not-configured":
      return `agent "${failure.agent}" is not configured (configured: ${failure.known.join(", ") || "none"}); add agents.${failure.agent} to execute-prd.config.json`;
    case "gate-cannot-start":
      return `gate "${failure.gate}" cannot be started with "${failure.command}": ${failure.detail}; correct gates in execute-prd.config.json`;
    case "setup-failed":
      return `setup "${failure.command}" failed with ${failure.exitCode === null ? "no exit code" : `exit code ${failure.exitCode}`}${ended(failure.tail)}`;
    case "lane-unusable":
      return `the working tree "${failure.path}" cannot be used: ${failure.detail}`;
    case "git-failed":
      return `git failed while ${failure.doing}${failure.exitCode === null ? "" : ` (exit code ${failure.exitCode})`}: ${failure.detail}`;
    case "storage-failed":
      return `${failure.doing} "${failure.path}" failed with ${failure.code}; make room or give back the permission, then resume`;
    case "journal-not-ours":
      return `the journal "${failure.path}" cannot be written any more: ${failure.detail}; if no other execute-prd works on this run, resume`;
    default:
      return unreachable(failure, "describe");
  }
}

function othersHeld(failure: { first: TaskId; held: readonly TaskId[] }): string {
  const others = failure.held.filter((id) => id !== failure.first);
  return others.length === 0 ? "" : ` (also waiting for the builder: ${others.join(", ")})`;
}

function endOf(failure: { exitCode: number | null; signal: string | null }): string {
  if (failure.signal !== null) return `signal ${failure.signal}`;
  return failure.exitCode === null ? "no exit code" : `exit code ${failure.exitCode}`;
}

function ended(tail: string): string {
  const lines = tail.trim().split("\n").slice(-6).join("\n");
  return lines === "" ? "" : `; its output ended with:\n${lines}`;
}

function list(items: readonly string[]): string {
  return items.length === 0 ? "" : `: ${items.join("; ")}`;
}

function of(taskId: TaskId | null): string {
  return taskId === null ? "" : ` of task ${taskId}`;
}

/** No flag gives a task more money. */
function moreFor(taskId: TaskId | null): string {
  return taskId === null
    ? 'go on with "resume --budget-usd" and a higher value'
    : "raise budget.perTaskUsd and resume";
}

function seconds(milliseconds: number): string {
  if (milliseconds < 1_000) return `${milliseconds} ms`;
  return milliseconds < 120_000
    ? `${Math.round(milliseconds / 1_000)} s`
    : `${Math.round(milliseconds / 60_000)} min`;
}

function usd(amount: number): string {
  return `$${amount.toFixed(2)}`;
}
