// How role files and the configuration make the agents of the roles.

import { describe, expect, test } from "vitest";
import type { Policy } from "../../src/core/policy.ts";
import { instructionsFor } from "../../src/core/policy.ts";
import { type PolicyFlags, readConfig, toPolicy } from "../../src/schema/config.ts";
import { describeProblem } from "../../src/schema/problem.ts";
import { overruled, type RoleFiles } from "../../src/schema/role-agents.ts";
import type { RoleFile } from "../../src/schema/role-file.ts";

function file(settings: RoleFile["settings"], instructions = "", kind: RoleFile["kind"] = "role"): RoleFile {
  return { file: `${kind}.md`, kind, settings, instructions };
}

function tryPolicy(config: object, roles: RoleFiles, flags: PolicyFlags = {}) {
  const read = readConfig({ text: JSON.stringify(config), file: "config.json" }, roles);
  return read.ok ? toPolicy({ config: read.value, flags, detectedGates: [] }) : read;
}

function agents(config: object, roles: RoleFiles, flags: PolicyFlags = {}): Policy["agents"] {
  const policy = tryPolicy(config, roles, flags);
  if (!policy.ok) throw new Error(policy.failure.map(describeProblem).join("\n"));
  return policy.value.agents;
}

const acp = { backend: "acp" as const, command: ["an-agent"] };

describe("Role files", () => {
  test("that name a backend are enough", () => {
    const found = agents({}, { developer: [file({ ...acp, model: "big" }, "Use tabs.")] });
    expect(Object.keys(found)).toEqual(["developer"]);
    expect(found["developer"]).toMatchObject({ ...acp, model: "big", instructions: "Use tabs." });
  });

  test("give way to the configuration, key by key", () => {
    const config = { agents: { developer: { ...acp, model: "small" } } };
    const found = agents(config, { developer: [file({ ...acp, model: "big", timeoutMs: 5 }, "Use tabs.")] });
    expect(found["developer"]).toMatchObject({ model: "small", timeoutMs: 5, instructions: "Use tabs." });
    const own = { agents: { developer: { ...acp, instructions: "" } } };
    expect(agents(own, { developer: [file({}, "Use tabs.")] })["developer"]?.instructions).toBe("");
  });

  test("set nothing where the configuration names another backend, but say what they say", () => {
    const config = { agents: { developer: { backend: "codex" } } };
    const roles = { developer: [file({ ...acp, model: "big", timeoutMs: 5 }, "Use tabs.")] };
    const found = agents(config, roles);
    expect(found["developer"]).toMatchObject({ backend: "codex", model: "", instructions: "Use tabs." });
    expect(found["developer"]?.timeoutMs).not.toBe(5);
    expect(overruled(config, roles)).toEqual(["role.md"]);
    expect(overruled({ agents: { developer: acp } }, roles)).toEqual([]);
    expect(overruled({}, roles)).toEqual([]);
  });

  test("are taken in their order: settings from the first with settings, words from the first with words", () => {
    const roles = {
      developer: [
        file({}, "First."),
        file({ ...acp, model: "second" }),
        file({ ...acp, effort: "low" }, "Last."),
      ],
    } as const;
    const found = agents({}, roles)["developer"];
    expect(found).toMatchObject({ model: "second", effort: null, instructions: "First." });
  });

  test("without a backend change what the developer's agent is in another role", () => {
    const developer = { ...acp, model: "big", timeoutMs: 5, instructions: "Develop." };
    const roles = { reviewer: [file({ model: "small" }, "Review.")], orchestrator: [file({})] };
    const found = agents({ agents: { developer } }, roles);
    expect(Object.keys(found)).toEqual(["developer", "reviewer"]);
    expect(found["reviewer"]).toEqual({ ...found["developer"], model: "small", instructions: "Review." });
    const other = { agents: { developer, second: { backend: "codex" } } };
    const flagged = agents(other, { ...roles, developer: [file({}, "Develop well.")] }, { agent: "second" });
    expect(flagged["developer"]).toMatchObject({ backend: "codex", instructions: "Develop." });
    expect(flagged["reviewer"]).toMatchObject({ backend: "codex", model: "small", instructions: "Review." });
  });

  test("for Claude Code set model and tools of Claude Code, last of all, and of nothing else", () => {
    const subagent = file({ model: "opus", tools: ["Read"] }, "Review.", "subagent");
    const claude = { agents: { developer: { backend: "claude-code" } } };
    expect(agents(claude, { reviewer: [subagent] })["reviewer"]).toMatchObject({
      backend: "claude-code",
      model: "opus",
      tools: ["Read"],
      instructions: "Review.",
    });
    const both = agents(claude, { reviewer: [subagent, file({ model: "haiku" }, "Last.")] })["reviewer"];
    expect(both).toMatchObject({ model: "haiku", tools: ["Read"], instructions: "Review." });
    expect(agents({ agents: { developer: acp } }, { reviewer: [subagent] })["reviewer"]).toMatchObject({
      model: "",
      tools: null,
      instructions: "Review.",
    });
  });

  test("with words alone make no developer, unless a flag chooses one", () => {
    const roles = { developer: [file({}, "Use tabs.")] };
    const refused = tryPolicy({}, roles);
    expect(refused).toMatchObject({ ok: false, failure: [{ path: "agents.developer.backend" }] });
    const found = agents({ agents: { second: acp } }, roles, { agent: "second" });
    expect(found["developer"]).toMatchObject({ ...acp, instructions: "Use tabs." });
  });

  test("are checked with the configuration: what a backend needs, and the fallback", () => {
    expect(tryPolicy({}, { developer: [file({ backend: "acp" })] })).toMatchObject({
      failure: [{ path: "agents.developer.command" }],
    });
    expect(
      tryPolicy({}, { developer: [file({ ...acp, fallback: "reviewr" })], reviewer: [file(acp)] }),
    ).toMatchObject({
      failure: [{ path: "agents.developer.fallback", hint: 'did you mean "reviewer"?' }],
    });
  });
});

describe("What an agent is told in a role", () => {
  const developer = { ...acp, instructions: "Develop." };
  const second = { ...acp, instructions: "" };
  const third = { ...acp, instructions: "Mine." };

  test.each([
    ["developer", "developer", "Develop."],
    ["reviewer", "developer", ""],
    ["developer", "second", "Develop."],
    ["developer", "third", "Mine."],
    ["orchestrator", "orchestrator", ""],
  ] as const)("of a %s, played by %s", (role, key, told) => {
    const policy = tryPolicy({ agents: { developer, second, third } }, {});
    expect(policy.ok && instructionsFor(policy.value, role, key)).toBe(told);
  });
});
