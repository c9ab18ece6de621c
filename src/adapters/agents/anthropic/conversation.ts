// The conversation with the model: what was said, where the service's cache may hold it, and how much room it takes.
//
// A cache holds what comes before a breakpoint, from the first byte on. There are four: after tools and system prompt
// (set by the loop), after the task, after the user's message before the last, and after the last one. A request finds
// what the one before wrote at its own last breakpoint, which is the third one now, however many blocks lie between.
// What has been said never changes, but for old results that are cleared, many at once and seldom.

import type { TextBlockParam, ToolResultBlockParam } from "@anthropic-ai/sdk/resources/messages/messages";
import type { ContentBlockParam, MessageParam, ModelAnswer, TokenCount } from "./message.ts";

export type UserBlock = TextBlockParam | ToolResultBlockParam;

type Said =
  | { readonly role: "user"; readonly blocks: UserBlock[] }
  | { readonly role: "assistant"; readonly blocks: readonly ContentBlockParam[] };

/** Characters of a token: few where room is counted that is taken, many where room is counted that gets free. */
const charsOfTaken = 3;
const charsOfFreed = 4;

export class Conversation {
  readonly #task: TextBlockParam;
  /** Tools and system prompt. */
  readonly #fixedChars: number;
  #said: Said[];
  /** Tokens as the service counted them last. */
  #counted: number;
  /** Characters that came after that count. */
  #addedChars = 0;

  constructor({ task, fixedChars }: { readonly task: string; readonly fixedChars: number }) {
    this.#task = { type: "text", text: task };
    this.#fixedChars = fixedChars;
    this.#said = [{ role: "user", blocks: [this.#task] }];
    this.#counted = Math.ceil((fixedChars + task.length) / charsOfTaken);
  }

  addAnswer(answer: ModelAnswer, tokens: TokenCount): void {
    const blocks = withoutLastThoughts(answer.blocks);
    if (blocks.length > 0) this.#said.push({ role: "assistant", blocks });
    this.#counted = tokens.input + tokens.cacheRead + tokens.cacheWrite + tokens.output;
    this.#addedChars = 0;
  }

  /** Results of tools come before texts, as the service wants it. */
  addUser(blocks: readonly UserBlock[]): void {
    const last = this.#said.at(-1);
    if (last?.role === "user") last.blocks.push(...blocks);
    else this.#said.push({ role: "user", blocks: [...blocks] });
    this.#addedChars += toChars(blocks);
  }

  addText(text: string): void {
    this.addUser([{ type: "text", text }]);
  }

  /** Whether there is nothing that a summary could make shorter. */
  isTaskAlone(): boolean {
    return this.#said.length === 1 && this.#said[0]?.blocks.length === 1;
  }

  /** What the next request will hold, without its answer. */
  tokens(): number {
    return this.#counted + Math.ceil(this.#addedChars / charsOfTaken);
  }

  toMessages(): MessageParam[] {
    const ofUser = this.#said.flatMap(({ role }, index) => (role === "user" ? [index] : []));
    const marked = new Set([ofUser[0], ofUser.at(-2), ofUser.at(-1)]);
    return this.#said.map((each, index) => {
      if (each.role === "assistant") return { role: "assistant", content: [...each.blocks] };
      return { role: "user", content: marked.has(index) ? withBreakpoint(each.blocks) : [...each.blocks] };
    });
  }

  /**
   * Clears results of tools, oldest first, until only `targetTokens` are left or the newest messages are reached.
   * Does nothing where less than `leastTokens` would get free. Gives the tokens that got free.
   */
  clearOldResults({ targetTokens, leastTokens }: { targetTokens: number; leastTokens: number }): number {
    const old = this.#said
      .slice(0, -newestKept)
      .flatMap((each) => (each.role === "user" ? [each.blocks] : []));
    const places = old.flatMap((blocks) => blocks.map((_, index) => ({ blocks, index })));
    const wanted = this.tokens() - targetTokens;
    const chosen: (() => void)[] = [];
    let freed = 0;
    for (const { blocks, index } of places) {
      if (freed >= wanted) break;
      const block = blocks[index];
      const chars = block?.type === "tool_result" ? toResultText(block).length - clearedText.length : 0;
      if (block?.type !== "tool_result" || chars <= 0) continue;
      freed += Math.floor(chars / charsOfFreed);
      chosen.push(() => blocks.splice(index, 1, { ...block, content: clearedText }));
    }
    if (freed < leastTokens) return 0;
    for (const clear of chosen) clear();
    this.#counted -= freed;
    return freed;
  }

  /** Forgets everything but the task and the summary. */
  replaceBySummary(summary: string): void {
    const text = `This is what was done so far; what was said before is forgotten:\n\n${summary}`;
    this.#said = [{ role: "user", blocks: [this.#task, { type: "text", text }] }];
    this.#counted = Math.ceil((this.#fixedChars + this.#task.text.length + text.length) / charsOfTaken);
    this.#addedChars = 0;
  }

  /** The conversation as a text to sum up, the oldest left out where it is too long. */
  toText(maxTokens: number): string {
    const maxChars = maxTokens * charsOfTaken;
    const task = cut(this.#task.text, Math.floor(maxChars / 3));
    const parts: string[] = [];
    let room = maxChars - task.length;
    for (const part of this.#said
      .slice(1)
      .toReversed()
      .flatMap(({ blocks }) => blocks.toReversed().map(toPart))) {
      room -= part.length;
      if (room < 0) {
        parts.push("[what came before is left out]");
        break;
      }
      parts.push(part);
    }
    return `# The task\n\n${task}\n\n# The work so far\n\n${parts.reverse().join("\n\n")}`;
  }
}

const newestKept = 4;
const clearedText = "[cleared: call the tool again if you need it]";
const longestPartChars = 3_000;

/** The service refuses an answer that ends in a thought: what it led to was empty, or was cut off. */
function withoutLastThoughts(blocks: readonly ContentBlockParam[]): readonly ContentBlockParam[] {
  const last = blocks.findLastIndex(({ type }) => type !== "thinking" && type !== "redacted_thinking");
  return blocks.slice(0, last + 1);
}

function withBreakpoint(blocks: readonly UserBlock[]): UserBlock[] {
  return blocks.map((block, index) =>
    index === blocks.length - 1 ? { ...block, cache_control: { type: "ephemeral" } } : block,
  );
}

function toChars(blocks: readonly UserBlock[]): number {
  return blocks.reduce((sum, block) => sum + JSON.stringify(block).length, 0);
}

function toResultText({ content }: ToolResultBlockParam): string {
  return typeof content === "string" ? content : "";
}

function toPart(block: ContentBlockParam): string {
  switch (block.type) {
    case "text":
      return `[text] ${cut(block.text, longestPartChars)}`;
    case "tool_use":
      return `[call of ${block.name}] ${cut(JSON.stringify(block.input), longestPartChars)}`;
    case "tool_result":
      return `[result] ${cut(toResultText(block), longestPartChars)}`;
    default:
      return "";
  }
}

function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const kept = text.slice(0, maxChars).replace(/\p{Surrogate}/gu, "\uFFFD");
  return `${kept} [${text.length - maxChars} more characters]`;
}
