// Stopping a live run: by word, by word at once, by signal; and that nothing is left over and nothing is lost.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import { type Project, plain, project, quick, type Rule, untilLetGo } from "./support/e2e-project.ts";
import { type Live, until } from "./support/program.ts";

const light = { ...quick, review: { enabled: false } };

/** Holds on when it is told to end, and has a child in a group of its own. */
const stubborn = `process.on("SIGTERM", () => {});
const { spawn } = await import("node:child_process");
spawn(process.execPath, ["-e", "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" }).unref();`;

const half: Rule = {
  stage: "develop",
  taskId: "a",
  attempt: 1,
  write: { "half.txt": "half done" },
  hang: true,
};

/** Fails the attempt when it does not begin with what the interrupted one left. */
const fromHalf: Rule = {
  stage: "develop",
  taskId: "a",
  attempt: 2,
  code: 'if (fs.readFileSync("half.txt", "utf8") !== "half done") process.exit(9);',
};

async function hanging(at: { code?: string; config?: object } = {}): Promise<{ plan: Project; live: Live }> {
  const plan = project({ prd: plain(task("a"), task("b")), config: at.config ?? light });
  const mark = join(plan.folder, "mark");
  plan.setRules([{ ...half, mark, code: at.code ?? "" }, fromHalf]);
  const live = plan.start(["run", plan.slug]);
  await until("the agent works", () => existsSync(mark));
  await until("and has written", () => plan.children().length > 0);
  return { plan, live };
}

async function expectFinished(plan: Project): Promise<void> {
  const resumed = await plan.run(["resume", plan.slug]);
  expect(resumed.exitCode, resumed.stdout + resumed.stderr).toBe(0);
  expect(plan.git(["show", `${plan.branch}:half.txt`])).toBe("half done");
  expect(plan.task("a")).toMatchObject({ status: "complete", attemptCount: 1 });
  expect(plan.read("attempts/a/2/prompt.md")).toContain("was cut off before its end");
  expect(plan.subjects()).toEqual(["Make a", "Make b", "Remember what plan-x taught"]);
}

describe("pause", () => {
  it("lets the running stage end, then stops within 2 s; resume goes on from there", async () => {
    const plan = project({ prd: plain(task("a"), task("b")), config: quick });
    const mark = join(plan.folder, "mark");
    plan.setRules([
      { stage: "develop", taskId: "a", code: `fs.writeFileSync("${mark}", ""); ${untilLetGo}` },
    ]);
    const live = plan.start(["run", plan.slug]);
    await until("the agent works", () => existsSync(mark));

    const paused = await plan.run(["pause", plan.slug]);
    expect(paused).toMatchObject({ exitCode: 0, stderr: "" });
    await plan.event(({ kind }) => kind === "pause-requested", "the pause is recorded");
    expect(plan.status()).toMatchObject({ status: "running", currentTaskId: "a" });
    plan.letGo();
    await plan.event(({ kind }) => kind === "dispatch-ended", "the stage ended");
    const begun = performance.now();
    const ended = await live.ended;

    expect(performance.now() - begun).toBeLessThan(20_000);
    expect(ended.exitCode).toBe(3);
    expect(plan.status()).toMatchObject({ status: "paused", reason: expect.stringContaining("paused by") });
    expect(plan.task("a")).toMatchObject({ attemptCount: 0, passes: false });
    const resumed = await plan.run(["resume", plan.slug]);
    expect(resumed.exitCode, resumed.stdout).toBe(0);
    const developed = plan
      .events()
      .filter((event) => event["stage"] === "develop" && event.kind === "dispatch-started");
    expect(developed.map((event) => [event["taskId"], event["attempt"]])).toEqual([
      ["a", 1],
      ["b", 1],
    ]);
  });

  it("leaves a run that what is said of new runs does not change, and a watch of it that ends", async () => {
    const { plan, live } = await hanging();
    const watching = plan.start(["status", plan.slug, "--watch"]);
    await until("it is watched", () => watching.said().stdout.includes("running"));
    expect((await plan.run(["pause", plan.slug, "--now"])).exitCode).toBe(0);
    expect((await live.ended).exitCode).toBe(3);
    expect(await watching.ended).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/running.*paused/s),
    });
    const fresh = await plan.run(["resume", plan.slug, "--fresh"]);
    expect(fresh).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`run ${plan.slug} --fresh`) });
    const resumed = await plan.run(["resume", plan.slug, "--branch", "other", "--redo"]);
    expect(resumed).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining("--redo, --branch: of no effect"),
    });
    expect(plan.git(["branch", "--list", "other"])).toBe("");
  });

  it("--now ends a stubborn agent and its children within 5 s; resume goes on from its tree", async () => {
    const { plan, live } = await hanging({ code: stubborn });
    const begun = performance.now();
    expect((await plan.run(["pause", plan.slug, "--now"])).exitCode).toBe(0);
    const ended = await live.ended;
    expect(performance.now() - begun).toBeLessThan(30_000);
    expect(ended.exitCode).toBe(3);
    expect(plan.children()).toEqual([]);
    expect(plan.status()).toMatchObject({ status: "paused", completedTasks: 0 });
    expect(plan.task("a")).toMatchObject({ attemptCount: 0, passes: false });
    await expectFinished(plan);
  });

  it("--now during a gate runs that gate again and nothing else", async () => {
    const plan = project({
      prd: plain(task("a")),
      config: light,
      rules: [{ stage: "develop", write: { "hang.txt": "x" } }],
    });
    const live = plan.start(["run", plan.slug]);
    await plan.event((event) => event.kind === "gate-started" && event["taskId"] === "a", "the gate runs");
    await until("its process is there", () => plan.children().length > 0);
    expect((await plan.run(["pause", plan.slug, "--now"])).exitCode).toBe(0);
    expect((await live.ended).exitCode).toBe(3);
    expect(plan.children()).toEqual([]);
    plan.letGo();
    const resumed = await plan.run(["resume", plan.slug]);
    expect(resumed.exitCode, resumed.stdout).toBe(0);
    const kinds = plan.events().map((event) => `${event.kind} ${String(event["taskId"] ?? "")}`);
    expect(kinds.filter((kind) => kind === "candidate-made a")).toHaveLength(1);
    expect(kinds.filter((kind) => kind === "gate-started a")).toHaveLength(2);
    expect(plan.task("a")).toMatchObject({ status: "complete", attemptCount: 1 });
  });

  it("begins afresh where the builder wants it clean", async () => {
    const { plan, live } = await hanging({ config: { ...light, onInterrupted: "clean" } });
    expect((await plan.run(["pause", plan.slug, "--now"])).exitCode).toBe(0);
    await live.ended;
    plan.setRules([
      { stage: "develop", taskId: "a", code: 'if (fs.existsSync("half.txt")) process.exit(9);' },
    ]);
    expect((await plan.run(["resume", plan.slug])).exitCode).toBe(0);
    const salvaged = plan.git(["for-each-ref", "--format=%(refname)", "refs/execute-prd"]).split("\n");
    const kept = salvaged.find((ref) => ref.includes("/a/1/salvage-")) ?? "";
    expect(plan.git(["show", `${kept}:half.txt`])).toBe("half done");
  });
});

describe("a signal", () => {
  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s is pause --now", async (signal) => {
    const { plan, live } = await hanging();
    const begun = performance.now();
    live.signal(signal);
    const ended = await live.ended;
    expect(performance.now() - begun).toBeLessThan(30_000);
    expect(ended.exitCode).toBe(3);
    expect(ended.stderr).toContain(signal);
    expect(plan.children()).toEqual([]);
    expect(plan.status()).toMatchObject({ status: "paused", reason: expect.stringContaining(signal) });
    if (signal === "SIGINT") await expectFinished(plan);
  });

  it("given twice ends the program at once with 130, and no child is left", async () => {
    const { plan, live } = await hanging({ code: stubborn });
    live.signal("SIGINT");
    await until("the first is heard", () => live.said().stderr.includes("SIGINT"));
    live.signal("SIGINT");
    const begun = performance.now();
    const ended = await live.ended;
    expect(performance.now() - begun).toBeLessThan(20_000);
    expect(ended.exitCode).toBe(130);
    await until("no child is left", () => plan.children().length === 0, 4_000);
    await expectFinished(plan);
  });

  it("during the opening leaves a run that resume can go on with", async () => {
    const plan = project({ prd: plain(task("a")), config: light, files: { "hang.txt": "x" } });
    const live = plan.start(["run", plan.slug]);
    await plan.event(({ kind }) => kind === "gate-started", "the base's gate runs");
    live.signal("SIGTERM");
    expect((await live.ended).exitCode).toBe(3);
    plan.letGo();
    expect((await plan.run(["resume", plan.slug])).exitCode).toBe(0);
  });
});
