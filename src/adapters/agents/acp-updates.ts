// What an ACP agent says while it works, as events of the one union; and what it said last, in which its report is.

import { limits } from "../../core/limits.ts";
import { isRecord } from "./acp-stream.ts";
import type { AgentEvent } from "./agent-event.ts";

export interface AcpUpdates {
  /** A `session/update` as it came. */
  take(params: unknown): void;
  /** The agent's last message of this turn; the next turn begins without it. */
  endTurn(): string;
  /** Of a tool call that was announced. */
  kindOf(toolCallId: string): unknown;
  /** Of the session up to now, by the agent's word; null: it did not say. */
  contextTokens(): number | null;
  costUsd(): number | null;
}

/** Tool calls whose kind is remembered. */
const maxCalls = 10_000;

type Fields = Readonly<Record<string, unknown>>;

export function readAcpUpdates(sessionId: () => string, onEvent: (event: AgentEvent) => void): AcpUpdates {
  const message = collectMessage((text) => onEvent({ kind: "text", text }));
  const calls = new Map<string, unknown>();
  let contextTokens: number | null = null;
  let costUsd: number | null = null;

  function takeCall(update: Fields): void {
    const id = update["toolCallId"];
    if (typeof id !== "string") return;
    message.end();
    if (!calls.has(id) && calls.size < maxCalls) {
      onEvent({ kind: "tool-started", id, name: nameOf(update) });
    }
    if (calls.size < maxCalls || calls.has(id)) calls.set(id, update["kind"] ?? calls.get(id));
    const { status } = update;
    if (status === "completed" || status === "failed") {
      onEvent({ kind: "tool-ended", id, ok: status === "completed" });
    }
  }

  function takeUsage({ used, cost }: Fields): void {
    contextTokens = countOf(used) ?? contextTokens;
    if (isRecord(cost) && cost["currency"] === "USD") costUsd = amountOf(cost["amount"]) ?? costUsd;
  }

  return {
    take: (params) => {
      if (!isRecord(params) || params["sessionId"] !== sessionId()) return;
      const { update } = params;
      if (!isRecord(update)) return;
      const kind = update["sessionUpdate"];
      if (kind === "agent_message_chunk") message.add(update);
      else if (kind === "tool_call" || kind === "tool_call_update") takeCall(update);
      else if (kind === "usage_update") takeUsage(update);
    },
    endTurn: message.endTurn,
    kindOf: (id) => calls.get(id),
    contextTokens: () => contextTokens,
    costUsd: () => costUsd,
  };
}

/** Pieces to whole messages: one ends where a tool is called, where another id begins, and with the turn. */
function collectMessage(onMessage: (text: string) => void) {
  let parts: string[] = [];
  let length = 0;
  let id: unknown;
  let last = "";
  function flush(): void {
    if (length === 0) return;
    last = parts.join("");
    parts = [];
    length = 0;
    onMessage(last);
  }
  return {
    add: ({ content, messageId }: Fields): void => {
      if (!isRecord(content) || content["type"] !== "text" || typeof content["text"] !== "string") return;
      if (messageId !== id) flush();
      id = messageId;
      // The end is kept, in which the report is: a message that goes on for ever is no report.
      if (length > 2 * limits.reportBytes) {
        parts = [parts.join("").slice(-limits.reportBytes)];
        length = limits.reportBytes;
      }
      parts.push(content["text"]);
      length += content["text"].length;
    },
    end: flush,
    endTurn: (): string => {
      flush();
      const said = last;
      last = "";
      return said;
    },
  };
}

function nameOf({ title, name, kind }: Fields): string {
  for (const each of [title, name, kind]) {
    if (typeof each === "string" && each !== "") return each.slice(0, limits.findingChars);
  }
  return "a tool";
}

export function countOf(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function amountOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : null;
}
