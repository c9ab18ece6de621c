// What the events of one agent come to, folded one by one: bounded, however much it says.

import type { Failure } from "../../core/failure.ts";
import type { Usage } from "../../core/report.ts";
import type { AgentEvent } from "./agent-event.ts";

export interface EventTally {
  readonly count: number;
  readonly session: string | null;
  readonly model: string | null;
  readonly usage: Usage | null;
  /** Turns of the model that said what they cost. */
  readonly turns: number;
  readonly openTools: ReadonlySet<string>;
  readonly denied: readonly { readonly tool: string; readonly detail: string }[];
  readonly limit: { readonly resetAtMs: number | null; readonly detail: string } | null;
  /** The last one; null since it made progress again. */
  readonly retry: { readonly status: number | null; readonly detail: string } | null;
  readonly retriesInARow: number;
  /** The first one: those after it follow from it. */
  readonly failure: Failure | null;
  readonly done: Extract<AgentEvent, { kind: "done" }> | null;
}

export const emptyTally: EventTally = {
  count: 0,
  session: null,
  model: null,
  usage: null,
  turns: 0,
  openTools: new Set(),
  denied: [],
  limit: null,
  retry: null,
  retriesInARow: 0,
  failure: null,
  done: null,
};

const maxOpenTools = 100;
const maxDenied = 5;

export function foldAgentEvent(before: EventTally, event: AgentEvent): EventTally {
  const tally = { ...before, count: before.count + 1 };
  switch (event.kind) {
    case "session":
      return { ...tally, session: toSession(event.id), model: event.model ?? tally.model };
    case "text":
      return atWork(tally);
    case "tool-started":
      return atWork({ ...tally, openTools: withTool(tally.openTools, event.id) });
    case "tool-ended":
      return atWork({ ...tally, openTools: withoutTool(tally.openTools, event.id) });
    case "usage":
      return withUsage(tally, event);
    case "limit":
      return { ...tally, limit: { resetAtMs: event.resetAtMs, detail: event.detail } };
    case "denied": {
      const { tool, detail } = event;
      return { ...tally, denied: [...tally.denied, { tool, detail }].slice(-maxDenied) };
    }
    case "retry": {
      const { status, detail } = event;
      return { ...tally, retry: { status, detail }, retriesInARow: tally.retriesInARow + 1 };
    }
    case "error":
      return { ...tally, failure: tally.failure ?? event.failure };
    case "done":
      return { ...atWork(tally), done: event };
    default:
      return tally;
  }
}

/** It becomes an argument of the program: what looks like an option, or like no name, is none. */
function toSession(id: string): string | null {
  return /^\w[\w.:-]{0,199}$/.test(id) ? id : null;
}

function atWork(tally: EventTally): EventTally {
  return tally.retriesInARow === 0 ? tally : { ...tally, retry: null, retriesInARow: 0 };
}

function withTool(open: ReadonlySet<string>, id: string): ReadonlySet<string> {
  return open.size >= maxOpenTools ? open : new Set(open).add(id);
}

function withoutTool(open: ReadonlySet<string>, id: string): ReadonlySet<string> {
  return open.has(id) ? new Set([...open].filter((each) => each !== id)) : open;
}

function withUsage(tally: EventTally, { usage, mode }: Extract<AgentEvent, { kind: "usage" }>): EventTally {
  const before = mode === "total" ? null : tally.usage;
  return { ...tally, turns: tally.turns + 1, usage: before === null ? usage : addUsage(before, usage) };
}

/** A sum with an unknown part is unknown. */
function addUsage(first: Usage, second: Usage): Usage {
  const isKnown = first.costUsd !== null && second.costUsd !== null;
  return {
    inputTokens: first.inputTokens + second.inputTokens,
    outputTokens: first.outputTokens + second.outputTokens,
    cacheReadTokens: first.cacheReadTokens + second.cacheReadTokens,
    cacheWriteTokens: first.cacheWriteTokens + second.cacheWriteTokens,
    costUsd: isKnown ? (first.costUsd ?? 0) + (second.costUsd ?? 0) : null,
    costBasis: isKnown ? second.costBasis : "unknown",
    model: second.model ?? first.model,
  };
}
