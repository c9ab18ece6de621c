// Faults of the machine under a live run, with the program as a process of its own: no room, no permission, no file
// handles, a stopped process, a clock that jumps, a tree that vanishes. The run stops with the reason or goes on, and
// the same command finishes it.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import { type Project, plain, project, quick, type Rule, untilLetGo } from "./support/e2e-project.ts";
import { type Ended, type Live, until } from "./support/program.ts";
import { canMount, makeRoom, mountSmall } from "./support/small-disk.ts";

const titles = ["Make a", "Make b", "Remember what plan-x taught"];
const both = plain(task("a"), task("b"));

async function finish(plan: Project): Promise<void> {
  const ended = await plan.run(["run", plan.slug]);
  expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
  expect(plan.subjects().toSorted()).toEqual(titles);
  expect(plan.status()).toMatchObject({ status: "completed", completedTasks: 2 });
  expect(plan.children()).toEqual([]);
}

/** Stopped by what the disk said: exit 3, the words on stderr, no child left. */
function expectRefusedByDisk(plan: Project, ended: Ended, code: string): void {
  expect(ended.exitCode, ended.stdout + ended.stderr).toBe(3);
  expect(ended.stderr).toContain(code);
  expect(plan.children()).toEqual([]);
}

describe("a disk without room (ENOSPC)", () => {
  if (!canMount) {
    it("cannot be made here: not run", () => expect(canMount).toBe(false));
    return;
  }

  it("ends an agent that works, with exit 3 and the reason; with room again the run is finished", async () => {
    const plan = project({ prd: both, config: { ...quick, concurrency: 2 } });
    const small = mountSmall("60m", join(plan.checkout, "dev", "executions")) ?? "";
    const fill = `while (!fs.existsSync(env.TEST_AGENT + ".up")) await sleep(10);
      const file = fs.openSync("${join(small, "fill")}", "w");
      try { for (;;) fs.writeSync(file, Buffer.alloc(4096)); } catch {}
      fs.closeSync(file);`;
    plan.setRules([
      { stage: "develop", taskId: "a", code: untilLetGo },
      { stage: "develop", taskId: "b", code: fill },
    ]);
    const ended = await plan.run(["run", plan.slug]);
    expectRefusedByDisk(plan, ended, "ENOSPC");
    rmSync(join(small, "fill"));
    plan.setRules([]);
    await finish(plan);
  });

  it("under the worktrees refuses start and resume with exit 3; a small disk with room is enough", async () => {
    const plan = project({ prd: both, config: quick });
    const small = mountSmall("8m", plan.worktrees) ?? "";
    const full = join(small, "fill");
    const fill = () => spawnSync("dd", ["if=/dev/zero", `of=${full}`, "bs=4096"]);
    fill();
    expectRefusedByDisk(plan, await plan.run(["run", plan.slug]), "at least 1 MiB free");
    rmSync(full);
    plan.setRules([{ stage: "develop", taskId: "a", code: untilLetGo }]);
    const live = plan.start(["run", plan.slug]);
    await until("the agent works", () => plan.isUp());
    expect((await plan.run(["pause", plan.slug, "--now"])).exitCode).toBe(0);
    expect((await live.ended).exitCode).toBe(3);
    fill();
    expectRefusedByDisk(plan, await plan.run(["resume", plan.slug]), "at least 1 MiB free");
    rmSync(full);
    plan.setRules([]);
    await finish(plan);
  });

  it.each<readonly [string, Partial<Rule>]>([
    ["fails for it", { exit: 1 }],
    ["says that it could do nothing", { write: {}, report: { summary: "the disk is full" } }],
  ])("under the worktrees, where an agent %s: the run pauses, no attempt is used up", async (_what, end) => {
    const plan = project({ prd: both, config: { ...quick, maxAttempts: 1 } });
    const small = mountSmall("8m", plan.worktrees) ?? "";
    const code = `try { for (;;) fs.appendFileSync("half.txt", "x".repeat(4096)); } catch {}`;
    plan.setRules([{ stage: "develop", taskId: "a", code, ...end }]);
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(3);
    expect(plan.status()).toMatchObject({ status: "paused", reason: expect.stringContaining("ENOSPC") });
    expect(plan.task("a")).toMatchObject({ attemptCount: 0 });
    makeRoom(small, "64m");
    plan.setRules([]);
    await finish(plan);
  });
});

// Root may write everywhere, unless it gives the right to do so away.
const asMortal = ["setpriv", "--inh-caps=-all", "--bounding-set=-all", "--"];
const isRoot = process.getuid?.() === 0;
const canBeMortal = !isRoot || spawnSync("setpriv", [...asMortal.slice(1), "true"]).status === 0;

describe("a run folder that may not be written any more (EACCES)", () => {
  if (!canBeMortal) {
    it("cannot be had here, where root cannot give up its rights: not run", () => expect(isRoot).toBe(true));
    return;
  }

  it("ends the agents, with exit 3 and the reason; with the permission back the run is finished", async () => {
    const through = isRoot ? asMortal : [];
    const plan = project({ prd: both, config: quick, rules: [{ stage: "develop", code: untilLetGo }] });
    const live = plan.start(["run", plan.slug], { through });
    await until("the agent works", () => plan.isUp());
    chmodSync(plan.runFolder, 0o555);
    plan.letGo();
    const ended = await live.ended;
    chmodSync(plan.runFolder, 0o755);
    expectRefusedByDisk(plan, ended, "EACCES");
    await finish(plan);
  });
});

/** Lowers the limit of the program that started it, once. */
const lowerOnce = (most: number): string => `const up = env.TEST_AGENT + ".up";
  if (!fs.existsSync(up)) {
    fs.writeFileSync(up, "");
    sh("prlimit", "--pid", String(process.ppid), "--nofile=${most}:${most}");
  }`;

describe("a machine that gives too few", () => {
  it.each([
    ["file handles from the beginning (EMFILE)", "ulimit -n 21"],
    ["bytes for a file (EFBIG)", "trap '' XFSZ; ulimit -f 24"],
  ])("%s: exit 3 with the reason, and the next start finishes the run", async (_what, limit) => {
    const plan = project({ prd: both, config: quick });
    const through = ["/bin/sh", "-c", `${limit}; exec "$@"`, "sh"];
    const ended = await plan.run(["run", plan.slug], { through });
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(3);
    expect(ended.stderr + ended.stdout).toMatch(/EMFILE|EFBIG/);
    expect(plan.children()).toEqual([]);
    await finish(plan);
  });

  const canLower = spawnSync("prlimit", ["--version"]).status === 0;
  if (!canLower) {
    it("file handles all at once cannot be played here, without prlimit: not run", () => {
      expect(canLower).toBe(false);
    });
    return;
  }

  it.each([16, 24])(
    "file handles all at once, %i of them (EMFILE): it stops with the reason, and is no bug",
    async (most) => {
      const rules = [{ stage: "develop", taskId: "a", code: lowerOnce(most) }];
      const plan = project({ config: { ...quick, review: { enabled: false } }, rules });
      const ended = await plan.run(["run", plan.slug]);
      expect([3, 4], ended.stdout + ended.stderr).toContain(ended.exitCode);
      expect(ended.stderr + ended.stdout).toContain("EMFILE");
      expect(plan.children()).toEqual([]);
      if (ended.exitCode === 4) await plan.run(["answer", plan.slug, "retry"]);
      await finish(plan);
    },
  );
});

async function working(plan: Project): Promise<Live> {
  plan.setRules([{ stage: "develop", code: untilLetGo }]);
  const live = plan.start(["run", plan.slug]);
  await until("the agent works", () => plan.isUp());
  return live;
}

describe("a program that is stopped (SIGSTOP)", () => {
  it("still owns the run: a second start is refused with exit 5; let on, it finishes", async () => {
    const plan = project({ prd: both, config: quick });
    const live = await working(plan);
    live.signal("SIGSTOP");
    const journal = plan.read("execution.log.jsonl");
    for (const command of ["run", "resume"]) {
      const second = await plan.run([command, plan.slug]);
      expect(second).toMatchObject({ exitCode: 5, stdout: "" });
      expect(second.stderr).toContain(String(live.pid));
    }
    expect(plan.read("execution.log.jsonl")).toBe(journal);
    plan.letGo();
    live.signal("SIGCONT");
    const ended = await live.ended;
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
    expect(plan.subjects()).toEqual(titles);
    expect(plan.events().filter(({ kind }) => kind === "ownership-taken")).toEqual([]);
  });

  it("and whose lock was removed meanwhile appends nothing more", async () => {
    const plan = project({ prd: both, config: quick });
    const live = await working(plan);
    live.signal("SIGSTOP");
    rmSync(join(plan.runFolder, "lock"), { recursive: true });
    for (const name of readdirSync(plan.runFolder)) {
      if (name.startsWith("owner-")) rmSync(join(plan.runFolder, name));
    }
    const journal = plan.read("execution.log.jsonl");
    live.signal("SIGCONT");
    plan.letGo();
    const ended = await live.ended;
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(3);
    expect(ended.stderr).toContain("its lock was removed");
    expect(plan.read("execution.log.jsonl")).toBe(journal);
    await finish(plan);
  });
});

describe("several starts at once", () => {
  it.each(["of a new run", "of a run whose program was killed"])("%s: exactly one has it", async (which) => {
    const plan = project({ prd: both, config: quick });
    if (which !== "of a new run") {
      const live = await working(plan);
      live.signal("SIGKILL");
      await live.ended;
    }
    plan.setRules([{ stage: "develop", code: untilLetGo }]);
    const all = Array.from({ length: 5 }, () => plan.start(["run", plan.slug]));
    let ended = 0;
    for (const { ended: end } of all)
      void end.then(() => {
        ended += 1;
      });
    await until("all but one are refused", () => ended >= 4, 30_000);
    plan.letGo();
    const codes = (await Promise.all(all.map((each) => each.ended))).map(({ exitCode }) => exitCode);
    expect(codes.toSorted()).toEqual([0, 5, 5, 5, 5]);
    expect(plan.subjects()).toEqual(titles);
    const starts = plan.events().filter(({ kind }) => kind === "session-started");
    expect(starts).toHaveLength(which === "of a new run" ? 1 : 2);
  });
});

describe("a clock that jumps", () => {
  it("an hour back and a day on changes no order, no time-out and no result", async () => {
    const plan = project({ prd: both });
    const shift = join(plan.folder, "shift");
    writeFileSync(shift, "0");
    const agents = (JSON.parse(plan.config()) as { agents: Record<string, object> }).agents; // what the fixture wrote
    const timed = Object.fromEntries(
      Object.entries(agents).map(([name, agent]) => [
        name,
        { ...agent, timeoutMs: 60_000, idleTimeoutMs: 60_000 },
      ]),
    );
    plan.setConfig({ ...quick, agents: timed, budget: { wallClockMs: 7 * 86_400_000 } });
    const jump = (toMs: number): string => `fs.writeFileSync("${shift}", "${toMs}"); await sleep(50);`;
    plan.setRules([
      { stage: "develop", taskId: "a", code: jump(-3_600_000) },
      { stage: "develop", taskId: "b", code: jump(86_400_000) },
      { stage: "review", taskId: "b", code: jump(0) },
    ]);
    const preload = new URL("./support/clock-jump.mjs", import.meta.url).href;
    const env = { NODE_OPTIONS: `--import=${preload}`, CLOCK_SHIFT: shift };
    const ended = await plan.run(["run", plan.slug], { env });
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
    expect(plan.subjects()).toEqual(titles);
    const lines = plan.read("execution.log.jsonl").trimEnd().split("\n").slice(1);
    const entries = lines.map((line) => JSON.parse(line) as { seq: number; at: string });
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_entry, index) => index + 1));
    const times = entries.map(({ at }) => Date.parse(at));
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(24 * 3_600_000); // it did jump
    const durations = plan
      .events()
      .flatMap((event) => (event["durationMs"] === undefined ? [] : [event["durationMs"]]));
    expect(durations.length).toBeGreaterThan(3);
    for (const each of durations) expect(each).toSatisfy((ms: number) => ms >= 0 && ms < 60_000);
    for (const name of ["progress.md", "report.md", "status.json"]) {
      expect(plan.read(name), name).not.toMatch(/(?:^|[\s:|])-\d+(?:\.\d+)? ?(?:ms|s|min|h)\b|Ms": -/m);
    }
    expect((await plan.run(["rebuild", plan.slug])).exitCode).toBe(0);
  });
});

describe("a lane that is removed while", () => {
  const remove = "fs.rmSync(process.cwd(), { recursive: true, force: true });";

  it("a developer works in it is made again, and the task gets done", async () => {
    const plan = project({
      prd: both,
      config: quick,
      rules: [{ stage: "develop", taskId: "a", attempt: 1, code: `${remove} process.exit(1);` }],
    });
    await finish(plan);
    expect(plan.task("a")).toMatchObject({ status: "complete" });
  });

  it("a reviewer looks is made again, and the same commit is reviewed", async () => {
    const plan = project({
      prd: both,
      config: quick,
      rules: [
        {
          stage: "review",
          taskId: "a",
          code: `if (!fs.existsSync(env.TEST_AGENT + ".up")) { fs.writeFileSync(env.TEST_AGENT + ".up", ""); ${remove} process.exit(1); }`,
        },
      ],
    });
    await finish(plan);
    expect(plan.task("a")).toMatchObject({ status: "complete", attemptCount: 1 });
  });
});

describe("lock files that a killed git left", () => {
  it("while the run goes on stop nothing: the index of main checkout and lane, and a ref", async () => {
    const plan = project({ prd: both, config: quick });
    const code = `const admin = sh("git", "rev-parse", "--absolute-git-dir").trim();
      const old = new Date(Date.now() - 60_000);
      for (const lock of [admin + "/index.lock", "${plan.commonDir}/index.lock", "${plan.commonDir}/refs/heads/${plan.branch}.lock"]) {
        fs.writeFileSync(lock, "");
        fs.utimesSync(lock, old, old);
      }`;
    plan.setRules([{ stage: "develop", taskId: "a", code }]);
    await finish(plan);
    expect(existsSync(join(plan.commonDir, "index.lock"))).toBe(true); // the builder's own: not ours to take away
    rmSync(join(plan.commonDir, "index.lock"));
  });
});
