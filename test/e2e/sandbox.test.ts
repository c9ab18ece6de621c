// Agents, gates and set-ups in the sandbox: what they cannot reach, what goes on working, and that all of them end.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import { type Project, plain, project, quick, type Wanted } from "./support/e2e-project.ts";
import { processesWith, until } from "./support/program.ts";

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
});
void [existsSync, readdirSync, readFileSync, processesWith, until];
