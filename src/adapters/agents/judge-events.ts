// From what an agent program said and how it ended to an outcome. Only what it says in its protocol counts: an exit
// code of 0 is no success, and no sentence of an agent is searched.

import type { Failure } from "../../core/failure.ts";
import type { Usage } from "../../core/report.ts";
import type { AgentRequest } from "../../ports.ts";
import type { PlainFileFound } from "../plain-file.ts";
import type { Ended } from "../process/launch.ts";
import type { AgentEvent } from "./agent-event.ts";
import { type EventTally, emptyTally, foldAgentEvent } from "./event-tally.ts";
import { toJsonText } from "./evidence.ts";
import { type Judged, judgeReport } from "./outcome.ts";
import { reportInText } from "./report-text.ts";
import { toServiceFailure } from "./service-failure.ts";

/** Why we ended it ourselves: it had answered, was silent, only tried again and again, or used up its turns. */
export type OwnStop = "done" | "idle" | "retries" | "turns";

export interface EventsEnd {
  readonly ended: Ended;
  readonly stop: OwnStop | null;
  /** The program that was started, for words. */
  readonly command: string;
  /** The report, as it was kept. */
  readonly found: PlainFileFound;
}

export function judgeEvents(request: AgentRequest, events: readonly AgentEvent[], end: EventsEnd): Judged {
  return judgeTally(request, events.reduce(foldAgentEvent, emptyTally), end);
}

export function judgeTally(request: AgentRequest, tally: EventTally, end: EventsEnd): Judged {
  const usage = usageOf(request, tally);
  const { ended, stop } = end;
  if (ended.kind === "ended" && ended.interrupted && stop === null) {
    return { outcome: { kind: "interrupted" }, usage };
  }
  const failure = failureOf(request, tally, end);
  if (failure !== null) return { outcome: { kind: "failed", failure }, usage };
  return { outcome: judgeReport(request, end.found).outcome, usage };
}

/** The report of an agent that says that it is done: its structured output, else what is in its final message. */
export function reportOf({ done }: EventTally): PlainFileFound {
  const report = done?.ok ? (done.report ?? reportInText(done.text ?? "")) : undefined;
  if (report === undefined) return { kind: "missing" };
  return { kind: "read", bytes: Buffer.from(toJsonText(report)) };
}

/** What stopped it, when no report came of it. */
export function denialOf(request: AgentRequest, { denied }: EventTally): Failure | null {
  const last = denied.at(-1);
  if (last === undefined) return null;
  const how = `it was not allowed to use "${last.tool}" and stopped without a report (${last.detail})`;
  return { reason: "agent-went-nowhere", agent: request.agentKey, how };
}

function failureOf(request: AgentRequest, tally: EventTally, end: EventsEnd): Failure | null {
  const agent = request.agentKey;
  const { ended, command } = end;
  if (ended.kind === "cannot start") {
    return { reason: "agent-cannot-start", agent, command, detail: ended.detail };
  }
  if (tally.done?.ok) return null;
  if (tally.failure !== null) return withReset(tally.failure, tally);
  if (tally.limit !== null) return { reason: "rate-limited", agent, ...tally.limit };
  const stopped = stoppedBy(request, tally, end);
  if (stopped !== null) return stopped;
  if (tally.done !== null) return toServiceFailure({ agent, status: null, detail: tally.done.text ?? "" });
  const { exitCode, signal, tail } = ended;
  if (exitCode === 0) return denialOf(request, tally);
  // It has not said a word: it does not know its arguments, lacks a library, or is another program.
  if (tally.count === 0 && signal === null) {
    const detail = `it ended with exit code ${exitCode} before it began${tail === "" ? "" : `: ${tail.slice(-maxTailChars)}`}`;
    return { reason: "agent-cannot-start", agent, command, detail };
  }
  return { reason: "agent-exited", agent, exitCode, signal, tail };
}

const maxTailChars = 600;

function stoppedBy(request: AgentRequest, { retry }: EventTally, { ended, stop }: EventsEnd): Failure | null {
  const { agentKey: agent, agent: policy } = request;
  const timedOut = ended.kind === "ended" ? ended.timedOut : null;
  if (stop === null && timedOut === null) return null;
  if (stop === "turns") {
    return { reason: "agent-went-nowhere", agent, how: `it used up its ${policy.maxTurns} turns` };
  }
  if (retry !== null) return toServiceFailure({ agent, ...retry });
  const isIdle = stop === "idle";
  const afterMs = isIdle ? policy.idleTimeoutMs : policy.timeoutMs;
  return { reason: "agent-timed-out", agent, afterMs, idle: isIdle };
}

/** A limit that was told apart names the time at which it ends. */
function withReset(failure: Failure, { limit }: EventTally): Failure {
  if (failure.reason !== "rate-limited" || limit === null) return failure;
  return { ...failure, resetAtMs: failure.resetAtMs ?? limit.resetAtMs };
}

function usageOf({ agent }: AgentRequest, { usage, model }: EventTally): Usage | null {
  if (usage === null) return null;
  return { ...usage, model: usage.model ?? model ?? (agent.model === "" ? null : agent.model) };
}
