// Limits from outside: a run waits for them, a pause ends the wait at once, and a crash does not shorten it.
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import { type Project, plain, project, quick, type Rule } from "./support/e2e-project.ts";
import { until } from "./support/program.ts";

const limitMs = 3_000;
/** Time enough for another command meanwhile, on a busy machine too. */
const longMs = 10_000;

function limited(retryAfterMs: number): object {
  return { failure: { kind: "rate-limited", message: "5 hours", retryAfterMs } };
}

/** The first developer reports a limit; each writes down when it was asked. */
function limitedOnce(plan: Project, retryAfterMs = limitMs): readonly Rule[] {
  const code = `fs.appendFileSync(${JSON.stringify(`${plan.folder}/asked`)}, Date.now() + "\\n");`;
  return [
    { stage: "develop", attempt: 1, code, report: limited(retryAfterMs) },
    { stage: "develop", code },
  ];
}

function askedAt(plan: Project): readonly number[] {
  const file = `${plan.folder}/asked`;
  return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n").map(Number) : [];
}

function make(config: object = {}, retryAfterMs = limitMs): Project {
  const plan = project({ prd: plain(task("a")), config: { ...quick, maxAttempts: 1, ...config } });
  plan.setRules(limitedOnce(plan, retryAfterMs));
  return plan;
}

function isWait({ kind }: { readonly kind: string }): boolean {
  return kind === "wait-started";
}

describe("an agent that reports a limit of 3 s", () => {
  it("is asked again after it, and no attempt is used up", async () => {
    const plan = make({}, longMs);
    const live = plan.start(["run", plan.slug]);
    await until("status.json says so", () => plan.read("status.json").includes('"waiting": [\n    {'));
    expect(plan.status()).toMatchObject({
      status: "running",
      waiting: [{ agent: "developer", reason: expect.stringContaining("5 hours") }],
    });
    expect((await plan.run(["status", plan.slug])).stdout).toMatch(/developer waits until .*5 hours/);
    const ended = await live.ended;
    expect(ended.exitCode, ended.stdout).toBe(0);
    const [first = 0, second = 0, ...more] = askedAt(plan);
    expect(second - first).toBeGreaterThanOrEqual(longMs);
    expect(more).toEqual([]);
    expect(plan.task("a")).toMatchObject({ status: "complete", attemptCount: 1 });
    expect(plan.status()).toMatchObject({ waiting: [] });
  });

  it("is not waited for when the builder pauses; the rest of the wait is waited after the resume", async () => {
    const plan = make({ retry: { maxRetries: 3 } }, longMs);
    const live = plan.start(["run", plan.slug]);
    await plan.event(isWait, "the wait");
    const pausedMs = Date.now();
    expect((await plan.run(["pause", plan.slug])).exitCode).toBe(0);
    expect((await live.ended).exitCode).toBe(3);
    expect(Date.now() - pausedMs).toBeLessThan(longMs);
    expect(askedAt(plan)).toHaveLength(1);
    expect((await plan.run(["resume", plan.slug])).exitCode).toBe(0);
    const [first = 0, second = 0] = askedAt(plan);
    expect(second - first).toBeGreaterThanOrEqual(longMs);
    expect(plan.task("a")).toMatchObject({ attemptCount: 1 });
  });

  it("is waited for as long when the program was killed meanwhile", async () => {
    const plan = make();
    const live = plan.start(["run", plan.slug]);
    await plan.event(isWait, "the wait");
    live.signal("SIGKILL");
    await live.ended;
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode, ended.stdout).toBe(0);
    const [first = 0, second = 0, ...more] = askedAt(plan);
    expect(second - first).toBeGreaterThanOrEqual(limitMs);
    expect(more).toEqual([]);
    expect(plan.task("a")).toMatchObject({ attemptCount: 1 });
  });

  it("pauses the run where onRateLimit says so, and is asked at the next start", async () => {
    const plan = make({ onRateLimit: "pause" });
    const paused = await plan.run(["run", plan.slug]);
    expect(paused.exitCode).toBe(3);
    expect(paused.stdout).toMatch(/agent "developer" has reached a limit, which ends at .* UTC: 5 hours/);
    expect((await plan.run(["resume", plan.slug])).exitCode).toBe(0);
  });

  it("is stood in for by its fallback, which is told why", async () => {
    const plan = project({ prd: plain(task("a")), config: quick });
    const config = JSON.parse(plan.config());
    const agents = { ...config.agents, second: config.agents.developer };
    agents.developer = { ...config.agents.developer, fallback: "second" };
    plan.setConfig({ ...quick, onRateLimit: "fallback", agents });
    plan.setRules(limitedOnce(plan, 60_000));
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode, ended.stdout).toBe(0);
    const [first = 0, second = 0] = askedAt(plan);
    expect(second - first).toBeLessThan(60_000);
    expect(readFileSync(`${plan.runFolder}/attempts/a/2/prompt.md`, "utf8")).toMatch(
      /reached a limit.*5 hours/s,
    );
    const dispatches = plan
      .events()
      .filter(({ kind, stage }) => kind === "dispatch-started" && stage === "develop");
    expect(dispatches.map(({ agent }) => agent)).toEqual(["developer", "second"]);
  });
});

describe("an agent that is not logged in", () => {
  it("pauses the run at once with what to do, and goes on without an attempt used up", async () => {
    const plan = project({ prd: plain(task("a"), task("b")), config: { ...quick, maxAttempts: 1 } });
    plan.setRules([
      { stage: "develop", report: { failure: { kind: "not-logged-in", message: "run its login" } } },
    ]);
    const paused = await plan.run(["run", plan.slug]);
    expect(paused.exitCode).toBe(3);
    expect(paused.stdout).toMatch(/agent "developer" is not logged in: run its login/);
    expect(plan.events().filter(({ kind }) => kind === "dispatch-started")).toHaveLength(1);
    plan.setRules([]);
    const ended = await plan.run(["resume", plan.slug]);
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(plan.task("a")).toMatchObject({ attemptCount: 1 });
  });
});

describe("a service that fails again and again", () => {
  it("is asked as often as retry.maxRetries says, then the builder is", async () => {
    const plan = project({
      prd: plain(task("a")),
      config: { ...quick, retry: { maxRetries: 2, backoffBaseMs: 10, backoffMaxMs: 20 } },
      rules: [{ stage: "develop", report: { failure: { kind: "service-failed", message: "overloaded" } } }],
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode, ended.stdout).toBe(4);
    expect(plan.events().filter(({ kind }) => kind === "dispatch-started")).toHaveLength(3);
    expect(ended.stdout).toMatch(/develop of task a failed 3 times in a row for reasons outside the work/);
    expect(plan.task("a")).toMatchObject({ attemptCount: 0 });
    plan.setRules([]);
    expect((await plan.run(["answer", plan.slug, "retry"])).exitCode).toBe(0);
    expect((await plan.run(["resume", plan.slug])).exitCode).toBe(0);
  });
});
