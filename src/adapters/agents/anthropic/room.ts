// Keeps the conversation within what the model can hold: old results of tools are cleared first, in big steps so that
// the service's cache is seldom broken; then the whole is replaced by a summary.

import { limits } from "../../../core/limits.ts";
import { type Asked, askModel, type Line } from "./ask.ts";
import type { Conversation } from "./conversation.ts";
import { summaryPrompt } from "./system-prompt.ts";

/** Parts of the window: from when on results are cleared, down to where, and from when on it is full. */
const clearedFrom = 0.7;
const clearedTo = 0.4;
const clearedLeast = 0.1;
const fullFrom = 0.8;
/** What a summary is made of, and how long it gets. */
const summedUp = 0.5;
const summaryShare = 0.1;

export function makeRoom(
  conversation: Conversation,
  window: number,
): { readonly freedTokens: number; readonly isFull: boolean } {
  if (conversation.tokens() < clearedFrom * window) return { freedTokens: 0, isFull: false };
  const freedTokens = conversation.clearOldResults({
    targetTokens: clearedTo * window,
    leastTokens: clearedLeast * window,
  });
  return { freedTokens, isFull: conversation.tokens() > fullFrom * window };
}

/** Asks for a summary in a conversation of its own, without tools. */
export function sumUp(
  line: Line,
  { conversation, window, model }: { conversation: Conversation; window: number; model: string },
): Promise<Asked> {
  const text = conversation.toText(Math.floor(summedUp * window));
  return askModel(line, {
    model,
    max_tokens: Math.max(1, Math.min(limits.summaryTokens, Math.floor(summaryShare * window))),
    system: [{ type: "text", text: summaryPrompt }],
    messages: [{ role: "user", content: [{ type: "text", text: line.redact(text) }] }],
  });
}
