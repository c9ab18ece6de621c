// What can have happened to repository, lane and plan between the end of the program and its next start.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { type Project, project, quick } from "../e2e/support/e2e-project.ts";
import {
  asked,
  eventsOf,
  expectWhole,
  finish,
  killAt,
  killInDispatch,
  laneFolder,
  runRefs,
  titles,
} from "./killed-run.ts";

vi.setConfig({ testTimeout: 60_000 });

const write = 'fs.writeFileSync("half.txt", "half done");';
const half = { stage: "develop", taskId: "b", code: write };

/** Git in the lane's work tree, as somebody who walked in. */
function inLane(plan: Project, ...args: readonly string[]): string {
  return plan.git(args, { cwd: join(laneFolder(plan), "work") });
}

/** Whether a salvage ref of the run has the file with this text. */
function isKept(plan: Project, file: string, text: string): boolean {
  return runRefs(plan)
    .filter((ref) => ref.includes("/salvage-"))
    .some((ref) => {
      try {
        return plan.git(["show", `${ref}:${file}`]) === text;
      } catch {
        return false; // this one does not have it
      }
    });
}

describe("a lane", () => {
  it("that is gone is made again", async () => {
    const plan = await killInDispatch(half);
    rmSync(laneFolder(plan), { recursive: true });
    await finish(plan);
    expectWhole(plan);
  });

  it("that is gone with all worktrees is made again", async () => {
    const plan = await killInDispatch(half);
    rmSync(plan.worktrees, { recursive: true });
    await finish(plan);
    expectWhole(plan);
  });

  it("on a wrong branch is put right, and its work is kept", async () => {
    const plan = await killInDispatch(half);
    inLane(plan, "checkout", "--quiet", "-b", "somewhere-else");
    await finish(plan);
    expectWhole(plan);
    expect(isKept(plan, "half.txt", "half done")).toBe(true);
    expect(plan.git(["rev-parse", "somewhere-else"])).not.toBe("");
  });

  it("in the middle of a rebase is salvaged, set aside and replaced", async () => {
    const plan = await killInDispatch(half);
    const work = join(laneFolder(plan), "work");
    writeFileSync(join(work, "README.md"), "one\n");
    inLane(plan, "commit", "--quiet", "-am", "one");
    const one = inLane(plan, "rev-parse", "HEAD");
    inLane(plan, "checkout", "--quiet", "--detach", "HEAD~1");
    writeFileSync(join(work, "README.md"), "two\n");
    inLane(plan, "commit", "--quiet", "-am", "two");
    expect(() => inLane(plan, "rebase", one)).toThrow();
    writeFileSync(join(work, "late.txt"), "late");
    await finish(plan);
    expect(plan.subjects()).toEqual(titles);
    expect(isKept(plan, "late.txt", "late")).toBe(true);
    expect(existsSync(join(laneFolder(plan), "aside"))).toBe(true);
    expect(inLane(plan, "status")).not.toContain("rebase");
  });

  it("with lock files of a killed git is used again", async () => {
    const plan = await killInDispatch(half);
    const old = new Date(Date.now() - 60_000);
    const admin = inLane(plan, "rev-parse", "--absolute-git-dir");
    const locks = [
      join(admin, "index.lock"),
      join(admin, "HEAD.lock"),
      join(laneFolder(plan), "private", "work.index.lock"),
      join(laneFolder(plan), "private", "check.index.lock"),
      join(plan.commonDir, "refs", "heads", `${plan.branch}.lock`),
      join(plan.commonDir, "index.lock"),
    ];
    for (const lock of locks) {
      writeFileSync(lock, "");
      utimesSync(lock, old, old);
    }
    await finish(plan);
    rmSync(join(plan.commonDir, "index.lock")); // the builder's own: not ours to take away
    expectWhole(plan);
    expect(isKept(plan, "half.txt", "half done")).toBe(true);
  });
});

describe("a lock of the branch", () => {
  it("that a git left which was killed with the program is outlived", async () => {
    const plan = await killInDispatch(half);
    const lock = join(plan.commonDir, "refs", "heads", `${plan.branch}.lock`);
    const lately = new Date(Date.now() - 20_000);
    writeFileSync(lock, "");
    utimesSync(lock, lately, lately);
    await finish(plan);
    expectWhole(plan);
    expect(existsSync(lock)).toBe(false);
  });
});

describe("objects", () => {
  it("survive a gc of the builder between the agent's answer and the candidate", async () => {
    const plan = project({ config: { ...quick, review: { enabled: false } } });
    await killAt(plan, "append 1 before candidate-started b");
    plan.git(["reflog", "expire", "--expire=now", "--all"]);
    plan.git(["gc", "--quiet", "--prune=now"]);
    await finish(plan);
    expectWhole(plan);
    expect(asked(plan)).toEqual(["develop a 1", "develop b 1", "holistic-review 1"]);
  });

  it("survive a gc while a run goes on", async () => {
    const gc = 'sh("git", "gc", "--quiet", "--prune=now");';
    const plan = await killInDispatch(
      { ...half, code: write + gc },
      { rules: [{ stage: "review", code: gc }] },
    );
    plan.git(["gc", "--quiet", "--prune=now"]);
    await finish(plan);
    expectWhole(plan);
    expect(isKept(plan, "half.txt", "half done")).toBe(true);
    execFileSync("git", ["fsck", "--full", "--strict"], { cwd: plan.checkout, stdio: "pipe" });
  });
});

describe("the branch", () => {
  /** A commit on `parent`, made without a worktree. */
  function makeCommit(plan: Project, parent: string): string {
    const blob = plan.git(["hash-object", "-w", "--stdin"], { input: "by hand\n" });
    const index = join(plan.folder, "index");
    const env = { GIT_INDEX_FILE: index };
    plan.git(["read-tree", parent], { env });
    plan.git(["update-index", "--add", "--cacheinfo", `100644,${blob},hand.txt`], { env });
    const tree = plan.git(["write-tree"], { env });
    return plan.git(["commit-tree", tree, "-p", parent, "-m", "By hand"]);
  }

  it("with a commit of the builder on top is taken as it is, and gates run on it once", async () => {
    const plan = await killInDispatch(half);
    const commit = makeCommit(plan, plan.branch);
    plan.git(["update-ref", `refs/heads/${plan.branch}`, commit]);
    const gatesBefore = eventsOf(plan, "gate-ended").length;
    await finish(plan);
    expect(plan.subjects()).toEqual(["Make a", "By hand", ...titles.slice(1)]);
    expect(plan.git(["show", `${plan.branch}:hand.txt`])).toBe("by hand");
    expect(plan.git(["show", `${plan.branch}:half.txt`])).toBe("half done");
    expect(eventsOf(plan, "foreign-commits-adopted")).toMatchObject([{ to: commit, count: 1 }]);
    const [first] = eventsOf(plan, "gate-ended").slice(gatesBefore);
    expect(first).toMatchObject({ taskId: null, commit });
  });

  it("that was rewound is refused and left alone; put back, the run goes on", async () => {
    const plan = await killInDispatch(half);
    const head = plan.git(["rev-parse", plan.branch]);
    plan.git(["update-ref", `refs/heads/${plan.branch}`, "main"]);
    const refused = await plan.run(["run", plan.slug]);
    expect(refused.exitCode).toBe(4);
    expect(refused.stdout + refused.stderr).toContain(plan.branch);
    expect(plan.git(["rev-parse", plan.branch])).toBe(plan.git(["rev-parse", "main"]));
    plan.git(["update-ref", `refs/heads/${plan.branch}`, head]);
    await finish(plan);
    expectWhole(plan);
  });

  it("that is gone, with the lanes, is refused: nothing is made from memory", async () => {
    const plan = await killInDispatch(half);
    const head = plan.git(["rev-parse", plan.branch]);
    rmSync(plan.worktrees, { recursive: true });
    plan.git(["update-ref", "-d", `refs/heads/${plan.branch}`]);
    const refused = await plan.run(["run", plan.slug]);
    expect(refused.exitCode).toBe(4);
    expect(refused.stdout + refused.stderr).toContain(plan.branch);
    expect(plan.git(["branch", "--list", plan.branch])).toBe("");
    plan.git(["update-ref", `refs/heads/${plan.branch}`, head]);
    await finish(plan);
    expectWhole(plan);
  });

  it("that the builder has switched to is refused, with the place", async () => {
    const plan = await killInDispatch(half);
    plan.git(["checkout", "--quiet", "--ignore-other-worktrees", plan.branch]);
    const refused = await plan.run(["run", plan.slug]);
    expect(refused.exitCode).toBe(4);
    expect(refused.stdout + refused.stderr).toContain(plan.checkout);
    plan.git(["checkout", "--quiet", "main"]);
    await finish(plan);
    expectWhole(plan);
  });
});

describe("the plan", () => {
  it("that was edited is refused with what changed, and taken by the builder's word", async () => {
    const plan = await killInDispatch(half);
    const journal = plan.read("execution.log.jsonl");
    const file = join(plan.checkout, plan.planFile);
    const text = readFileSync(file, "utf8").replace("Make the file b.txt", "Make the file b.txt, well");
    writeFileSync(file, text);
    const refused = await plan.run(["resume", plan.slug]);
    expect(refused.exitCode).toBe(2);
    expect(refused.stdout + refused.stderr).toMatch(/userStories\[1\] \(b\).*description/);
    expect(plan.read("execution.log.jsonl")).toBe(journal);
    const taken = await plan.run(["resume", plan.slug, "--accept-changes"]);
    expect(taken.exitCode, taken.stdout + taken.stderr).toBe(0);
    expect(plan.read("attempts/b/2/prompt.md")).toContain("Make the file b.txt, well");
    expect(plan.subjects()).toEqual(titles);
    expect(readdirSync(plan.runFolder).filter((name) => /^owner-|^lock$/.test(name))).toEqual([]);
  });
});
