// What a plan says about progress is a claim: believed where the base has the commit, told where it has not.
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { task } from "../support/project-fixture.ts";
import { type Json, type Project, plain, project, quick } from "./support/e2e-project.ts";

const collected = new URL("../../../shared/fixtures/prds/", import.meta.url);
const light = { ...quick, review: { enabled: false } };

function claimed(id: string, commitSha: string): object {
  return task(id, { status: "complete", passes: true, attemptCount: 2, commitSha });
}

describe("tasks that the plan calls complete", () => {
  it("are complete before the run when their commit is in the base, and done again otherwise", async () => {
    const plan = project({ config: light });
    plan.git(["checkout", "--quiet", "-b", "elsewhere"]);
    const elsewhere = plan.commit({ "elsewhere.txt": "x" });
    plan.git(["checkout", "--quiet", "main"]);
    const done = plan.commit({ "a.txt": "made by hand" });
    plan.setPrd(
      plain(
        claimed("a", done.slice(0, 9)),
        claimed("b", "0123456789"),
        claimed("c", elsewhere),
        task("d", { status: "failed", attemptCount: 3, dependsOn: ["a"] }),
      ),
    );

    const dry = JSON.parse((await plan.run(["plan", plan.slug, "--json"])).stdout) as Json;
    expect(dry).toMatchObject({ order: ["b", "c", "d"], waves: [["b", "c", "d"]] });
    expect(dry["estimate"]).toMatchObject({ dispatchesAtLeast: 4 });
    expect(String(dry["told"])).toContain("task a was complete before this run");

    const ended = await plan.run(["run", plan.slug]);

    expect(ended.exitCode).toBe(0);
    expect(plan.subjects()).toEqual(["Make b", "Make c", "Make d", "Remember what plan-x taught"]);
    expect(plan.task("a")).toMatchObject({
      status: "complete",
      notes: "complete before this run",
      commitSha: done,
    });
    expect(existsSync(`${plan.runFolder}/receipts/a.json`)).toBe(false);
    expect(plan.task("b")).toMatchObject({ status: "complete", attemptCount: 1 });
    expect(plan.task("d")).toMatchObject({ status: "complete", attemptCount: 1 });
    expect(plan.status()).toMatchObject({ counts: { complete: 4, completeBefore: 1 } });
    const told = String(plan.events()[0]?.["told"]);
    for (const id of ["b", "c", "d"]) expect(told).toContain(id);
  });

  it("are done again with --redo", async () => {
    const plan = project({ config: light });
    const done = plan.commit({ "old.txt": "made by hand" });
    plan.setPrd(plain(claimed("a", done), task("b")));
    const ended = await plan.run(["run", plan.slug, "--redo"]);
    expect(ended.exitCode).toBe(0);
    expect(plan.subjects()).toEqual(["Make a", "Make b", "Remember what plan-x taught"]);
    expect(plan.status()).toMatchObject({ counts: { completeBefore: 0 } });
  });
});

if (existsSync(collected)) {
  describe("a collected PRD", () => {
    it("half done goes on where its commits say, and from the start with --redo", {
      timeout: 60_000,
    }, async () => {
      const prd = readPrd("04-commitments-service.execution-midrun-4of8.json");
      for (const redo of [false, true]) {
        const plan = project({ config: light });
        plan.setPrd(withCommits(plan, prd));
        const ended = await plan.run(["run", plan.slug, ...(redo ? ["--redo"] : [])]);
        expect(ended.exitCode, ended.stderr).toBe(0);
        const branch = String(prd["branchName"]);
        expect(plan.git(["rev-list", "--count", `main..${branch}`])).toBe(redo ? "9" : "5");
        expect(plan.status()).toMatchObject({
          completedTasks: 8,
          counts: { completeBefore: redo ? 0 : 4 },
        });
      }
    });

    it("of nineteen tasks is carried out whole", async () => {
      const prd = readPrd("08-intelligence-improvements.json");
      const plan = project({ prd, config: quick });
      const ended = await plan.run(["run", plan.slug]);
      expect(ended.exitCode, ended.stderr).toBe(0);
      expect(plan.status()).toMatchObject({ status: "completed", completedTasks: 19, totalTasks: 19 });
      const branch = String(prd["branchName"]);
      const trailers = plan
        .git(["log", "--format=%(trailers:key=PRD-Task,valueonly,separator=%x2C)", `main..${branch}`])
        .split("\n")
        .filter((line) => line !== "");
      expect(new Set(trailers).size).toBe(19);
      expect(trailers).toHaveLength(19);
      expect((await plan.run(["resume", plan.slug])).exitCode).toBe(0);
    });
  });
} else {
  test("the collected PRDs are not here: skipped", () => {
    expect(existsSync(collected)).toBe(false);
  });
}

function readPrd(name: string): Json {
  return JSON.parse(readFileSync(new URL(name, collected), "utf8")) as Json; // the tests see what is in it
}

/** The same PRD with each commit it names replaced by one that this repository has. */
function withCommits(plan: Project, prd: Json): object {
  const tasks = prd["userStories"] as readonly Json[]; // the list of this PRD
  return {
    ...prd,
    userStories: tasks.map((each) =>
      each["commitSha"] === undefined || each["commitSha"] === ""
        ? each
        : { ...each, commitSha: plan.commit({ [`${String(each["id"])}.md`]: "done before" }) },
    ),
  };
}
