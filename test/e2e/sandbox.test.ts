// Agents, gates and set-ups in the sandbox: what they cannot reach, what goes on working, and that all of them end.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import { type Project, plain, project, quick, type Wanted } from "./support/e2e-project.ts";
import { until } from "./support/program.ts";

const hasBubblewrap = spawnSync("bwrap", ["--ro-bind", "/", "/", "--unshare-pid", "true"]).status === 0;

const one = plain(task("a"));

/** Every try to do something is recorded in the file `tries.json` of the tree, which is committed. */
function tries(attempts: Readonly<Record<string, string>>): string {
  const lines = Object.entries(attempts).map(
    ([name, code]) => `try { ${code}; tries[${JSON.stringify(name)}] = "done"; }
      catch (error) { tries[${JSON.stringify(name)}] = error.code ?? String(error.stderr ?? error.message); }`,
  );
  return `const tries = {}; ${lines.join("\n")} fs.writeFileSync("tries.json", JSON.stringify(tries));`;
}

function confined(wanted: Wanted & { code: string; sandbox?: string }): Project {
  const { code, sandbox = "required", config = {}, ...rest } = wanted;
  return project({
    prd: one,
    rules: [{ stage: "develop", code }],
    ...rest,
    config: { ...quick, sandbox, ...config },
  });
}

/** What became of each try of the developer, on the run's branch. */
function triedOn({ branch, git }: Project): Readonly<Record<string, string>> {
  return JSON.parse(git(["show", `${branch}:tries.json`])) as Record<string, string>; // written by `tries`
}

describe.runIf(hasBubblewrap)("in the sandbox", () => {
  it("an agent can write neither beside its lane nor the repository's metadata, nor read credentials", async () => {
    const plan = confined({ code: "" });
    const home = join(plan.folder, "home");
    mkdirSync(join(home, ".ssh"), { recursive: true });
    writeFileSync(join(home, ".ssh", "id"), "the builder's key");
    writeFileSync(join(home, ".netrc"), "password");
    const at = (path: string): string => JSON.stringify(join(plan.checkout, path));
    const write = (path: string): string => `fs.writeFileSync(${at(path)}, "x")`;
    plan.setRules([
      {
        stage: "develop",
        code: tries({
          checkout: write("new.txt"),
          hook: write(".git/hooks/post-commit"),
          configuration: `fs.appendFileSync(${at(".git/config")}, "[user]")`,
          info: write(".git/info/attributes"),
          ref: write(".git/refs/heads/other"),
          branch: 'sh("git", "branch", "other")',
          stash: 'fs.writeFileSync("x.txt", ""); sh("git", "add", "x.txt"); sh("git", "stash")',
          journal: `fs.appendFileSync(${at("dev/executions/plan-x/execution.log.jsonl")}, "x")`,
          request: write("dev/executions/plan-x/requests/1.json"),
          lane: 'fs.writeFileSync("../private/work.json", "x")',
          gitFile: 'fs.rmSync(".git")',
          pack: `fs.writeFileSync(${at(".git/objects/pack/x")}, "x")`,
          key: `fs.readFileSync(${JSON.stringify(join(home, ".ssh", "id"))})`,
          system: 'fs.writeFileSync("/etc/x", "x")',
          proc: 'fs.writeFileSync("/proc/sys/kernel/hostname", fs.readFileSync("/proc/sys/kernel/hostname"))',
          mount: 'sh("mount", "-o", "remount,rw", "/")',
        }),
      },
    ]);
    const ended = await plan.run(["run", plan.slug], { env: { HOME: home } });
    expect(ended.exitCode, ended.stderr + ended.stdout).toBe(0);
    const tried = triedOn(plan);
    expect(Object.entries(tried).filter(([, how]) => how === "done")).toEqual([]);
    expect(tried).toMatchObject({ checkout: "EROFS", hook: "EROFS", journal: "EROFS", key: "ENOENT" });
    expect(plan.status()).toMatchObject({ status: "completed" });
    expect(plan.read("report.md")).toContain("- Confinement: bubblewrap");
  });

  it("an agent works with git in its lane: add, commit, reset, rebase, diff, log", async () => {
    const code = `
      const git = (...words) => sh("git", ...words);
      fs.writeFileSync("a.txt", "first"); git("add", "a.txt"); git("commit", "-qm", "first");
      const first = git("rev-parse", "HEAD").trim();
      fs.writeFileSync("b.txt", "second"); git("add", "-A"); git("commit", "-qm", "second");
      git("reset", "--soft", "HEAD~1"); git("commit", "-qm", "second again");
      git("checkout", "-q", "--detach", "HEAD~2"); fs.writeFileSync("c.txt", "c"); git("add", "-A"); git("commit", "-qm", "third");
      git("rebase", "-q", first); git("status"); git("diff", "HEAD~1"); git("log", "--oneline");
      if (!fs.existsSync("a.txt")) throw new Error("the rebase lost a.txt");`;
    const plan = confined({ code });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode, ended.stderr + ended.stdout).toBe(0);
    expect(plan.git(["show", `${plan.branch}:c.txt`])).toBe("c");
  });

  it("HOME is a folder of the run, for agents and gates each its own, and gone when the run is completed", async () => {
    const code =
      'fs.writeFileSync("home.txt", env.HOME); fs.writeFileSync(path.join(env.HOME, ".npmrc"), "script-shell=/bin/true");';
    const check =
      'import fs from "node:fs"; console.log(process.env.HOME, fs.readdirSync(process.env.HOME).length, "1 passed, 0 failed");';
    const plan = confined({
      code,
      files: { "look.mjs": check },
      config: { gates: [{ name: "look", command: "node look.mjs" }] },
    });
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(0);
    const home = plan.git(["show", `${plan.branch}:home.txt`]);
    expect(home.startsWith(join(plan.worktrees, plan.slug))).toBe(true);
    const log = plan.read("attempts/a/1/gates/look.log");
    expect(log).toMatch(/home\/lane-1-gates 0 1 passed/);
    expect(log).not.toContain(home);
    expect(existsSync(home)).toBe(false);
    expect(plan.read("execution.log.jsonl")).not.toContain(home);
  });

  it("setup has the builder's home: it reads .npmrc and fills caches, but neither changes settings nor reads keys", async () => {
    const setup = `import fs from "node:fs"; import path from "node:path"; const { HOME } = process.env;
      const tries = { npmrc: fs.readFileSync(path.join(HOME, ".npmrc"), "utf8") };
      fs.writeFileSync(path.join(HOME, ".npm", "cached"), "x");
      for (const [name, what] of Object.entries({ settings: () => fs.writeFileSync(path.join(HOME, ".npmrc"), "x"), key: () => fs.readFileSync(path.join(HOME, ".ssh", "id")) }))
        try { what(); tries[name] = "done"; } catch (error) { tries[name] = error.code; }
      fs.writeFileSync("setup-tries.json", JSON.stringify(tries));`;
    const plan = confined({
      code: 'fs.copyFileSync("setup-tries.json", "tries.json")',
      files: {
        "setup.mjs": setup,
        "package.json": "{}",
        ".gitignore": "dev/executions/*/\nsetup-tries.json\n",
      },
      config: { setup: "node setup.mjs" },
    });
    const home = join(plan.folder, "home");
    mkdirSync(join(home, ".ssh"), { recursive: true });
    writeFileSync(join(home, ".ssh", "id"), "key");
    writeFileSync(join(home, ".npmrc"), "registry");
    const ended = await plan.run(["run", plan.slug], { env: { HOME: home } });
    expect(ended.exitCode, ended.stderr + ended.stdout).toBe(0);
    expect(triedOn(plan)).toEqual({ npmrc: "registry", settings: "EROFS", key: "ENOENT" });
    expect(existsSync(join(home, ".npm", "cached"))).toBe(true);
  });

  it("a gate can write its tree and nothing else, and verify --rerun runs it in the sandbox too", async () => {
    const gate = `import fs from "node:fs"; fs.writeFileSync("cache.txt", "x");
      try { fs.writeFileSync(process.env.AIM, "x"); console.log("reached"); } catch (error) { console.log(error.code); }`;
    const plan = confined({
      code: "",
      files: { "gate.mjs": gate, ".gitignore": "dev/executions/*/\ncache.txt\n" },
      config: { gates: [{ name: "reach", command: "node gate.mjs", env: ["AIM"] }] },
    });
    const aim = join(plan.checkout, "reached.txt");
    const env = { AIM: aim };
    expect((await plan.run(["run", plan.slug], { env })).exitCode).toBe(0);
    expect(plan.read("attempts/a/1/gates/reach.log").trim()).toBe("EROFS");
    const verified = await plan.run(["verify", plan.slug, "--rerun"], { env });
    expect(verified.exitCode, verified.stdout + verified.stderr).toBe(0);
    expect(existsSync(aim)).toBe(false);
  });

  it("without network an agent reaches nothing", async () => {
    const code = `const { connect } = await import("node:net");
      const how = await new Promise((resolve) => connect(9, "192.0.2.1").on("connect", () => resolve("done")).on("error", (error) => resolve(error.code)));
      fs.writeFileSync("tries.json", JSON.stringify({ how }));`;
    const plan = confined({ code, config: { network: false } });
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(0);
    expect(triedOn(plan)).toEqual({ how: "ENETUNREACH" });
    expect(plan.read("report.md")).toContain("- Confinement: bubblewrap, without network");
  });

  it("a change of the main checkout is the builder's, and only told", async () => {
    const plan = confined({ code: 'fs.writeFileSync("up.txt", ""); await sleep(800);' });
    const live = plan.start(["run", plan.slug]);
    await until("the agent works", () =>
      existsSync(plan.worktrees)
        ? readdirSync(plan.worktrees).some((run) =>
            existsSync(join(plan.worktrees, run, "lane-1/work/up.txt")),
          )
        : false,
    );
    writeFileSync(join(plan.checkout, "README.md"), "the builder's own\n");
    expect((await live.ended).exitCode).toBe(0);
    expect(plan.events().filter(({ kind }) => kind === "checkout-doubted")).toEqual([]);
    expect(plan.read("execution.log.jsonl")).toMatch(
      /meanwhile, not by what ran in the sandbox: [^"]*README\.md/,
    );
  });

  /** An agent that will not stop, with a child in a session and an environment of its own; `word` is the child's. */
  const stubborn = (word: string): string => `
    process.on("SIGTERM", () => {});
    const { spawn } = await import("node:child_process");
    fs.writeFileSync("left.txt", "unfinished");
    spawn("setsid", ["sh", "-c", "sh -c 'while :; do sleep 0.1; done; : ${word}' & sleep 0.1"], { env: { PATH: env.PATH }, stdio: "ignore", detached: true }).unref();
    await new Promise((resolve) => setTimeout(resolve, 600_000));`;

  const begin = async (): Promise<{ plan: Project; live: ReturnType<Project["start"]>; word: string }> => {
    const word = `child-${process.pid}-${Math.random()}`;
    const plan = confined({ code: stubborn(word) });
    const live = plan.start(["run", plan.slug]);
    await until("the child is there", () => withWord(word).length > 0);
    return { plan, live, word };
  };

  it("nothing is left after SIGKILL of the program; the next start goes on", async () => {
    const { plan, live, word } = await begin();
    live.signal("SIGKILL");
    await live.ended;
    await until("all have ended", () => withWord(word).length + plan.children().length === 0);
    plan.setRules([]);
    const resumed = await plan.run(["resume", plan.slug]);
    expect(resumed.exitCode, resumed.stderr + resumed.stdout).toBe(0);
    expect(plan.git(["show", `${plan.branch}:left.txt`])).toBe("unfinished");
  });

  it("pause --now ends it within 5 s, and nothing is left", async () => {
    const { plan, live, word } = await begin();
    const began = performance.now();
    expect((await plan.run(["pause", plan.slug, "--now"])).exitCode).toBe(0);
    expect((await live.ended).exitCode).toBe(3);
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(withWord(word)).toEqual([]);
    expect(plan.children()).toEqual([]);
    expect(plan.events().find(({ kind }) => kind === "dispatch-ended")).toMatchObject({
      outcome: { kind: "interrupted", salvage: expect.any(String) },
    });
  });

  it("a second signal ends the program at once, and nothing is left", async () => {
    const { plan, live, word } = await begin();
    live.signal("SIGTERM");
    await until("the first is heard", () => live.said().stderr.includes("SIGTERM"));
    live.signal("SIGTERM");
    expect((await live.ended).exitCode).toBe(130);
    await until("all have ended", () => withWord(word).length + plan.children().length === 0);
  });

  it("an agent that is killed by a signal, and one that exits, are told as such", async () => {
    const plan = confined({ code: 'process.kill(process.pid, "SIGKILL")', config: { maxAttempts: 1 } });
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(4);
    expect(failures(plan)).toMatchObject([{ reason: "agent-exited", exitCode: null, signal: "SIGKILL" }]);
    plan.setRules([{ stage: "develop", exit: 7 }]);
    await plan.run(["retry", plan.slug, "a"]);
    await plan.run(["resume", plan.slug]);
    expect(failures(plan).at(-1)).toMatchObject({ reason: "agent-exited", exitCode: 7, signal: null });
  });
});

function failures(plan: Project): readonly unknown[] {
  return plan.events().flatMap((event) => {
    if (event.kind !== "dispatch-ended") return [];
    const outcome = event["outcome"] as { kind: string; failure?: unknown }; // written by the program
    return outcome.kind === "failed" ? [outcome.failure] : [];
  });
}

function withWord(word: string): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(word);
    } catch {
      return false; // gone meanwhile
    }
  });
}

/** A PATH with everything but bubblewrap. */
function pathWithout(plan: Project): string {
  const folder = join(plan.folder, "bin");
  mkdirSync(folder);
  const dirs = (process.env["PATH"] ?? "").split(":").filter((dir) => existsSync(dir));
  const linked = new Set<string>();
  for (const dir of dirs.toReversed()) {
    for (const name of readdirSync(dir)) {
      const link = join(folder, name);
      if (name !== "bwrap" && !linked.has(name)) symlinkSync(join(dir, name), link);
      linked.add(name);
    }
  }
  return folder;
}

describe.runIf(process.platform === "linux")("without bubblewrap", () => {
  it('"required" refuses with exit 2 and what to install, and doctor says the same', async () => {
    const plan = confined({ code: "" });
    const env = { PATH: pathWithout(plan) };
    const ended = await plan.run(["run", plan.slug], { env });
    expect(ended.exitCode).toBe(2);
    expect(ended.stderr).toMatch(/sandbox: .*bubblewrap \(bwrap\) is not installed, found "required"/);
    expect(ended.stderr).toContain('install the package "bubblewrap"');
    expect(existsSync(plan.worktrees)).toBe(false);
    const sick = await plan.run(["doctor"], { env });
    expect(sick.exitCode).toBe(2);
    expect(sick.stdout).toMatch(/problem sandbox: none: bubblewrap \(bwrap\) is not installed/);
  });

  it('"auto" goes on without, says so at the start and in the report, and doctor repeats it', async () => {
    const plan = confined({ code: "", sandbox: "auto" });
    const env = { PATH: pathWithout(plan) };
    const ended = await plan.run(["run", plan.slug], { env });
    expect(ended.exitCode, ended.stderr + ended.stdout).toBe(0);
    const said = "none: bubblewrap (bwrap) is not installed";
    expect(ended.stdout + ended.stderr).toContain(said);
    expect(plan.read("report.md")).toContain(`- Confinement: ${said}`);
    const healthy = await plan.run(["doctor"], { env });
    expect(healthy.exitCode).toBe(0);
    expect(healthy.stdout).toContain(`sandbox: ${said}`);
  });
});

if (!hasBubblewrap) {
  it("there is no bubblewrap here: what agents, gates and set-ups reach in the sandbox is skipped", () =>
    expect(hasBubblewrap).toBe(false));
}
