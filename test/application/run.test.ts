import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rebuild, resume, run, status } from "../../src/library.ts";
import { projectFixture, task } from "../support/project-fixture.ts";

describe("a run in a real repository, through the library", () => {
  it("puts one reviewed commit per task on the branch and leaves the main checkout alone", async () => {
    const project = projectFixture();
    const before = { head: project.head(), status: project.git(["status", "--porcelain"]) };
    const kinds: string[] = [];
    const handle = run({ plan: project.slug, cwd: project.checkout });
    for await (const { entry } of handle) kinds.push(entry.event.kind);
    const ended = await handle.ended;
    expect(ended).toMatchObject({ kind: "stopped", state: { phase: { kind: "completed" } } });
    expect(kinds[0]).toBe("run-created");
    expect(kinds.at(-1)).toBe("run-completed");
    const subjects = project.git(["log", "--format=%s", "--reverse", "main..feature/plan-x"]).split("\n");
    expect(subjects).toEqual(["Make a", "Make b", "Remember what plan-x taught"]);
    expect(project.git(["show", "feature/plan-x:b.txt"])).toBe("b, attempt 1");
    expect(
      project.git(["log", "-1", "--format=%(trailers:key=PRD-Task,valueonly)", "feature/plan-x~1"]).trim(),
    ).toBe("b");
    expect({ head: project.head(), status: project.git(["status", "--porcelain"]) }).toEqual(before);
    expect(existsSync(join(project.runFolder, "receipts", "a.json"))).toBe(true);
    expect(
      project
        .git(["worktree", "list"])
        .split("\n")
        .some((line) => line.includes("feature/plan-x")),
    ).toBe(false);
  });

  it("says of a completed run that it is completed, changes nothing, and rebuilds the same bytes", async () => {
    const project = projectFixture();
    await run({ plan: project.slug, cwd: project.checkout }).ended;
    const names = [
      "prd.json",
      "status.json",
      "progress.md",
      "execution.log.json",
      "report.md",
      "receipts/a.json",
    ];
    const read = (): string[] => names.map((name) => readFileSync(join(project.runFolder, name), "utf8"));
    const before = read();
    const journal = readFileSync(join(project.runFolder, "execution.log.jsonl"), "utf8");
    const again = await resume({ slug: project.slug, cwd: project.checkout }).ended;
    expect(again.kind).toBe("already completed");
    expect(readFileSync(join(project.runFolder, "execution.log.jsonl"), "utf8")).toBe(journal);
    const rebuilt = await rebuild({ slug: project.slug, cwd: project.checkout });
    expect(rebuilt).toMatchObject({ ok: true, value: { progressMovedTo: null } });
    expect(read()).toEqual(before);
  });

  it("keeps to the selected tasks when it is resumed, until nothing of them is left", async () => {
    const project = projectFixture({ config: { precheck: "off" } });
    const at = { cwd: project.checkout, slug: project.slug };
    const handle = run({ plan: project.slug, cwd: project.checkout, flags: { only: ["a"] } });
    for await (const { entry } of handle) if (entry.event.kind === "dispatch-started") handle.stop("a test");
    const phase = { kind: "paused", failure: { reason: "nothing-selected" } };
    expect(await resume(at).ended).toMatchObject({ kind: "stopped", state: { phase } });
    expect(existsSync(join(project.runFolder, "receipts", "b.json"))).toBe(false);
    expect(await resume(at).ended).toMatchObject({ state: { phase: { kind: "completed" } } });
  });

  it("is completed where a link stands in the memory's place, and says that nothing was written", async () => {
    const project = projectFixture({ config: { precheck: "off" } });
    symlinkSync(project.folder, join(project.checkout, "memory"));
    project.commit({}, "a link");
    await run({ plan: project.slug, cwd: project.checkout }).ended;
    const report = readFileSync(join(project.runFolder, "report.md"), "utf8");
    expect(report).toMatch(/^# plan-x: completed/);
    expect(report).toMatch(/^- Memory: not written: .*symbolic link/m);
  });

  it("sends back what a gate refuses, and blocks with exit 4 when attempts are used up", async () => {
    const project = projectFixture({
      prd: {
        name: "plan-x",
        goal: "g",
        userStories: [task("a"), task("b", { dependsOn: ["a"] }), task("c")],
      },
      config: { maxAttempts: 2, precheck: "off", recon: "off", preMortem: "off" },
      rules: [
        { stage: "develop", taskId: "a", write: { "bad.txt": "x" } },
        { stage: "develop", taskId: "a", attempt: 2, write: { "bad.txt": "y" } },
      ],
    });
    const ended = await run({ plan: project.slug, cwd: project.checkout }).ended;
    expect(ended).toMatchObject({ kind: "stopped", state: { phase: { kind: "blocked" } } });
    const found = await status({ slug: project.slug, cwd: project.checkout });
    expect(found).toMatchObject({ ok: true, value: { owner: "none", document: { status: "blocked" } } });
  });
});
