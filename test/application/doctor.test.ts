import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { diagnose, run } from "../../src/library.ts";
import { encodeEntry, encodeHeader, hashLine } from "../../src/schema/journal.ts";
import { type Project, projectFixture } from "../support/project-fixture.ts";

async function problemsOf(project: Project): Promise<Record<string, string>> {
  const { checks } = await diagnose({ cwd: project.checkout });
  return Object.fromEntries(
    checks
      .filter(({ state }) => state === "problem")
      .map(({ name, detail, fix }) => [name, `${detail} -> ${fix}`]),
  );
}

describe("doctor", () => {
  it("finds nothing wrong with a project and a completed run", async () => {
    const project = projectFixture();
    await run({ plan: project.slug, cwd: project.checkout }).ended;
    expect(await problemsOf(project)).toEqual({});
  });

  it("names lanes and refs that no journal answers for, and does not call them safe to delete", async () => {
    const project = projectFixture();
    await run({ plan: project.slug, cwd: project.checkout }).ended;
    renameSync(project.runFolder, join(project.folder, "elsewhere"));
    const problems = await problemsOf(project);
    expect(Object.keys(problems).sort()).toEqual(["orphan lanes", "unproven refs"]);
    expect(problems["unproven refs"]).toContain("may be the only copy");
    const trees = join(project.folder, "project.worktrees");
    rmSync(join(trees, readdirSync(trees)[0] ?? ""), { recursive: true });
    expect(Object.keys(await problemsOf(project))).toEqual(["unproven refs"]);
  });

  it("names a damaged journal, and does not call the lanes and refs of its run nobody's", async () => {
    const project = projectFixture();
    await run({ plan: project.slug, cwd: project.checkout }).ended;
    const file = join(project.runFolder, "execution.log.jsonl");
    const text = readFileSync(file, "utf8");
    for (const damage of [text.replace('"run-created"', '"run-kreated"'), text.replace(/"/, "'")]) {
      writeFileSync(file, damage);
      const problems = await problemsOf(project);
      expect(Object.keys(problems)).toEqual([`run ${project.slug}`]);
      expect(problems[`run ${project.slug}`]).toContain("Put back a copy");
    }
  });

  it("names a journal whose events cannot follow one another", async () => {
    const project = projectFixture();
    const header = encodeHeader({ runId: "20260101T000000Z-abcdef" as never, slug: "odd" as never });
    const entry = { seq: 1, atMs: 0, session: "s", event: { kind: "run-completed" } } as const;
    const line = encodeEntry({ entry, prev: hashLine(header) });
    const folder = join(project.checkout, "dev", "executions", "odd");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "execution.log.jsonl"), `${header}${line}`);
    expect((await problemsOf(project))["run odd"]).toContain("a journal that folds");
  });

  it("names every agent whose program is missing, each by its own key", async () => {
    const project = projectFixture();
    for (const key of ["developer", "second"]) {
      const node = { backend: "command", command: ["node"] };
      const agents = { developer: node, reviewer: node, orchestrator: node };
      project.setConfig({
        agents: { ...agents, [key]: { backend: "command", command: ["no-such-program"] } },
      });
      expect((await problemsOf(project))["agents"]).toContain(`agents.${key}: expected a program`);
    }
  });

  it("names what the configuration lacks, with the nearest known key", async () => {
    const project = projectFixture();
    project.setConfig({ gatez: [] });
    expect((await problemsOf(project))["configuration"]).toContain("gates");
  });
});
