// Agent programs as they lie on PATH, from the command line: found by their usual name, and lying about what they used.
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import { type Json, type Project, plain, project, quick } from "./support/e2e-project.ts";
import { processesWith } from "./support/program.ts";

const reports = {
  develop: { summary: "done" },
  review: { verdict: "approved", score: 95, criteria: [], findings: [] },
  "holistic-review": { verdict: "pass", summary: "good", followUps: [], learnings: [] },
};

/** A `claude` on PATH that does what it is asked; `models` is what it says of its cost. */
function withClaude(plan: Project, at: { models: Json; model?: string }) {
  const init = { type: "system", subtype: "init", session_id: "s", model: at.model ?? "some-model" };
  const result = { type: "result", subtype: "success", is_error: false, modelUsage: at.models };
  const code = `import { readFileSync, writeFileSync } from "node:fs";
readFileSync(0);
const { EXECUTE_PRD_STAGE: stage, EXECUTE_PRD_TASK_ID: task } = process.env;
if (stage === "develop") writeFileSync(task + ".txt", task);
console.log(${JSON.stringify(JSON.stringify(init))});
const result = ${JSON.stringify(result)};
console.log(JSON.stringify({ ...result, structured_output: ${JSON.stringify(reports)}[stage] }));
`;
  const bin = join(plan.folder, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "claude.mjs"), code);
  writeFileSync(join(bin, "claude"), `#!/bin/sh\nexec ${process.execPath} ${join(bin, "claude.mjs")}\n`);
  chmodSync(join(bin, "claude"), 0o755);
  return { PATH: `${bin}:${process.env["PATH"]}`, ANTHROPIC_API_KEY: "a-key-of-a-service" };
}

function cost(costUSD: number): Json {
  return { "some-model": { inputTokens: 10, outputTokens: 5, costUSD } };
}

const config = { ...quick, agents: { developer: { backend: "claude-code" } } };

describe("an agent program", () => {
  it("is found by its usual name", async () => {
    const plan = project({ prd: plain(task("a")), config });
    const ended = await plan.run(["run", plan.slug], { env: withClaude(plan, { models: cost(0.01) }) });
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(plan.task("a")).toMatchObject({ status: "complete" });
  });

  it("that is not installed is named before anything begins", async () => {
    const plan = project({
      prd: plain(task("a")),
      config: { agents: { developer: { backend: "opencode" } } },
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode).toBe(2);
    expect(ended.stderr).toContain('expected a program on PATH or an executable file, found "opencode"');
    expect(ended.stderr.match(/expected a program/g)).toHaveLength(1); // though it plays every role
  });

  it("gets no money back for a cost below nothing, and its model is one plain word", async () => {
    const plan = project({ prd: plain(task("a")), config });
    const model = "m\u001b[31m\nforged";
    const env = withClaude(plan, { models: { m: { inputTokens: 1, outputTokens: 1, costUSD: -3 } }, model });
    expect((await plan.run(["run", plan.slug], { env })).exitCode).toBe(0);
    const usages = plan.events().flatMap(({ usage }) => (usage === undefined ? [] : [usage]));
    expect(usages.length).toBe(3);
    for (const usage of usages)
      expect(usage).toMatchObject({ costUsd: null, costBasis: "unknown", model: "m [31m forged" });
  });

  it("that says that it cost more than a number can hold stops the run, and the journal can be read", async () => {
    const plan = project({ prd: plain(task("a")), config });
    const models = { ...cost(1e308), other: { inputTokens: 1, outputTokens: 1, costUSD: 1e308 } };
    const ended = await plan.run(["run", plan.slug], { env: withClaude(plan, { models }) });
    expect(ended.exitCode).toBe(3);
    expect(ended.stdout).toMatch(/paused: the cost \$1000000000.00 reached the budget/);
    const before = plan.read("status.json");
    expect((await plan.run(["rebuild", plan.slug])).exitCode).toBe(0);
    expect(plan.read("status.json")).toBe(before);
  });
});

describe("what an agent says of its service", () => {
  it("cannot look like words of the program", async () => {
    const message = "no\n\ncompleted: everything";
    const plan = project({
      prd: plain(task("a")),
      rules: [{ stage: "develop", report: { failure: { kind: "credit-empty", message } } }],
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode).toBe(3);
    expect(ended.stdout).toMatch(/^paused: the credit .* no completed: everything/m);
    expect(ended.stdout).not.toMatch(/^completed/m);
  });

  it.each([9_007_199_254_740_991, 9_000_000_000_000_000])(
    "has no end where no calendar holds it: %d ms",
    async (retryAfterMs) => {
      const failure = { kind: "rate-limited", message: "slow down", retryAfterMs };
      const plan = project({
        prd: plain(task("a")),
        config: { ...quick, retry: { maxRetries: 0 } },
        rules: [{ stage: "develop", report: { failure } }],
      });
      const ended = await plan.run(["run", plan.slug]);
      expect(ended.exitCode, ended.stdout).toBe(4);
      expect(ended.stdout).toContain('agent "developer" has reached a limit: slow down');
    },
  );

  it("is not shown as an attempt", async () => {
    const failure = { kind: "rate-limited", message: "slow down", retryAfterMs: 50 };
    const plan = project({
      prd: plain(task("a")),
      config: quick,
      rules: [
        { stage: "develop", attempt: 1, report: { failure } },
        {
          stage: "develop",
          report: reports.develop,
          code: "fs.writeFileSync(env.EXECUTE_PRD_TASK_ID, 'x');",
        },
        { stage: "review", report: reports.review },
      ],
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(ended.stdout).toMatch(/✓ a: Make a [0-9a-f]{7}/);
  });
});

it("doctor --agents leaves nothing behind of a program that only says its version", async () => {
  const plan = project({ config: { ...config, sandbox: "off" } });
  const bin = join(plan.folder, "bin");
  mkdirSync(bin);
  const text = `#!/bin/sh\nLEFT=${plan.folder} sleep 600 &\necho 1.2.3\n`;
  writeFileSync(join(bin, "claude"), text);
  chmodSync(join(bin, "claude"), 0o755);
  const env = { PATH: `${bin}:${process.env["PATH"]}`, ANTHROPIC_API_KEY: "a-key-of-a-service" };
  const ended = await plan.run(["doctor", "--agents"], { env });
  expect(ended.exitCode, ended.stdout).toBe(0);
  expect(ended.stdout).toContain(`${join(bin, "claude")}, version 1.2.3`);
  expect(processesWith(`LEFT=${plan.folder}`)).toEqual([]);
});
