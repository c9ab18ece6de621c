// The program killed at any instant, and the same command again: the run is finished, nothing is done twice.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { createJournal } from "../../src/adapters/journal-file.ts";
import { acquireRunLock } from "../../src/adapters/run-lock.ts";
import type { RunId, Slug } from "../../src/core/ids.ts";
import { task } from "../support/project-fixture.ts";
import {
  type Event,
  type Project,
  plain,
  project,
  quick,
  type Rule,
  untilLetGo,
} from "./support/e2e-project.ts";
import { type Live, until } from "./support/program.ts";

interface Point {
  readonly name: string;
  readonly rule?: Rule;
  /** The event after which the program is killed. */
  readonly at: (event: Event) => boolean;
  /** A child must be at work before. */
  readonly child?: boolean;
}

const of =
  (kind: string, stage?: string) =>
  (event: Event): boolean =>
    event.kind === kind && event["taskId"] === "b" && (stage === undefined || event["stage"] === stage);

const points: readonly Point[] = [
  {
    name: "while the developer works",
    rule: { stage: "develop", taskId: "b", attempt: 1, write: { "half.txt": "half" }, hang: true },
    at: of("dispatch-started", "develop"),
    child: true,
  },
  {
    name: "while a gate runs",
    rule: { stage: "develop", taskId: "b", attempt: 1, write: { "hang.txt": "x" } },
    at: of("gate-started"),
    child: true,
  },
  {
    name: "while the reviewer looks",
    rule: { stage: "review", taskId: "b", code: untilLetGo },
    at: of("dispatch-started", "review"),
    child: true,
  },
  { name: "before the candidate", at: of("candidate-started") },
  { name: "after the candidate", at: of("candidate-made") },
  { name: "before the integration", at: of("gates-judged") },
  { name: "in the integration", at: of("integration-started") },
  { name: "after the task", at: of("attempt-ended") },
  { name: "in the memory commit", at: ({ kind }) => kind === "memory-started" },
];

const subjects = ["Make a", "Make b", "Make c", "Remember what plan-x taught"];

describe("killed with SIGKILL", () => {
  it.each(points)("$name, the same command finishes the run", async ({ rule, at, child }) => {
    const plan = project({ prd: plain(task("a"), task("b"), task("c")), config: quick });
    plan.setRules(rule === undefined ? [] : [rule]);
    const live = plan.start(["run", plan.slug]);
    await plan.event(at, "the point is reached");
    if (child) await until("a child is at work", () => plan.isUp() || findHalf(plan));
    live.signal("SIGKILL");
    expect((await live.ended).signal).toBe("SIGKILL");
    const before = plan.read("execution.log.jsonl");
    const whole = before.slice(0, before.lastIndexOf("\n") + 1);
    await until("no child is left", () => plan.children().length === 0, 5_000);
    const firstCommit = plan.task("a")["commitSha"];
    const status = await plan.run(["status", plan.slug]);
    expect(status.stdout).toContain("running (owner gone, resumable)");

    plan.letGo();
    const again = await plan.run(["run", plan.slug]);

    expect(again.exitCode, again.stdout + again.stderr).toBe(0);
    expect(plan.subjects()).toEqual(subjects);
    expect(plan.read("execution.log.jsonl").startsWith(whole)).toBe(true);
    expect(plan.task("a")["commitSha"]).toBe(firstCommit);
    for (const id of ["a", "b", "c"])
      expect(plan.task(id)).toMatchObject({ status: "complete", attemptCount: 1 });
    const developed = plan
      .events()
      .filter((event) => event.kind === "dispatch-started" && event["stage"] === "develop");
    const isCutOff = rule?.write?.["half.txt"] !== undefined;
    const wanted = isCutOff ? ["a", "b", "b"] : ["a", "b"];
    expect(developed.map((event) => event["taskId"]).filter((id) => id !== "c")).toEqual(wanted);
    if (isCutOff) expect(plan.git(["show", `${plan.branch}:half.txt`])).toBe("half");
    expect((await plan.run(["rebuild", plan.slug])).exitCode).toBe(0);
    expect(plan.subjects()).toEqual(subjects);
  });

  it("again and again, every few events, the run is finished all the same", async () => {
    const plan = project({
      prd: plain(task("a"), task("b"), task("c")),
      config: { ...quick, preMortem: "on" },
    });
    let exitCode: number | null = null;
    let kills = 0;
    for (let round = 0; exitCode === null && round < 40; round += 1) {
      const from = plan.events().length;
      const live = plan.start(["run", plan.slug]);
      const over = live.ended.then((ended) => ended);
      let isOver = false;
      void over.then(() => {
        isOver = true;
      });
      await until(
        "some events more, or the end",
        () => isOver || plan.events().length >= from + 3 + (round % 7),
      );
      live.signal("SIGKILL");
      exitCode = (await over).exitCode;
      kills += exitCode === null ? 1 : 0;
    }
    expect(exitCode).toBe(0);
    expect(kills).toBeGreaterThan(3);
    expect(plan.subjects()).toEqual(subjects);
    expect(plan.status()).toMatchObject({ status: "completed", completedTasks: 3 });
    for (const id of ["a", "b", "c"]) expect(plan.task(id)).toMatchObject({ attemptCount: 1 });
    const trees = plan.git(["worktree", "list", "--porcelain"]);
    expect(trees).not.toContain(plan.branch);
    expect(plan.children()).toEqual([]);
  });

  it("after its last event, the same command brings the files up to it", async () => {
    const plan = project({ prd: plain(task("a")), config: quick });
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(0);
    const [status, report, journal] = ["status.json", "report.md", "execution.log.jsonl"].map(plan.read);
    writeFileSync(join(plan.runFolder, "status.json"), status?.replace('"completed"', '"running"') ?? "");
    rmSync(join(plan.runFolder, "report.md"));
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(0);
    expect(["status.json", "report.md", "execution.log.jsonl"].map(plan.read)).toEqual([
      status,
      report,
      journal,
    ]);
  });

  it("with an agent that left its group, the next start ends it", async () => {
    const plan = project({ prd: plain(task("a")), config: quick });
    const mark = join(plan.folder, "mark");
    plan.setRules([
      {
        stage: "develop",
        attempt: 1,
        hang: true,
        mark,
        code: `const { spawn } = await import("node:child_process");
spawn(process.execPath, ["-e", "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" }).unref();`,
      },
    ]);
    const live = plan.start(["run", plan.slug]);
    await until("the agent works", () => existsSync(mark));
    await until("and its child", () => plan.children().length >= 2);
    live.signal("SIGKILL");
    await live.ended;
    const again = await plan.run(["run", plan.slug]);
    expect(again.exitCode, again.stdout).toBe(0);
    expect(plan.children()).toEqual([]);
  });
});

function findHalf(plan: Project): boolean {
  const trees = plan.git(["worktree", "list", "--porcelain"]).matchAll(/^worktree (.*)$/gm);
  return [...trees].some(([, path = ""]) => existsSync(join(path, "half.txt")));
}

/** A live run whose first developer waits to be let go. */
async function atWork(prd: object = {}): Promise<{ plan: Project; live: Live }> {
  const plan = project({
    prd: { ...plain(task("a")), ...prd },
    config: quick,
    rules: [{ stage: "develop", code: untilLetGo }],
  });
  const live = plan.start(["run", plan.slug]);
  await plan.event(({ kind }) => kind === "dispatch-started", "the agent works");
  return { plan, live };
}

describe("a second start", () => {
  it("while one is live is refused with exit 5 and the owner's pid, and changes nothing", async () => {
    const { plan, live } = await atWork();
    const journal = plan.read("execution.log.jsonl");
    for (const args of [
      ["run", plan.slug],
      ["resume", plan.slug],
      ["run", plan.slug, "--fresh"],
      ["rebuild", plan.slug],
    ]) {
      const second = await plan.run(args);
      expect.soft(second, args.join(" ")).toMatchObject({ exitCode: 5, stdout: "" });
      expect.soft(second.stderr, args.join(" ")).toContain(String(live.pid));
    }
    const json = await plan.run(["run", plan.slug, "--json"]);
    expect(json.exitCode).toBe(5);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      errors: [{ hint: expect.stringContaining(String(live.pid)) }],
    });
    expect(plan.read("execution.log.jsonl")).toBe(journal);
    plan.letGo();
    expect((await live.ended).exitCode).toBe(0);
  });

  it("while one has written no first event yet is refused with exit 5 as well", async () => {
    const plan = project({ prd: plain(task("a")), config: quick });
    mkdirSync(plan.runFolder, { recursive: true });
    const lock = await acquireRunLock({
      folder: plan.runFolder,
      token: "0123456789abcdef01",
      toolVersion: "0",
      about: "it",
    });
    if (!lock.ok) throw new Error(lock.failure.kind);
    const holder = join(plan.folder, "holder");
    plan.git(["worktree", "add", "--quiet", "-b", plan.branch, holder]);
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(5);
    plan.git(["worktree", "remove", holder]);
    const writer = { folder: plan.runFolder, session: lock.value.token, isOwner: () => true };
    const ids = { runId: "20260131T120000Z-3fa9c1" as RunId, slug: plan.slug as Slug }; // by their form they are
    const journal = createJournal({ ...writer, ...ids });
    for (const command of ["run", "resume"]) {
      const second = await plan.run([command, plan.slug]);
      expect(second).toMatchObject({ exitCode: 5, stdout: "" });
      expect(second.stderr).toContain(`pid ${process.pid}`);
    }
    if (journal.ok) journal.value.close();
    lock.value.release();
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(0);
  });

  it("is what log --follow says, instead of waiting for ever for a program that is gone", async () => {
    const { plan, live } = await atWork();
    const follow = plan.start(["log", plan.slug, "--follow"]);
    await until("it follows", () => follow.said().stdout.includes("develop"));
    live.signal("SIGKILL");
    await live.ended;
    const followed = await follow.ended;
    expect(followed.exitCode).toBe(0);
    expect(followed.stderr).toContain(`execute-prd resume ${plan.slug}`);
  });

  it("of another plan on the same branch is refused with exit 5 as well", async () => {
    const { plan, live } = await atWork({ branchName: "feature/shared" });
    const other = { name: "other", branchName: "feature/shared", goal: "g", userStories: [task("z")] };
    plan.write({ "dev/work/plans/other/prd.json": JSON.stringify(other) });
    const second = await plan.run(["run", "other"]);
    expect(second.exitCode).toBe(5);
    expect(second.stderr).toContain("feature/shared");
    expect(second.stderr).toContain(`owned by pid ${live.pid}`);
    expect(second.stderr).not.toContain("git switch");
    plan.letGo();
    expect((await live.ended).exitCode).toBe(0);
  });
});

describe("a repository that was moved after the program was killed", () => {
  it.each([
    ["alone", (plan: Project) => [plan.checkout]],
    ["with the run's trees", (plan: Project) => [plan.checkout, plan.worktrees]],
  ])(
    "%s: the run goes on with what was unfinished, and nothing is made at the old place",
    async (_what, of) => {
      const code = `fs.writeFileSync("half.txt", "half"); ${untilLetGo}`;
      const plan = project({ config: quick, rules: [{ stage: "develop", taskId: "a", attempt: 1, code }] });
      const live = plan.start(["run", plan.slug]);
      await until("the agent works", () => plan.isUp());
      live.signal("SIGKILL");
      await live.ended;
      await until("no child is left", () => plan.children().length === 0);
      const away = join(plan.folder, "away");
      mkdirSync(away);
      for (const each of of(plan)) renameSync(each, join(away, basename(each)));
      const cwd = join(away, basename(plan.checkout));
      const config = readFileSync(join(cwd, ".git", "config"), "utf8");
      const ended = await plan.run(["resume", plan.slug], { cwd });
      expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
      expect(plan.git(["show", `${plan.branch}:half.txt`], { cwd })).toBe("half");
      expect(readFileSync(join(cwd, ".git", "config"), "utf8")).toBe(config);
      expect(existsSync(plan.checkout)).toBe(false);
      const listed = plan.git(["worktree", "list", "--porcelain"], { cwd });
      const trees = listed.split("\n").filter((line) => line.startsWith("worktree "));
      expect(trees.filter((line) => !existsSync(line.slice("worktree ".length)))).toEqual([]);
      rmSync(away, { recursive: true, force: true });
    },
  );
});
