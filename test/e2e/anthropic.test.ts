// The built program with the Messages API behind every role, against a stand-in on this machine: from a plan of two
// tasks to two commits, with every stage asked.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Json } from "../support/anthropic-rules.ts";
import {
  type AnthropicServer,
  call,
  type Reply,
  resultsOf,
  startAnthropicServer,
} from "../support/anthropic-server.ts";
import { type Project, project, quick } from "./support/e2e-project.ts";
import { develop, work } from "./support/model-work.ts";
import { toJsonLines } from "./support/program.ts";

const key = "sk-e2e-0123456789abcdefghijkl";
const agents = {
  developer: { backend: "anthropic", model: "claude-sonnet-5-5" },
  reviewer: { backend: "anthropic", model: "claude-haiku-5-5" },
  orchestrator: { backend: "anthropic", model: "claude-opus-5-5" },
};
const everyStage = { agents, precheck: "on", recon: "on", preMortem: "on" };

describe("agents of our own loop", () => {
  it("carry a plan of two tasks through every stage", async () => {
    const plan = project({ config: everyStage });
    const server = await startAnthropicServer(work);
    const ended = await plan.run(["run", plan.slug, "--yes"], at(server));
    expect(ended, ended.stderr).toMatchObject({ exitCode: 0 });
    expect(server.violations).toEqual([]);
    expect(plan.status()).toMatchObject({ status: "completed", completedTasks: 2 });
    expect(plan.subjects().slice(0, 2)).toEqual(["Make a", "Make b"]);
    expect(plan.git(["show", `${plan.branch}:b.txt`])).toBe("made by a model");
    const stages = new Set(
      plan
        .events()
        .filter(({ kind }) => kind === "dispatch-started")
        .map(({ stage }) => stage),
    );
    expect([...stages].toSorted()).toEqual([
      "develop",
      "holistic-review",
      "pre-mortem",
      "precheck",
      "recon",
      "review",
    ]);
    expectUsage(plan, server);
    expectSecret(plan, [ended.stdout, ended.stderr]);
    expect(plan.children()).toEqual([]);
  });

  it("wait for their service, break off and go on, and use up no attempt", async () => {
    const plan = project({ config: { agents, precheck: "off", recon: "off", preMortem: "off" } });
    const troubles: Reply[] = [
      { status: 429, headers: { "retry-after": "1" } },
      { status: 529 },
      { content: "half", after: { events: 3, what: "break" } },
    ];
    const server = await startAnthropicServer((body) => troubles.shift() ?? work(body));
    const ended = await plan.run(["run", plan.slug, "--yes"], at(server));
    expect(ended, ended.stderr).toMatchObject({ exitCode: 0 });
    expect(plan.task("a")).toMatchObject({ status: "complete", attemptCount: 1 });
    expect(plan.events().filter(({ kind }) => kind === "wait-started").length).toBe(3);
  });

  it("without a key pause the run at once, and go on with one", async () => {
    const plan = project({ config: { agents, precheck: "off", recon: "off", preMortem: "off" } });
    const server = await startAnthropicServer(work);
    const without = { env: { ...at(server).env, ANTHROPIC_API_KEY: "", ANTHROPIC_AUTH_TOKEN: "" } };
    const paused = await plan.run(["run", plan.slug, "--yes"], without);
    expect(paused.exitCode).toBe(3);
    expect(paused.stdout + paused.stderr).toContain("ANTHROPIC_API_KEY");
    expect(server.asked.length).toBe(0);
    const ended = await plan.run(["resume", plan.slug], at(server));
    expect(ended, ended.stderr).toMatchObject({ exitCode: 0 });
    expect(plan.task("a")).toMatchObject({ attemptCount: 1 });
  });
});

const hasBubblewrap = spawnSync("bwrap", ["--ro-bind", "/", "/", "--unshare-pid", "true"]).status === 0;

describe.runIf(hasBubblewrap)("commands of our own loop in the sandbox", () => {
  it("reach neither the key in the program's environment nor the checkout", async () => {
    const plan = project({ config: { agents, ...quick, sandbox: "required" } });
    const command = `cat /proc/*/environ | tr '\\0' '\\n'; echo x > ${plan.checkout}/planted.txt; echo tried > tried.txt`;
    let told = "";
    const server = await startAnthropicServer((body, index) => {
      if (index === 0) return { content: [call("bash", { command })] };
      if (index === 1) told = String(resultsOf(body)[0]?.text);
      return index === 1 ? develop("Make the file a.txt", false) : work(body);
    });
    const ended = await plan.run(["run", plan.slug, "--yes"], at(server));
    expect(ended, ended.stderr).toMatchObject({ exitCode: 0 });
    expect(told).toContain("EXECUTE_PRD_ROLE=developer");
    expect(told).not.toMatch(/ANTHROPIC_|redacted/);
    expect(existsSync(join(plan.checkout, "planted.txt"))).toBe(false);
    expect(plan.git(["show", `${plan.branch}:tried.txt`])).toBe("tried");
  });
});

if (!hasBubblewrap)
  it("commands of our own loop in the sandbox: skipped, for want of bubblewrap", () =>
    expect(hasBubblewrap).toBe(false));

function at(server: AnthropicServer) {
  return { env: { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: server.url } };
}

/** Every token that the service counted is in the journal, under its model. */
function expectUsage(plan: Project, server: AnthropicServer): void {
  const usages = plan
    .events()
    .flatMap(({ kind, usage }) => (kind === "dispatch-ended" ? [usage as Json] : []));
  const sum = (list: readonly (Json | null)[], ...names: string[]) =>
    list.reduce((all, each) => names.reduce((total, name) => total + Number(each?.[name]), all), 0);
  const counted = server.asked.map(({ usage }) => usage);
  expect(sum(usages, "outputTokens")).toBe(sum(counted, "output_tokens"));
  expect(sum(usages, "inputTokens", "cacheReadTokens", "cacheWriteTokens")).toBe(
    sum(counted, "input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
  );
  const models = new Set(usages.map(({ model }) => model));
  expect([...models].toSorted()).toEqual(["claude-haiku-5-5", "claude-opus-5-5", "claude-sonnet-5-5"]);
}

/** The key is in nothing that the run left, and nothing of it was seen by what the model ran. */
function expectSecret(plan: Project, said: readonly string[]): void {
  const files = readdirSync(plan.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
  for (const text of [...files, ...said]) expect(text.includes(key)).toBe(false);
  const transcript = toJsonLines(plan.read("attempts/a/1/transcript.jsonl")).map((line) =>
    String(line["text"]),
  );
  expect(transcript.join("")).toContain("EXECUTE_PRD_ROLE=developer");
  expect(transcript.join("")).not.toContain("ANTHROPIC_");
}
