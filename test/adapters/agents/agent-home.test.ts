// A login that is lent to an agent: it comes back when it was renewed, and is never lost.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { dropHomes, openAgentHome } from "../../../src/adapters/agents/agent-home.ts";
import { credentialsFor } from "../../../src/adapters/agents/logins.ts";
import type { AgentPolicy } from "../../../src/core/policy.ts";
import { makeFolder } from "../process/programs.ts";
import { makePlace, toRequest } from "./requests.ts";

const old = JSON.stringify({ token: "old", refresh: "r1" });
const renewed = JSON.stringify({ token: "new", refresh: "r2" });

async function builder(path = ".codex/auth.json") {
  const folder = await makeFolder();
  const home = join(folder, "builder");
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, old, { mode: 0o600 });
  const homes = join(folder, "homes");
  const place = await makePlace();
  const open = async (agent: Partial<AgentPolicy> = { backend: "codex" }) => {
    const request = toRequest(place);
    const opened = await openAgentHome(
      homes,
      { ...request, agent: { ...request.agent, ...agent } },
      { HOME: home },
    );
    if (!opened.ok) throw new Error(JSON.stringify(opened.failure));
    return { ...opened.value, copy: join(opened.value.path, path) };
  };
  return { file, homes, open };
}

describe("a credential file", () => {
  test("is there for the agent alone, and gone from its home afterwards", async () => {
    const { file, homes, open } = await builder();
    const home = await open();
    expect(readFileSync(home.copy, "utf8")).toBe(old);
    expect(statSync(home.copy).mode & 0o777).toBe(0o600);
    await home.close();
    expect(readFileSync(file, "utf8")).toBe(old);
    expect(existsSync(home.copy)).toBe(false);
    expect(readdirSync(homes).filter((name) => name.endsWith(".json"))).toEqual([]);
  });

  test("that was renewed by a new file under its name comes back to the builder", async () => {
    const { file, open } = await builder();
    const home = await open();
    rmSync(home.copy);
    writeFileSync(home.copy, renewed);
    await home.close();
    expect(readFileSync(file, "utf8")).toBe(renewed);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("that was renewed before the program was killed comes back at the next use of the home", async () => {
    const { file, open } = await builder();
    writeFileSync((await open()).copy, renewed);
    const home = await open();
    expect(readFileSync(file, "utf8")).toBe(renewed);
    expect(readFileSync(home.copy, "utf8")).toBe(renewed);
    await home.close();
  });

  test("that was renewed before the program was killed comes back also when the homes are taken away", async () => {
    const { file, homes, open } = await builder();
    writeFileSync((await open()).copy, renewed);
    await dropHomes(homes);
    expect(readFileSync(file, "utf8")).toBe(renewed);
    expect(existsSync(homes)).toBe(false);
  });

  test.each([
    ["half of it", '{"token":'],
    ["something else", '{"token":"x"}'],
    ["a list", "[]"],
    ["nothing", ""],
  ])("of which the agent made %s does not come back", async (_what, text) => {
    const { file, open } = await builder();
    const home = await open();
    writeFileSync(home.copy, text);
    await home.close();
    expect(readFileSync(file, "utf8")).toBe(old);
  });

  test("that the builder renewed meanwhile is not written over", async () => {
    const { file, open } = await builder();
    const home = await open();
    writeFileSync(home.copy, renewed);
    writeFileSync(file, JSON.stringify({ token: "mine", refresh: "r9" }));
    await home.close();
    expect(readFileSync(file, "utf8")).toContain("mine");
  });

  test("is not touched by an agent that puts a link to the builder's folder in its home", async () => {
    const { file, open } = await builder();
    const home = await open();
    rmSync(dirname(home.copy), { recursive: true });
    symlinkSync(dirname(file), dirname(home.copy));
    await home.close();
    expect(readFileSync(file, "utf8")).toBe(old);
  });

  test("of a program that is a link in the builder's home is replaced where it lies", async () => {
    const { file, open } = await builder();
    const real = join(dirname(file), "..", "real.json");
    writeFileSync(real, old);
    rmSync(file);
    symlinkSync(real, file);
    const home = await open();
    writeFileSync(home.copy, renewed);
    await home.close();
    expect(readFileSync(real, "utf8")).toBe(renewed);
  });
});

describe("which login an agent gets", () => {
  const agent = { backend: "claude-code", command: [], auth: null, env: [] } as const;

  test("is the one of its own program, where it lies or where a variable says", async () => {
    const { file } = await builder(".claude/.credentials.json");
    const home = join(dirname(file), "..");
    expect(credentialsFor(agent, { HOME: home })).toEqual([
      { from: file, path: ".claude/.credentials.json" },
    ]);
    expect(credentialsFor({ ...agent, backend: "codex" }, { HOME: home })).toEqual([]);
    expect(credentialsFor(agent, { HOME: "/none", CLAUDE_CONFIG_DIR: dirname(file) })).toEqual([
      { from: file, path: ".claude/.credentials.json" },
    ]);
    const acp = {
      ...agent,
      backend: "acp",
      command: ["npx", "@agentclientprotocol/claude-agent-acp"],
    } as const;
    expect(credentialsFor(acp, { HOME: home })).toHaveLength(1);
  });

  test("is none for a program of the builder's own, with a key, or when it is told so", async () => {
    const { file } = await builder(".claude/.credentials.json");
    const HOME = join(dirname(file), "..");
    const key = "key-of-the-builder";
    expect(credentialsFor({ ...agent, backend: "command", command: ["claude"] }, { HOME })).toEqual([]);
    expect(credentialsFor({ ...agent, auth: "key" }, { HOME })).toEqual([]);
    expect(credentialsFor(agent, { HOME })).toHaveLength(1);
    expect(credentialsFor(agent, { HOME, ANTHROPIC_API_KEY: key })).toEqual([]);
    expect(credentialsFor({ ...agent, auth: "login" }, { HOME, ANTHROPIC_API_KEY: key })).toHaveLength(1);
    const handed = { ...agent, env: ["CLAUDE_CODE_OAUTH_TOKEN"] };
    expect(credentialsFor(handed, { HOME, CLAUDE_CODE_OAUTH_TOKEN: key })).toEqual([]);
  });
});
