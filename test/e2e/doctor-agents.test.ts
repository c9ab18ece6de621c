// `doctor --agents`: what is said of agents' programs, with programs that only say a version.
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { until } from "../adapters/process/programs.ts";
import { startAnthropicServer } from "../support/anthropic-server.ts";
import { type Project, project } from "./support/e2e-project.ts";

/** A folder for PATH with programs, and a home with or without logins. */
function machine(plan: Project, at: { programs: readonly string[]; logins?: readonly string[] }) {
  const bin = join(plan.folder, "bin");
  const home = join(plan.folder, "home");
  mkdirSync(bin);
  mkdirSync(home);
  for (const name of at.programs) {
    writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} 1.2.3"\n`);
    chmodSync(join(bin, name), 0o755);
  }
  for (const path of at.logins ?? []) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), '{"token":"a-token-that-nobody-sees"}');
  }
  return { PATH: `${bin}:${process.env["PATH"]}`, HOME: home };
}

const agents = {
  developer: { backend: "claude-code" },
  reviewer: { backend: "codex", env: ["OPENAI_API_KEY"] },
  other: { backend: "command", command: ["node", "agent.mjs"] },
};

describe("doctor --agents", () => {
  it("says which programs there are, in which version, and that they can log in; never a credential", async () => {
    const plan = project();
    plan.setConfig({ agents });
    const logins = [".claude/.credentials.json"];
    const env = {
      ...machine(plan, { programs: ["claude", "codex"], logins }),
      OPENAI_API_KEY: "a-key-that-nobody-sees",
    };
    const ended = await plan.run(["doctor", "--agents"], { env });
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(ended.stdout).toMatch(/ok +agent developer: claude-code: .*\/bin\/claude, version claude 1\.2\.3/);
    expect(ended.stdout).toMatch(/ok +login of developer: logged in \(.*\.credentials\.json\)/);
    expect(ended.stdout).toMatch(/ok +login of reviewer: key in OPENAI_API_KEY/);
    expect(ended.stdout).toMatch(/ok +agent other: command: .*node/);
    expect(ended.stdout).toMatch(/ok +program claude: .*logged in/);
    expect(ended.stdout).toMatch(/ok +sandbox: none: the configuration says/);
    expect(ended.stdout).not.toContain("nobody-sees");
  });

  it("names what is missing and what mends it, also as JSON", async () => {
    const plan = project();
    plan.setConfig({ agents: { ...agents, second: { backend: "gemini" } } });
    const env = machine(plan, { programs: ["claude"] });
    const ended = await plan.run(["doctor", "--agents", "--json"], {
      env: { ...env, PATH: env.PATH, OPENAI_API_KEY: "" },
    });
    expect(ended.exitCode).toBe(2);
    const { ok, checks } = JSON.parse(ended.stdout) as {
      ok: boolean;
      checks: { name: string; state: string }[];
    };
    expect(ok).toBe(false);
    const problems = checks.filter(({ state }) => state === "problem");
    expect(problems).toContainEqual({
      name: "login of developer",
      state: "problem",
      detail: "neither a login nor a key",
      fix: expect.stringContaining('log in with "claude", or name one of ANTHROPIC_API_KEY'),
    });
    expect(problems).toContainEqual({
      name: "agent second",
      state: "problem",
      detail: 'gemini: "gemini" is not on PATH',
      fix: expect.stringContaining('install "gemini"'),
    });
  });

  it("--live does not call programs of the builder's own, and says so", async () => {
    const plan = project();
    const ended = await plan.run(["doctor", "--live"]);
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(ended.stdout).toMatch(/ok +call of developer: not called: it is of backend command/);
  });

  it.each([
    [
      "that answers in a form of its own",
      { content: "pong" },
      /ok +call of developer: answered in .*, but not as/,
      0,
    ],
    ["that refuses the key", { status: 401 }, /problem +call of developer: .*not logged in/, 2],
  ] as const)("--live calls a service %s", async (_what, reply, words, exitCode) => {
    const plan = project();
    const server = await startAnthropicServer(() => reply);
    plan.setConfig({ agents: { developer: { backend: "anthropic" } } });
    const env = { ANTHROPIC_BASE_URL: server.url, ANTHROPIC_API_KEY: "a-key-that-nobody-sees" };
    const ended = await plan.run(["doctor", "--agents", "--live"], { env });
    expect(ended.stdout).toMatch(words);
    expect(ended.exitCode).toBe(exitCode);
    expect(ended.stdout).not.toContain("nobody-sees");
  });

  it("--live calls all agents at once, so that services out of reach are waited for together", async () => {
    const plan = project();
    let asked = 0;
    const server = await startAnthropicServer(async () => {
      asked += 1;
      await until(() => asked >= 2 || null);
      return { content: "pong" };
    });
    plan.setConfig({ agents: { developer: { backend: "anthropic" }, second: { backend: "anthropic" } } });
    const env = { ANTHROPIC_BASE_URL: server.url, ANTHROPIC_API_KEY: "a-key-that-nobody-sees" };
    const ended = await plan.run(["doctor", "--agents", "--live"], { env });
    expect(ended.stdout).toMatch(/ok +call of developer:[\s\S]*ok +call of second:/);
  });
});
