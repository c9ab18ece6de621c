import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { clean, resume, run } from "../../src/library.ts";
import { type Project, projectFixture, task } from "../support/project-fixture.ts";

const off = { precheck: "off", recon: "off", preMortem: "off" };

function runRefs(project: Project): string[] {
  return project
    .git(["for-each-ref", "--format=%(refname)", "refs/execute-prd/"])
    .split("\n")
    .filter(Boolean);
}

function treesFolder(project: Project): string {
  return join(project.folder, "project.worktrees");
}

async function runOnce(project: Project) {
  return run({ plan: project.slug, cwd: project.checkout }).ended;
}

const reworked = [
  { stage: "develop", taskId: "a", attempt: 1, write: { "bad.txt": "x" } },
  { stage: "develop", taskId: "a", attempt: 2, write: { "a.txt": "good" }, delete: ["bad.txt"] },
];

describe("cleaning a completed run", () => {
  it("removes lanes and refs, and keeps superseded attempts in a bundle that gives them back", async () => {
    const project = projectFixture({ config: off, rules: reworked });
    expect(await runOnce(project)).toMatchObject({ state: { phase: { kind: "completed" } } });
    const rejected = runRefs(project).find((ref) => ref.endsWith("/a/1/candidate")) ?? "";
    const commit = project.head(rejected);
    const branch = project.head("feature/plan-x");
    const cleaned = await clean({ slug: project.slug, cwd: project.checkout });
    expect(cleaned).toMatchObject({ ok: true, value: { bundled: [rejected], kept: [] } });
    expect(runRefs(project)).toEqual([]);
    expect(readdirSync(treesFolder(project), { recursive: true })).toEqual([]);
    expect(project.git(["worktree", "list"]).split("\n")).toHaveLength(1);
    expect(project.head("feature/plan-x")).toBe(branch);
    project.git(["fetch", "--quiet", join(project.runFolder, "attempts.bundle"), `${rejected}:refs/back/a`]);
    expect(project.head("refs/back/a")).toBe(commit);
  });

  it("takes a squash merge for what it is after the branch is gone", async () => {
    const project = projectFixture({ config: off });
    await runOnce(project);
    project.git(["merge", "--squash", "--quiet", "feature/plan-x"]);
    project.git(["commit", "--quiet", "-m", "squashed"]);
    project.git(["branch", "-D", "feature/plan-x"]);
    const cleaned = await clean({ slug: project.slug, cwd: project.checkout });
    expect(cleaned).toMatchObject({ ok: true, value: { bundle: null, kept: [] } });
    expect(runRefs(project)).toEqual([]);
  });

  it("bundles what was integrated when nothing holds it any more", async () => {
    const project = projectFixture({ config: off });
    await runOnce(project);
    const tip = project.head("feature/plan-x~1");
    project.git(["branch", "-D", "feature/plan-x"]);
    await clean({ slug: project.slug, cwd: project.checkout });
    project.git([
      "fetch",
      "--quiet",
      join(project.runFolder, "attempts.bundle"),
      "+refs/execute-prd/*:refs/back/*",
    ]);
    expect(project.git(["for-each-ref", "--format=%(objectname)", "refs/back/"]).split("\n")).toContain(tip);
  });

  it("keeps what the builder left in a lane's work tree", async () => {
    const project = projectFixture({ config: off });
    await runOnce(project);
    const [name = ""] = readdirSync(treesFolder(project));
    writeFileSync(join(treesFolder(project), name, "lane-1", "work", "mine.txt"), "not yet kept");
    const cleaned = await clean({ slug: project.slug, cwd: project.checkout });
    expect(cleaned).toMatchObject({
      ok: true,
      value: { bundled: [expect.stringContaining("/lane-1/salvage-1")] },
    });
    project.git([
      "fetch",
      "--quiet",
      join(project.runFolder, "attempts.bundle"),
      "+refs/execute-prd/*:refs/back/*",
    ]);
    const refs = project.git(["for-each-ref", "--format=%(refname)", "refs/back/"]).split("\n");
    expect(project.git(["show", `${refs[0]}:mine.txt`])).toBe("not yet kept");
  });
});

describe("cleaning a run that has not completed", () => {
  it("keeps and names what is in no branch, and the run still resumes", async () => {
    const project = projectFixture({
      prd: { name: "plan-x", goal: "g", userStories: [task("a")] },
      config: { ...off, maxAttempts: 1 },
      rules: reworked,
    });
    expect(await runOnce(project)).toMatchObject({ state: { phase: { kind: "blocked" } } });
    const cleaned = await clean({ slug: project.slug, cwd: project.checkout });
    expect(cleaned).toMatchObject({
      ok: true,
      value: { kept: [{ what: expect.stringContaining("/a/1/candidate") }] },
    });
    expect(existsSync(join(project.runFolder, "attempts.bundle"))).toBe(false);
    const done = await resume({ slug: project.slug, cwd: project.checkout, attempts: 1 }).ended;
    expect(done).toMatchObject({ state: { phase: { kind: "completed" } } });
  });
});
