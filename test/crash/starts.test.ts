// What a start finds: a journal with damage, a run that has ended, an owner that is dead, papers of earlier times.
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { type Project, plain, project, quick } from "../e2e/support/e2e-project.ts";
import { snapshot } from "../e2e/support/snapshot.ts";
import { task } from "../support/project-fixture.ts";
import {
  asked,
  eventsOf,
  expectWhole,
  finish,
  killAt,
  killHanging,
  killInDispatch,
  laneFolder,
  runRefs,
  titles,
} from "./killed-run.ts";

vi.setConfig({ testTimeout: 60_000 });

const journalName = "execution.log.jsonl";
const half = { stage: "develop", taskId: "b", code: 'fs.writeFileSync("half.txt", "half done");' };

function writeJournal(plan: Project, text: string): void {
  writeFileSync(join(plan.runFolder, journalName), text);
}

/** Every command that needs the journal is refused with the number of the line; the journal is as it was. */
async function expectJournalRefused(plan: Project, line: number): Promise<void> {
  const text = plan.read(journalName);
  for (const command of ["run", "resume", "rebuild", "log"]) {
    const refused = await plan.run([command, plan.slug]);
    expect(refused.exitCode, command).not.toBe(0);
    expect(refused.stdout + refused.stderr, command).toContain(`line ${line}`);
  }
  expect(plan.read(journalName)).toBe(text);
}

describe("a journal", () => {
  it("with a torn line at its end: it is cut off, kept and told, and the run goes on", async () => {
    const plan = await killInDispatch(half);
    const text = plan.read(journalName);
    const torn = '{"seq":99,"at":"2026-01-01T00:00:0';
    writeJournal(plan, text + torn);
    await finish(plan);
    expectWhole(plan);
    expect(eventsOf(plan, "journal-repaired")).toMatchObject([{ droppedBytes: torn.length }]);
    expect(plan.read(journalName).startsWith(text)).toBe(true);
    expect(plan.read("report.md")).toContain("torn last line");
  });

  it("with a corrupt middle line is refused with its number and left as it is; put back, the run goes on", async () => {
    const plan = await killInDispatch(half);
    const text = plan.read(journalName);
    const lines = text.split("\n");
    writeJournal(plan, lines.with(4, lines[4]?.replace('"seq":', '"sEq":') ?? "").join("\n"));
    await expectJournalRefused(plan, 5);
    writeJournal(plan, text);
    await finish(plan);
    expectWhole(plan);
  });

  it("of a wrong version is refused and left as it is", async () => {
    const plan = await killInDispatch(half);
    const text = plan.read(journalName);
    writeJournal(plan, text.replace(/"version":\d+/, '"version":999'));
    await expectJournalRefused(plan, 1);
    expect((await plan.run(["run", plan.slug])).stderr).toContain("999");
  });
});

describe("resume", () => {
  it("of a completed run says so with exit 0, asks no agent and changes no file", async () => {
    const plan = project();
    await finish(plan);
    const before = snapshot(plan.runFolder);
    const refs = plan.git(["for-each-ref"]);
    for (const command of ["resume", "run"]) {
      const again = await plan.run([command, plan.slug]);
      expect(again.exitCode).toBe(0);
      expect(again.stdout).toContain("completed");
    }
    expect(snapshot(plan.runFolder)).toEqual(before);
    expect(plan.git(["for-each-ref"])).toBe(refs);
  });

  it("of a failed run is no success, and tries the failed task only with a grant", async () => {
    const plan = project({
      config: { ...quick, maxAttempts: 1, onTaskFailure: "stop" },
      rules: [{ stage: "develop", taskId: "a", write: { "bad.txt": "x" } }],
    });
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(1);
    expect((await plan.run(["resume", plan.slug])).exitCode).toBe(1);
    expect(asked(plan)).toEqual(["develop a 1"]);
    plan.setRules([{ stage: "develop", taskId: "a", write: { "a.txt": "a" }, delete: ["bad.txt"] }]);
    expect((await plan.run(["resume", plan.slug, "--attempts", "1"])).exitCode).toBe(0);
    expect(plan.subjects()).toEqual(titles);
  });

  it("of a blocked run is blocked again with the same question, until it is answered", async () => {
    const plan = project({
      config: { ...quick, maxAttempts: 1 },
      rules: [{ stage: "develop", taskId: "a", attempt: 1, write: { "bad.txt": "x" } }],
    });
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(4);
    expect((await plan.run(["resume", plan.slug])).exitCode).toBe(4);
    expect(asked(plan)).toEqual(["develop a 1"]);
    plan.setRules([{ stage: "develop", taskId: "a", write: { "a.txt": "a" }, delete: ["bad.txt"] }]);
    expect((await plan.run(["answer", plan.slug, "retry"])).exitCode).toBe(0);
    await finish(plan);
    expect(plan.task("a")).toMatchObject({ status: "complete", attemptCount: 2 });
  });
});

describe("an owner", () => {
  it("that is dead is taken over, and the journal says from whom", async () => {
    const plan = await killInDispatch(half);
    const owner = ownerOf(plan);
    await finish(plan);
    expectWhole(plan);
    expect(eventsOf(plan, "ownership-taken")).toMatchObject([
      { from: expect.stringContaining(`pid ${owner.pid} `) },
    ]);
  });

  it("whose pid is that of another process now (reused pid) is taken over", async () => {
    const plan = await killInDispatch(half);
    const owner = ownerOf(plan);
    writeFileSync(owner.file, JSON.stringify({ ...owner.written, pid: process.pid }));
    await finish(plan);
    expectWhole(plan);
    expect(eventsOf(plan, "ownership-taken")).toHaveLength(1);
  });
});

function ownerOf(plan: Project): { file: string; pid: number; written: object } {
  const [name = ""] = plan.git(["-C", plan.runFolder, "ls-files", "--others", "owner-*"]).split("\n");
  const file = join(plan.runFolder, name);
  const written = JSON.parse(readFileSync(file, "utf8")) as { pid: number }; // the program's own file
  return { file, pid: written.pid, written };
}

describe("what lies around", () => {
  it("an old report file in every place an agent could mean is no answer", async () => {
    const plan = project({ prd: plain(task("a")), config: { ...quick, maxAttempts: 1 } });
    const report = JSON.stringify({ summary: "did it", reflection: "fine" });
    await killHanging(plan, {
      stage: "develop",
      code: `fs.writeFileSync(env.EXECUTE_PRD_REPORT, ${JSON.stringify(report)});`,
    });
    writeFileSync(join(plan.runFolder, "attempts", "a", "1", "report.json"), report);
    cpSync(join(plan.runFolder, "attempts", "a", "1"), join(plan.runFolder, "attempts", "a", "2"), {
      recursive: true,
    });
    plan.setRules([{ stage: "develop", report: null }]);
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(4);
    expect(plan.task("a")).toMatchObject({ passes: false });
    expect(plan.status()).toMatchObject({ reason: expect.stringMatching(/no report|report/) });
  });

  it("a dirty lane is kept as a ref and as a patch, and the next attempt begins with it", async () => {
    const plan = await killInDispatch(half);
    writeFileSync(join(laneFolder(plan), "work", "late.txt"), "after the end\n");
    await finish(plan);
    expectWhole(plan);
    const salvage = runRefs(plan).find((ref) => ref.endsWith("/b/1/salvage-1")) ?? "";
    expect(plan.git(["show", `${salvage}:late.txt`])).toBe("after the end");
    expect(plan.read("salvage/b-1-salvage-1.patch")).toContain("+after the end");
    expect(plan.git(["show", `${plan.branch}:half.txt`])).toBe("half done");
    expect(existsSync(join(plan.checkout, "late.txt"))).toBe(false);
  });
});

describe("metrics", () => {
  it("of a resumed run add to those before, and count nothing twice", async () => {
    const calm = project();
    await finish(calm);
    const plan = project();
    await killAt(plan, "append 1 before dispatch-started develop b");
    const first = plan.status()["usage"] as { inputTokens: number }; // written by the program
    expect(first.inputTokens).toBeGreaterThan(0);
    await killAt(plan, "append 1 after attempt-ended b");
    await finish(plan);
    expectWhole(plan);
    expect(plan.status()["usage"]).toEqual(calm.status()["usage"]);
    expect(plan.status()["counts"]).toEqual(calm.status()["counts"]);
  });
});
