// A run that an earlier version of the program began: its journal, as that version would have written it, goes on.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import {
  type Json,
  type Project,
  plain,
  project,
  quick,
  type Rule,
  untilLetGo,
} from "./support/e2e-project.ts";
import { toJsonLines, until } from "./support/program.ts";

const newOfAgents = ["model", "effort", "tools", "instructions", "maxTurns"];
const newOfUsage = ["cacheWriteTokens", "costBasis", "model"];

function without(value: unknown, names: readonly string[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

/** What version 2 wrote for the same event. */
function toVersion2(event: Json): unknown {
  if (event["kind"] === "dispatch-ended") return { ...event, usage: without(event["usage"], newOfUsage) };
  if (event["kind"] !== "session-started") return event;
  const policy = event["policy"] as Json; // every session has one
  const agents = Object.entries(policy["agents"] as Json).map(([key, agent]) => [
    key,
    without(agent, newOfAgents),
  ]);
  const old = without({ ...policy, agents: Object.fromEntries(agents) }, ["prices", "meteringProxy"]);
  return { ...event, policy: old };
}

function withSum(fields: Json): string {
  const text = JSON.stringify(fields).slice(0, -1);
  return `${text},"sum":"${crc32(text).toString(16).padStart(8, "0")}"}`;
}

/** Writes the journal anew, every line as version 2 had it. */
function downgrade(plan: Project): void {
  const file = join(plan.runFolder, "execution.log.jsonl");
  const [header = {}, ...entries] = toJsonLines(readFileSync(file, "utf8"));
  const { sum: _, ...fields } = header;
  const lines = [withSum({ ...fields, version: 2, viewVersion: 2 })];
  for (const { sum: __, ...entry } of entries) {
    const prev = createHash("sha256")
      .update(lines.at(-1) ?? "")
      .digest("hex");
    lines.push(withSum({ ...entry, prev, event: toVersion2(entry["event"] as Json) })); // every entry has one
  }
  writeFileSync(file, `${lines.join("\n")}\n`);
}

const usage = { inputTokens: 1_000, outputTokens: 100, cacheReadTokens: 50, costUsd: 0.2 };
const paid: Rule = {
  stage: "develop",
  report: { summary: "made", usage },
  code: "fs.writeFileSync(env.EXECUTE_PRD_TASK_ID, 'x');",
};

describe("a run of version 2 in the middle of a dispatch", () => {
  it("goes on: nothing is done twice, what was used counts, and what it left verifies", async () => {
    const hanging: Rule = { stage: "develop", taskId: "b", code: untilLetGo };
    const plan = project({
      prd: plain(task("a"), task("b", { dependsOn: ["a"] })),
      config: quick,
      rules: [hanging, paid],
    });
    const live = plan.start(["run", plan.slug]);
    await until("task b is worked on", () => plan.isUp());
    live.signal("SIGKILL");
    await live.ended;
    downgrade(plan);
    const [progress, receipt] = [plan.read("progress.md"), plan.read("receipts/a.json")];
    plan.setRules([paid]);
    const shown = await plan.run(["status", plan.slug, "--json"]);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      owner: "gone",
      completedTasks: 1,
      usage: { inputTokens: 1_000, costUsd: 0.2 },
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
    expect(plan.task("a")).toMatchObject({ status: "complete", attemptCount: 1 });
    expect(plan.status()).toMatchObject({ status: "completed", usage: { inputTokens: 2_000, costUsd: 0.4 } });
    expect(plan.read("progress.md").startsWith(progress)).toBe(true);
    expect(plan.read("receipts/a.json")).toBe(receipt);
    const [header] = toJsonLines(plan.read("execution.log.jsonl"));
    expect(header).toMatchObject({ version: 2 });
    expect((await plan.run(["verify", plan.slug])).exitCode).toBe(0);
    const status = plan.read("status.json");
    expect((await plan.run(["rebuild", plan.slug])).exitCode).toBe(0);
    expect(plan.read("status.json")).toBe(status);
  });

  it("goes on under what version 3 can do: a limit is waited for, a budget is kept", async () => {
    const hanging: Rule = { stage: "develop", taskId: "a", code: untilLetGo };
    const plan = project({ prd: plain(task("a")), config: quick, rules: [hanging] });
    const live = plan.start(["run", plan.slug]);
    await until("task a is worked on", () => plan.isUp());
    live.signal("SIGKILL");
    await live.ended;
    downgrade(plan);
    const limited = { failure: { kind: "rate-limited", message: "soon over", retryAfterMs: 300 } };
    plan.setRules([{ stage: "develop", attempt: 2, report: limited }, paid]);
    const stopped = await plan.run(["run", plan.slug, "--budget-usd", "0.3"]);
    expect(stopped.exitCode, stopped.stdout).toBe(3);
    expect(plan.events().filter(({ kind }) => kind === "wait-started")).toHaveLength(1);
    const ended = await plan.run(["resume", plan.slug, "--budget-usd", "5"]);
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(plan.task("a")).toMatchObject({ status: "complete", attemptCount: 1 });
  });
});
