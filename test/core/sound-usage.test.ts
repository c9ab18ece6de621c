import { describe, expect, it } from "vitest";
import { limits } from "../../src/core/limits.ts";
import type { Usage } from "../../src/core/report.ts";
import { soundUsage } from "../../src/core/sound-usage.ts";

const usage: Usage = {
  inputTokens: 10,
  outputTokens: 5,
  cacheReadTokens: 3,
  cacheWriteTokens: 2,
  costUsd: 0.2,
  costBasis: "reported",
  model: "opus-5-5",
};

describe("what an agent says that it used", () => {
  it("stays as it is where it can be so", () => {
    expect(soundUsage(usage)).toEqual(usage);
    const unknown: Usage = { ...usage, costUsd: null, costBasis: "unknown", model: null };
    expect(soundUsage(unknown)).toEqual(unknown);
  });

  it.each([-3, Number.NaN, Number.NEGATIVE_INFINITY])(
    "is an unknown cost, never money back, for %d",
    (costUsd) => {
      expect(soundUsage({ ...usage, costUsd })).toMatchObject({ costUsd: null, costBasis: "unknown" });
    },
  );

  it.each([1e308, Number.POSITIVE_INFINITY])("is a cost that can be added up for %d", (costUsd) => {
    const { costUsd: believed } = soundUsage({ ...usage, costUsd });
    expect(believed).toBe(limits.usdBelieved);
    expect(JSON.parse(JSON.stringify({ sum: 100_000 * (believed ?? 0) })).sum).toBeGreaterThan(1);
  });

  it("has whole tokens, none of them owed", () => {
    const odd = { inputTokens: -5, outputTokens: 1e300, cacheReadTokens: Number.NaN, cacheWriteTokens: 1.6 };
    expect(soundUsage({ ...usage, ...odd })).toMatchObject({
      inputTokens: 0,
      outputTokens: limits.tokensBelieved,
      cacheReadTokens: 0,
      cacheWriteTokens: 2,
    });
  });

  it("has a model whose name can stand in a line", () => {
    expect(soundUsage({ ...usage, model: "m\u0007\u001b[31m red\n\n| x" }).model).toBe("m [31m red | x");
    expect(soundUsage({ ...usage, model: "x".repeat(10_000) }).model).toHaveLength(limits.modelChars);
    expect(soundUsage({ ...usage, model: "\u001b \n" }).model).toBeNull();
  });
});
