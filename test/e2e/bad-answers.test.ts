// Agents that do not do what they should: none of it is ever taken for success, and the reason is where one looks.
import { describe, expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import { plain, project, quick, type Rule } from "./support/e2e-project.ts";

interface Case {
  readonly name: string;
  readonly rule: Partial<Rule>;
  /** In the reason of status.json, in prd.json's notes and in the report. */
  readonly reason: RegExp;
}

const develop: readonly Case[] = [
  { name: "no report", rule: { report: null }, reason: /without writing its develop report/ },
  {
    name: "a report that is cut off",
    rule: { raw: '{"summary": "do' },
    reason: /report.*JSON|JSON.*report/i,
  },
  { name: "a report of the wrong shape", rule: { report: { done: true } }, reason: /summary/ },
  { name: "an empty report", rule: { raw: "" }, reason: /report/ },
  {
    name: "a link for a report",
    rule: {
      report: null,
      code: 'fs.writeFileSync("real.json", JSON.stringify({ summary: "done" })); fs.symlinkSync(path.resolve("real.json"), env.EXECUTE_PRD_REPORT);',
    },
    reason: /it is a link/,
  },
  {
    name: "a pipe for a report",
    rule: { report: null, code: 'sh("mkfifo", env.EXECUTE_PRD_REPORT);' },
    reason: /not a regular file/,
  },
  {
    name: "a device for a report",
    rule: { report: null, code: 'fs.symlinkSync("/dev/zero", env.EXECUTE_PRD_REPORT);' },
    reason: /it is a link/,
  },
  {
    name: "a report of more than 1 MiB",
    rule: { report: { summary: "x".repeat(1_100_000) } },
    reason: /larger than/,
  },
  { name: "a good report and exit code 7", rule: { exit: 7 }, reason: /exit code 7/ },
  {
    name: "a good report and a death by signal",
    rule: {
      code: 'fs.writeFileSync("a.txt", "x"); fs.writeFileSync(env.EXECUTE_PRD_REPORT, JSON.stringify({ summary: "done" })); process.kill(process.pid, "SIGKILL"); await sleep(5000);',
    },
    reason: /SIGKILL/,
  },
  { name: "a red gate", rule: { write: { "bad.txt": "x" } }, reason: /gate.*tests/ },
];

describe("a developer's attempt is sent back, never complete, after", () => {
  it("each of these, all in one run, with the reason where one looks for it", {
    timeout: 60_000,
  }, async () => {
    const plan = project({
      prd: plain(...develop.map((_, index) => task(`t${index}`))),
      config: { ...quick, maxAttempts: 1 },
      rules: develop.map(({ rule }, index) => ({ stage: "develop", taskId: `t${index}`, ...rule })),
    });

    const ended = await plan.run(["run", plan.slug]);

    expect(ended.exitCode).toBe(4);
    expect(plan.status()).toMatchObject({ status: "blocked", completedTasks: 0 });
    expect(plan.status()["reason"]).toMatch(develop[0]?.reason ?? /never/);
    const held = plan.status()["held"] as readonly { taskId: string; reason: string }[];
    for (const [index, { name, reason }] of develop.entries()) {
      const id = `t${index}`;
      const found = plan.task(id);
      expect.soft(found, name).toMatchObject({
        status: "failed",
        passes: false,
        attemptCount: 1,
        commitSha: "",
      });
      expect.soft(found["notes"], name).toMatch(reason);
      expect.soft(held.find(({ taskId }) => taskId === id)?.reason, name).toMatch(reason);
      expect.soft(plan.read(`receipts/${id}.json`), name).toBe("");
    }
    for (const { name, reason } of develop) expect.soft(plan.read("report.md"), name).toMatch(reason);
    expect(plan.head(plan.branch)).toBe(plan.head("main"));
    expect(plan.children()).toEqual([]);
  });

  it("a change that is none: fed back once, then held as stalled", async () => {
    const plan = project({
      prd: plain(task("a")),
      config: { ...quick, maxAttempts: 5 },
      rules: [{ stage: "develop", write: {} }],
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode).toBe(4);
    expect(plan.task("a")).toMatchObject({ status: "failed", attemptCount: 2 });
    expect(plan.status()["reason"]).toMatch(/no progress.*no change/);
    expect(plan.subjects()).toEqual([]);
  });

  it("an empty change is a fine answer where the task allows it", async () => {
    const plan = project({
      prd: plain(task("a", { allowNoChanges: true })),
      config: quick,
      rules: [
        { stage: "develop", write: {} },
        {
          stage: "review",
          report: {
            verdict: "approved",
            score: 95,
            criteria: [{ index: 0, verdict: "met", where: "it is there already" }],
            findings: [],
          },
        },
      ],
    });
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(0);
    expect(plan.task("a")).toMatchObject({ status: "complete", passes: true });
  });

  it("a time-out, and what it left is where the next attempt begins", async () => {
    const plan = project({ prd: plain(task("a")), config: quick });
    const timed = timedConfig(plan.folder);
    plan.setConfig(timed);
    plan.setRules([
      { stage: "develop", attempt: 1, write: { "half.txt": "half done" }, hang: true },
      { stage: "develop", attempt: 2, code: 'if (!fs.existsSync("half.txt")) process.exit(9);' },
    ]);
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode, ended.stderr).toBe(0);
    expect(plan.task("a")).toMatchObject({ attemptCount: 2 });
    expect(plan.read("progress.md")).toMatch(/sent back[\s\S]*still running after/);
    expect(plan.git(["show", `${plan.branch}:half.txt`])).toBe("half done");
  });
});

function timedConfig(folder: string): object {
  const agent = {
    backend: "command",
    command: ["node", new URL("./support/agent.mjs", import.meta.url).pathname],
    env: ["TEST_AGENT"],
  };
  return {
    ...quick,
    worktreeRoot: `${folder}/trees`,
    agents: { developer: { ...agent, timeoutMs: 1_500 }, reviewer: agent, orchestrator: agent },
  };
}

describe("a report", () => {
  it("of an earlier dispatch is not there for the next one", async () => {
    const plan = project({
      prd: plain(task("a"), task("b", { dependsOn: ["a"] })),
      config: { ...quick, maxAttempts: 1 },
      rules: [{ stage: "develop", taskId: "b", report: null }],
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode).toBe(4);
    expect(plan.task("a")).toMatchObject({ status: "complete" });
    expect(plan.task("b")).toMatchObject({ status: "failed", commitSha: "" });
    expect(plan.subjects()).toEqual(["Make a"]);
  });

  it("written by a process that outlives the agent is not waited for", async () => {
    const plan = project({
      prd: plain(task("a")),
      config: { ...quick, maxAttempts: 1 },
      rules: [
        {
          stage: "develop",
          report: null,
          code: `const { spawn } = await import("node:child_process");
spawn(process.execPath, ["-e", "setTimeout(() => require('fs').writeFileSync(process.env.EXECUTE_PRD_REPORT, '{\\"summary\\":\\"late\\"}'), 1500)"], { detached: true, stdio: "ignore" }).unref();`,
        },
      ],
    });
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(4);
    expect(plan.task("a")).toMatchObject({ status: "failed" });
    expect(plan.children()).toEqual([]);
  });
});

describe("a reviewer's", () => {
  const bad: readonly { name: string; rule: Partial<Rule> }[] = [
    { name: "missing report", rule: { report: null } },
    { name: "broken report", rule: { raw: "approved!" } },
    { name: "score that is none", rule: { report: { verdict: "approved", score: 1000, findings: [] } } },
    { name: "good report with exit code 1", rule: { exit: 1 } },
  ];
  it("unusable answer is asked for once more, then the task is held; the developer pays nothing", {
    timeout: 60_000,
  }, async () => {
    const ids = bad.map((_, index) => `t${index}`);
    const plan = project({
      prd: plain(...ids.map((id) => task(id))),
      config: quick,
      rules: bad.map(({ rule }, index) => ({ stage: "review", taskId: `t${index}`, ...rule })),
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode).toBe(4);
    for (const [index, id] of ids.entries()) {
      const name = bad[index]?.name ?? "";
      const stages = plan
        .events()
        .filter((event) => event.kind === "dispatch-started" && event["taskId"] === id);
      expect
        .soft(
          stages.map((event) => event["stage"]),
          name,
        )
        .toEqual(["develop", "review", "review"]);
      expect.soft(plan.task(id), name).toMatchObject({ status: "failed", passes: false, attemptCount: 0 });
      expect.soft(plan.task(id)["notes"], name).toMatch(/review report/);
    }
    plan.setRules([]);
    const questions = plan.status()["held"] as readonly { question: string }[];
    for (const { question } of questions) {
      expect((await plan.run(["answer", plan.slug, question, "retry"])).exitCode).toBe(0);
    }
    const resumed = await plan.run(["resume", plan.slug]);
    expect(resumed.exitCode, resumed.stdout).toBe(0);
    for (const id of ids) expect(plan.task(id)).toMatchObject({ status: "complete", attemptCount: 1 });
  });

  const refusals: readonly { name: string; report: object; reason: RegExp }[] = [
    {
      name: "low score",
      report: { verdict: "approved", score: 60, findings: [] },
      reason: /60/,
    },
    {
      name: "word for iterating",
      report: {
        verdict: "iterate",
        score: 90,
        findings: [{ severity: "major", problem: "the tide is missing", fix: "add it" }],
      },
      reason: /the tide is missing/,
    },
    {
      name: "approval of a criterion that is not met",
      report: {
        verdict: "approved",
        score: 99,
        criteria: [{ index: 0, verdict: "not met", where: "nowhere" }],
        findings: [],
      },
      reason: /not met|criterion/,
    },
  ];
  it("refusal sends the work back with its words, whatever verdict it gives itself", async () => {
    const plan = project({
      prd: plain(...refusals.map((_, index) => task(`t${index}`))),
      config: quick,
      rules: refusals.map(({ report }, index) => ({
        stage: "review",
        taskId: `t${index}`,
        attempt: 1,
        report,
      })),
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode).toBe(0);
    for (const [index, { name, reason }] of refusals.entries()) {
      expect.soft(plan.task(`t${index}`), name).toMatchObject({ status: "complete", attemptCount: 2 });
      expect.soft(plan.read(`attempts/t${index}/2/prompt.md`), name).toMatch(reason);
    }
    expect(plan.read("progress.md").match(/\*\*Status\*\*: sent back/g)).toHaveLength(refusals.length);
  });
});
