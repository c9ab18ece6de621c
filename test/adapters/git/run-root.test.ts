// The run's own folder: whose it is, after the repository was moved or copied and with anything in the marker's place.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createRepository } from "../../../src/adapters/git/repository.ts";
import type { Sha } from "../../../src/core/ids.ts";
import {
  failureOf,
  never,
  type RepositoryFixture,
  repositoryFixture,
  toValue,
} from "../../support/git-fixture.ts";

/** Makes the work tree as the next program does that runs in `checkout`. */
function prepare(at: RepositoryFixture, checkout = at.checkout) {
  const repository = createRepository({ ...at.options, checkout, gitCommonDir: join(checkout, ".git") });
  const base = at.git(["rev-parse", "HEAD"], { cwd: checkout }) as Sha; // git prints a full sha
  return repository.prepareWork({ lane: 1, base, start: base, setup: "" }, never);
}

async function begun(): Promise<RepositoryFixture> {
  const at = repositoryFixture();
  toValue(await prepare(at));
  return at;
}

describe("the folder of a run whose repository is somewhere else by now", () => {
  it("is the moved repository's, also where another one stands at the old place", async () => {
    const at = await begun();
    const moved = join(at.folder, "moved");
    renameSync(at.checkout, moved);
    execFileSync("git", ["clone", "--quiet", moved, at.checkout]);
    toValue(await prepare(at, moved));
  });

  it("is not a copy's while the first one is there, and the copy is told whose it is", async () => {
    const at = await begun();
    const copy = join(at.folder, "copy");
    cpSync(at.checkout, copy, { recursive: true, verbatimSymlinks: true });
    expect(failureOf(await prepare(at, copy))).toMatchObject({
      reason: "lane-unusable",
      detail: expect.stringContaining(`belongs to the repository "${at.commonDir}"`),
    });
    toValue(await prepare(at));
    rmSync(at.checkout, { recursive: true });
    toValue(await prepare(at, copy));
  });
});

describe("in the marker's place", () => {
  it.each([
    ["a pipe", (path: string) => execFileSync("mkfifo", [path])],
    ["a link to something without an end", (path: string) => symlinkSync("/dev/zero", path)],
    ["a folder", (path: string) => mkdirSync(path)],
    ["a large file", (path: string) => writeFileSync(path, "x".repeat(70_000))],
  ])("%s is no marker, and nothing waits for it", async (_what, plant) => {
    const at = await begun();
    const marker = join(at.runRoot, ".execute-prd");
    rmSync(marker);
    plant(marker);
    expect(failureOf(await prepare(at))).toMatchObject({
      reason: "lane-unusable",
      detail: expect.stringContaining("not made by this run"),
    });
  });

  it.each([
    ["an array", () => "[1,2]"],
    ["null", () => "null"],
    ["a number", () => "5"],
    ["the repository as a number", (text: string) => text.replace(/("repository":)".*"/, "$15")],
  ])("%s is no marker", async (_what, toMarker) => {
    const at = await begun();
    const marker = join(at.runRoot, ".execute-prd");
    at.write({ ".execute-prd": toMarker(readFileSync(marker, "utf8")) }, at.runRoot);
    expect(failureOf(await prepare(at))).toMatchObject({ reason: "lane-unusable" });
  });
});
