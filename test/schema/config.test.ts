// The configuration: every key with its range, and flag over file over default.
import { describe, expect, test } from "vitest";
import { limits } from "../../src/core/limits.ts";
import type { GatePolicy } from "../../src/core/policy.ts";
import { defaultPolicy, type PolicyFlags, readConfig, toPolicy } from "../../src/schema/config.ts";
import { describeProblem, type InputProblem } from "../../src/schema/problem.ts";

const developer = { backend: "command", command: ["node", "agent.mjs"] };
const agents = { developer };

const everything = {
  $schema: "./node_modules/execute-prd/schemas/config.schema.json",
  agents: {
    developer: {
      ...developer,
      timeoutMs: 1,
      idleTimeoutMs: 0,
      env: ["A_KEY"],
      auth: "key",
      fallback: "second",
    },
    second: { backend: "scripted", script: "steps.json" },
    reviewer: { ...developer, auth: "login" },
    orchestrator: developer,
  },
  setup: "npm ci",
  gates: [{ name: "tests", command: "npm test", timeoutMs: 5, report: "tap", env: ["CI_KEY"] }],
  concurrency: 4,
  maxAttempts: 2,
  review: { enabled: false, passScore: 0 },
  retry: { maxRetries: 0, backoffBaseMs: 0, backoffMaxMs: 5 },
  budget: { usd: 0.5, perTaskUsd: 0.1, wallClockMs: 1, maxDispatches: 7 },
  prices: { "some-model": { input: 1, output: 2, cacheRead: 0.1, cacheWrite: 1.2 } },
  meteringProxy: false,
  sandbox: "required",
  network: false,
  onRateLimit: "pause",
  onInterrupted: "clean",
  precheck: "on",
  recon: "off",
  preMortem: "approve",
  onTaskFailure: "stop",
  onError: "notify",
  protectedPaths: ["a/b"],
  maxDeletedFiles: 0,
  worktreeRoot: "/trees",
  memory: { enabled: false, dir: "docs/memory" },
  pr: { enabled: true, remote: "origin", base: "main" },
};

describe("the file", () => {
  test("may be empty", () => {
    expect(read({})).toEqual({});
  });

  test("has every key of the contract, and is read as it stands", () => {
    expect(read(everything)).toEqual(everything);
  });

  test.each<[string, unknown, Partial<InputProblem>]>([
    ["a list", [], { path: "", expected: "an object" }],
    [
      "an unknown key",
      { concurency: 1 },
      { path: "concurency", value: "1", hint: 'did you mean "concurrency"?' },
    ],
    [
      "a key unlike any",
      { review: { zzzzz: 1 } },
      { path: "review.zzzzz", hint: "known: enabled, passScore" },
    ],
    [
      "an unknown key of an agent",
      { agents: { developer: { ...developer, timeout: 5 } } },
      {
        path: "agents.developer.timeout",
        hint: 'did you mean "timeoutMs"?',
      },
    ],
    [
      "an unknown key of a gate",
      { gates: [{ name: "a", command: "b", reprot: "tap" }] },
      {
        path: "gates[0].reprot",
        hint: 'did you mean "report"?',
      },
    ],
    ["null for a key", { setup: null }, { path: "setup", value: "null" }],
    ["concurrency 0", { concurrency: 0 }, { path: "concurrency", expected: "a whole number, 1 or more" }],
    ["half an attempt", { maxAttempts: 1.5 }, { path: "maxAttempts", value: "1.5" }],
    ["a count in quotes", { maxAttempts: "3" }, { hint: "write it without quotes" }],
    ["passScore 101", { review: { passScore: 101 } }, { expected: "a number from 0 to 100" }],
    ["passScore -1", { review: { passScore: -1 } }, { path: "review.passScore" }],
    ["a budget of nothing", { budget: { usd: 0 } }, { expected: "a number of US dollars, more than 0" }],
    ["negative dispatches", { budget: { maxDispatches: -1 } }, { path: "budget.maxDispatches" }],
    ["no wall clock", { budget: { wallClockMs: 0 } }, { path: "budget.wallClockMs" }],
    [
      "a backoff that shrinks",
      { retry: { backoffBaseMs: 40_000 } },
      { path: "retry.backoffMaxMs", value: "32000" },
    ],
    [
      "a time no timer takes",
      { agents: { developer: { ...developer, timeoutMs: 2 ** 31 } } },
      {
        path: "agents.developer.timeoutMs",
        expected: "a whole number, 1 to 2147483647",
      },
    ],
    [
      "a timeout of 0",
      { gates: [{ name: "a", command: "b", timeoutMs: 0 }] },
      { path: "gates[0].timeoutMs" },
    ],
    ["a word", { sandbox: "of" }, { expected: "auto, required, off", hint: 'did you mean "off"?' }],
    ["approve for recon", { recon: "approve" }, { path: "recon", expected: "auto, on, off" }],
    ["a gate without command", { gates: [{ name: "a" }] }, { path: "gates[0].command" }],
    ["a blank command", { gates: [{ name: "a", command: " " }] }, { path: "gates[0].command", value: '" "' }],
    ["a gate named like a path", { gates: [{ name: "../a", command: "b" }] }, { path: "gates[0].name" }],
    ["a gate named like a device", { gates: [{ name: "con", command: "b" }] }, { path: "gates[0].name" }],
    [
      "a report format",
      { gates: [{ name: "a", command: "b", report: "jnuit" }] },
      { hint: 'did you mean "junit"?' },
    ],
    [
      "two gates of a name",
      {
        gates: [
          { name: "a", command: "b" },
          { name: "A", command: "c" },
        ],
      },
      {
        path: "gates[1].name",
        hint: "gates[0] has it already",
      },
    ],
    [
      "a variable's value",
      { agents: { developer: { ...developer, env: ["A=b"] } } },
      { path: "agents.developer.env[0]" },
    ],
    [
      "no program",
      { agents: { developer: { backend: "command" } } },
      { path: "agents.developer.command", value: "" },
    ],
    [
      "an empty program",
      { agents: { developer: { backend: "command", command: [" ", "x"] } } },
      {
        path: "agents.developer.command",
      },
    ],
    ["an empty command", { agents: { developer: { backend: "command", command: [] } } }, { value: "[]" }],
    [
      "a command line",
      { agents: { developer: { backend: "command", command: "node x" } } },
      {
        hint: "write it as a list: [ … ]",
      },
    ],
    [
      "a NUL in the name of a model",
      { agents: { developer: { backend: "codex", model: "a\0b" } } },
      { path: "agents.developer.model", expected: "a text without NUL characters" },
    ],
    [
      "a NUL in the name of a tool",
      { agents: { developer: { backend: "codex", tools: ["a\0b"] } } },
      { path: "agents.developer.tools[0]" },
    ],
    ["prices that are null", { prices: { m: null } }, { path: "prices.m", value: "null" }],
    [
      "a NUL in an argument",
      { agents: { developer: { backend: "command", command: ["a", "b\0"] } } },
      {
        path: "agents.developer.command[1]",
      },
    ],
    ["no script", { agents: { developer: { backend: "scripted" } } }, { path: "agents.developer.script" }],
    [
      "no backend",
      { agents: { developer: { command: ["a"] } } },
      { path: "agents.developer.backend", value: "" },
    ],
    [
      "a misspelt backend",
      { agents: { developer: { backend: "comand" } } },
      { hint: 'did you mean "command"?' },
    ],
    ["an agent no object", { agents: { developer: "node" } }, { path: "agents.developer" }],
    ["an agent's name", { agents: { "a b": developer } }, { path: 'agents["a b"]' }],
    [
      "a fallback that is not there",
      { agents: { developer: { ...developer, fallback: "secnd" }, second: developer } },
      {
        path: "agents.developer.fallback",
        hint: 'did you mean "second"?',
      },
    ],
    [
      "a fallback to itself",
      { agents: { developer: { ...developer, fallback: "developer" } } },
      {
        path: "agents.developer.fallback",
      },
    ],
    ["memory outside", { memory: { dir: "../x" } }, { path: "memory.dir" }],
    ["memory in .git", { memory: { dir: ".GIT/x" } }, { path: "memory.dir" }],
    ["memory at the root", { memory: { dir: "/x" } }, { path: "memory.dir" }],
    ["a remote like a flag", { pr: { remote: "--x" } }, { path: "pr.remote" }],
    ["a base no branch", { pr: { base: "a b" } }, { path: "pr.base" }],
  ])("is refused with %s", (_what, written, wanted) => {
    expect(refuse(written)).toEqual([expect.objectContaining({ file: "config.json", ...wanted })]);
  });

  test.each(["anthropic", "claude-code", "codex", "gemini", "opencode"])(
    "needs no more than the backend %s",
    (backend) => {
      expect(read({ agents: { developer: { backend } } })).toEqual({ agents: { developer: { backend } } });
    },
  );

  test("has no harmless __proto__: at every place it is an unknown key", () => {
    const text = `{"__proto__":1,"review":{"__proto__":{}},"agents":{"__proto__":${JSON.stringify(developer)}}}`;
    const result = readConfig({ text, file: "c" });
    const paths = result.ok ? [] : result.failure.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(["__proto__", "review.__proto__", "agents.__proto__"]));
  });

  test("with comments is refused with their place", () => {
    const result = readConfig({ text: '{\n  // agents\n  "setup": ""\n}', file: "c" });
    expect(result).toMatchObject({
      ok: false,
      failure: [{ path: "line 2, column 3", hint: "JSON has no comments" }],
    });
  });

  test("is refused with all problems at once", () => {
    const paths = refuse({ setup: 1, review: { passScore: 200 }, agents: { a: { backend: "acp" } }, x: 1 });
    expect(paths.map(({ path }) => path)).toEqual(["setup", "review.passScore", "x", "agents.a.command"]);
  });
});

describe("the policy", () => {
  const detected: GatePolicy = {
    name: "lint",
    command: "npm run lint",
    timeoutMs: 9,
    report: "none",
    env: [],
  };
  const agent = {
    script: null,
    timeoutMs: limits.agentTimeoutMs,
    idleTimeoutMs: 0,
    env: [],
    auth: null,
    fallback: null,
    model: "",
    effort: null,
    tools: null,
    instructions: "",
    maxTurns: 0,
  };

  test("of a file that names only a developer is the default with the gates that were detected", () => {
    const policy = make(read({ agents }), {}, [detected]);
    expect(policy).toEqual({
      ...defaultPolicy,
      agents: { developer: { ...developer, ...agent } },
      gates: [detected],
    });
  });

  test("takes every value of the file", () => {
    const policy = make(read(everything));
    const { $schema, pr, ...kept } = everything;
    expect(policy).toEqual({
      ...kept,
      agents: {
        developer: { ...agent, ...everything.agents.developer },
        second: { ...agent, backend: "scripted", command: [], script: "steps.json" },
        reviewer: { ...agent, ...everything.agents.reviewer },
        orchestrator: { ...agent, ...developer },
      },
      yes: false,
      only: null,
    });
  });

  test("fills a section that the file gives in part", () => {
    const policy = make(
      read({ agents, budget: { usd: 1 }, review: { passScore: 90 }, gates: [{ name: "a", command: "b" }] }),
    );
    expect(policy.budget).toEqual({ ...defaultPolicy.budget, usd: 1 });
    expect(policy.review).toEqual({ enabled: true, passScore: 90 });
    expect(policy.gates).toEqual([
      { name: "a", command: "b", timeoutMs: limits.gateTimeoutMs, report: "auto", env: [] },
    ]);
  });

  test("has no gates where the file says so, whatever was detected", () => {
    expect(make(read({ agents, gates: [] }), {}, [detected]).gates).toEqual([]);
  });

  test("takes the detected setup only when the file has none", () => {
    const source = { flags: {}, detectedGates: [], detectedSetup: "npm ci" };
    expect(toPolicy({ ...source, config: read({ agents }) })).toMatchObject({ value: { setup: "npm ci" } });
    expect(toPolicy({ ...source, config: read({ agents, setup: "" }) })).toMatchObject({
      value: { setup: "" },
    });
  });

  test("takes a flag before the file", () => {
    const flags = { concurrency: 8, maxAttempts: 9, budgetUsd: 3, yes: true, only: ["a"] };
    const policy = make(read({ ...everything, agents }), flags);
    expect(policy).toMatchObject({ concurrency: 8, maxAttempts: 9, yes: true, only: ["a"] });
    expect(policy.budget).toEqual({ ...everything.budget, usd: 3 });
  });

  test("takes a flag that is undefined as absent", () => {
    const none = { agent: undefined, concurrency: undefined, maxAttempts: undefined, budgetUsd: undefined };
    expect(make(read({ agents }), none)).toEqual(make(read({ agents })));
  });

  test("makes the agent of --agent the developer, and never its own fallback", () => {
    const second = { backend: "command", command: ["second"], fallback: "developer" };
    const policy = make(read({ agents: { developer: { ...developer, fallback: "second" }, second } }), {
      agent: "second",
    });
    expect(policy.agents["developer"]).toMatchObject({ command: ["second"], fallback: null });
    expect(
      make(read({ agents: { second: developer } }), { agent: "second" }).agents["developer"],
    ).toBeDefined();
  });

  test("cannot be made without a developer", () => {
    const result = toPolicy({
      config: read({ agents: { reviewer: developer } }),
      flags: {},
      detectedGates: [],
    });
    const [problem] = result.ok ? [] : result.failure;
    expect(problem).toMatchObject({ file: "execute-prd.config.json", path: "agents.developer" });
    expect(problem?.hint).toContain("execute-prd init");
  });

  test.each<[PolicyFlags, Partial<InputProblem>]>([
    [{ agent: "develper" }, { path: "--agent", hint: 'did you mean "developer"?' }],
    [{ agent: "constructor" }, { path: "--agent", hint: "there are: developer" }],
    [{ concurrency: 0 }, { path: "--concurrency", value: "0" }],
    [{ concurrency: Number.NaN }, { path: "--concurrency", value: "NaN" }],
    [{ maxAttempts: 1.5 }, { path: "--max-attempts" }],
    [{ budgetUsd: 0 }, { path: "--budget-usd" }],
    [{ budgetUsd: Number.POSITIVE_INFINITY }, { path: "--budget-usd" }],
    [{ only: [] }, { path: "--only" }],
  ])("cannot be made with the flags %j", (flags, wanted) => {
    const result = toPolicy({ config: read({ agents }), flags, detectedGates: [] });
    expect(result).toMatchObject({ ok: false, failure: [wanted] });
  });
});

function read(value: unknown) {
  const result = readConfig({ text: JSON.stringify(value), file: "config.json" });
  if (!result.ok) throw new Error(result.failure.map(describeProblem).join("\n"));
  return result.value;
}

function refuse(value: unknown): readonly InputProblem[] {
  const result = readConfig({ text: JSON.stringify(value), file: "config.json" });
  return result.ok ? [] : result.failure;
}

function make(
  config: ReturnType<typeof read>,
  flags: PolicyFlags = {},
  detectedGates: readonly GatePolicy[] = [],
) {
  const result = toPolicy({ config, flags, detectedGates });
  if (!result.ok) throw new Error(result.failure.map(describeProblem).join("\n"));
  return result.value;
}
