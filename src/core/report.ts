// What agents answer, stage by stage: decoded at the edge (schema/report), believed by nobody, judged by verdict.

import type { TaskId } from "./ids.ts";

export type Severity = "critical" | "major" | "minor" | "note";

export type CriterionVerdict = "met" | "not met" | "cannot tell";

interface AgentQuestion {
  readonly text: string;
  readonly options: readonly string[];
}

export interface DevelopReport {
  readonly stage: "develop";
  readonly summary: string;
  readonly reflection: string;
  readonly signals: readonly string[];
  readonly question: AgentQuestion | null;
}

export interface Finding {
  /** Given by the program when the reviewer gave none: `f<round>.<k>`. */
  readonly id: string;
  readonly severity: Severity;
  readonly file: string | null;
  readonly line: number | null;
  readonly problem: string;
  readonly fix: string;
}

export interface CriterionLine {
  /** From 0, in the order of the task's acceptanceCriteria. */
  readonly index: number;
  readonly verdict: CriterionVerdict;
  readonly where: string;
}

interface Justification {
  readonly finding: string;
  readonly why: string;
}

export interface ReviewReport {
  readonly stage: "review";
  readonly verdict: "approved" | "iterate";
  /** 0 to 100. */
  readonly score: number;
  readonly criteria: readonly CriterionLine[];
  readonly findings: readonly Finding[];
  readonly justified: readonly Justification[];
}

export interface PrecheckReport {
  readonly stage: "precheck";
  readonly verdict: "approved" | "needs_refinement";
  readonly issues: readonly string[];
}

export interface ReconLine {
  readonly id: TaskId;
  readonly verdict: "confirmed" | "partial" | "phantom";
  readonly evidence: string;
}

export interface ReconReport {
  readonly stage: "recon";
  readonly tasks: readonly ReconLine[];
}

export interface Risk {
  readonly name: string;
  readonly category: string;
  readonly severity: Severity;
  readonly problem: string;
  readonly mitigation: string;
  readonly verification: string;
  /** Empty: every task. */
  readonly taskIds: readonly TaskId[];
}

export interface PreMortemReport {
  readonly stage: "pre-mortem";
  readonly risks: readonly Risk[];
}

export interface FollowUp {
  readonly title: string;
  readonly description: string;
  readonly acceptanceCriteria: readonly string[];
}

export interface HolisticReport {
  readonly stage: "holistic-review";
  readonly verdict: "pass" | "gaps";
  readonly summary: string;
  readonly followUps: readonly FollowUp[];
  readonly learnings: readonly string[];
}

export type StageReport =
  | DevelopReport
  | ReviewReport
  | PrecheckReport
  | ReconReport
  | PreMortemReport
  | HolisticReport;

/** Stages in which an agent is asked. */
export type AgentStage = StageReport["stage"];

export type Role = "developer" | "reviewer" | "orchestrator";

/** Which role answers which stage (contract 10). */
export const roleOfStage: Readonly<Record<AgentStage, Role>> = {
  develop: "developer",
  precheck: "reviewer",
  review: "reviewer",
  recon: "orchestrator",
  "pre-mortem": "orchestrator",
  "holistic-review": "orchestrator",
};

/** measured: counted by this program where the model answers; reported: the agent's word; unknown: neither. */
export type CostBasis = "measured" | "reported" | "unknown";

export interface Usage {
  /** Fresh input: neither read from a cache nor written to one. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  /** null: nobody knows. Never 0 for unknown. */
  readonly costUsd: number | null;
  /** Of the cost; "unknown" exactly where it is null. */
  readonly costBasis: CostBasis;
  /** null: not known. */
  readonly model: string | null;
}
