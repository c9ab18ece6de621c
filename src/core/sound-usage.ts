// What an agent says that it used, as figures that can be added up: what cannot be so is unknown, never money back.

import { limits } from "./limits.ts";
import type { Usage } from "./report.ts";

export function soundUsage(usage: Usage): Usage {
  return {
    inputTokens: toTokens(usage.inputTokens),
    outputTokens: toTokens(usage.outputTokens),
    cacheReadTokens: toTokens(usage.cacheReadTokens),
    cacheWriteTokens: toTokens(usage.cacheWriteTokens),
    ...toCost(usage),
    model: usage.model === null ? null : toName(usage.model),
  };
}

function toTokens(count: number): number {
  return Number.isNaN(count) ? 0 : Math.min(Math.max(0, Math.round(count)), limits.tokensBelieved);
}

function toCost({ costUsd, costBasis }: Usage): Pick<Usage, "costUsd" | "costBasis"> {
  if (costUsd === null || Number.isNaN(costUsd) || costUsd < 0)
    return { costUsd: null, costBasis: "unknown" };
  return { costUsd: Math.min(costUsd, limits.usdBelieved), costBasis };
}

/** The name goes into tables and onto screens. */
function toName(model: string): string | null {
  const name = model
    .slice(0, 10 * limits.modelChars)
    .replace(/[\p{C}\s]+/gu, " ")
    .trim();
  return name === "" ? null : name.slice(0, limits.modelChars);
}
