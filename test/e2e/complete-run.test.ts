// A plan of nine tasks from beginning to end, by agents that are programs of their own: what the builder gets, and
// that nothing of the builder's was touched.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Project, project } from "./support/e2e-project.ts";
import { checkoutSnapshot, snapshot } from "./support/snapshot.ts";

const prd = JSON.parse(readFileSync(new URL("./fixtures/reading-list.json", import.meta.url), "utf8")) as {
  userStories: { id: string; title: string }[];
};
const ids = prd.userStories.map(({ id }) => id);
const derived = ["prd.json", "status.json", "progress.md", "execution.log.json", "report.md"];

describe("a plan of nine tasks", () => {
  it("is carried out to one commit a task, and stays as it was", async () => {
    const plan = project({ prd, config: { precheck: "off" } });
    const branch = "feature/reading-list";
    plan.write({ "notes.txt": "not committed\n", "README.md": "a project, changed here\n" });
    plan.git(["stash", "push", "--quiet", "README.md"]);
    plan.write({ "staged.txt": "staged\n" });
    plan.git(["add", "staged.txt"]);
    const before = checkoutSnapshot(plan.checkout, { branch });

    const live = plan.start(["run", plan.slug]);
    const grown = watchProgress(plan);
    const ended = await live.ended;
    const seen = await grown();

    expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
    expect(plan.status()).toMatchObject({ status: "completed", completedTasks: 9, totalTasks: 9 });
    expect(checkoutSnapshot(plan.checkout, { branch })).toEqual(before);
    expectCommits(plan, branch);
    expectStories(plan);
    expect(seen.isPrefixOfAll).toBe(true);
    expect(seen.count).toBeGreaterThan(5);
    await expectRepeatable(plan);
    expect(checkoutSnapshot(plan.checkout, { branch })).toEqual(before);
    expect(plan.git(["worktree", "list"])).not.toContain(branch);
    expect(plan.children()).toEqual([]);
  });
});

function expectCommits(plan: Project, branch: string): void {
  const { runId } = plan.status();
  const log = plan
    .git([
      "log",
      "--reverse",
      "--format=%s|%(trailers:key=PRD-Run,valueonly,separator=%x2C)|%(trailers:key=PRD-Task,valueonly,separator=%x2C)|%(trailers:key=PRD-Attempt,valueonly,separator=%x2C)",
      `main..${branch}`,
    ])
    .split("\n")
    .map((line) => line.split("|"));
  const taskCommits = log.slice(0, ids.length);
  expect(taskCommits.map(([, run]) => run)).toEqual(ids.map(() => runId));
  expect(taskCommits.map(([, , task]) => task).toSorted()).toEqual(ids);
  expect(taskCommits.map(([, , , attempt]) => attempt)).toEqual(ids.map(() => "1"));
  const titles = new Map(prd.userStories.map(({ id, title }) => [id, title]));
  expect(taskCommits.map(([subject]) => subject)).toEqual(taskCommits.map(([, , id = ""]) => titles.get(id)));
  expect(log.slice(ids.length).map(([subject]) => subject)).toEqual(["Remember what plan-x taught"]);
  expect(plan.git(["show", `${branch}:task-9.txt`])).toBe("task-9, attempt 1");
}

function expectStories(plan: Project): void {
  for (const id of ids) {
    expect(plan.task(id)).toMatchObject({ status: "complete", passes: true, attemptCount: 1 });
    const commit = String(plan.task(id)["commitSha"]);
    expect(plan.git(["log", "-1", "--format=%(trailers:key=PRD-Task,valueonly)", commit]).trim()).toBe(id);
    const receipt = JSON.parse(plan.read(`receipts/${id}.json`)) as { facts: { commit: string } };
    expect(receipt.facts.commit).toBe(commit);
    for (const name of ["prompt.md", "request.json", "report.json", "review.json", "transcript.jsonl"]) {
      expect(existsSync(join(plan.runFolder, "attempts", id, "1", name)), `${id}: ${name}`).toBe(true);
    }
  }
  expect(plan.prd()).toMatchObject({
    owner: "the reading room",
    metadata: { totalTasks: 9, completedTasks: 9, failedTasks: 0, source: "interview" },
  });
  expect(plan.task("task-1")).toMatchObject({ estimate: "small" });
}

/** `rebuild` gives the same bytes; `run` and `resume` of a completed run say so and change none. */
async function expectRepeatable(plan: Project): Promise<void> {
  const texts = derived.map(plan.read);
  const whole = snapshot(plan.runFolder);
  for (const command of ["resume", "run"]) {
    const again = await plan.run([command, plan.slug]);
    expect(again.exitCode).toBe(0);
    expect(again.stdout).toContain("is completed; nothing was changed");
    expect(snapshot(plan.runFolder)).toEqual(whole);
  }
  const rebuilt = await plan.run(["rebuild", plan.slug]);
  expect(rebuilt).toMatchObject({ exitCode: 0, stderr: "" });
  expect(derived.map(plan.read)).toEqual(texts);
  expect(snapshot(plan.runFolder)).toEqual(whole);
}

/** Reads progress.md again and again; every text must begin with the one before. */
function watchProgress(plan: Project): () => Promise<{ isPrefixOfAll: boolean; count: number }> {
  let last = "";
  let isPrefixOfAll = true;
  let count = 0;
  const look = (): void => {
    const now = plan.read("progress.md");
    if (now === last) return;
    if (!now.startsWith(last)) isPrefixOfAll = false;
    last = now;
    count += 1;
  };
  const timer = setInterval(look, 20);
  return async () => {
    clearInterval(timer);
    look();
    return { isPrefixOfAll, count };
  };
}
