// The effective policy of a run: configuration file and flags over defaults, recorded in the journal at every
// start. The reader of execute-prd.config.json is schema/config; this is what it yields.

import { limits } from "./limits.ts";
import type { Role } from "./report.ts";

export type Backend =
  | "command"
  | "scripted"
  | "anthropic"
  | "claude-code"
  | "codex"
  | "gemini"
  | "opencode"
  | "acp";

type Effort = "low" | "medium" | "high";

/** US dollars per million tokens. */
export interface Price {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

export interface AgentPolicy {
  readonly backend: Backend;
  /**
   * `command`, `acp`: program and arguments, run without a shell. The agent programs: program and first arguments
   * where it is not the usual one on PATH, else empty. Empty for `scripted` and `anthropic`.
   */
  readonly command: readonly string[];
  /** `scripted`: path of the file of steps. null for `command`. */
  readonly script: string | null;
  readonly timeoutMs: number;
  /** 0: off. */
  readonly idleTimeoutMs: number;
  /** Names of environment variables handed to the agent beside the allow-list. */
  readonly env: readonly string[];
  readonly auth: "login" | "key" | null;
  /** Key of the agent that gets one more attempt when this one has used up its own. */
  readonly fallback: string | null;
  /** Empty: what the backend takes by itself. */
  readonly model: string;
  readonly effort: Effort | null;
  /** Names of tools it may use, of those its role may; null: all of them. */
  readonly tools: readonly string[] | null;
  /** Of the role: text of its role file, put before every prompt. Empty: none. */
  readonly instructions: string;
  /** Turns of one dispatch; 0: limits.agentTurns. */
  readonly maxTurns: number;
}

export interface GatePolicy {
  readonly name: string;
  readonly command: string;
  readonly timeoutMs: number;
  readonly report: "auto" | "tap" | "junit" | "vitest-json" | "jest-json" | "node" | "go-json" | "none";
  readonly env: readonly string[];
}

export type Switch = "auto" | "on" | "off";

export interface Policy {
  readonly agents: Readonly<Record<string, AgentPolicy>>;
  /** Command line run in each new tree of a lane; empty: none. */
  readonly setup: string;
  readonly gates: readonly GatePolicy[];
  readonly concurrency: number;
  readonly maxAttempts: number;
  readonly review: { readonly enabled: boolean; readonly passScore: number };
  readonly retry: {
    readonly maxRetries: number;
    readonly backoffBaseMs: number;
    readonly backoffMaxMs: number;
  };
  readonly budget: {
    readonly usd: number;
    readonly perTaskUsd: number;
    readonly wallClockMs: number;
    readonly maxDispatches: number;
  };
  /** By model, beside the table of the program and before it. */
  readonly prices: Readonly<Record<string, Price>>;
  readonly meteringProxy: boolean;
  readonly sandbox: "auto" | "required" | "off";
  readonly network: boolean;
  readonly onRateLimit: "wait" | "pause" | "fallback";
  readonly onInterrupted: "continue" | "clean";
  readonly precheck: Switch;
  readonly recon: Switch;
  readonly preMortem: Switch | "approve";
  readonly onTaskFailure: "continue" | "stop";
  readonly onError: string;
  readonly protectedPaths: readonly string[];
  readonly maxDeletedFiles: number;
  /** Absolute, or empty: `../<repo>.worktrees` beside the main worktree. */
  readonly worktreeRoot: string;
  readonly memory: { readonly enabled: boolean; readonly dir: string };
  /** `--yes`: recon's verdicts, the pre-mortem and human-verify checkpoints are accepted without asking. */
  readonly yes: boolean;
  /** `--only`: ids of the tasks to work on; null: all. */
  readonly only: readonly string[] | null;
}

/** A configured agent; names come from plans, so inherited properties of objects must not look like agents. */
export function agentOf(policy: Policy, key: string): AgentPolicy | undefined {
  return Object.hasOwn(policy.agents, key) ? policy.agents[key] : undefined;
}

/** The agent that answers for a role: the task's own for the developer, else the role's key, else `developer`. */
export function agentKeyFor(policy: Policy, role: Role, taskAgent: string | null): string {
  if (role === "developer") return taskAgent ?? "developer";
  return agentOf(policy, role) === undefined ? "developer" : role;
}

/**
 * What an agent is told besides, in a role: its own text, else the role's. An agent that plays another role beside its
 * own is not told its own role's text there.
 */
export function instructionsFor(policy: Policy, role: Role, key: string): string {
  const ofRole = agentOf(policy, role)?.instructions ?? "";
  const isRole = (["developer", "reviewer", "orchestrator"] as const).some((each) => each === key);
  return isRole ? ofRole : agentOf(policy, key)?.instructions || ofRole;
}

export type OptionalStage = "precheck" | "recon" | "pre-mortem";

/** PRDs under 3 tasks are too small for advice stages, unless these are switched on. */
export function isStageOn(policy: Policy, stage: OptionalStage, taskCount: number): boolean {
  const setting = stage === "pre-mortem" ? policy.preMortem : policy[stage];
  if (setting === "auto") return taskCount >= 3;
  return setting !== "off";
}

export function maxDispatches(policy: Policy, taskCount: number): number {
  if (policy.budget.maxDispatches > 0) return policy.budget.maxDispatches;
  return limits.defaultDispatchesPerTask * taskCount + limits.defaultDispatchesFixed;
}
