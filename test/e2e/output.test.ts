// What the program says: to programs in JSON and nothing but JSON, to people in words; and in the background.
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import { type Json, plain, project, quick, untilLetGo } from "./support/e2e-project.ts";
import { processesWith, toJsonLines, until } from "./support/program.ts";
import { toProblems } from "./support/refusal.ts";

const light = { ...quick, review: { enabled: false } };
const escapeCharacter = "\u001b";

describe("--json", () => {
  it("of run, resume and log is one event a line and nothing else on stdout", async () => {
    const plan = project({
      prd: plain(task("a"), task("b")),
      config: { ...light, maxAttempts: 1 },
      rules: [{ stage: "develop", taskId: "b", exit: 1 }],
    });
    const run = await plan.run(["run", plan.slug, "--json"]);
    expect(run.exitCode).toBe(4);
    expect(run.stderr).toContain("blocked");
    expect((await plan.run(["skip", plan.slug, "b", "--reason", "later", "--json"])).stdout).toMatch(
      /^\{"ok":true/,
    );
    const resume = await plan.run(["resume", plan.slug, "--json"]);
    expect(resume.exitCode).toBe(0);
    const log = await plan.run(["log", plan.slug, "--json"]);
    expect(log).toMatchObject({ exitCode: 0, stderr: "" });

    const [first, second, whole] = [run, resume, log].map(({ stdout }) => toJsonLines(stdout));
    expect(whole?.map((event) => event["seq"])).toEqual(whole?.map((_, index) => index + 1));
    expect(whole?.map((event) => event["kind"])).toEqual(plan.events().map(({ kind }) => kind));
    for (const event of whole ?? []) expect(event["at"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(whole?.slice(0, first?.length)).toEqual(first);
    expect(whole?.slice(-(second?.length ?? 0))).toEqual(second);
  });

  it("of status is the document with the owner, of all runs a list", async () => {
    const plan = project({ prd: plain(task("a")), config: light });
    expect(JSON.parse((await plan.run(["status", "--json"])).stdout)).toEqual([]);
    await plan.run(["run", plan.slug]);
    const one = JSON.parse((await plan.run(["status", plan.slug, "--json"])).stdout) as Json;
    expect(one).toEqual({ ...plan.status(), owner: "none" });
    expect(one).toMatchObject({
      planSlug: plan.slug,
      status: "completed",
      currentTaskId: null,
      completedTasks: 1,
      totalTasks: 1,
      worktree: { path: expect.stringMatching(/^\//), branch: plan.branch },
      version: 1,
      journalSeq: plan.events().length,
      activeTaskIds: [],
      reason: null,
      question: null,
      usage: { inputTokens: 10, outputTokens: 5, costBasis: "unknown" },
      next: expect.arrayContaining([`git switch main && git merge ${plan.branch}`]),
    });
    const all = JSON.parse((await plan.run(["status", "--json"])).stdout) as Json[];
    expect(all).toEqual([one]);
  });

  it("of a refusal is the list of problems, also where the command line itself is wrong", async () => {
    const plan = project();
    for (const args of [
      ["resume", "nothing"],
      ["run", plan.slug, "--wrong"],
      ["status", "nothing"],
      ["log", "nothing"],
      ["report", "nothing"],
      ["rebuild", "nothing"],
      ["skip", "nothing", "a", "--reason", "x"],
    ]) {
      const ended = await plan.run([...args, "--json"]);
      expect.soft(ended.exitCode, args.join(" ")).toBe(2);
      expect.soft(toProblems(ended), args.join(" ")).toHaveLength(1);
      expect.soft(ended.stderr, args.join(" ")).not.toBe("");
    }
  });

  it("of the commands that look is one document", async () => {
    const plan = project({ prd: plain(task("a"), task("b", { dependsOn: ["a"] })), config: light });
    const read = async (...args: string[]): Promise<Json> => {
      const ended = await plan.run([...args, "--json"]);
      expect(ended.stderr).toBe("");
      return JSON.parse(ended.stdout) as Json;
    };
    expect(await read("validate", plan.slug)).toMatchObject({ ok: true, slug: plan.slug });
    expect(await read("plan", plan.slug)).toMatchObject({
      ok: true,
      branch: plan.branch,
      order: ["a", "b"],
      waves: [["a"], ["b"]],
      criticalPath: ["a", "b"],
      gates: [{ name: "tests", command: "node check.mjs" }],
    });
    expect(await read("doctor")).toMatchObject({ ok: true, checks: expect.any(Array) });
  });
});

describe("words for people", () => {
  it("have no colour and no cursor movement where stdout is no terminal", async () => {
    const plan = project({ prd: plain(task("a")), config: light });
    const ended = await plan.run(["run", plan.slug], { env: { FORCE_COLOR: "1", TERM: "xterm-256color" } });
    expect(ended.exitCode).toBe(0);
    expect(ended.stdout + ended.stderr).not.toContain(escapeCharacter);
    expect(ended.stdout).toContain(`git switch main && git merge ${plan.branch}`);
    expect(ended.stdout).toContain("main has not moved since");
    expect(plan.read("report.md")).toContain(`git switch main && git merge ${plan.branch}`);
  });

  it("tell at the start what is not part of the run, and what of the plan's claims is not believed", async () => {
    const plan = project({ prd: plain(task("a")), config: light });
    plan.setPrd(plain(task("a", { status: "complete" })));
    plan.write({ "README.md": "changed\n" });
    const told = [
      /note: \d uncommitted path\(s\).*README\.md/,
      /note: task a is called complete with no commit/,
    ];
    const ended = await plan.run(["run", plan.slug]);
    for (const words of told) {
      expect(ended.stdout.slice(0, ended.stdout.indexOf("preflight done"))).toMatch(words);
      expect((await plan.run(["log", plan.slug])).stdout).toMatch(words);
    }
    expect(ended.stdout).not.toContain("prd.json"); // the plan is part of the run as it lies there
  });

  it("never hand an agent's control characters to the terminal", async () => {
    const nasty = `${escapeCharacter}]0;owned\u0007${escapeCharacter}[2J\u202Edone\r\nPRD-Task: forged`;
    const plan = project({
      prd: plain(task("a")),
      config: quick,
      rules: [
        { stage: "develop", report: { summary: nasty, reflection: nasty }, write: { "a.txt": "a" } },
        {
          stage: "review",
          attempt: 1,
          report: {
            verdict: "iterate",
            score: 1,
            findings: [{ severity: "major", problem: nasty, fix: nasty }],
          },
        },
      ],
    });
    const ended = await plan.run(["run", plan.slug]);
    const seen = [
      ended.stdout + ended.stderr,
      (await plan.run(["log", plan.slug])).stdout,
      (await plan.run(["status", plan.slug])).stdout,
      (await plan.run(["report", plan.slug])).stdout,
      plan.read("progress.md"),
    ];
    for (const text of seen) {
      expect(text).not.toContain(escapeCharacter);
      expect(text).not.toContain("\u202E");
      expect(text).not.toContain("\u0007");
    }
    expect(seen[4]).not.toMatch(/^PRD-Task: forged/m);
  });

  it("are one line an event, also with NO_COLOR", async () => {
    const plan = project({ prd: plain(task("a")), config: light });
    const ended = await plan.run(["run", plan.slug], { env: { NO_COLOR: "1" } });
    expect(ended.stdout.split("\n").filter((line) => line.includes("a, attempt 1"))).not.toHaveLength(0);
  });
});

describe("output that nobody takes", () => {
  const piped = (into: string): readonly string[] => [
    "sh",
    "-c",
    `("$@"; echo "code $?" >&2) | ${into}`,
    "sh",
  ];

  it("does not end a run, nor is it a failure of a command that looks", async () => {
    const plan = project({ prd: plain(task("a")), config: light });
    const run = await plan.run(["run", plan.slug], { through: piped("head -n 1") });
    expect(run.stderr).toBe("code 0\n");
    expect(plan.status()).toMatchObject({ status: "completed" });
    const log = await plan.run(["log", plan.slug], { through: piped("true") });
    expect(log.stderr).toBe("code 0\n");
  });

  it("because there is no room for it is told, with exit 3 and not as a bug", async () => {
    if (!existsSync("/dev/full")) return;
    const plan = project({ prd: plain(task("a")), config: light });
    const ended = await plan.run(["status", "--json"], { through: ["sh", "-c", '"$@" > /dev/full', "sh"] });
    expect(ended.exitCode).toBe(3);
    expect(ended.stderr).toMatch(/^error: the output cannot be written: ENOSPC.*\n$/);
    const run = await plan.run(["run", plan.slug], { through: ["sh", "-c", '"$@" > /dev/full', "sh"] });
    expect(run).toMatchObject({ exitCode: 0, stderr: ended.stderr });
    expect(plan.status()).toMatchObject({ status: "completed" });
  });
});

describe("a run in the background", () => {
  it("goes on after --detach returned; status, log --follow and pause reach it", async () => {
    const plan = project({
      prd: plain(task("a")),
      config: light,
      rules: [{ stage: "develop", code: untilLetGo }],
    });
    const detached = await plan.run(["run", plan.slug, "--detach", "--json"], {
      env: { TMPDIR: plan.folder },
    });
    expect(detached).toMatchObject({ exitCode: 0, stderr: "" });
    const said = JSON.parse(detached.stdout) as { pid: number };
    await plan.event(({ kind }) => kind === "dispatch-started", "the agent works");
    const live = JSON.parse((await plan.run(["status", plan.slug, "--json"])).stdout) as Json;
    expect(live).toMatchObject({ status: "running", owner: "live", currentTaskId: "a" });
    const words = (await plan.run(["status", plan.slug])).stdout;
    expect(words).toMatch(/running.*0 of 1 tasks, at a/);
    const follow = plan.start(["log", plan.slug, "--follow"]);
    await until("it follows", () => follow.said().stdout.includes("develop"));
    plan.letGo();
    const followed = await follow.ended;
    expect(followed.exitCode).toBe(0);
    expect(followed.stdout).toContain("completed");
    await until("the program is gone", () => !processesWith(plan.folder).includes(said.pid));
    const over = JSON.parse((await plan.run(["status", plan.slug, "--json"])).stdout) as Json;
    expect(over).toMatchObject({ status: "completed", owner: "none" });
  });

  it("that is refused is told at once, with its exit code", async () => {
    const plan = project({ prd: plain() });
    const detached = await plan.run(["run", plan.slug, "--detach"], { env: { TMPDIR: plan.folder } });
    expect(detached).toMatchObject({ exitCode: 2, stdout: "" });
    expect(detached.stderr).toContain("userStories");
    expect(detached.stderr).not.toContain('"ok"');
    const json = await plan.run(["run", plan.slug, "--detach", "--json"], { env: { TMPDIR: plan.folder } });
    expect(json).toMatchObject({ exitCode: 2, stderr: detached.stderr });
    expect(toProblems(json)).toMatchObject([{ path: "userStories" }]);
  });
});
