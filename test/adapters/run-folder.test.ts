import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  archiveRun,
  createRunFolder,
  listRuns,
  readStatus,
  runFolder,
  runsFolder,
} from "../../src/adapters/run-folder.ts";
import { acquireRunLock } from "../../src/adapters/run-lock.ts";
import type { RunId, Slug } from "../../src/core/ids.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const slug = "feature-x" as Slug; // by its form it is one
const runId = "20260131T120000Z-3fa9c1" as RunId; // by its form it is one
const never = async (): Promise<boolean> => false;

function isIgnoredBy(checkout: string): (name: string) => Promise<boolean> {
  return async (name) => spawnSync("git", ["check-ignore", "-q", name], { cwd: checkout }).status === 0;
}

function newRepository(): string {
  const checkout = temporaryFolder();
  execFileSync("git", ["init", "--quiet"], { cwd: checkout });
  return checkout;
}

function gitStatus(checkout: string): string {
  return execFileSync("git", ["status", "--porcelain", "-uall"], { cwd: checkout, encoding: "utf8" });
}

describe("making the folder of a run", () => {
  test("in a repository that does not ignore it, it ignores itself", async () => {
    const checkout = newRepository();
    const at = { checkout, slug, isIgnored: isIgnoredBy(checkout) };
    expect(await createRunFolder(at)).toEqual({ ok: true, value: runFolder(checkout, slug) });
    writeFileSync(join(runFolder(checkout, slug), "status.json"), "{}");
    expect(gitStatus(checkout)).toBe("");
    expect(await createRunFolder(at)).toMatchObject({ ok: true });
  });

  test("in a repository that ignores it, nothing is written into it", async () => {
    const checkout = newRepository();
    writeFileSync(join(checkout, ".gitignore"), "dev/executions/*\n");
    await createRunFolder({ checkout, slug, isIgnored: isIgnoredBy(checkout) });
    expect(readdirSync(runFolder(checkout, slug))).toEqual([]);
  });

  test("is refused where a link leads out of the checkout", async () => {
    const checkout = temporaryFolder();
    const outside = temporaryFolder();
    symlinkSync(outside, join(checkout, "dev"));
    expect(await createRunFolder({ checkout, slug, isIgnored: never })).toMatchObject({
      ok: false,
      failure: { reason: "storage-failed", code: "ENOTDIR" },
    });
    expect(readdirSync(outside)).toEqual([]);
  });
});

describe("finding runs", () => {
  test("a checkout without any has none", () => {
    expect(listRuns(temporaryFolder())).toEqual({ ok: true, value: [] });
  });

  test("all are found by slug, with what their status says and who owns them", async () => {
    const checkout = temporaryFolder();
    for (const name of ["b-run", "a-run", ".archive", "not a slug"]) {
      mkdirSync(join(runsFolder(checkout), name), { recursive: true });
    }
    writeFileSync(join(runsFolder(checkout), "README.md"), "");
    const folder = runFolder(checkout, "a-run" as Slug); // by its form it is one
    writeFileSync(join(folder, "status.json"), `{ "status": "paused", "completedTasks": 1 }`);
    writeFileSync(join(folder, "execution.log.jsonl"), "");
    const lock = await acquireRunLock({ folder, token: "t", toolVersion: "1.2.3", about: "a" });
    expect(lock.ok).toBe(true);
    const found = listRuns(checkout);
    expect(found).toMatchObject({
      value: [
        {
          slug: "a-run",
          status: { shown: { status: "paused", completedTasks: 1, totalTasks: null } },
          problem: null,
          hasJournal: true,
          ownership: { state: "live" },
        },
        {
          slug: "b-run",
          status: null,
          problem: "there is no status.json",
          hasJournal: false,
          ownership: { state: "none" },
        },
      ],
    });
    expect(found.ok && found.value).toHaveLength(2);
  });
});

describe("reading a status of any origin", () => {
  function statusOf(text: string): ReturnType<typeof readStatus> {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "status.json"), text);
    return readStatus(folder);
  }

  test("shows what is usable, and keeps the whole file", () => {
    const text = `{ "planSlug": "a", "status": "complete", "completedTasks": "5", "totalTasks": 5, "other": [1] }`;
    expect(statusOf(text)).toMatchObject({
      value: {
        shown: { planSlug: "a", status: "completed", completedTasks: null, totalTasks: 5, worktree: null },
        raw: { status: "complete", other: [1] },
      },
    });
  });

  test.each([
    ["", "it is not JSON"],
    ["[]", "it is not a JSON object"],
    ["null", "it is not a JSON object"],
  ])("%j: %s", (text, problem) => {
    expect(statusOf(text)).toEqual({ ok: false, failure: problem });
  });

  test("a pipe in its place blocks nothing", () => {
    const folder = temporaryFolder();
    spawnSync("mkfifo", [join(folder, "status.json")]);
    expect(readStatus(folder)).toEqual({ ok: false, failure: "status.json cannot be read (EFTYPE)" });
  });

  const fixtures = fileURLToPath(new URL("../../../shared/fixtures/status/", import.meta.url));
  const names = existsSync(fixtures) ? readdirSync(fixtures) : [];
  if (names.length === 0)
    test("status files of real runs: skipped, because they are not on this machine", () =>
      expect(existsSync(fixtures)).toBe(false));
  test.each(names)("a real run's file: %s", (name) => {
    const folder = temporaryFolder();
    copyFileSync(join(fixtures, name), join(folder, "status.json"));
    const raw: unknown = JSON.parse(readFileSync(join(fixtures, name), "utf8"));
    const status = readStatus(folder);
    expect(status).toMatchObject({ ok: true, value: { raw } });
    if (!status.ok) return;
    expect(["running", "completed"]).toContain(status.value.shown.status);
    expect(status.value.shown.planSlug).toMatch(/^[a-z0-9-]+$/);
    expect(status.value.shown.totalTasks).toBeGreaterThan(0);
  });
});

describe("archiving a run", () => {
  test("moves the whole folder, and never over an earlier archive", async () => {
    const checkout = temporaryFolder();
    const paths: string[] = [];
    for (const text of ["first", "second"]) {
      await createRunFolder({ checkout, slug, isIgnored: never });
      writeFileSync(join(runFolder(checkout, slug), "status.json"), text);
      const archived = archiveRun({ checkout, slug, runId });
      if (archived.ok) paths.push(archived.value);
    }
    const archive = join(runsFolder(checkout), ".archive");
    expect(paths).toEqual([join(archive, `${slug}-${runId}`), join(archive, `${slug}-${runId}-2`)]);
    expect(paths.map((path) => readFileSync(join(path, "status.json"), "utf8"))).toEqual(["first", "second"]);
    expect(readdirSync(paths[0] ?? "").toSorted()).toEqual([".gitignore", "status.json"]);
    expect(listRuns(checkout)).toEqual({ ok: true, value: [] });
  });

  test("of a run that is not there is a failure", () => {
    const checkout = temporaryFolder();
    mkdirSync(runsFolder(checkout), { recursive: true });
    expect(archiveRun({ checkout, slug, runId })).toMatchObject({ ok: false, failure: { code: "ENOENT" } });
  });
});
