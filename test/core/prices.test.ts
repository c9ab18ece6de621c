import { describe, expect, it } from "vitest";
import { costOf, priceOf, withCost } from "../../src/core/prices.ts";
import type { Usage } from "../../src/core/report.ts";

const million = 1_000_000;
const opus: Usage = {
  inputTokens: million,
  outputTokens: million,
  cacheReadTokens: million,
  cacheWriteTokens: million,
  costUsd: null,
  costBasis: "unknown",
  model: "opus-5-5",
};

describe("a price", () => {
  it.each([
    "opus-5-5",
    "claude-opus-5-5",
    "anthropic/claude-opus-5-5",
    "claude-opus-5-5-20260915",
    "claude-opus-5-5@20260915",
    "claude-opus-5-5-latest",
    "Claude-Opus-5-5[1m]",
    "claude-opus-5-5-20260915[1m]",
    "openrouter/anthropic/claude-opus-5-5",
    "us.anthropic.claude-opus-5-5-20260915-v1:0",
    "anthropic.claude-opus-5-5-v1",
  ])("is found for %s", (model) => {
    expect(priceOf(model, {})).toEqual({ input: 4, output: 20, cacheRead: 0.2, cacheWrite: 5 });
  });

  it.each([
    ["claude-haiku-5-5-20261001", 0.1],
    ["anthropic/claude-sonnet-5-5", 2],
    ["claude-sonnet-4-6@20251001", 3],
  ])("is that of its own model: %s", (model, input) => {
    expect(priceOf(model, {})).toMatchObject({ input });
  });

  it.each([
    ...[
      "",
      "opus",
      "sonnet",
      "haiku",
      "opusplan",
      "default",
      "opus-5-55",
      "opus-5",
      "claude-3-opus-20240229",
    ],
    ...["gpt-5-codex", "gpt-5.5", "o4-mini", "gemini-3-pro", "gemini-2.5-flash", "model-1"],
    ...["not-claude-opus-5-5", "opus-5-5-mini", "constructor", "__proto__"],
  ])("is not made up for %j", (model) => {
    expect(priceOf(model, {})).toBeNull();
  });

  it("of the configuration comes first, for exactly the name that it has", () => {
    const own = { input: 1, output: 2, cacheRead: 3, cacheWrite: 4 };
    const prices = { "opus-5-5": own, "gpt-x": own };
    expect(priceOf("gpt-x", prices)).toBe(own);
    expect(priceOf("opus-5-5", prices)).toBe(own);
    expect(priceOf("claude-opus-5-5", prices)).toMatchObject({ input: 4 });
  });
});

describe("the cost of tokens", () => {
  it("is that of each kind of token by its own price", () => {
    expect(costOf(opus, {})).toBeCloseTo(29.2, 10);
    expect(costOf({ ...opus, inputTokens: 0, outputTokens: 0 }, {})).toBeCloseTo(5.2, 10);
  });

  it("is unknown without a model, and for one that nobody knows", () => {
    expect(costOf({ ...opus, model: null }, {})).toBeNull();
    expect(withCost({ ...opus, model: "new" }, {}, "measured")).toMatchObject({
      costUsd: null,
      costBasis: "unknown",
    });
  });

  it("has the basis of its tokens, and never replaces what an agent said it cost", () => {
    expect(withCost(opus, {}, "measured")).toMatchObject({ costUsd: 29.2, costBasis: "measured" });
    const told: Usage = { ...opus, costUsd: 1, costBasis: "reported" };
    expect(withCost(told, {}, "measured")).toBe(told);
  });
});
