// What models cost, and what that makes of tokens. The table is data of a day; the configuration (`prices`) comes
// before it. A model that nobody knows costs an unknown amount, never nothing.

import type { Price } from "./policy.ts";
import type { CostBasis, Usage } from "./report.ts";

/** Of 2026-11-01. */
const table: ReadonlyMap<string, Price> = new Map([
  ["opus-5-5", { input: 4, output: 20, cacheRead: 0.2, cacheWrite: 5 }],
  ["sonnet-5-5", { input: 2, output: 10, cacheRead: 0.1, cacheWrite: 2.5 }],
  ["haiku-5-5", { input: 0.1, output: 0.5, cacheRead: 0.01, cacheWrite: 0.125 }],
  ["fable-5-2", { input: 8, output: 40, cacheRead: 0.2, cacheWrite: 10 }],
  ["opus-4-8", { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25 }],
  ["sonnet-4-6", { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 }],
  ["haiku-4-5", { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25 }],
]);

export type Prices = Readonly<Record<string, Price>>;

/**
 * null: nobody knows. A model may be named with its maker or a cloud before it and a date or a version behind it. A
 * short name of whichever version is the newest ("opus") has no price: what it stands for is not known here.
 */
export function priceOf(model: string, prices: Prices): Price | null {
  const name = model
    .toLowerCase()
    .replace(/^.*\//, "")
    .replace(/^(?:[a-z]{2,6}\.)?anthropic\./, "")
    .replace(/^claude-/, "")
    .replace(/(?:-\d{8}|@\d{8}|-latest|-v\d+(?::\d+)?|\[1m\])+$/, "");
  return new Map(Object.entries(prices)).get(model) ?? table.get(name) ?? null;
}

/** US dollars; null: the model has no price here. */
export function costOf(usage: Usage, prices: Prices): number | null {
  const price = usage.model === null ? null : priceOf(usage.model, prices);
  if (price === null) return null;
  const millionths =
    usage.inputTokens * price.input +
    usage.outputTokens * price.output +
    usage.cacheReadTokens * price.cacheRead +
    usage.cacheWriteTokens * price.cacheWrite;
  return millionths / 1_000_000;
}

/** With a cost where it has none and its model has a price; `basis` says who counted its tokens. */
export function withCost(usage: Usage, prices: Prices, basis: Exclude<CostBasis, "unknown">): Usage {
  if (usage.costUsd !== null) return usage;
  const costUsd = costOf(usage, prices);
  return costUsd === null ? usage : { ...usage, costUsd, costBasis: basis };
}
