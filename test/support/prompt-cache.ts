// The service's prefix cache, as it is documented: entries are written at breakpoints, hold everything from the first
// byte on, need at least 1,024 tokens, and are found at a breakpoint or up to 20 blocks before one.
import { createHash } from "node:crypto";
import type { Body, Json } from "./anthropic-rules.ts";

export interface Counted {
  readonly input_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly cache_creation_input_tokens: number;
}

const leastTokens = 1_024;
const lookBack = 20;
const charsOfToken = 4;

interface Piece {
  /** Of everything up to here. */
  readonly mark: string;
  readonly tokens: number;
  readonly isBreakpoint: boolean;
}

export class PromptCache {
  readonly #entries = new Set<string>();

  count(body: Body): Counted {
    const pieces = toPieces(body);
    const breakpoints = pieces.flatMap(({ isBreakpoint }, index) => (isBreakpoint ? [index] : []));
    const read = Math.max(-1, ...breakpoints.map((at) => this.#find(pieces, at)));
    const written = Math.max(-1, ...breakpoints.filter((at) => (pieces[at]?.tokens ?? 0) >= leastTokens));
    for (const at of breakpoints) {
      const piece = pieces[at];
      if (piece !== undefined && piece.tokens >= leastTokens) this.#entries.add(piece.mark);
    }
    const total = pieces.at(-1)?.tokens ?? 0;
    const readTokens = pieces[read]?.tokens ?? 0;
    const writtenTokens = Math.max(0, (pieces[written]?.tokens ?? 0) - readTokens);
    return {
      input_tokens: total - readTokens - writtenTokens,
      cache_read_input_tokens: readTokens,
      cache_creation_input_tokens: writtenTokens,
    };
  }

  #find(pieces: readonly Piece[], breakpoint: number): number {
    for (let at = breakpoint; at >= Math.max(0, breakpoint - lookBack); at -= 1) {
      if (this.#entries.has(pieces[at]?.mark ?? "")) return at;
    }
    return -1;
  }
}

/** Tools, system prompt, messages, in this order; a changed choice of tools makes the messages others. */
function toPieces({ model, tools = [], system = [], messages, tool_choice: choice }: Body): Piece[] {
  const said = messages.flatMap(({ role, content }, index) =>
    content.map((block) => ({ role, index, choice, block })),
  );
  const all: { key: unknown; block: Json }[] = [
    ...tools.map((block) => ({ key: model, block })),
    ...system.map((block) => ({ key: "system", block })),
    ...said.map(({ block, ...key }) => ({ key, block })),
  ];
  const hash = createHash("sha256");
  let chars = 0;
  return all.map(({ key, block: { cache_control: control, ...block } }) => {
    const text = JSON.stringify(block);
    chars += text.length;
    hash.update(`${JSON.stringify(key)}\n${text}\n`);
    const mark = hash.copy().digest("hex");
    return { mark, tokens: Math.ceil(chars / charsOfToken), isBreakpoint: control !== undefined };
  });
}
