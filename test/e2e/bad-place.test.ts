// Places and branches in which no run can be: refused with the way out, and nothing is changed.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import { plain, project, quick } from "./support/e2e-project.ts";
import { expectRefused, toProblems } from "./support/refusal.ts";
import { canMount, mountSmall } from "./support/small-disk.ts";

describe("a run is refused in", () => {
  it("a folder that is no git repository", async () => {
    const plan = project();
    const cwd = join(plan.folder, "elsewhere");
    mkdirSync(cwd);
    await expectRefused(plan, { at: { cwd }, words: [cwd, /git repository/, /git init/] });
    await expectRefused(plan, { args: ["status"], at: { cwd }, words: [/git repository/] });
  });

  it("a bare repository", async () => {
    const plan = project();
    const cwd = join(plan.folder, "bare.git");
    plan.git(["clone", "--quiet", "--bare", plan.checkout, cwd]);
    await expectRefused(plan, { at: { cwd }, words: [/bare/, /git worktree add/] });
  });

  it("a repository without a commit", async () => {
    const plan = project();
    const cwd = join(plan.folder, "empty");
    mkdirSync(cwd);
    plan.git(["init", "--quiet"], { cwd });
    cpSync(join(plan.checkout, "dev"), join(cwd, "dev"), { recursive: true });
    cpSync(join(plan.checkout, "execute-prd.config.json"), join(cwd, "execute-prd.config.json"));
    await expectRefused(plan, { at: { cwd }, words: [/at least one commit/] });
  });

  it("a place that is no folder", async () => {
    const plan = project();
    for (const cwd of [join(plan.checkout, plan.planFile), join(plan.folder, "nowhere")]) {
      for (const args of [["run", plan.slug], ["status"]]) {
        const problems = await expectRefused(plan, { args: [...args, "--cwd", cwd], words: [cwd] });
        expect(problems[0]).toMatchObject({ path: "--cwd", value: cwd });
      }
    }
  });

  it("a folder that is gone, as long as no other is named", async () => {
    const plan = project();
    const cwd = join(plan.folder, "gone");
    const through = ["sh", "-c", 'rmdir "$PWD" && exec "$0" "$@"'];
    for (const command of ["run", "validate", "status"]) {
      mkdirSync(cwd);
      const ended = await plan.run([command, plan.slug, "--json"], { cwd, through });
      expect(ended.exitCode, ended.stderr).toBe(2);
      expect(toProblems(ended)[0]).toMatchObject({ path: "--cwd", hint: expect.stringContaining("gone") });
    }
    mkdirSync(cwd);
    const args = ["validate", plan.slug, "--cwd", plan.checkout];
    expect((await plan.run(args, { cwd, through })).exitCode).toBe(0);
  });

  it("the .git folder itself", async () => {
    const plan = project();
    await expectRefused(plan, { at: { cwd: plan.commonDir }, words: [/./] });
  });
});

describe("a branch is refused that", () => {
  it("is checked out in the main checkout", async () => {
    const plan = project();
    plan.git(["switch", "--quiet", "-c", plan.branch]);
    const problems = await expectRefused(plan, {
      words: [plan.branch, plan.checkout, "git switch --detach", "--branch", "--fresh"],
    });
    expect(problems[0]).toMatchObject({ path: "branch", value: plan.branch });
  });

  it("is checked out in another worktree", async () => {
    const plan = project();
    const tree = join(plan.folder, "tree");
    plan.git(["worktree", "add", "--quiet", "-b", plan.branch, tree]);
    await expectRefused(plan, { words: [plan.branch, tree] });
  });

  it("has commits of its own", async () => {
    const plan = project();
    plan.git(["switch", "--quiet", "-c", plan.branch]);
    plan.commit({ "own.txt": "own" });
    plan.git(["switch", "--quiet", "main"]);
    await expectRefused(plan, { words: ["commits of its own", "--base", "--branch"] });
  });

  it("cannot stand beside another", async () => {
    const plan = project();
    plan.git(["branch", "feature/other"]);
    for (const branch of ["feature", "feature/other/more"]) {
      await expectRefused(plan, {
        args: ["run", plan.slug, "--branch", branch],
        words: ["feature/other", "in the way"],
      });
    }
  });

  it("has a name that git does not take", async () => {
    const plan = project();
    for (const branch of ["a..b", "-x", "a b", "x.lock", "HEAD", "@{-1}", "a/", "refs/heads/x~1"]) {
      await expectRefused(plan, {
        args: ["run", plan.slug, `--branch=${branch}`],
        words: ["valid branch name"],
      });
    }
  });

  it("another run left unfinished; --fresh takes the next name once that has ended", async () => {
    const plan = project({
      prd: plain(task("a"), task("b")),
      config: { ...quick, maxAttempts: 1, review: { enabled: false } },
      rules: [{ stage: "develop", taskId: "b", exit: 1 }],
    });
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(4);
    const fresh = await plan.run(["run", plan.slug, "--fresh"]);
    expect(fresh.exitCode).toBe(2);
    expect(fresh.stderr).toContain(`execute-prd cancel ${plan.slug}`);
  });
});

describe("a branch is taken that", () => {
  it("equals the base or is behind it", async () => {
    const plan = project({ config: { ...quick, review: { enabled: false } }, prd: plain(task("a")) });
    plan.git(["branch", plan.branch]);
    plan.commit({ "later.txt": "later" });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
    expect(plan.subjects()).toEqual(["Make a", "Remember what plan-x taught"]);
    expect(plan.git(["show", `${plan.branch}:later.txt`])).toBe("later");
  });

  it("is named with --branch, from a commit named with --base", async () => {
    const plan = project({ config: { ...quick, review: { enabled: false } }, prd: plain(task("a")) });
    const base = plan.head();
    plan.commit({ "later.txt": "later" });
    const ended = await plan.run(["run", plan.slug, "--branch", "mine", "--base", base]);
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
    expect(plan.git(["merge-base", "mine", "main"])).toBe(base);
    expect(plan.prd()["branchName"]).toBe("mine");
  });
});

describe("a full disk", () => {
  if (!canMount) {
    it("cannot be made here: skipped", () => expect(canMount).toBe(false));
    return;
  }

  it("before the start is told with the room that is wanted", async () => {
    const plan = project();
    const worktreeRoot = mountSmall("512k") ?? "";
    plan.setConfig({ ...quick, worktreeRoot: join(worktreeRoot, "trees") });
    await expectRefused(plan, { words: ["1 MiB", "make room"], exitCode: 3 });
    expect(readdirSync(worktreeRoot)).toEqual([]);
  });

  it("during the run pauses it with exit 3, and resume goes on when there is room", async () => {
    const plan = project({ prd: plain(task("a"), task("b")) });
    const worktreeRoot = mountSmall("60m") ?? "";
    plan.setConfig({ ...quick, maxAttempts: 1, worktreeRoot: join(worktreeRoot, "trees") });
    const fill = `const file = fs.openSync("${join(worktreeRoot, "fill")}", "w"); try { for (;;) fs.writeSync(file, Buffer.alloc(65536)); } catch {} fs.closeSync(file);`;
    plan.setRules([{ stage: "develop", taskId: "b", attempt: 1, code: fill, write: {} }]);
    const ended = await plan.run(["run", plan.slug]);
    expect([3, 4], ended.stdout + ended.stderr).toContain(ended.exitCode);
    expect(plan.task("a")).toMatchObject({ status: "complete" });
    expect(plan.task("b")).not.toMatchObject({ status: "complete" });
    execFileSync("rm", [join(worktreeRoot, "fill")]);
    plan.setRules([]);
    const resumed = await plan.run(["resume", plan.slug, "--attempts", "1"]);
    expect(resumed.exitCode, resumed.stdout + resumed.stderr).toBe(0);
    expect(plan.subjects()).toEqual(["Make a", "Make b", "Remember what plan-x taught"]);
  });

  it("under the run folder ends it with exit 3 and the reason on stderr; nothing is lost", async () => {
    const plan = project({ prd: plain(task("a"), task("b")), config: quick });
    const small = mountSmall("60m", join(plan.checkout, "dev", "executions")) ?? "";
    const fill = `const file = fs.openSync("${join(small, "fill")}", "w"); try { for (;;) fs.writeSync(file, Buffer.alloc(4096)); } catch {} fs.closeSync(file);`;
    plan.setRules([{ stage: "develop", taskId: "b", attempt: 1, code: fill }]);
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(3);
    expect(ended.stderr).toContain("ENOSPC");
    expect(plan.children()).toEqual([]);
    expect(existsSync(join(plan.runFolder, "execution.log.jsonl"))).toBe(true);
    execFileSync("rm", [join(small, "fill")]);
    const again = await plan.run(["run", plan.slug]);
    expect(again.exitCode, again.stdout + again.stderr).toBe(0);
    expect(plan.subjects()).toEqual(["Make a", "Make b", "Remember what plan-x taught"]);
  });
});
