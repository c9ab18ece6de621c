import { describe, expect, it } from "vitest";
import {
  agentKeyFor,
  agentOf,
  instructionsFor,
  isStageOn,
  maxDispatches,
  type Switch,
} from "../../src/core/policy.ts";
import { makeAgent, makePolicy } from "../support/run-parts.ts";

const policy = makePolicy();
const [someAgent] = Object.values(policy.agents);

describe("the agent for a role", () => {
  const alone = makePolicy({ agents: someAgent === undefined ? {} : { developer: someAgent } });

  it("is the task's own for the developer, else the configured developer", () => {
    expect(agentKeyFor(policy, "developer", "special")).toBe("special");
    expect(agentKeyFor(policy, "developer", null)).toBe("developer");
  });

  it("is the role's own key, and the developer where the role has none", () => {
    expect(agentKeyFor(policy, "reviewer", null)).toBe("reviewer");
    expect(agentKeyFor(policy, "orchestrator", "special")).toBe("orchestrator");
    expect(agentKeyFor(alone, "reviewer", null)).toBe("developer");
  });

  it.each(["constructor", "toString", "__proto__"])("is nobody when a plan names %s", (key) => {
    expect(agentOf(policy, key)).toBeUndefined();
    expect(agentOf(policy, "developer")).toBe(policy.agents["developer"]);
  });
});

describe("what an agent is told of its role", () => {
  const told = (key: string, texts: Readonly<Record<string, string>>): string => {
    const agents = Object.entries(texts).map(([name, instructions]) => [name, makeAgent({ instructions })]);
    return instructionsFor(makePolicy({ agents: Object.fromEntries(agents) }), "reviewer", key);
  };

  it.each([
    ["reviewer", { developer: "d", reviewer: "r" }, "r"],
    ["developer", { developer: "d", reviewer: "r" }, "r"],
    ["developer", { developer: "d" }, ""],
    ["second", { reviewer: "r", second: "s" }, "s"],
    ["second", { reviewer: "r", second: "" }, "r"],
    ["nobody", { reviewer: "r" }, "r"],
  ])("where %s reviews with %j is %j", (key, texts, expected) => {
    expect(told(key, texts)).toBe(expected);
  });
});

describe("an advice stage", () => {
  const settings: readonly [Switch, number, boolean][] = [
    ["auto", 2, false],
    ["auto", 3, true],
    ["on", 1, true],
    ["off", 100, false],
  ];
  it.each(settings)("that is %s is asked in a plan of %d tasks: %j", (setting, count, isOn) => {
    const set = makePolicy({ precheck: setting, recon: setting, preMortem: setting });
    for (const stage of ["precheck", "recon", "pre-mortem"] as const) {
      expect(isStageOn(set, stage, count)).toBe(isOn);
    }
  });

  it("that must be approved is asked in any plan", () => {
    expect(isStageOn(makePolicy({ preMortem: "approve" }), "pre-mortem", 1)).toBe(true);
  });
});

it("allows 6 dispatches a task and 20 more unless a number is configured (I11)", () => {
  expect(maxDispatches(policy, 5)).toBe(50);
  expect(maxDispatches(makePolicy({ budget: { ...policy.budget, maxDispatches: 7 } }), 5)).toBe(7);
});
