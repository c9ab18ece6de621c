// The run's branch: held while a run is live, moved only by compare-and-swap, never under somebody's feet.
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Sha } from "../../../src/core/ids.ts";
import { failureOf, intentOf, refPrefix, repositoryFixture, toValue } from "../../support/git-fixture.ts";

const branch = "feature/x";

async function begin() {
  const at = repositoryFixture();
  const base = at.head();
  toValue(await at.repository.holdBranch({ branch, head: base, create: true }));
  const intent = intentOf({ base, tree: at.head("HEAD^{tree}") });
  const made = toValue(await at.repository.makeCandidate({ intent, atMs: 9_000, refPrefix }));
  return { ...at, base, to: made.commit };
}

test("a held branch cannot be switched to, forced, fetched into or deleted by accident", async () => {
  const at = await begin();
  expect(at.head(branch)).toBe(at.base);
  for (const args of [
    ["switch", branch],
    ["branch", "-f", branch, "main"],
    ["branch", "-D", branch],
    ["fetch", "-q", at.checkout, `main:${branch}`],
    ["worktree", "add", join(at.folder, "other"), branch],
  ]) {
    expect(() => at.git(args), args.join(" ")).toThrow();
  }
  expect(at.git(["worktree", "prune"])).toBe("");
  expect(at.git(["worktree", "list"])).toContain("holder");
});

test("holding again, also by a later start, is harmless; a half-made holder is replaced", async () => {
  const at = await begin();
  const hold = () => at.restart().holdBranch({ branch, head: at.base, create: false });
  toValue(await hold());
  const admin = at.git(["rev-parse", "--absolute-git-dir"], { cwd: join(at.runRoot, "holder") });
  writeFileSync(join(admin, "HEAD"), `${at.base}\n`);
  toValue(await hold());
  expect(() => at.git(["switch", branch])).toThrow();
  rmSync(join(at.runRoot, "holder"), { recursive: true });
  toValue(await hold());
  expect(() => at.git(["switch", branch])).toThrow();
  expect(at.git(["worktree", "list"]).split("\n")).toHaveLength(2);
});

test("a released branch is free, and releasing what is not held touches nothing", async () => {
  const at = await begin();
  await at.repository.releaseBranch("main");
  expect(() => at.git(["switch", branch])).toThrow();
  await at.repository.releaseBranch(branch);
  await at.repository.releaseBranch(branch);
  at.git(["switch", "-q", branch]);
  expect(existsSync(join(at.runRoot, "holder"))).toBe(false);
  expect(at.git(["worktree", "list"]).split("\n")).toHaveLength(1);
});

test("a branch that is checked out, in the main checkout or a worktree, is not held", async () => {
  const at = repositoryFixture();
  const hold = (name: string) => at.repository.holdBranch({ branch: name, head: at.head(), create: false });
  expect(failureOf(await hold("main"))).toEqual({
    reason: "branch-checked-out",
    branch: "main",
    path: at.checkout,
  });
  const other = join(at.folder, "other");
  at.git(["worktree", "add", "-q", "-b", "side", other]);
  expect(failureOf(await hold("side"))).toEqual({
    reason: "branch-checked-out",
    branch: "side",
    path: other,
  });
});

test("a branch that exists elsewhere is not taken for a new one, and one that moved is not held", async () => {
  const at = repositoryFixture();
  const head = at.head();
  at.git(["branch", branch]);
  const second = at.commit({ "b.txt": "b\n" });
  for (const create of [true, false]) {
    expect(failureOf(await at.repository.holdBranch({ branch, head: second, create }))).toEqual({
      reason: "branch-moved",
      branch,
      expected: second,
      found: head,
    });
  }
  toValue(await at.repository.holdBranch({ branch, head, create: true }));
});

test("integration moves the branch, and repeating it after a crash is a success", async () => {
  const at = await begin();
  toValue(await at.repository.integrate({ branch, from: at.base, to: at.to }));
  expect(at.head(branch)).toBe(at.to);
  toValue(await at.restart().integrate({ branch, from: at.base, to: at.to }));
  expect(at.head(branch)).toBe(at.to);
});

test("a branch that somebody moved or deleted is not overwritten", async () => {
  const at = await begin();
  const foreign = at.git(["commit-tree", "-p", at.base, "-m", "foreign", `${at.base}^{tree}`]);
  at.git(["update-ref", `refs/heads/${branch}`, foreign]);
  const integrate = () => at.repository.integrate({ branch, from: at.base, to: at.to });
  expect(failureOf(await integrate())).toEqual({
    reason: "branch-moved",
    branch,
    expected: at.base,
    found: foreign,
  });
  expect(at.head(branch)).toBe(foreign);
  at.git(["update-ref", "-d", `refs/heads/${branch}`]);
  expect(failureOf(await integrate())).toEqual({
    reason: "branch-moved",
    branch,
    expected: at.base,
    found: null,
  });
});

test("a branch that is checked out elsewhere is not moved under somebody's feet", async () => {
  const at = await begin();
  at.git(["switch", "-q", "--ignore-other-worktrees", branch]);
  const failure = failureOf(await at.repository.integrate({ branch, from: at.base, to: at.to }));
  expect(failure).toEqual({ reason: "branch-checked-out", branch, path: at.checkout });
  expect(at.head(branch)).toBe(at.base);
  expect(at.git(["status", "--porcelain"])).toBe("");
});

test("a lock that a killed git left on the branch is waited for and, when it is old, taken away", async () => {
  const at = await begin();
  const lock = join(at.commonDir, "refs", "heads", `${branch}.lock`);
  writeFileSync(lock, "");
  setTimeout(() => rmSync(lock, { force: true }), 300);
  toValue(await at.repository.integrate({ branch, from: at.base, to: at.to }));
  writeFileSync(lock, "");
  at.git(["-c", "core.hooksPath=/dev/null", "version"]);
  const { utimesSync } = await import("node:fs");
  utimesSync(lock, 1, 1);
  toValue(await at.repository.integrate({ branch, from: at.to, to: at.base }));
  expect(at.head(branch)).toBe(at.base);
});

test("no hook runs when the branch moves", async () => {
  const at = await begin();
  const { scriptIn } = await import("../../support/git-fixture.ts");
  scriptIn(join(at.commonDir, "hooks"), "reference-transaction", "#!/bin/sh\nexit 1\n");
  toValue(await at.repository.integrate({ branch, from: at.base, to: at.to }));
});

test("where the branch is: as expected, ahead, elsewhere, missing; trouble is no answer", async () => {
  const at = repositoryFixture();
  const base = at.head();
  const compare = (name: string, expected: Sha) => at.repository.compareBranch({ branch: name, expected });
  expect(toValue(await compare("main", base))).toEqual({ kind: "same" });
  at.commit({ "b.txt": "b\n" });
  const head = at.commit({ "c.txt": "c\n" });
  expect(toValue(await compare("main", base))).toEqual({ kind: "ahead", head, count: 2 });
  at.git(["branch", "old", base]);
  expect(toValue(await compare("old", head))).toEqual({ kind: "elsewhere", head: base });
  expect(toValue(await compare("none", head))).toEqual({ kind: "missing" });
  const unknown = "1".repeat(40) as Sha; // has the form of one
  expect(failureOf(await compare("main", unknown)).reason).toBe("git-failed");
});

test("how far a branch is ahead of the base is counted; a branch that is gone is null", async () => {
  const at = repositoryFixture();
  const base = at.head();
  const count = (name: string) => at.repository.countSince({ branch: name, base });
  expect(toValue(await count("main"))).toBe(0);
  at.commit({ "b.txt": "b\n" });
  expect(toValue(await count("main"))).toBe(1);
  expect(toValue(await count("gone"))).toBeNull();
});

test("a commit is kept under a ref of the run, and a commit that does not exist is a failure", async () => {
  const at = repositoryFixture();
  toValue(await at.repository.keep({ ref: `${refPrefix}/salvage-1`, commit: at.head() }));
  expect(at.head(`${refPrefix}/salvage-1`)).toBe(at.head());
  const unknown = "1".repeat(40) as Sha; // has the form of one
  const failure = failureOf(await at.repository.keep({ ref: `${refPrefix}/salvage-2`, commit: unknown }));
  expect(failure.reason).toBe("git-failed");
});
