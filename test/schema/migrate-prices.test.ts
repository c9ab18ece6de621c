import { describe, expect, it } from "vitest";
import { withModels } from "../../src/schema/migrate-prices.ts";

const newAgent = { model: "", effort: null, tools: null, instructions: "", maxTurns: 0 };

describe("an event of version 2", () => {
  it("starts a session without prices, and with agents that have no model", () => {
    const policy = { agents: { developer: { backend: "command" } }, setup: "" };
    expect(withModels({ kind: "session-started", policy })).toEqual({
      kind: "session-started",
      policy: {
        agents: { developer: { ...newAgent, backend: "command" } },
        setup: "",
        prices: {},
        meteringProxy: false,
      },
    });
  });

  it.each([
    [{ inputTokens: 1, costUsd: 0 }, "reported"],
    [{ inputTokens: 1, costUsd: null }, "unknown"],
  ])("ends a dispatch with a cost that only the agent told: %j", (usage, costBasis) => {
    expect(withModels({ kind: "dispatch-ended", usage })).toEqual({
      kind: "dispatch-ended",
      usage: { ...usage, cacheWriteTokens: 0, costBasis, model: null },
    });
  });

  it.each([
    { kind: "dispatch-ended", usage: null },
    { kind: "session-started", policy: "?" },
    { kind: "session-started", policy: { agents: { developer: "?" }, prices: {}, meteringProxy: false } },
    { kind: "told", text: "x" },
    "text",
    null,
  ])("that has nothing of it stays as it is: %j", (event) => {
    expect(withModels(event)).toEqual(event);
  });
});

it("an event that has the newer form already stays as it is", () => {
  const usage = { costUsd: 1, cacheWriteTokens: 5, costBasis: "measured", model: "m" };
  expect(withModels({ kind: "dispatch-ended", usage })).toEqual({ kind: "dispatch-ended", usage });
});
