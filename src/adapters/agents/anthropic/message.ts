// An answer of the model as the loop works with it: what came out of the stream, and what of it goes back.

import type {
  ContentBlock,
  ContentBlockParam,
  Message,
  MessageParam,
} from "@anthropic-ai/sdk/resources/messages/messages";
import { limits } from "../../../core/limits.ts";

export type { ContentBlockParam, MessageParam };

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
  /** False: what came as its input is no JSON, or was cut off; such a call is never carried out. */
  readonly isWhole: boolean;
}

export interface ModelAnswer {
  readonly stopReason: string | null;
  /** Category and words of a refusal. */
  readonly refusal: string;
  readonly text: string;
  readonly calls: readonly ToolCall[];
  /** What is said again to the service in the requests that follow. */
  readonly blocks: readonly ContentBlockParam[];
}

export interface TokenCount {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

const cuttingOff: readonly (string | null)[] = ["max_tokens", "model_context_window_exceeded", null];

/** `inputs`: the input of each tool call as it was streamed, by its block's position. */
export function toModelAnswer(message: Message, inputs: ReadonlyMap<number, string>): ModelAnswer {
  const isCutOff = cuttingOff.includes(message.stop_reason);
  const last = message.content.length - 1;
  const calls = new Map<number, ToolCall>();
  for (const [index, block] of message.content.entries()) {
    if (block.type !== "tool_use") continue;
    const input = toInput(inputs.get(index) ?? "");
    const isWhole = input !== undefined && !(isCutOff && index === last);
    calls.set(index, { id: block.id, name: block.name, input: input ?? {}, isWhole });
  }
  return {
    stopReason: message.stop_reason,
    refusal: [message.stop_details?.category, message.stop_details?.explanation]
      .filter((part) => typeof part === "string" && part !== "")
      .join(": "),
    text: message.content.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("\n"),
    calls: [...calls.values()],
    blocks: message.content.flatMap((block, index) => toParam(block, calls.get(index))),
  };
}

/** The same answer without calls that are not whole. */
export function withoutCutOff(answer: ModelAnswer): ModelAnswer {
  const whole = new Set(answer.calls.filter(({ isWhole }) => isWhole).map(({ id }) => id));
  const blocks = answer.blocks.filter((block) => block.type !== "tool_use" || whole.has(block.id));
  return { ...answer, calls: answer.calls.filter(({ id }) => whole.has(id)), blocks };
}

export function toTokenCount(usage: Message["usage"]): TokenCount {
  return {
    input: usage.input_tokens ?? 0,
    output: usage.output_tokens ?? 0,
    cacheRead: usage.cache_read_input_tokens ?? 0,
    cacheWrite: usage.cache_creation_input_tokens ?? 0,
  };
}

/** An input is an object; no input at all is an empty one. Undefined: it is no JSON, or too deep to work on. */
function toInput(text: string): unknown {
  if (text.trim() === "") return {};
  if (isTooDeep(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

// Without a pattern: over a text of megabytes a pattern would need too much room.
function isTooDeep(text: string): boolean {
  let depth = 0;
  let isInText = false;
  for (let at = 0; at < text.length && depth <= limits.jsonDepth; at += 1) {
    const letter = text[at];
    if (isInText && letter === "\\") at += 1;
    else if (letter === '"') isInText = !isInText;
    else if (!isInText && (letter === "[" || letter === "{")) depth += 1;
    else if (!isInText && (letter === "]" || letter === "}")) depth -= 1;
  }
  return depth > limits.jsonDepth;
}

function toParam(block: ContentBlock, call: ToolCall | undefined): readonly ContentBlockParam[] {
  switch (block.type) {
    case "text":
      // The service refuses to be told its own empty texts.
      return block.text.trim() === "" ? [] : [{ type: "text", text: block.text }];
    case "thinking":
      return [{ type: "thinking", thinking: block.thinking, signature: block.signature }];
    case "tool_use":
      return [{ type: "tool_use", id: block.id, name: block.name, input: call?.input ?? {} }];
    default:
      return [block as ContentBlockParam]; // what the service alone knows goes back as it came
  }
}
