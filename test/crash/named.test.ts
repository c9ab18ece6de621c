// Killed at instants that have a name: what is done again, what is not, and that nothing is lost or counted.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { plain, project, quick } from "../e2e/support/e2e-project.ts";
import { until } from "../e2e/support/program.ts";
import { scriptIn } from "../support/git-fixture.ts";
import { task } from "../support/project-fixture.ts";
import {
  asked,
  eventsOf,
  expectWhole,
  finish,
  killAt,
  killHanging,
  killInDispatch,
  runRefs,
  titles,
} from "./killed-run.ts";

vi.setConfig({ testTimeout: 60_000 });

const write = 'fs.writeFileSync("half.txt", "half done");';
const half = { stage: "develop", taskId: "b", code: write };
const whole = ["develop a 1", "review a 1", "develop b 1", "review b 1", "holistic-review 1"];

function temporaryFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".tmp"));
}

describe("killed while an agent works", () => {
  it("in develop: that attempt is made once more from what was there; nothing earlier is", async () => {
    const plan = await killInDispatch(half);
    await until("no agent is left", () => plan.children().length === 0, 5_000);
    const before = plan.git(["rev-parse", plan.branch]);
    await finish(plan);

    expectWhole(plan);
    expect(asked(plan)).toEqual(whole.toSpliced(3, 1, "develop b 2", "review b 2"));
    expect(plan.git(["rev-parse", `${plan.branch}~2`])).toBe(before);
    expect(plan.git(["show", `${plan.branch}:half.txt`])).toBe("half done");
    const salvage = runRefs(plan).find((ref) => ref.endsWith("/b/1/salvage-1")) ?? "";
    expect(plan.git(["show", `${salvage}:half.txt`])).toBe("half done");
    expect(plan.read("salvage/b-1-salvage-1.patch")).toContain("+half done");
    expect(plan.read("attempts/b/2/prompt.md")).toContain("was cut off before its end");
    expect(plan.status()).toMatchObject({ usage: { inputTokens: 20, outputTokens: 10 } });
    expect(plan.read("report.md")).toContain("| b | Make b | complete | 1 |");
  });

  it("in review: the same commit is reviewed again, not developed again", async () => {
    const plan = await killInDispatch({ stage: "review", taskId: "b" });
    await finish(plan);
    expectWhole(plan);
    expect(asked(plan)).toEqual(whole.toSpliced(4, 0, "review b 1"));
    expect(eventsOf(plan, "candidate-made")).toHaveLength(2);
  });

  it("in the holistic review: it is asked for again, and nothing else", async () => {
    const plan = await killInDispatch({ stage: "holistic-review" });
    await finish(plan);
    expectWhole(plan);
    expect(asked(plan)).toEqual([...whole, "holistic-review 2"]);
  });

  it("moves branches and stash entries of the agent out of the builder's sight", async () => {
    const plan = await killInDispatch({
      ...half,
      code: `${write}
        sh("git", "checkout", "--quiet", "-b", "agents-own");
        fs.writeFileSync("own.txt", "own");
        sh("git", "add", "own.txt");
        sh("git", "commit", "--quiet", "-m", "own");
        fs.writeFileSync("own.txt", "stashed");
        sh("git", "stash");`,
    });
    expect(plan.git(["branch", "--list"])).toContain("agents-own");
    await finish(plan);
    expectWhole(plan);
    expect(plan.git(["branch", "--list", "agents-own"])).toBe("");
    expect(plan.git(["stash", "list"])).toBe("");
    const kept = runRefs(plan).filter((ref) => ref.includes("/b/1/"));
    expect(kept.some((ref) => plan.git(["log", "--format=%s", ref]).includes("own"))).toBe(true);
  });

  it("with a gate that hangs and has children: they are gone, and the gate runs again, alone", async () => {
    const plan = project({
      config: { ...quick, review: { enabled: false } },
      rules: [{ stage: "develop", taskId: "a", write: { "a.txt": "a", "hang.txt": "x" } }],
    });
    const live = plan.start(["run", plan.slug]);
    await plan.event((event) => event.kind === "gate-started" && event["taskId"] === "a", "the gate runs");
    await until("its process is there", () => plan.children().length > 0);
    live.signal("SIGKILL");
    await live.ended;
    plan.letGo();
    await finish(plan);
    expectWhole(plan);
    expect(asked(plan)).toEqual(whole.filter((words) => !words.startsWith("review")));
    expect(eventsOf(plan, "gate-ended").filter((event) => event["taskId"] === "a")).toHaveLength(1);
  });
});

describe("killed between an effect and its record", () => {
  it("between review and integrate: integrated once, no agent asked", async () => {
    const plan = project();
    await killAt(plan, "append 1 before integration-started b");
    expect(plan.subjects()).toEqual(["Make a"]);
    await finish(plan);
    expectWhole(plan);
    expect(asked(plan)).toEqual(whole);
  });

  it("between gates and integrate, without a review: integrated once, no agent asked", async () => {
    const plan = project({ config: { ...quick, review: { enabled: false } } });
    await killAt(plan, "append 1 after gates-judged b");
    expect(plan.subjects()).toEqual(["Make a"]);
    await finish(plan);
    expectWhole(plan);
    expect(asked(plan)).toEqual(whole.filter((words) => !words.startsWith("review")));
    expect(eventsOf(plan, "gate-ended").filter((event) => event["taskId"] === "b")).toHaveLength(1);
  });

  it("between the move of the branch and its record, with a commit of the builder on top: both are kept", async () => {
    const plan = project();
    await killAt(plan, "append 1 before integration-ended b");
    const moved = plan.git(["rev-parse", plan.branch]);
    const mine = plan.git(["commit-tree", `${moved}^{tree}`, "-p", moved, "-m", "By hand"]);
    plan.git(["update-ref", `refs/heads/${plan.branch}`, mine]);
    await finish(plan);
    expect(plan.subjects()).toEqual(["Make a", "Make b", "By hand", "Remember what plan-x taught"]);
    expect(asked(plan)).toEqual(whole);
    expect(plan.task("b")).toMatchObject({ commitSha: moved, attemptCount: 1 });
    expect(eventsOf(plan, "foreign-commits-adopted")).toMatchObject([{ to: mine, count: 1 }]);
  });

  it("between the move of the branch and its record: the commit is recognised by its sha", async () => {
    const plan = project();
    await killAt(plan, "append 1 before integration-ended b");
    expect(plan.subjects()).toEqual(["Make a", "Make b"]);
    const moved = plan.git(["rev-parse", plan.branch]);
    await finish(plan);
    expectWhole(plan);
    expect(asked(plan)).toEqual(whole);
    expect(plan.git(["rev-parse", `${plan.branch}~1`])).toBe(moved);
    expect(plan.task("b")).toMatchObject({ commitSha: moved });
    expect(eventsOf(plan, "foreign-commits-adopted")).toEqual([]);
  });

  it("between candidate and its record: the same commit is made again", async () => {
    const plan = project();
    await killAt(plan, "append 1 before candidate-made b");
    const ref = runRefs(plan).find((each) => each.endsWith("/b/1/candidate")) ?? "";
    const made = plan.git(["rev-parse", ref]);
    await finish(plan);
    expectWhole(plan);
    expect(plan.git(["rev-parse", `${plan.branch}~1`])).toBe(made);
  });

  it("between the memory commit and its record: one memory commit, the same", async () => {
    const plan = project();
    await killAt(plan, "append 1 before memory-ended");
    expect(plan.subjects()).toEqual(titles);
    const moved = plan.git(["rev-parse", plan.branch]);
    await finish(plan);
    expectWhole(plan);
    expect(plan.git(["rev-parse", plan.branch])).toBe(moved);
  });

  it("before an attempt's lane is ready: work of another task is not taken for its own", async () => {
    const plan = project({
      prd: plain(task("a"), task("b")),
      config: { ...quick, maxAttempts: 1 },
      rules: [{ stage: "develop", taskId: "a", write: { "bad.txt": "of a" } }],
    });
    await killAt(plan, "append 1 after dispatch-started develop b");
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(4); // a used up its attempt
    expect(plan.subjects()).toEqual(["Make b"]);
    expect(plan.git(["ls-tree", "--name-only", plan.branch])).not.toContain("bad.txt");
    expect(plan.task("b")).toMatchObject({ status: "complete", attemptCount: 1 });
    expect(runRefs(plan).filter((ref) => ref.includes("/b/1/"))).toEqual([]);
  });

  it("while a git of its own works: the next start waits for it", async () => {
    const plan = project({ prd: plain(task("a")), config: quick });
    const release = join(plan.folder, "release");
    const reached = join(plan.folder, "reached");
    const real = plan.git(["--exec-path"]);
    // Holds on at the third change of refs: that of the branch, after those of branch and candidate.
    const tools = join(plan.folder, "tools");
    plan.write({ "tools/count": "" }, plan.folder);
    scriptIn(
      tools,
      "git",
      `#!/bin/sh
case "$*" in *"update-ref --stdin"*)
  echo x >> "${tools}/count"
  if [ "$(wc -l < "${tools}/count")" -eq 3 ]; then
    : > "${reached}"
    while [ ! -e "${release}" ]; do sleep 0.05; done
  fi ;;
esac
exec "${real}/git" "$@"
`,
    );
    const env = { PATH: `${tools}:${process.env["PATH"]}` };
    const live = plan.start(["run", plan.slug], { env });
    await until("git works on the branch", () => existsSync(reached));
    live.signal("SIGKILL");
    await live.ended;
    const sessions = eventsOf(plan, "session-started").length;
    const again = plan.start(["run", plan.slug], { env });
    await until("it owns the run", () => readdirSync(plan.runFolder).some((name) => name === "lock"));
    await new Promise((resolve) => setTimeout(resolve, 1_000)); // time enough to go wrong
    expect(eventsOf(plan, "session-started")).toHaveLength(sessions);
    writeFileSync(release, "");
    const ended = await again.ended;
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
    expect(plan.subjects()).toEqual(["Make a", "Remember what plan-x taught"]);
  });
});

describe("killed in the middle of a file", () => {
  it.each([
    ["the mark of its folder of worktrees", "file 1 after /..execute-prd."],
    ["the state of a lane", "file 1 after /.check.json."],
    ["the HEAD of a lane", "file 1 after /.HEAD."],
    ["a patch", "file 1 after /.candidate.patch."],
    ["a receipt", "file 1 after receipts/.a.json."],
    ["prd.json", "file 1 after /.prd.json."],
  ])("%s: it is made again, and no half of it stays", async (_what, point) => {
    const plan = project();
    await killAt(plan, point);
    expect(temporaryFiles(plan.folder)).not.toEqual([]);
    await finish(plan);
    expectWhole(plan);
    expect(temporaryFiles(plan.folder)).toEqual([]);
  });
});

describe("killed at the ends of a run", () => {
  it("in its first word: begins anew in the same folder, with nothing beside it", async () => {
    const plan = project();
    await killAt(plan, "append 1 mid run-created");
    await finish(plan);
    expectWhole(plan);
    expect(readdirSync(join(plan.runFolder, "..")).filter((name) => name !== plan.slug)).toEqual([]);
    expect(eventsOf(plan, "stage-ended").filter(({ stage }) => stage === "preflight")).toHaveLength(1);
  });

  it("after its first word: the run goes on, and has its preflight", async () => {
    const plan = project();
    await killAt(plan, "append 1 after run-created");
    await finish(plan);
    expectWhole(plan);
    expect(eventsOf(plan, "run-created")).toHaveLength(1);
    expect(eventsOf(plan, "stage-ended").filter(({ stage }) => stage === "preflight")).toHaveLength(1);
  });

  it("after its last word: the files are made, nothing is done, nothing is left locked", async () => {
    const plan = project();
    await killAt(plan, "append 1 after run-completed");
    expect(plan.status()).toMatchObject({ status: "running" });
    expect(existsSync(join(plan.runFolder, "report.md"))).toBe(false);
    await finish(plan);
    expectWhole(plan);
    expect(asked(plan)).toEqual(whole);
    expect(plan.read("report.md")).toContain("plan-x: completed");
    expect(readdirSync(plan.runFolder).filter((name) => /^owner-|^lock$/.test(name))).toEqual([]);
    expect(plan.git(["worktree", "list"])).not.toContain(plan.branch);
  });

  it("after it said that it is blocked: says so again, and asks no agent", async () => {
    const plan = project({
      config: { ...quick, maxAttempts: 1 },
      rules: [{ stage: "develop", taskId: "a", write: { "bad.txt": "x" } }],
    });
    await killAt(plan, "append 1 after run-blocked");
    const again = await plan.run(["run", plan.slug]);
    expect(again.exitCode).toBe(4);
    expect(again.stdout).toContain("attempts:a:1");
    expect(asked(plan)).toEqual(["develop a 1"]);
    expect(plan.status()).toMatchObject({ status: "blocked", question: { id: "attempts:a:1" } });
  });

  it("after it said that it failed: is no success the next time, and tries nothing without a grant", async () => {
    const plan = project({
      config: { ...quick, maxAttempts: 1, onTaskFailure: "stop" },
      rules: [{ stage: "develop", taskId: "a", write: { "bad.txt": "x" } }],
    });
    await killAt(plan, "append 1 after run-failed");
    expect((await plan.run(["resume", plan.slug])).exitCode).toBe(1);
    expect(asked(plan)).toEqual(["develop a 1"]);
    plan.setRules([{ stage: "develop", taskId: "a", write: { "a.txt": "a" }, delete: ["bad.txt"] }]);
    expect((await plan.run(["resume", plan.slug, "--attempts", "1"])).exitCode).toBe(0);
    expect(plan.task("a")).toMatchObject({ status: "complete", attemptCount: 2 });
  });
});

describe("what is counted", () => {
  it("is still counted after a crash: the last attempt that is left is the last", async () => {
    const plan = project({
      prd: plain(task("a")),
      config: { ...quick, maxAttempts: 2 },
      rules: [
        { stage: "develop", attempt: 1, write: { "bad.txt": "1" } },
        { stage: "develop", write: { "bad.txt": "more" } },
      ],
    });
    await killAt(plan, "append 1 before dispatch-started develop a 2");
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(4);
    expect(asked(plan)).toEqual(["develop a 1", "develop a 2"]);
    expect(plan.status()).toMatchObject({ reason: expect.stringMatching(/used up its 2 attempts/) });
  });

  it("is still counted after a crash: a review that says nothing is asked for twice, not more", async () => {
    const plan = project({
      prd: plain(task("a")),
      config: quick,
      rules: [{ stage: "review", raw: "no JSON" }],
    });
    await killAt(plan, "append 2 before dispatch-started review a");
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(4);
    expect(asked(plan)).toEqual(["develop a 1", "review a 1", "review a 1"]);
    expect(plan.task("a")).toMatchObject({ passes: false });
  });

  it("is not the death of the program: killed six times, three dispatches are enough", async () => {
    const plan = project({
      prd: plain(task("a")),
      config: { ...quick, maxAttempts: 1, budget: { maxDispatches: 3 } },
    });
    for (let times = 1; times <= 6; times += 1) await killHanging(plan, { stage: "develop" });
    await finish(plan);
    expect(asked(plan)).toHaveLength(9);
    expect(plan.task("a")).toMatchObject({ status: "complete", attemptCount: 1 });
    expect(plan.status()).toMatchObject({ usage: { inputTokens: 10 } });
  });

  it("ends by itself however often the program is killed, as long as it gets a little further", {
    timeout: 120_000,
  }, async () => {
    const plan = project();
    const env = {
      NODE_OPTIONS: `--import=${new URL("./kill-at.mjs", import.meta.url).href}`,
      CRASH_POINT: "append 8 before",
    };
    let deaths = 0;
    for (let ended = await plan.run(["run", plan.slug], { env }); ended.signal === "SIGKILL"; deaths += 1) {
      expect(deaths).toBeLessThan(40);
      ended = await plan.run(["run", plan.slug], { env });
    }
    expect(deaths).toBeGreaterThan(5);
    expectWhole(plan);
    const journal = readFileSync(join(plan.runFolder, "execution.log.jsonl"), "utf8");
    expect(journal).not.toContain("budget-dispatches");
  });
});
