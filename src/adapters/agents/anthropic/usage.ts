// What a dispatch used up, over all its requests.

import type { Usage } from "../../../core/report.ts";
import type { TokenCount } from "./message.ts";

export interface TokenSum {
  add(tokens: TokenCount): void;
  /** null: nothing was used. The cost is for who knows the prices. */
  toUsage(): Usage | null;
}

export function createTokenSum(model: string): TokenSum {
  let sum: TokenCount = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  let isUsed = false;
  return {
    add: (tokens) => {
      isUsed = true;
      sum = {
        input: sum.input + tokens.input,
        output: sum.output + tokens.output,
        cacheRead: sum.cacheRead + tokens.cacheRead,
        cacheWrite: sum.cacheWrite + tokens.cacheWrite,
      };
    },
    toUsage: () => (isUsed ? toUsage(sum, model) : null),
  };
}

function toUsage({ input, output, cacheRead, cacheWrite }: TokenCount, model: string): Usage {
  return {
    inputTokens: input,
    outputTokens: output,
    cacheReadTokens: cacheRead,
    cacheWriteTokens: cacheWrite,
    costUsd: null,
    costBasis: "unknown",
    model,
  };
}
