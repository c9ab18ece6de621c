// What happened in a run: one closed union, past tense. The journal is a list of these; the state is their fold.
//
// Three kinds, by what they do:
//   intents    `*-started`: appended and flushed before their effect begins (I2); `plan` makes them
//   outcomes   `*-ended`, `candidate-made`: what an effect came to; `engine/perform` makes them
//   decisions  everything else: `plan` or a request of the builder makes them
//
// A change here needs a new journal version, a migration, a golden journal and docs/journal-format.md.

import type { BaseVersion } from "./evidence/base-versions.ts";
import type { EvidenceFinding } from "./evidence/finding.ts";
import type { Failure } from "./failure.ts";
import type { GateJudgement, GateResult, GateTrial } from "./gate-result.ts";
import type { DispatchId, RunId, Sha, Slug, TaskId } from "./ids.ts";
import type { JsonObject } from "./json.ts";
import type { Policy } from "./policy.ts";
import type { Prd, Task } from "./prd.ts";
import type { AgentStage, Role, StageReport, Usage } from "./report.ts";

export type RunStage =
  | "preflight"
  | "baseline"
  | "recon"
  | "pre-mortem"
  | "holistic-review"
  | "memory"
  | "pr";

export type TaskStage = "precheck" | "develop" | "gates" | "review" | "integrate";

/** Where a developer starts: the base itself, or earlier work that is carried on. */
export type StartFrom =
  | { readonly kind: "base" }
  | { readonly kind: "rejected"; readonly attempt: number; readonly commit: Sha }
  | { readonly kind: "salvaged"; readonly attempt: number; readonly commit: Sha };

export interface FileChange {
  readonly path: string;
  readonly change: "added" | "modified" | "deleted" | "type changed";
}

/** The tree an agent left behind, kept in the object store (and as a ref once it is a candidate or salvage). */
export interface LeftTree {
  readonly tree: Sha;
  /** The lane's HEAD if the agent moved it: kept as the attempt's `agent` ref. */
  readonly agentHead: Sha | null;
}

export type DispatchOutcome =
  | { readonly kind: "answered"; readonly report: StageReport; readonly left: LeftTree | null }
  | {
      readonly kind: "failed";
      readonly failure: Failure;
      /** Commit of the attempt's `salvage` ref, when the tree differed from the start. */
      readonly salvage: Sha | null;
    }
  | { readonly kind: "interrupted"; readonly by: string; readonly salvage: Sha | null };

export interface Candidate {
  readonly commit: Sha;
  readonly tree: Sha;
  readonly base: Sha;
  readonly changes: readonly FileChange[];
  /** All changed files, also those beyond `limits.changesKept`. */
  readonly changeCount: number;
  readonly deletions: number;
  /** SHA-256 (hex) of the diff as contract 7 defines it. */
  readonly diffSha256: string;
  /** `git patch-id --stable` of base..commit; empty for an empty diff. */
  readonly patchId: string;
  /** What the program found in the diff (core/evidence). */
  readonly findings: readonly EvidenceFinding[];
  /** Changed tests and gate definitions whose version of the base is run against the candidate. */
  readonly baseVersions: readonly BaseVersion[];
}

export type IntegrationResult =
  | { readonly kind: "integrated" }
  | { readonly kind: "refused"; readonly failure: Failure };

export type AttemptOutcome =
  | { readonly kind: "accepted"; readonly commit: Sha }
  | { readonly kind: "rejected"; readonly failure: Failure }
  | { readonly kind: "failed"; readonly failure: Failure }
  | { readonly kind: "asked" }
  | { readonly kind: "interrupted"; readonly by: string };

export interface QuestionOption {
  readonly id: string;
  readonly label: string;
}

/** What an answer decides. */
export type QuestionAbout =
  | { readonly kind: "baseline"; readonly gate: string }
  | { readonly kind: "recon"; readonly taskId: TaskId }
  | { readonly kind: "pre-mortem" }
  | { readonly kind: "attempts"; readonly taskId: TaskId }
  | { readonly kind: "developer"; readonly taskId: TaskId }
  | { readonly kind: "checkpoint-before"; readonly taskId: TaskId }
  | { readonly kind: "checkpoint-after"; readonly taskId: TaskId }
  | { readonly kind: "evidence"; readonly taskId: TaskId }
  | { readonly kind: "stage"; readonly stage: AgentStage; readonly taskId: TaskId | null }
  | { readonly kind: "checkout"; readonly taskId: TaskId | null }
  | { readonly kind: "gaps"; readonly round: number };

export interface Question {
  readonly id: string;
  readonly about: QuestionAbout;
  readonly text: string;
  readonly options: readonly QuestionOption[];
  /** Why it had to be asked. */
  readonly failure: Failure | null;
}

export interface RunCreated {
  readonly kind: "run-created";
  readonly runId: RunId;
  readonly slug: Slug;
  /** Where the PRD was read, relative to the checkout where it lies in it. */
  readonly planFile: string;
  readonly prd: Prd;
  /** SHA-256 (hex) of the PRD's canonical form without progress. */
  readonly prdHash: string;
  /** Top level of the worktree in which the run folder lies. */
  readonly checkout: string;
  /** The run's own folder of worktrees. */
  readonly worktrees: string;
  readonly branch: string;
  readonly base: Sha;
  /** What the builder would call the base: a branch, or the commit when HEAD was detached. */
  readonly baseName: string;
  readonly completedBefore: readonly { readonly taskId: TaskId; readonly commit: Sha }[];
  readonly told: readonly string[];
}

export interface SessionStarted {
  readonly kind: "session-started";
  readonly session: string;
  readonly policy: Policy;
  /** The flags behind the policy, which hold for later sessions unless given again. */
  readonly flags: JsonObject;
  readonly toolVersion: string;
  /** More attempts for every task, from `resume --attempts N`. */
  readonly extraAttempts: number;
  readonly told: readonly string[];
}

export interface DispatchStarted {
  readonly kind: "dispatch-started";
  readonly dispatch: DispatchId;
  readonly stage: AgentStage;
  readonly role: Role;
  readonly agent: string;
  readonly taskId: TaskId | null;
  /** Number of the task's attempt; for precheck that of the coming one; for run stages the stage's round. */
  readonly attempt: number;
  /** How often this stage was asked before for this attempt, plus 1. */
  readonly try: number;
  readonly lane: number;
  /** Commit that the work is measured against, or that is looked at. */
  readonly base: Sha;
  readonly candidate: Sha | null;
  readonly startFrom: StartFrom | null;
}

export interface DispatchEnded {
  readonly kind: "dispatch-ended";
  readonly dispatch: DispatchId;
  readonly outcome: DispatchOutcome;
  readonly usage: Usage | null;
  readonly durationMs: number;
  /** What the program put right or noticed: restored trees, moved branches. */
  readonly notes: readonly string[];
}

export interface CandidateStarted {
  readonly kind: "candidate-started";
  readonly taskId: TaskId;
  readonly attempt: number;
  readonly lane: number;
  readonly base: Sha;
  readonly tree: Sha;
  readonly message: string;
  /** The candidate that is put on a moved branch; null for a first one. */
  readonly replayOf: Sha | null;
}

export interface CandidateMade {
  readonly kind: "candidate-made";
  readonly taskId: TaskId;
  readonly attempt: number;
  readonly result:
    | { readonly kind: "made"; readonly candidate: Candidate; readonly replayOf: Sha | null }
    | { readonly kind: "refused"; readonly failure: Failure };
}

export interface GateStarted {
  readonly kind: "gate-started";
  /** null: the baseline. */
  readonly taskId: TaskId | null;
  readonly attempt: number;
  readonly lane: number;
  readonly gate: string;
  readonly trial: GateTrial;
  readonly commit: Sha;
}

export interface GateEnded {
  readonly kind: "gate-ended";
  readonly taskId: TaskId | null;
  readonly attempt: number;
  readonly gate: string;
  readonly trial: GateTrial;
  readonly commit: Sha;
  readonly result:
    | { readonly kind: "ran"; readonly result: GateResult }
    | { readonly kind: "interrupted"; readonly by: string }
    | { readonly kind: "failed"; readonly failure: Failure };
}

/** All runs of gates on a candidate are over. */
export interface GatesJudged {
  readonly kind: "gates-judged";
  readonly taskId: TaskId;
  readonly attempt: number;
  readonly commit: Sha;
  /** Gates that say no. */
  readonly red: readonly string[];
  readonly gates: readonly GateJudgement[];
  /** What the base's version of changed tests and gate definitions brought up, beside the candidate's own findings. */
  readonly findings: readonly EvidenceFinding[];
}

export interface IntegrationStarted {
  readonly kind: "integration-started";
  readonly taskId: TaskId;
  readonly attempt: number;
  readonly from: Sha;
  readonly to: Sha;
}

export interface IntegrationEnded {
  readonly kind: "integration-ended";
  readonly taskId: TaskId;
  readonly attempt: number;
  readonly result: IntegrationResult;
}

export interface MemoryStarted {
  readonly kind: "memory-started";
  readonly lane: number;
  readonly head: Sha;
  /** UTC day of the holistic verdict, `YYYY-MM-DD`. */
  readonly day: string;
}

export interface MemoryEnded {
  readonly kind: "memory-ended";
  readonly result:
    | { readonly kind: "committed"; readonly commit: Sha; readonly entry: string }
    | { readonly kind: "kept aside"; readonly ref: string; readonly why: string }
    | { readonly kind: "interrupted"; readonly by: string }
    | { readonly kind: "refused"; readonly failure: Failure };
}

/** `request`: id of the builder's request that the event records, where there was one. */
export type RunEvent =
  | RunCreated
  | SessionStarted
  | { readonly kind: "ownership-taken"; readonly from: string }
  | { readonly kind: "journal-repaired"; readonly droppedBytes: number }
  /** The builder edited the plan while the run was stopped, and said to take it. */
  | {
      readonly kind: "plan-changed";
      readonly prd: Prd;
      readonly prdHash: string;
      readonly changes: readonly string[];
      readonly by: string;
    }
  | { readonly kind: "foreign-commits-adopted"; readonly from: Sha; readonly to: Sha; readonly count: number }
  | {
      readonly kind: "stage-ended";
      readonly stage: RunStage;
      readonly outcome: "done" | "skipped";
      readonly notes: string;
    }
  | DispatchStarted
  | DispatchEnded
  /** Changes outside of the lanes during a dispatch or a gate, which may be the builder's; before its outcome. */
  | {
      readonly kind: "checkout-doubted";
      readonly taskId: TaskId | null;
      readonly attempt: number;
      readonly stage: AgentStage | "gates";
      readonly what: readonly string[];
    }
  | CandidateStarted
  | CandidateMade
  | GateStarted
  | GateEnded
  | GatesJudged
  | IntegrationStarted
  | IntegrationEnded
  | {
      readonly kind: "attempt-ended";
      readonly taskId: TaskId;
      readonly attempt: number;
      readonly outcome: AttemptOutcome;
    }
  | { readonly kind: "question-asked"; readonly question: Question }
  | {
      readonly kind: "question-answered";
      readonly question: string;
      readonly text: string;
      readonly by: string;
      readonly request?: string;
    }
  | {
      readonly kind: "task-retried";
      readonly taskId: TaskId;
      readonly note: string;
      readonly by: string;
      readonly request?: string;
    }
  | {
      readonly kind: "task-skipped";
      readonly taskId: TaskId;
      readonly why: string;
      readonly by: string;
      readonly request?: string;
    }
  | { readonly kind: "follow-ups-added"; readonly round: number; readonly tasks: readonly Task[] }
  | MemoryStarted
  | MemoryEnded
  | {
      readonly kind: "pause-requested";
      readonly now: boolean;
      readonly by: string;
      readonly request?: string;
    }
  /** An agent is not asked before `untilMs`, because of what `failure` says; `dispatch`: the one that waits itself. */
  | {
      readonly kind: "wait-started";
      readonly agent: string;
      readonly dispatch: DispatchId | null;
      readonly untilMs: number;
      readonly failure: Failure;
    }
  /** 80 % of the budget of the run, or of the task, are used. */
  | {
      readonly kind: "budget-warned";
      readonly taskId: TaskId | null;
      readonly usedUsd: number;
      readonly limitUsd: number;
    }
  | { readonly kind: "run-cancelled"; readonly by: string; readonly request?: string }
  | { readonly kind: "told"; readonly text: string; readonly request?: string }
  /** How far the base's branch moved since the run was created; null: it is not a branch, or it is gone. */
  | { readonly kind: "base-compared"; readonly movedBy: number | null }
  | { readonly kind: "run-paused"; readonly failure: Failure }
  | { readonly kind: "run-blocked"; readonly failure: Failure; readonly question: string | null }
  | { readonly kind: "run-failed"; readonly failure: Failure }
  | { readonly kind: "run-completed" };

/** Events whose appending is followed by an effect. */
export type Intent = DispatchStarted | CandidateStarted | GateStarted | IntegrationStarted | MemoryStarted;

/** One line of the journal, decoded. */
export interface Entry {
  /** From 1, without gaps. */
  readonly seq: number;
  /** Milliseconds since 1970 by the wall clock; order is by `seq`, never by time. */
  readonly atMs: number;
  /** Token of the owner that wrote it. */
  readonly session: string;
  readonly event: RunEvent;
}

export function isIntent(event: RunEvent): event is Intent {
  switch (event.kind) {
    case "dispatch-started":
    case "candidate-started":
    case "gate-started":
    case "integration-started":
    case "memory-started":
      return true;
    default:
      return false;
  }
}
