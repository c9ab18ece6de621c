// Waiting for the service behind an agent: how long after which failure, and who may be asked meanwhile.
//
// A dispatch that failed because of the service leaves a wait that is due; `plan` records it as an event with the
// moment it ends, so it survives the program. An agent that waits is not asked; others are.

import { timesOfDefaults } from "./checkpoint.ts";
import type { RunEvent } from "./event.ts";
import { classOf, type Failure } from "./failure.ts";
import type { DispatchId, RunId } from "./ids.ts";
import { limits } from "./limits.ts";
import { agentOf, type Policy } from "./policy.ts";
import { type DueWait, policyOf, type RunState, type Wait } from "./state.ts";

/** Failures of a kind in a row after which the builder is asked. */
export function rowLimit({ retry }: Policy, failure: Failure): number {
  const failureClass = classOf(failure);
  if (failureClass !== "transient" && failureClass !== "rate-limited")
    return limits.infrastructureFailuresInARow;
  const isResetKnown = failure.reason === "rate-limited" && failure.resetAtMs !== null;
  return Math.max(retry.maxRetries + 1, isResetKnown ? limits.infrastructureFailuresInARow : 1);
}

/** The wait that a failure of the service leaves; null: none, or another try is not to be made. */
export function dueWaitAfter(state: RunState, at: DueWait): DueWait | null {
  const failureClass = classOf(at.failure);
  if (failureClass !== "transient" && failureClass !== "rate-limited") return null;
  return at.times < rowLimit(policyOf(state), at.failure) || failureClass === "rate-limited" ? at : null;
}

/** A limit that the builder does not want to wait for, or that lasts too long: the run pauses. */
export function isTooLong({ onRateLimit }: Policy, failure: Failure, nowMs: number): boolean {
  if (failure.reason !== "rate-limited") return false;
  const untilMs = failure.resetAtMs ?? nowMs;
  return onRateLimit === "pause" || untilMs - nowMs > limits.waitMs;
}

/** Records the wait that is due. */
export function planWait(state: RunState, nowMs: number): RunEvent | null {
  const { dueWait } = state;
  if (dueWait === null) return null;
  const { agent, failure } = dueWait;
  const untilMs = dueWait.failedAtMs + waitMs(state.runId, policyOf(state), dueWait);
  if (untilMs <= nowMs) return null;
  return { kind: "wait-started", agent, dispatch: null, untilMs, failure };
}

function waitMs(runId: RunId, { retry }: Policy, due: DueWait): number {
  const { failure, times, dispatch } = due;
  const backedOffMs = Math.floor(drawn(`${runId}/${dispatch}`) * backoffMs(retry, times - 1));
  if (failure.reason !== "rate-limited" || failure.resetAtMs === null) return backedOffMs;
  // A service whose clock is behind says that its limit is over, and refuses all the same.
  return Math.max(failure.resetAtMs - due.failedAtMs, backedOffMs);
}

/** The most that is waited before try `retries` + 2: of it, a drawn part. */
export function backoffMs(retry: Policy["retry"], retries: number): number {
  return Math.min(retry.backoffMaxMs, retry.backoffBaseMs * 2 ** retries);
}

/**
 * From 0 to below 1, by the text alone: runs that fail at the same moment do not come back at the same moment, and
 * the same journal gives the same waits. FNV-1a with the finish of MurmurHash3, which spreads short texts.
 */
export function drawn(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** The wait of an agent that is not over. */
export function waitOf(state: RunState, agent: string, nowMs: number): Wait | null {
  const wait = state.waits.get(agent);
  return wait !== undefined && wait.sinceMs <= nowMs && nowMs < wait.untilMs ? wait : null;
}

/** Who may be asked now in place of `agent`: itself, its fallback while a limit lasts, or nobody (null). */
export function agentNow(state: RunState, agent: string, nowMs: number): string | null {
  const wait = waitOf(state, agent, nowMs);
  if (wait === null) return agent;
  const fallback = limitFallback(policyOf(state), agent, wait.failure);
  return fallback !== null && waitOf(state, fallback, nowMs) === null ? fallback : null;
}

function limitFallback(policy: Policy, agent: string, failure: Failure): string | null {
  if (policy.onRateLimit !== "fallback" || failure.reason !== "rate-limited") return null;
  return agentOf(policy, agent)?.fallback ?? null;
}

/** When time alone may bring something to do: the first wait ends, or a checkpoint answers; null: never. */
export function nextWakeMs(state: RunState, nowMs: number): number | null {
  const times = [...endsOfWaits(state, nowMs), ...timesOfDefaults(state, nowMs)];
  return times.length === 0 ? null : Math.min(...times);
}

/** Of the waits that are not over. */
export function endsOfWaits(state: RunState, nowMs: number): readonly number[] {
  return [...state.waits.keys()].flatMap((agent) => waitOf(state, agent, nowMs)?.untilMs ?? []);
}

/** Whether the dispatch waits for its service by itself. */
export function isWaiting(state: RunState, dispatch: DispatchId, nowMs: number): boolean {
  return [...state.waits.keys()].some((agent) => waitOf(state, agent, nowMs)?.dispatch === dispatch);
}

export function startWait(state: RunState, event: WaitStarted, atMs: number): RunState {
  const { agent, dispatch, failure, untilMs } = event;
  const waits = new Map(state.waits).set(agent, { sinceMs: atMs, untilMs, failure, dispatch });
  return { ...state, waits, dueWait: null };
}

type WaitStarted = Extract<RunEvent, { kind: "wait-started" }>;

/** Who is asked does not wait, whatever becomes of the clock. */
export function endWait(waits: RunState["waits"], agent: string): RunState["waits"] {
  if (!waits.has(agent)) return waits;
  const left = new Map(waits);
  left.delete(agent);
  return left;
}
