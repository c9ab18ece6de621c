// Attempts used up, and what the builder can say then: answer, retry, skip, cancel, resume.
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import { type Project, plain, project, quick } from "./support/e2e-project.ts";

const once = { ...quick, maxAttempts: 1, review: { enabled: false } };
const red = { stage: "develop", taskId: "a", write: { "bad.txt": "x" } };

/** a is red at its only attempt, b and d wait behind it, c is free. */
async function blocked(): Promise<Project> {
  const plan = project({
    prd: plain(task("a"), task("b", { dependsOn: ["a"] }), task("c"), task("d", { dependsOn: ["b"] })),
    config: once,
    rules: [red],
  });
  const ended = await plan.run(["run", plan.slug]);
  expect(ended.exitCode).toBe(4);
  return plan;
}

describe("a task that used up its attempts", () => {
  it("blocks the run after everything else is done, with the first true reason everywhere", async () => {
    const plan = project({
      prd: plain(task("a"), task("b", { dependsOn: ["a"] }), task("c"), task("d", { dependsOn: ["b"] })),
      config: { ...once, maxAttempts: 2 },
      rules: [
        { ...red, attempt: 1 },
        { ...red, attempt: 2, exit: 3 },
      ],
    });

    const ended = await plan.run(["run", plan.slug]);

    expect(ended.exitCode).toBe(4);
    expect(plan.subjects()).toEqual(["Make c"]);
    const started = plan.events().filter(({ kind }) => kind === "dispatch-started");
    expect(started.map((event) => event["taskId"])).toEqual(["a", "a", "c"]);
    expect(plan.task("a")).toMatchObject({ status: "failed", attemptCount: 2 });
    for (const [id, first] of [
      ["b", "a"],
      ["d", "b"],
    ] as const) {
      expect(plan.task(id)).toMatchObject({ status: "pending", attemptCount: 0 });
      expect(plan.task(id)["notes"]).toContain(`waits for ${first}`);
    }
    expect(plan.task("d")["notes"]).toContain("behind a");
    const reason = /task a used up its 2 attempts.*exit code 3/;
    expect(plan.status()).toMatchObject({
      status: "blocked",
      reason: expect.stringMatching(reason),
      question: { id: "attempts:a:2", options: [{ id: "retry" }, { id: "skip" }] },
      currentTaskId: null,
    });
    expect(ended.stdout).toMatch(reason);
    expect(ended.stdout).toContain(`execute-prd answer ${plan.slug} attempts:a:2 retry`);
    expect(plan.read("report.md")).toMatch(reason);
    expect(plan.read("attempts/a/2/prompt.md")).toContain("bad.txt must go");
    const fatal = readdirSync(plan.runFolder).filter((name) => name.startsWith("fatal-"));
    expect(fatal).toHaveLength(1);
    expect(plan.read(fatal[0] ?? "")).toMatch(reason);
  });

  it("goes on with a retry, whose note leads the next prompt", async () => {
    const plan = await blocked();
    plan.setRules([]);
    const retried = await plan.run(["retry", plan.slug, "a", "--note", "Leave bad.txt out, please."]);
    expect(retried.exitCode).toBe(0);
    expect(plan.status()).toMatchObject({ status: "blocked" });
    const resumed = await plan.run(["resume", plan.slug]);
    expect(resumed.exitCode, resumed.stdout).toBe(4);
    expect(plan.task("a")).toMatchObject({ status: "failed", attemptCount: 2 }); // bad.txt is still in its tree
    expect(plan.read("attempts/a/2/prompt.md")).toContain("Leave bad.txt out, please.");
    expect(plan.read("attempts/a/2/request.json")).toContain("Leave bad.txt out, please.");
    plan.setRules([{ stage: "develop", taskId: "a", delete: ["bad.txt"] }]);
    expect((await plan.run(["answer", plan.slug, "take it away"])).exitCode).toBe(0);
    expect((await plan.run(["resume", plan.slug])).exitCode).toBe(0);
    expect(plan.read("attempts/a/3/prompt.md")).toContain("take it away");
    expect(plan.task("a")).toMatchObject({ status: "complete", attemptCount: 3 });
    expect(plan.subjects()).toEqual(["Make c", "Make a", "Make b", "Make d", "Remember what plan-x taught"]);
  });

  it("is left out by a skip, and what depends on it goes on", async () => {
    const plan = await blocked();
    const bare = await plan.run(["skip", plan.slug, "a"]);
    expect(bare).toMatchObject({ exitCode: 2, stdout: "" });
    expect(bare.stderr).toContain("--reason");
    expect((await plan.run(["skip", plan.slug, "a", "--reason", "not needed"])).exitCode).toBe(0);
    const resumed = await plan.run(["resume", plan.slug]);
    expect(resumed.exitCode, resumed.stdout).toBe(0);
    expect(plan.task("a")).toMatchObject({ status: "pending", passes: false });
    expect(plan.task("a")["notes"]).toContain("not needed");
    expect(plan.task("b")).toMatchObject({ status: "complete" });
    expect(plan.status()).toMatchObject({
      status: "completed",
      completedTasks: 3,
      totalTasks: 4,
      skipped: [{ taskId: "a", why: expect.stringContaining("not needed") }],
    });
    expect(plan.read("report.md")).toContain("not needed");
    expect(plan.read("progress.md")).toContain("**Status**: skipped");
  });

  it("ends with the run by a cancel: exit 1, nothing removed", async () => {
    const plan = await blocked();
    const cancelled = await plan.run(["cancel", plan.slug]);
    expect(cancelled.exitCode).toBe(0);
    expect(plan.status()).toMatchObject({ status: "failed", reason: expect.stringContaining("cancel") });
    expect(plan.subjects()).toEqual(["Make c"]);
    const fresh = await plan.run(["run", plan.slug, "--fresh"]);
    expect(fresh.exitCode, fresh.stderr).toBe(4);
    expect(plan.status()).toMatchObject({ worktree: { branch: `${plan.branch}-2` } });
    expect(readdirSync(`${plan.runFolder}/../.archive`)).toHaveLength(1);
  });

  it("gets more attempts for all with resume --attempts", async () => {
    const plan = await blocked();
    plan.setRules([{ stage: "develop", taskId: "a", delete: ["bad.txt"] }]);
    const resumed = await plan.run(["resume", plan.slug, "--attempts", "1"]);
    expect(resumed.exitCode, resumed.stdout).toBe(0);
    expect(plan.task("a")).toMatchObject({ status: "complete", attemptCount: 2 });
  });

  it("is not asked about again by a resume alone, which changes nothing but the record of itself", async () => {
    const plan = await blocked();
    const before = plan.events().length;
    const again = await plan.run(["resume", plan.slug]);
    expect(again.exitCode).toBe(4);
    expect(again.stdout).toContain("attempts:a:1");
    const added = plan.events().slice(before);
    expect(added.some(({ kind }) => kind === "dispatch-started")).toBe(false);
    expect(plan.status()).toMatchObject({ question: { id: "attempts:a:1" } });
  });
});

describe("a word that does not fit", () => {
  it("is refused with what would fit, exit 2, and nothing is recorded", async () => {
    const plan = await blocked();
    const journal = plan.read("execution.log.jsonl");
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [["answer", plan.slug, "attempts:z:1", "retry"], /attempts:a:1/],
      [["retry", plan.slug, "nobody"], /no task "nobody"/],
      [["retry", plan.slug, "c"], /c is complete/],
      [["skip", plan.slug, "c", "--reason", "x"], /already complete/],
      [["pause", plan.slug], /no program is working/],
      [["answer", plan.slug, "attempts:a:1", " "], /empty/],
      [["answer", "no-such-run", "x"], /slug of a run/],
      [["resume", "no-such-run"], /slug of a run/],
    ];
    for (const [args, words] of cases) {
      const ended = await plan.run(args);
      expect.soft(ended, args.join(" ")).toMatchObject({ exitCode: 2, stdout: "" });
      expect.soft(ended.stderr, args.join(" ")).toMatch(words);
    }
    expect(plan.read("execution.log.jsonl")).toBe(journal);
  });
});

describe("onTaskFailure: stop", () => {
  it("ends the run as failed at the first task given up, exit 1, and resume goes on", async () => {
    const plan = project({
      prd: plain(task("a"), task("b")),
      config: { ...once, onTaskFailure: "stop" },
      rules: [red],
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode).toBe(1);
    expect(plan.status()).toMatchObject({ status: "failed", reason: expect.stringContaining("task a") });
    expect(plan.task("b")).toMatchObject({ status: "pending" });
    expect((await plan.run(["skip", plan.slug, "a", "--reason", "enough"])).exitCode).toBe(0);
    const resumed = await plan.run(["resume", plan.slug]);
    expect(resumed.exitCode, resumed.stdout).toBe(0);
    expect(plan.task("b")).toMatchObject({ status: "complete" });
  });
});

describe("a developer's question", () => {
  it("blocks the run, and its answer is in the next prompt", async () => {
    const plan = project({
      prd: plain(task("a")),
      config: quick,
      rules: [
        {
          stage: "develop",
          attempt: 1,
          report: { summary: "half", question: { text: "Metres or feet?", options: ["metres", "feet"] } },
        },
      ],
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode).toBe(4);
    expect(plan.status()).toMatchObject({
      question: { text: "Metres or feet?", options: [{ id: "metres" }, { id: "feet" }] },
    });
    expect((await plan.run(["answer", plan.slug, "metres"])).exitCode).toBe(0);
    const resumed = await plan.run(["resume", plan.slug]);
    expect(resumed.exitCode, resumed.stdout).toBe(0);
    expect(plan.read("attempts/a/2/prompt.md")).toContain("metres");
  });
});
