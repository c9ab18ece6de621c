// Counting a task's attempts, and where the next one begins.

import type { AttemptOutcome, StartFrom } from "./event.ts";
import { countsAsAttempt, type Failure } from "./failure.ts";
import { agentKeyFor, agentOf, type Policy } from "./policy.ts";
import { assert } from "./result.ts";
import { lastAttempt, type TaskRecord } from "./state.ts";

/** Attempts that ended by an answer or the agent's own fault. */
export function countedAttempts(record: TaskRecord): number {
  return record.attempts.filter(({ outcome }) => isCounted(outcome)).length;
}

function isCounted(outcome: AttemptOutcome | null): boolean {
  if (outcome === null || outcome.kind === "interrupted") return false;
  return outcome.kind === "accepted" || outcome.kind === "asked" || countsAsAttempt(outcome.failure);
}

/** maxAttempts, then the fallback once, then what the builder granted; negative when the limit was lowered. */
export function attemptsLeft(policy: Policy, record: TaskRecord): number {
  const primary = agentKeyFor(policy, "developer", record.task.agent);
  const fallback = agentOf(policy, primary)?.fallback == null ? 0 : 1;
  return policy.maxAttempts + fallback + record.granted - countedAttempts(record);
}

/** The agent of the next attempt: the fallback exactly once, after the task's own agent used up its attempts. */
export function nextAgent(policy: Policy, record: TaskRecord): string {
  const primary = agentKeyFor(policy, "developer", record.task.agent);
  const fallback = agentOf(policy, primary)?.fallback ?? null;
  return fallback !== null && countedAttempts(record) === policy.maxAttempts ? fallback : primary;
}

/**
 * Where the next attempt begins: what was rejected or left unfinished is carried on; what cannot be trusted
 * (it touched the repository's metadata or the builder's checkout, weakened the checks) or is nothing (no change)
 * begins at the base.
 */
export function startOf(policy: Policy, record: TaskRecord): StartFrom {
  const last = lastAttempt(record);
  if (last === undefined) return { kind: "base" };
  const { number, develop, candidate, outcome } = last;
  assert(outcome !== null, "an attempt ends before the next one starts (I6)");
  if (outcome.kind === "rejected" || outcome.kind === "asked") {
    if (outcome.kind === "rejected" && isTampering(outcome.failure)) return { kind: "base" };
    const isNothing = candidate === null || candidate.changeCount === 0;
    return isNothing ? { kind: "base" } : { kind: "rejected", attempt: number, commit: candidate.commit };
  }
  if (policy.onInterrupted === "clean") return { kind: "base" };
  if (develop.kind !== "failed" && develop.kind !== "interrupted") return { kind: "base" };
  if (develop.kind === "failed" && develop.failure.reason === "metadata-changed") return { kind: "base" };
  if (develop.salvage === null) return last.startFrom; // nothing was changed: begin where that attempt began
  return { kind: "salvaged", attempt: number, commit: develop.salvage };
}

function isTampering({ reason }: Failure): boolean {
  const isAboutEvidence =
    reason === "evidence-rejected" || reason === "evidence-unjustified" || reason === "evidence-refused";
  return isAboutEvidence || reason === "checkout-changed";
}
