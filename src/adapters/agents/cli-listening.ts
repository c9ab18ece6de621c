// Listens to an agent program: its lines become events, events a tally, and what a person wants to see is told.

import { limits } from "../../core/limits.ts";
import type { Ended } from "../process/launch.ts";
import type { StreamName } from "../process/output.ts";
import { watchActivity } from "./activity.ts";
import type { AgentEvent } from "./agent-event.ts";
import type { AgentRun } from "./agent-run.ts";
import type { CliProgram } from "./cli-program.ts";
import { type EventTally, emptyTally, foldAgentEvent } from "./event-tally.ts";
import { readJsonLines } from "./json-lines.ts";
import type { OwnStop } from "./judge-events.ts";
import { dispatchValue } from "./protocol.ts";

export interface Listening {
  /** Fires when the program is to be ended. */
  readonly signal: AbortSignal;
  readonly onChunk: (chunk: Buffer, stream: StreamName) => void;
  readonly onLine: (line: string, stream: StreamName) => void;
  /** To be called once the program has ended. */
  end(ended: Ended): void;
  tally(): EventTally;
  stop(): OwnStop | null;
}

/** `before`: what the session has come to until now; its usage goes on. */
export function listen(program: CliProgram, run: AgentRun, before: EventTally | null): Listening {
  const { agent, agentKey } = run.request;
  const activity = watchActivity({
    idleMs: agent.idleTimeoutMs,
    dispatch: dispatchValue(run.request),
    folder: run.request.cwd,
  });
  let tally: EventTally = { ...emptyTally, session: before?.session ?? null, usage: before?.usage ?? null };
  let text = "";
  function take(event: AgentEvent): void {
    tally = foldAgentEvent(tally, event);
    tell(run, event);
  }
  const lines = readJsonLines(limits.agentLineBytes, (line) => {
    const read = program.read(line, { agent: agentKey, text });
    text = read.text;
    for (const event of read.events) take(event);
    if (!read.events.some(({ kind }) => kind === "retry")) activity.touch(tally);
    activity.consider(tally, agent.maxTurns);
  });
  return {
    signal: activity.signal,
    onChunk: (chunk, stream) => {
      if (stream === "stdout") lines.take(chunk);
    },
    onLine: (line, stream) => {
      if (stream === "stdout") return;
      const event = program.readLog?.(line) ?? null;
      if (event === null) return run.onOutput(line);
      take(event);
      activity.consider(tally, agent.maxTurns);
    },
    end: (ended) => {
      lines.end();
      activity.end();
      const exitCode = ended.kind === "ended" ? ended.exitCode : null;
      if (exitCode === null || exitCode === 0 || ended.kind !== "ended") return;
      const event = program.readExit?.(exitCode, { agent: agentKey, tail: ended.tail }) ?? null;
      if (event !== null) take(event);
    },
    tally: () => tally,
    stop: activity.stop,
  };
}

function tell({ options, onOutput }: AgentRun, event: AgentEvent): void {
  const words = wordsFor(event);
  if (words === null) return;
  for (const line of words.slice(0, limits.outputTailChars).split("\n"))
    onOutput(options.redaction.text(line));
}

function wordsFor(event: AgentEvent): string | null {
  switch (event.kind) {
    case "text":
      return event.text;
    case "tool-started":
      return `[${event.name}]`;
    case "denied":
      return `[${event.tool}: not allowed]`;
    case "retry":
      return `[its service failed${event.status === null ? "" : ` (${event.status})`}; it tries again]`;
    default:
      return null;
  }
}
