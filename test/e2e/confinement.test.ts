// What changes beside the lanes while an agent is at work: asked about when it may be the builder's, never undone.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import { type Project, plain, project, quick, untilLetGo } from "./support/e2e-project.ts";
import { until } from "./support/program.ts";

const light = { ...quick, review: { enabled: false }, memory: { enabled: false } };

function outcomes(plan: Project): string[] {
  return plan
    .events()
    .filter(({ kind }) => kind === "attempt-ended")
    .map((event) => JSON.stringify(event["outcome"]));
}

function questions(plan: Project): string[] {
  return plan
    .events()
    .filter(({ kind }) => kind === "question-asked")
    .map((event) => (event["question"] as { id: string }).id); // every question has one
}

function firstTry(code: (checkout: string) => string, prd = plain(task("a"))): Project {
  const plan = project({ prd, config: light });
  plan.setRules([{ stage: "develop", attempt: 1, code: code(plan.checkout) }]);
  return plan;
}

describe("an agent that edits the main checkout by absolute path", () => {
  const edit = (checkout: string): string =>
    `fs.writeFileSync("${checkout}/README.md", "agent\\n"); fs.writeFileSync("${checkout}/stray.txt", "s");`;

  it("has its work kept and its task held with one question; mine goes on with the same work", async () => {
    const plan = firstTry(edit, plain(task("a"), task("b")));
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(4);
    expect(plan.status()).toMatchObject({
      status: "blocked",
      reason: expect.stringContaining("README.md (changed), stray.txt (added)"),
      question: { id: "checkout:a:1", options: [{ id: "mine" }, { id: "reject" }] },
    });
    expect(ended.stdout).toContain(`execute-prd answer ${plan.slug} checkout:a:1 mine`);
    expect(plan.subjects()).toEqual(["Make b"]);
    expect(readFileSync(join(plan.checkout, "README.md"), "utf8")).toBe("agent\n");

    const wrong = await plan.run(["answer", plan.slug, "perhaps"]);
    expect(wrong.exitCode).toBe(2);
    expect((await plan.run(["answer", plan.slug, "mine"])).exitCode).toBe(0);
    const resumed = await plan.run(["resume", plan.slug]);
    expect(resumed.exitCode, resumed.stdout + resumed.stderr).toBe(0);
    expect(plan.task("a")).toMatchObject({ status: "complete", attemptCount: 1 });
    expect(plan.events().filter(({ stage, taskId }) => stage === "develop" && taskId === "a")).toHaveLength(
      2,
    );
    expect(existsSync(join(plan.checkout, "stray.txt"))).toBe(true);
  });

  it("has the attempt rejected when the builder says so; the next one starts at the base", async () => {
    const plan = firstTry(edit);
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(4);
    expect((await plan.run(["answer", plan.slug, "reject"])).exitCode).toBe(0);
    const resumed = await plan.run(["resume", plan.slug]);
    expect(resumed.exitCode, resumed.stdout + resumed.stderr).toBe(0);
    expect(plan.task("a")).toMatchObject({ status: "complete", attemptCount: 2 });
    expect(outcomes(plan)[0]).toContain("checkout-changed");
    expect(plan.read("progress.md")).toContain("**Status**: sent back");
    expect(plan.read("attempts/a/2/prompt.md")).toContain("README.md (changed)");
    expect(questions(plan)).toEqual(["checkout:a:1"]);
    expect(readFileSync(join(plan.checkout, "README.md"), "utf8")).toBe("agent\n");
  });
});

describe("an agent that, in the main checkout,", () => {
  it("commits to main fails the attempt by that name; the commit is left for the builder", async () => {
    const plan = firstTry(
      (checkout) =>
        `fs.writeFileSync("${checkout}/README.md", "agent\\n"); sh("git", "-C", "${checkout}", "commit", "-qam", "mine");`,
    );
    const before = plan.head("main");
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
    const after = plan.head("main");
    expect(after).not.toBe(before);
    const [first] = outcomes(plan);
    expect(first).toContain("metadata-changed");
    expect(first).toContain(`HEAD of the main checkout was moved from ${before} to ${after}`);
    expect(plan.task("a")).toMatchObject({ status: "complete", attemptCount: 2 });
    expect(plan.git(["rev-parse", `${plan.branch}^`])).toBe(before);
    expect(questions(plan)).toEqual([]);
  });

  it("stashes the builder's changes fails the attempt, and they can be popped again", async () => {
    const plan = firstTry((checkout) => `sh("git", "-C", "${checkout}", "stash", "-q");`);
    plan.write({ "README.md": "builder\n" });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
    expect(outcomes(plan)[0]).toContain("the builder's changes were stashed");
    plan.git(["stash", "pop", "-q"]);
    expect(readFileSync(join(plan.checkout, "README.md"), "utf8")).toBe("builder\n");
  });
});

it("an agent that deletes a branch and a tag is asked about, and their commits are kept", async () => {
  const plan = firstTry(
    () => 'sh("git", "update-ref", "-d", "refs/heads/other"); sh("git", "update-ref", "-d", "refs/tags/v1");',
  );
  plan.git(["branch", "other"]);
  plan.git(["tag", "v1"]);
  const ended = await plan.run(["run", plan.slug]);
  expect(ended.exitCode, ended.stdout + ended.stderr).toBe(4);
  expect(plan.status()["reason"]).toMatch(/"refs\/heads\/other" .* was deleted; its commit is kept as/);
  const kept = plan.git(["for-each-ref", "--format=%(objectname)", "refs/execute-prd/*/a/1/lost-*"]);
  expect(kept.split("\n")).toEqual([plan.head("main"), plan.head("main")]);
});

it("an agent that adds a worktree fails the attempt; git forgets the worktree, its files stay", async () => {
  const plan = firstTry((checkout) => `sh("git", "worktree", "add", "-q", "--detach", "${checkout}-added");`);
  const ended = await plan.run(["run", plan.slug]);
  expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
  expect(outcomes(plan)[0]).toContain("a worktree was added in");
  expect(plan.git(["worktree", "list"])).not.toContain("-added");
  expect(existsSync(`${plan.checkout}-added/README.md`)).toBe(true);
});

it("an agent that switches its lane to a branch of the builder fails the attempt; the branch is not moved", async () => {
  const plan = firstTry(
    () =>
      'sh("git", "switch", "-q", "other"); fs.writeFileSync("x.txt", "x"); sh("git", "add", "-A"); sh("git", "commit", "-qm", "x");',
  );
  plan.git(["branch", "other"]);
  const ended = await plan.run(["run", plan.slug]);
  expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
  expect(outcomes(plan)[0]).toContain(`the lane was switched to \\"refs/heads/other\\"`);
  expect(plan.head("other")).toBe(plan.head("main"));
  expect(plan.git(["diff", "--name-only", "main", plan.branch])).toBe("a.txt");
});

it("a gate that edits the main checkout and adds a hook is asked about; the hook is taken out", async () => {
  const plan = project({ prd: plain(task("a")), config: light });
  const hook = join(plan.commonDir, "hooks", "post-checkout");
  const reach = `import fs from "node:fs"; fs.writeFileSync("${plan.checkout}/stray.txt", "s"); fs.writeFileSync("${hook}", "#!/bin/sh\\n");`;
  plan.setRules([{ stage: "develop", write: { "check.mjs": reach } }]);
  const ended = await plan.run(["run", plan.slug]);
  expect(ended.exitCode, ended.stdout + ended.stderr).toBe(4);
  expect(plan.status()["reason"]).toContain("stray.txt (added)");
  expect(existsSync(hook)).toBe(false);
  expect(ended.stdout).toMatch(/around gate tests of a: "hooks\/post-checkout" was added and put back/);
});

it("a builder who works beside the run is asked once; from then on it is noted", async () => {
  const plan = project({ prd: plain(task("a"), task("b"), task("c")), config: light });
  plan.setRules([{ stage: "develop", code: untilLetGo }]);
  const live = plan.start(["run", plan.slug]);
  await until("the agent works", () => plan.isUp());
  plan.write({ "README.md": "builder\n" });
  plan.git(["commit", "-qam", "builder's"]);
  plan.write({ "note.md": "for later\n" });
  plan.letGo();
  await plan.event(({ kind }) => kind === "question-asked", "the question");
  expect((await plan.run(["answer", plan.slug, "mine"])).exitCode).toBe(0);
  const ended = await live.ended;
  const again = ended.exitCode === 0 ? ended : await plan.run(["resume", plan.slug]);
  expect(again.exitCode, again.stdout + again.stderr).toBe(0);
  expect(questions(plan)).toHaveLength(1);
  const doubts = plan.events().filter(({ kind }) => kind === "checkout-doubted");
  expect(JSON.stringify(doubts[0])).toContain("note.md (added)");
  expect(plan.git(["log", "-1", "--format=%s", "main"])).toBe("builder's");
  expect(plan.subjects()).toHaveLength(3);

  const more = project({ prd: plain(task("a"), task("b")), config: light });
  const notes = (name: string): string =>
    `fs.writeFileSync("${more.checkout}/${name}", env.EXECUTE_PRD_TASK_ID);`;
  more.setRules([{ stage: "develop", code: notes("note.md") }]);
  expect((await more.run(["run", more.slug])).exitCode).toBe(4);
  expect(questions(more)).toEqual(["checkout:a:1"]);
  expect((await more.run(["answer", more.slug, "mine"])).exitCode).toBe(0);
  writeFileSync(join(more.checkout, "between.md"), "nobody's question\n");
  expect((await more.run(["resume", more.slug])).exitCode).toBe(0);
  expect(questions(more)).toEqual(["checkout:a:1"]);
});
