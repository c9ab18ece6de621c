// What is so in a run: the fold of its journal (fold.ts). Each state carries its own data.
//
//   run:   queued ──> running <──> paused | blocked ──> completed | failed
//   task:  pending ──> working(stage) ──> complete
//             ^            │  └─────────> held(question) ──> pending
//             └────────────┘              skipped
//
// Whether a pending task waits for others or is ready is not stored: graph.ts derives it.

import type {
  AttemptOutcome,
  Candidate,
  IntegrationResult,
  Intent,
  LeftTree,
  Question,
  RunStage,
  StartFrom,
  TaskStage,
} from "./event.ts";
import type { EvidenceFinding } from "./evidence/finding.ts";
import type { Failure } from "./failure.ts";
import type { GateJudgement, GateResult, GateTrialResult } from "./gate-result.ts";
import type { DispatchId, RunId, Sha, Slug, TaskId } from "./ids.ts";
import type { JsonObject } from "./json.ts";
import type { Policy } from "./policy.ts";
import type { Prd, Task } from "./prd.ts";
import type {
  AgentStage,
  DevelopReport,
  HolisticReport,
  PrecheckReport,
  PreMortemReport,
  ReconLine,
  ReviewReport,
} from "./report.ts";
import { assert } from "./result.ts";
import type { Sequence } from "./sequence.ts";

/** `askedAtMs`: the wall clock when the question was recorded. */
export interface OpenQuestion extends Question {
  readonly askedAtMs: number;
}

type RunPhase =
  | { readonly kind: "queued" }
  | { readonly kind: "running" }
  | { readonly kind: "paused"; readonly failure: Failure }
  | { readonly kind: "blocked"; readonly failure: Failure; readonly question: string | null }
  | { readonly kind: "failed"; readonly failure: Failure }
  | { readonly kind: "completed" };

export type TaskPhase =
  | { readonly kind: "pending" }
  | { readonly kind: "working"; readonly stage: TaskStage; readonly lane: number; readonly sinceMs: number }
  | { readonly kind: "held"; readonly question: string; readonly failure: Failure }
  | { readonly kind: "complete"; readonly commit: Sha; readonly before: boolean }
  | { readonly kind: "skipped"; readonly why: string; readonly by: string };

type DevelopState =
  | { readonly kind: "running" }
  | { readonly kind: "answered"; readonly report: DevelopReport; readonly left: LeftTree }
  | { readonly kind: "failed"; readonly failure: Failure; readonly salvage: Sha | null }
  | { readonly kind: "interrupted"; readonly by: string; readonly salvage: Sha | null };

type Verification = { readonly kind: "approved" } | { readonly kind: "rejected"; readonly text: string };

/** Tokens and money summed over dispatches. */
export interface UsageSum {
  readonly dispatches: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly costUsd: number;
  /** Dispatches that reported a cost; fewer than `dispatches` means that the sum is a lower bound. */
  readonly priced: number;
  /** Dispatches whose cost this program counted itself. */
  readonly measured: number;
}

export interface AttemptRecord {
  readonly number: number;
  readonly agent: string;
  readonly base: Sha;
  readonly startFrom: StartFrom;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  readonly develop: DevelopState;
  readonly candidate: Candidate | null;
  /** The candidate that the review judged, where the integrated one is a replay of it. */
  readonly reviewedCommit: Sha | null;
  readonly candidateRefused: Failure | null;
  readonly gatesStartedAtMs: number | null;
  /** Results for the present candidate, in the order of running. */
  readonly gates: readonly GateResult[];
  /** Further runs of gates for the present candidate: once more, and with versions of the base. */
  readonly trials: readonly GateTrialResult[];
  /** Names of the gates that failed, once all have run for the present candidate. */
  readonly red: readonly string[] | null;
  /** What each gate's results came to, once all have run. */
  readonly judgements: readonly GateJudgement[];
  /** What the program found in the present candidate. */
  readonly evidence: readonly EvidenceFinding[];
  /** What was found in the candidate before, on which review and builder's word were given; empty for a first one. */
  readonly judgedEvidence: readonly EvidenceFinding[];
  /** The builder's word on evidence that is held. */
  readonly evidenceWord: Verification | null;
  readonly review: ReviewReport | null;
  /** Reviews asked for the present candidate that brought no usable report, without interrupted ones. */
  readonly reviewFailures: readonly Failure[];
  /** Reviews started for this attempt, in all. */
  readonly reviewTries: number;
  readonly reviewAgent: string | null;
  /** That judged, where it is known. */
  readonly reviewModel: string | null;
  /** The builder's word on a human-verify checkpoint. */
  readonly verification: Verification | null;
  readonly integration: IntegrationResult | null;
  /** The task was changed under this attempt: it is ended, and the next one is for the new task. */
  readonly isStale: boolean;
  readonly outcome: AttemptOutcome | null;
  readonly usage: UsageSum;
  readonly notes: readonly string[];
}

export interface TaskRecord {
  readonly task: Task;
  readonly phase: TaskPhase;
  readonly attempts: readonly AttemptRecord[];
  readonly prechecks: readonly PrecheckReport[];
  readonly precheckFailures: number;
  /** Prechecks started, in all. */
  readonly precheckTries: number;
  readonly recon: ReconLine | null;
  /** Questions about this task that the builder has settled. */
  readonly cleared: readonly ("recon" | "checkpoint-before")[];
  /** Ids of all questions ever asked about this task. */
  readonly asked: readonly string[];
  /** The builder's words for the next prompt. */
  readonly builderNotes: readonly string[];
  /** Attempts granted beyond maxAttempts (I12). */
  readonly granted: number;
  /** Failures outside the work, in a row, of one stage. */
  readonly infrastructure: { readonly stage: string; readonly times: number; readonly last: Failure } | null;
  readonly usage: UsageSum;
}

/** An effect under way: its intent is in the journal, its outcome is not. */
export interface Running {
  readonly intent: Intent;
  readonly atMs: number;
  readonly seq: number;
}

export interface Step {
  readonly nodeId: string;
  readonly stage: RunStage | TaskStage;
  readonly attempt: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly status: "success" | "partial_success" | "retry" | "fail" | "skipped";
  readonly notes: string;
  readonly failureReason: string;
  readonly score: number | null;
}

/** One entry of progress.md; what it says is frozen when it is made. */
export interface ProgressItem {
  readonly taskId: TaskId;
  readonly status: "complete" | "failed" | "skipped" | "sent back";
  /** null: the task ended without an attempt. */
  readonly attempt: number | null;
  readonly reason: string;
}

export interface StageFailures {
  readonly stage: RunStage;
  readonly times: number;
  readonly last: Failure;
}

/** Tests of a gate that are known to fail on a commit of the branch. */
export interface KnownFailing {
  readonly gate: string;
  readonly commit: Sha;
  readonly tests: readonly string[];
  /** How many tests ran there, by the gate's own report; null: it has none. */
  readonly ran: number | null;
}

export interface BaselineRecord {
  readonly results: readonly GateResult[];
  /** The second runs of gates whose tests failed. */
  readonly again: readonly GateResult[];
  /** Failing tests that are excused: they move with the branch's head and only shrink. */
  readonly failing: readonly KnownFailing[];
  /** Gates the builder dropped for this run. */
  readonly dropped: readonly string[];
  /** Gates the builder accepted as red: they run and are told, and never count as passed. */
  readonly accepted: readonly string[];
}

/** Something of which the builder has not said yet whether it was the builder. */
export interface Doubt {
  readonly taskId: TaskId | null;
  readonly attempt: number;
  readonly stage: AgentStage | "gates";
  readonly what: readonly string[];
}

interface MemoryRecord {
  readonly commit: Sha | null;
  readonly entry: string | null;
  readonly note: string;
}

export interface Wait {
  /** Of the wait's event: a clock that stands before it was set back, and then nobody waits. */
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly failure: Failure;
  /** The dispatch that waits and goes on by itself; null: the next one waits. */
  readonly dispatch: DispatchId | null;
}

/** A wait that `plan` has not recorded yet. */
export interface DueWait {
  readonly agent: string;
  readonly failure: Failure;
  /** Failures of the same stage in a row, this one included. */
  readonly times: number;
  readonly dispatch: DispatchId;
  readonly failedAtMs: number;
}

export interface RunState {
  readonly seq: number;
  readonly updatedAtMs: number;
  readonly runId: RunId;
  readonly slug: Slug;
  readonly planFile: string;
  readonly checkout: string;
  readonly worktrees: string;
  readonly createdAtMs: number;
  /** When the run last came to a stop; null while it never did. */
  readonly stoppedAtMs: number | null;
  readonly prd: Prd;
  readonly prdHash: string;
  readonly branch: string;
  readonly base: Sha;
  readonly baseName: string;
  /** Where this run left the branch. */
  readonly head: Sha;
  /** Commits on the base's branch since the run was created, as of the last stop. */
  readonly baseMovedBy: number | null;
  readonly phase: RunPhase;
  readonly session: string | null;
  readonly sessions: number;
  readonly sessionStartedAtMs: number | null;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  /** Time in earlier sessions, for budget.wallClockMs. */
  readonly activeMs: number;
  readonly policy: Policy | null;
  readonly flags: JsonObject;
  readonly tasks: Sequence<TaskRecord>;
  readonly indexOf: ReadonlyMap<TaskId, number>;
  readonly stages: ReadonlyMap<RunStage, "done" | "skipped">;
  readonly stageFailures: StageFailures | null;
  /** How often an agent was asked for a run stage. */
  readonly stageTries: ReadonlyMap<AgentStage, number>;
  readonly baseline: BaselineRecord;
  readonly recon: readonly ReconLine[] | null;
  readonly preMortem: PreMortemReport | null;
  readonly holistic: readonly HolisticReport[];
  /** The latest holistic report, until it is acted on. */
  readonly verdict: HolisticReport | null;
  readonly holisticAtMs: number | null;
  readonly followUpRounds: number;
  readonly gapsAccepted: boolean;
  /** Rounds of follow-ups the builder granted beyond limits.followUpRounds. */
  readonly extraRounds: number;
  readonly memory: MemoryRecord | null;
  readonly running: ReadonlyMap<string, Running>;
  readonly questions: readonly OpenQuestion[];
  /** Open ones, oldest first. */
  readonly doubts: readonly Doubt[];
  /** The builder said that changes beside the lanes are the builder's own. */
  readonly isCheckoutBuilders: boolean;
  /** Ids of the builder's requests that are recorded. */
  readonly requests: ReadonlySet<string>;
  readonly pause: { readonly now: boolean; readonly by: string } | null;
  readonly cancelled: string | null;
  /** By agent: until when it is not asked. Those that are over stay until it is asked. */
  readonly waits: ReadonlyMap<string, Wait>;
  readonly dueWait: DueWait | null;
  /** What dispatches cost, by agent and by agent and stage (budget.ts). */
  readonly spent: ReadonlyMap<string, UsageSum>;
  /** Agent and stage of dispatches that ended so that what they cost is known, or that nobody says it. */
  readonly seenKinds: ReadonlySet<string>;
  /** Budgets that were warned of, by task (empty: the run's) and limit. */
  readonly budgetWarnings: ReadonlySet<string>;
  /** A failure that stops the whole run once nothing is under way. */
  readonly trouble: Failure | null;
  readonly dispatches: number;
  /** Those cut short by an end or a stop of the program: they count to no limit. */
  readonly interruptedDispatches: number;
  readonly gateRuns: number;
  readonly usage: UsageSum;
  readonly steps: Sequence<Step>;
  readonly progress: Sequence<ProgressItem>;
  readonly learned: readonly { readonly taskId: TaskId; readonly text: string }[];
  /** Ids of questions about the run that the builder answered with yes. */
  readonly approved: readonly string[];
  /** Words of the builder for every prompt from now on. */
  readonly builderNotes: readonly string[];
  readonly told: readonly string[];
}

export const noUsage: UsageSum = {
  dispatches: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  costUsd: 0,
  priced: 0,
  measured: 0,
};

export function taskOf(state: RunState, id: TaskId): TaskRecord | undefined {
  const index = state.indexOf.get(id);
  return index === undefined ? undefined : state.tasks.at(index);
}

/** The record of a task that must be in the run. */
export function knownTask(state: RunState, id: TaskId): TaskRecord {
  const record = taskOf(state, id);
  assert(record !== undefined, `task ${id} is in the run`);
  return record;
}

export function lastAttempt(record: TaskRecord): AttemptRecord | undefined {
  return record.attempts.at(-1);
}

/** The attempt that is not ended yet, if there is one. */
export function openAttempt(record: TaskRecord): AttemptRecord | undefined {
  const last = lastAttempt(record);
  return last === undefined || last.outcome !== null ? undefined : last;
}

/** The key under which an effect is under way: one effect of a kind at a time for a task, or for the run. */
export function runningKey(intent: Intent): string {
  switch (intent.kind) {
    case "dispatch-started":
      return `dispatch ${intent.dispatch}`;
    case "candidate-started":
      return `candidate ${intent.taskId}`;
    case "gate-started":
      return `gate ${intent.taskId ?? ""}`;
    case "integration-started":
      return `integration ${intent.taskId}`;
    case "memory-started":
      return "memory";
  }
}

/** The tasks for which an effect is under way, whatever became of the task since it began. */
export function tasksUnderWay(state: RunState): ReadonlySet<TaskId> {
  const ids = new Set<TaskId>();
  for (const { intent } of state.running.values()) {
    if (intent.kind !== "memory-started" && intent.taskId !== null) ids.add(intent.taskId);
  }
  return ids;
}

/** The commit with which the attempt is on the branch; null while it is not. */
export function integratedCommit(attempt: AttemptRecord): Sha | null {
  if (attempt.integration?.kind !== "integrated") return null;
  assert(attempt.candidate !== null, "what is integrated is a candidate");
  return attempt.candidate.commit;
}

export function policyOf(state: RunState): Policy {
  assert(state.policy !== null, "a running run has a policy");
  return state.policy;
}
