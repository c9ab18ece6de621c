// Money and trouble from outside: budgets stop a run before they are passed, and `onError` is told of what went wrong.
import { readFileSync } from "node:fs";
import { join } from "node:path";
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
import { until } from "./support/program.ts";

const work = { summary: "done" };
const approval = { verdict: "approved", score: 95, criteria: [], findings: [] };

/** Every dispatch says that it cost so much. */
function costing(costUsd: number): readonly Rule[] {
  const usage = { inputTokens: 1_000, outputTokens: 100, costUsd };
  return [
    { stage: "develop", report: { ...work, usage }, code: "fs.writeFileSync(env.EXECUTE_PRD_TASK_ID, 'x');" },
    { stage: "review", report: { ...approval, usage } },
  ];
}

/** The same with work that differs from attempt to attempt. */
const changing: readonly Rule[] = costing(0.2).map((rule) =>
  rule.stage === "develop"
    ? { ...rule, code: "fs.writeFileSync(env.EXECUTE_PRD_TASK_ID, env.EXECUTE_PRD_ATTEMPT);" }
    : rule,
);

function lead(costUsd: number): Rule {
  const report = { verdict: "pass", summary: "good", followUps: [], learnings: [] };
  return {
    stage: "holistic-review",
    report: { ...report, usage: { inputTokens: 1, outputTokens: 1, costUsd } },
  };
}

function dispatches(plan: Project): number {
  return plan.events().filter(({ kind }) => kind === "dispatch-started").length;
}

describe("a budget of $0.50 with agents that cost $0.20 a dispatch", () => {
  it("stops before the third dispatch, says how to go on, and goes on with more money", async () => {
    const plan = project({
      prd: plain(task("a"), task("b")),
      config: { ...quick, budget: { usd: 0.5 } },
      rules: costing(0.2),
    });
    const stopped = await plan.run(["run", plan.slug]);
    expect(stopped.exitCode).toBe(3);
    expect(stopped.stdout).toMatch(/would pass the budget of \$0\.50.*resume --budget-usd/);
    expect(dispatches(plan)).toBe(2);
    expect(plan.status()).toMatchObject({
      status: "paused",
      usage: { costUsd: 0.4, costBasis: "reported" },
    });
    expect(plan.events().filter(({ kind }) => kind === "budget-warned")).toMatchObject([
      { usedUsd: 0.4, limitUsd: 0.5 },
    ]);
    const again = await plan.run(["resume", plan.slug]);
    expect(again.exitCode).toBe(3);
    expect(dispatches(plan)).toBe(2);
    const ended = await plan.run(["resume", plan.slug, "--budget-usd", "2"]);
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(plan.task("a")).toMatchObject({ attemptCount: 1 });
  });

  it("is used up to the cent", async () => {
    const plan = project({
      prd: plain(task("a")),
      config: { ...quick, budget: { usd: 0.4 } },
      rules: [...costing(0.2)],
    });
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(3);
    expect(dispatches(plan)).toBe(2);
    expect(plan.task("a")).toMatchObject({ status: "complete" });
  });
});

describe("a budget of a task", () => {
  it("stops a task that takes too many attempts, and is raised in the configuration", async () => {
    const usage = { inputTokens: 1_000, outputTokens: 100, costUsd: 0.2 };
    const rejection = {
      verdict: "iterate",
      score: 20,
      findings: [{ severity: "major", problem: "x", fix: "y" }],
    };
    const rejecting: Rule = { stage: "review", taskId: "b", attempt: 1, report: { ...rejection, usage } };
    const plan = project({
      prd: plain(task("a"), task("b")),
      config: { ...quick, budget: { usd: 10, perTaskUsd: 0.5 } },
      rules: [rejecting, ...changing],
    });
    const stopped = await plan.run(["run", plan.slug]);
    expect(stopped.exitCode, stopped.stdout).toBe(3);
    expect(stopped.stdout).toMatch(/would pass the budget of \$0\.50 of task b.*raise budget\.perTaskUsd/);
    expect(dispatches(plan)).toBe(4);
    expect(plan.task("a")).toMatchObject({ status: "complete" });
    expect(plan.task("b")).toMatchObject({ attemptCount: 1 });
    expect(plan.events().filter(({ kind }) => kind === "budget-warned")).toMatchObject([
      { taskId: "b", usedUsd: 0.4, limitUsd: 0.5 },
    ]);
    expect(plan.read("report.md")).toMatch(
      /^\| b \| 2 \| 2,000 \| 0 \| 0 \| 200 \| \$0\.40 \| reported \|$/m,
    );
    plan.setConfig({ ...quick, budget: { usd: 10, perTaskUsd: 1 } });
    const ended = await plan.run(["resume", plan.slug]);
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(plan.task("b")).toMatchObject({ attemptCount: 2, status: "complete" });
  });
});

describe("a budget of a run", () => {
  it("holds for follow-ups as well", async () => {
    const followUps = [{ title: "More", description: "Make more", acceptanceCriteria: ["more"] }];
    const gaps = { verdict: "gaps", summary: "not all", followUps, learnings: [] };
    const usage = { inputTokens: 1, outputTokens: 1, costUsd: 0.2 };
    const plan = project({
      prd: plain(task("a")),
      config: { ...quick, budget: { usd: 0.7 } },
      rules: [
        { stage: "holistic-review", attempt: 1, report: { ...gaps, usage } },
        lead(0.2),
        ...costing(0.2),
      ],
    });
    const stopped = await plan.run(["run", plan.slug]);
    expect(stopped.exitCode, stopped.stdout).toBe(3);
    expect(stopped.stdout).toMatch(/would pass the budget of \$0\.70/);
    expect(dispatches(plan)).toBe(3);
    expect(plan.status()).toMatchObject({ totalTasks: 2, completedTasks: 1 });
    const ended = await plan.run(["resume", plan.slug, "--budget-usd", "5"]);
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(plan.read("report.md")).toMatch(/^\| follow-up-1-1 \| 2 \|.*\| \$0\.40 \| reported \|$/m);
    expect(JSON.parse(plan.read("receipts/follow-up-1-1.json"))).toMatchObject({ usage: { costUsd: 0.4 } });
  });

  it("counts what two dispatches under way are likely to cost before a third one", async () => {
    const [develop] = costing(0.2);
    const slow: Rule = { ...develop, stage: "develop", taskId: "b", code: `${untilLetGo} ${develop?.code}` };
    const plan = project({
      prd: plain(task("a"), task("b")),
      config: { ...quick, concurrency: 2, budget: { usd: 0.5 } },
      rules: [slow, ...costing(0.2)],
    });
    const live = plan.start(["run", plan.slug]);
    await until("task b is worked on", () => plan.isUp());
    await plan.event(({ kind, taskId }) => kind === "gates-judged" && taskId === "a", "the gates of task a");
    plan.letGo();
    const stopped = await live.ended;
    expect(stopped.exitCode, stopped.stdout).toBe(3);
    expect(stopped.stdout).toMatch(/would pass the budget of \$0\.50: \$0\.40 are used/);
    expect(dispatches(plan), stopped.stdout).toBe(2);
  });

  it("is not reset by a crash: what was used counts, and what was under way is unknown", async () => {
    const hanging: Rule = { stage: "review", taskId: "a", code: untilLetGo };
    const plan = project({
      prd: plain(task("a"), task("b")),
      config: { ...quick, budget: { usd: 0.5 } },
      rules: [hanging, ...costing(0.2)],
    });
    const live = plan.start(["run", plan.slug]);
    await until("the review is under way", () => plan.isUp());
    live.signal("SIGKILL");
    await live.ended;
    plan.setRules(costing(0.2));
    const stopped = await plan.run(["run", plan.slug]);
    expect(stopped.exitCode, stopped.stdout).toBe(3);
    expect(stopped.stdout).toMatch(/would pass the budget of \$0\.50: \$0\.40 are used/);
    expect(dispatches(plan)).toBe(3);
    expect(plan.status()).toMatchObject({ usage: { costUsd: 0.4, costBasis: "unknown" } });
    const again = await plan.run(["resume", plan.slug]);
    expect(again.exitCode).toBe(3);
    expect(dispatches(plan)).toBe(3);
    expect(plan.events().filter(({ kind }) => kind === "budget-warned")).toHaveLength(1);
    const ended = await plan.run(["resume", plan.slug, "--budget-usd", "5"]);
    expect(ended.exitCode, ended.stdout).toBe(0);
  });
});

describe("the estimate of plan", () => {
  it("says what earlier runs took a task, and that it knows nothing without them", async () => {
    const plan = project({ prd: plain(task("a"), task("b")), rules: costing(0.2) });
    const before = await plan.run(["plan", plan.planFile]);
    expect(before.stdout).toMatch(/at least 5 dispatches \(stops at 32\).*cost unknown/);
    expect(before.stdout).toMatch(/no earlier run of this repository/);
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(0);
    const { estimate } = JSON.parse((await plan.run(["plan", plan.planFile, "--json"])).stdout);
    // The lead's dispatch has no cost, so the cost of the whole is not known.
    expect(estimate).toMatchObject({ dispatchesLikely: 5, costUsdLikely: null });
    const priced = [...costing(0.2), lead(0.2)];
    plan.setRules(priced);
    expect((await plan.run(["run", plan.slug, "--fresh"])).exitCode).toBe(0);
    const after = await plan.run(["plan", plan.planFile]);
    expect(after.stdout).toMatch(/likely 5 \(stops at 32\).*likely \$1\.00/);
    expect(after.stdout).toMatch(/the 2 task\(s\) of 1 earlier run\(s\) here/);
  });
});

describe("onError", () => {
  const note = `node -e 'require("fs").appendFileSync("told.jsonl", require("fs").readFileSync(0))'`;
  const refusing: readonly Rule[] = [{ stage: "develop", raw: "no report" }];

  function told(plan: Project): readonly Json[] {
    const text = readFileSync(join(plan.checkout, "told.jsonl"), "utf8");
    return text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Json); // a message of the program
  }

  it("is told of each failure that needs a person, as JSON on stdin, and of nothing else", async () => {
    const plan = project({
      prd: plain(task("a"), task("b")),
      config: { ...quick, maxAttempts: 1, onError: note },
      rules: [{ ...refusing[0], stage: "develop", taskId: "a" }],
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode).toBe(4);
    expect(told(plan)).toMatchObject([
      { version: 1, slug: plan.slug, event: "question-asked", taskId: "a", reason: "attempts-used-up" },
      {
        event: "run-blocked",
        status: "blocked",
        reason: "tasks-held",
        message: expect.stringContaining("a"),
      },
    ]);
  });

  it.each([
    ["fails", "node -e 'process.exit(7)'", /note: onError .* ended with 7/],
    ["cannot be started", "./no-such-program", /note: onError .* (cannot be started|ended with)/],
  ])("that %s hides nothing: the run ends as it would have", async (_how, onError, words) => {
    const plan = project({
      prd: plain(task("a")),
      config: { ...quick, maxAttempts: 1, onError },
      rules: refusing,
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode).toBe(4);
    expect(ended.stdout).toMatch(/used up its only attempt/);
    expect(ended.stderr).toMatch(words);
    expect(plan.status()).toMatchObject({ status: "blocked", reason: expect.stringContaining("used up") });
  });
});
