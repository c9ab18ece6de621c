// The commands that prepare, look and explain: what they write, that they change nothing else, what they accept.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { gitFixture } from "../support/git-fixture.ts";
import { task } from "../support/project-fixture.ts";
import { makeTemporaryFolder } from "../support/temporary-folder.ts";
import { type Json, plain, project } from "./support/e2e-project.ts";
import { execute } from "./support/program.ts";
import { snapshot } from "./support/snapshot.ts";

const files = {
  "package.json": '{ "name": "p", "scripts": { "test": "node --test", "lint": "eslint ." } }\n',
  ".gitignore": "node_modules/",
};

describe("init", () => {
  it("writes what is missing in a fresh repository, and nothing the second time", async () => {
    const git = gitFixture(files);
    const at = { cwd: git.checkout };
    const first = await execute(["init", "--json"], at);
    expect(first).toMatchObject({ exitCode: 0, stderr: "" });
    const { written } = JSON.parse(first.stdout) as { written: string[] };
    expect(written).toEqual(
      expect.arrayContaining([
        "execute-prd.config.json",
        ".claude/commands/build.md",
        "dev/executions/README.md",
        ".gitignore",
      ]),
    );
    const changed = git
      .git(["status", "--porcelain", "-uall"])
      .split("\n")
      .map((line) => line.slice(3));
    expect(changed.toSorted()).toEqual(written.toSorted());
    expect(readFileSync(join(git.checkout, ".gitignore"), "utf8")).toMatch(/^node_modules\/\n/);
    git.write({ "dev/executions/some-run/status.json": "{}" });
    expect(git.git(["status", "--porcelain", "-uall"])).not.toContain("some-run");

    const before = snapshot(git.checkout);
    const second = await execute(["init", "--json"], at);
    expect(JSON.parse(second.stdout)).toMatchObject({
      ok: true,
      written: [],
      advice: [expect.stringContaining("execute-prd doctor")],
    });
    expect(snapshot(git.checkout)).toEqual(before);
  });

  it("never overwrites without --force, and never follows a link", async () => {
    const git = gitFixture(files);
    git.write({ "execute-prd.config.json": "{}\n", "outside.txt": "mine\n" });
    await execute(["init"], { cwd: git.checkout });
    expect(readFileSync(join(git.checkout, "execute-prd.config.json"), "utf8")).toBe("{}\n");
    await execute(["init", "--force"], { cwd: git.checkout });
    const config = JSON.parse(readFileSync(join(git.checkout, "execute-prd.config.json"), "utf8")) as Json;
    expect(config["agents"]).toBeDefined();
    const { rmSync, symlinkSync } = await import("node:fs");
    rmSync(join(git.checkout, "execute-prd.config.json"));
    symlinkSync(join(git.checkout, "outside.txt"), join(git.checkout, "execute-prd.config.json"));
    const linked = await execute(["init", "--force"], { cwd: git.checkout });
    expect(linked.exitCode).toBe(2);
    expect(readFileSync(join(git.checkout, "outside.txt"), "utf8")).toBe("mine\n");
  });

  it("leads to a configuration with which doctor finds nothing wrong but the agent", async () => {
    const git = gitFixture(files);
    await execute(["init"], { cwd: git.checkout });
    const before = snapshot(git.checkout);
    const sick = await execute(["doctor", "--json"], { cwd: git.checkout });
    expect(sick.exitCode).not.toBe(0);
    const { checks } = JSON.parse(sick.stdout) as { checks: Json[] };
    const problems = checks.filter(({ state }) => state === "problem");
    expect(problems.length).toBeGreaterThan(0);
    for (const each of problems) {
      expect(each).toMatchObject({
        name: "agents",
        detail: expect.stringContaining("path/to/your-agent.mjs"),
        fix: expect.stringMatching(/./),
      });
    }
    expect(snapshot(git.checkout)).toEqual(before);
  });
});

describe("doctor", () => {
  it("finds a working project in order", async () => {
    const plan = project();
    const ended = await plan.run(["doctor"]);
    expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
    expect(ended.stdout).toMatch(/ok +git/);
    expect(ended.stdout).not.toContain("problem");
  });

  it("names what is wrong and what mends it", async () => {
    const plan = project();
    plan.setConfig({ agents: { developer: { backend: "command", command: ["no-such-agent"] } } });
    const ended = await plan.run(["doctor"]);
    expect(ended.exitCode).toBe(2);
    expect(ended.stdout).toMatch(/problem.*agents[\s\S]*no-such-agent[\s\S]*fix: /);
    writeFileSync(join(plan.checkout, "execute-prd.config.json"), "{");
    expect((await plan.run(["doctor"])).stdout).toMatch(/problem.*execute-prd\.config\.json[\s\S]*fix: /);
  });

  it("names a run whose program is gone, with the command that goes on", async () => {
    const plan = project({ rules: [{ stage: "develop", hang: true }] });
    const live = plan.start(["run", plan.slug]);
    await plan.event(({ kind }) => kind === "dispatch-started", "the agent works");
    live.signal("SIGKILL");
    await live.ended;
    const ended = await plan.run(["doctor"]);
    expect(ended.exitCode).toBe(2);
    expect(ended.stdout).toContain(`execute-prd resume ${plan.slug}`);
    expect(ended.stdout).toMatch(/problem branch lock: .*which is gone\n *fix: safe: the next start/);
  });
});

describe("validate and plan", () => {
  it("say what there is and change nothing", async () => {
    const plan = project({
      prd: plain(task("a"), task("b", { dependsOn: ["a"] }), task("c", { dependsOn: ["a"] })),
    });
    const before = snapshot(plan.folder);
    const validated = await plan.run(["validate", plan.slug]);
    expect(validated).toMatchObject({ exitCode: 0, stderr: "" });
    expect(validated.stdout).toContain("3 task");
    const dry = await plan.run(["plan", join(plan.checkout, plan.planFile)]);
    expect(dry).toMatchObject({ exitCode: 0, stderr: "" });
    expect(dry.stdout).toMatch(/wave 1: a\n {2}wave 2: b, c/);
    expect(dry.stdout).toMatch(/tests \(node check\.mjs\)/);
    for (const command of ["status", "doctor"]) await plan.run([command]);
    expect(snapshot(plan.folder)).toEqual(before);
  });

  it("of which validate needs no repository, but tells that a run does", async () => {
    const plan = project();
    const folder = makeTemporaryFolder();
    copyFileSync(join(plan.checkout, plan.planFile), join(folder, "prd.json"));
    const validated = await plan.run(["validate", "prd.json", "--cwd", folder]);
    expect(validated).toMatchObject({ exitCode: 0, stderr: "" });
    expect(validated.stdout).toContain("no run can be started here: it needs a git repository");
    expect((await plan.run(["plan", "prd.json", "--cwd", folder])).exitCode).toBe(2);
  });

  it("tell what was read as something else", async () => {
    const plan = project({
      prd: { title: "T", tasks: [task("a", { type: "checkpoint:unheard-of", filesToRead: ["nowhere.md"] })] },
    });
    const validated = await plan.run(["validate", plan.slug]);
    expect(validated.exitCode).toBe(0);
    expect(validated.stdout).toMatch(/checkpoint:unheard-of/);
    expect(validated.stdout).toMatch(/nowhere\.md/);
  });
});

describe("help", () => {
  const common = ["--json", "--cwd", "--help"];
  const policy = [
    "--agent",
    "--concurrency",
    "--max-attempts",
    "--budget-usd",
    "--yes",
    "--only",
    "--detach",
  ];
  const flags: Readonly<Record<string, readonly string[]>> = {
    run: [...policy, "--fresh", "--redo", "--base", "--branch"],
    resume: [...policy, "--fresh", "--redo", "--base", "--branch", "--attempts", "--accept-changes"],
    init: ["--force"],
    validate: [],
    plan: [],
    pause: ["--now"],
    status: ["--watch"],
    log: ["--follow"],
    answer: [],
    retry: ["--note"],
    skip: ["--reason"],
    cancel: [],
    verify: ["--rerun"],
    rebuild: [],
    report: [],
    clean: ["--force"],
    doctor: ["--agents", "--live"],
    demo: [],
  };

  it("of each command lists the flags that are promised, and those it accepts", async () => {
    const git = gitFixture();
    const top = await execute(["--help"], { cwd: git.checkout });
    expect(top.exitCode).toBe(0);
    const commands = [...top.stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name = ""]) => name);
    for (const command of commands.filter((name) => name !== "help")) {
      const { exitCode, stdout } = await execute([command, "--help"], { cwd: git.checkout });
      expect.soft(exitCode, command).toBe(0);
      const listed = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag = ""]) => flag);
      const promised = [...(flags[command] ?? ["no such command in the contract"]), ...common];
      expect
        .soft(listed.filter((flag) => flag !== "--keep").toSorted(), command)
        .toEqual(promised.toSorted());
    }
    expect(commands).toEqual(expect.arrayContaining(["run", "resume", "status", "log", "rebuild"]));
  });

  it("of the version is the version of the package", async () => {
    const git = gitFixture();
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect((await execute(["--version"], { cwd: git.checkout })).stdout.trim()).toBe(version);
  });
});

describe("status of a run whose journal is damaged", () => {
  it("says so, with the line and the way out, whatever status.json says", async () => {
    const plan = project({ prd: plain(task("a")) });
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(0);
    const journal = join(plan.runFolder, "execution.log.jsonl");
    const text = readFileSync(journal, "utf8");
    writeFileSync(journal, `${text}{"seq":`); // torn, which the next start repairs
    expect((await plan.run(["status", plan.slug])).stdout).toMatch(/^plan-x: completed/);
    writeFileSync(journal, text.replace('"at":"20', '"at":"19'));
    const said = await plan.run(["status", plan.slug]);
    expect(said).toMatchObject({ exitCode: 0, stderr: "" });
    expect(said.stdout).toMatch(/^plan-x: damaged[\s\S]*line 2: [\s\S]*run --fresh/);
    expect(said.stdout).not.toContain("git merge");
    const data = JSON.parse((await plan.run(["status", plan.slug, "--json"])).stdout) as Json;
    expect(data).toMatchObject({
      ...plan.status(),
      owner: "none",
      problem: expect.stringMatching(/line 2: /),
    });
  });
});
