// Lanes: trees that are made, reused, cleaned, set up again and replaced, without losing anybody's work.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Sha } from "../../../src/core/ids.ts";
import {
  agent,
  failureOf,
  intentOf,
  never,
  type RepositoryFixture,
  refPrefix,
  repositoryFixture,
  runId,
  textOf,
  toValue,
} from "../../support/git-fixture.ts";

async function work(at: RepositoryFixture, wanted: { base?: Sha; start?: Sha; setup?: string } = {}) {
  const base = wanted.base ?? at.head();
  const call = { lane: 1, base, start: wanted.start ?? base, setup: wanted.setup ?? "" };
  return toValue(await at.repository.prepareWork(call, never));
}

async function check(at: RepositoryFixture, wanted: { commit?: Sha; setup?: string; keep?: boolean } = {}) {
  const call = {
    lane: 1,
    commit: wanted.commit ?? at.head(),
    setup: wanted.setup ?? "",
    keep: wanted.keep ?? false,
    baseVersions: null,
  };
  return toValue(await at.repository.prepareCheck(call, never)).path;
}

const snapshot = (at: RepositoryFixture) => at.repository.snapshotWork({ lane: 1, refPrefix });

async function candidateOf(at: RepositoryFixture, base: Sha): Promise<Sha> {
  const { tree } = toValue(await snapshot(at));
  const intent = intentOf({ base, tree });
  return toValue(await at.repository.makeCandidate({ intent, atMs: 5_000, refPrefix })).commit;
}

test("a new work tree is detached at the base, outside the checkout, locked, and git sees no change in it", async () => {
  const at = repositoryFixture({ "a.txt": "a\n", "dir/b.txt": "b\n" });
  const { path, conflicts } = await work(at);
  expect(path).toBe(join(at.runRoot, "lane-1", "work"));
  expect(conflicts).toEqual([]);
  expect(textOf(join(path, "dir/b.txt"))).toBe("b\n");
  expect(at.git(["status", "--porcelain"], { cwd: path })).toBe("");
  expect(at.git(["rev-parse", "HEAD"], { cwd: path })).toBe(at.head());
  expect(() => at.git(["symbolic-ref", "HEAD"], { cwd: path })).toThrow();
  expect(at.git(["worktree", "list", "--porcelain"])).toMatch(
    /work\nHEAD \w+\ndetached\nlocked execute-prd run/,
  );
});

test("the next task finds the tree at its base, without untracked, ignored and staged things of the last one", async () => {
  const at = repositoryFixture({ "a.txt": "a\n", ".gitignore": "*.log\nout/\n" });
  const base = at.head();
  const { path } = await work(at);
  at.write({ "a.txt": "changed\n", "new/deep.txt": "n\n", "x.log": "l\n", "out/x": "o\n" }, path);
  at.git(["add", "-A"], { cwd: path, env: agent });
  toValue(await snapshot(at));
  await work(at, { base });
  expect(readdirSync(path).sort()).toEqual([".git", ".gitignore", "a.txt"]);
  expect(textOf(join(path, "a.txt"))).toBe("a\n");
  expect(at.git(["status", "--porcelain", "--ignored"], { cwd: path })).toBe("");
});

test("after an integrated candidate the tree stays as it is and only HEAD moves", async () => {
  const at = repositoryFixture();
  const base = at.head();
  const { path } = await work(at);
  at.write({ "done.txt": "done\n" }, path);
  const commit = await candidateOf(at, base);
  const { ino, mtimeMs } = statSync(join(path, "done.txt"));
  await work(at, { base: commit });
  expect(statSync(join(path, "done.txt"))).toMatchObject({ ino, mtimeMs });
  expect(at.git(["rev-parse", "HEAD"], { cwd: path })).toBe(commit);
  expect(at.git(["status", "--porcelain"], { cwd: path })).toBe("");
});

test("an attempt after a rejection starts from the rejected tree and is measured against the base", async () => {
  const at = repositoryFixture();
  const base = at.head();
  const { path } = await work(at);
  at.write({ "kept.txt": "kept\n" }, path);
  const start = await candidateOf(at, base);
  await work(at);
  expect(existsSync(join(path, "kept.txt"))).toBe(false);
  await work(at, { base, start });
  expect(textOf(join(path, "kept.txt"))).toBe("kept\n");
  expect(at.git(["rev-parse", "HEAD"], { cwd: path })).toBe(base);
  expect(toValue(await snapshot(at)).tree).toBe(at.git(["rev-parse", `${start}^{tree}`]));
});

test("earlier work whose base was another is put on the new base", async () => {
  const at = repositoryFixture({ "a.txt": "1\n2\n3\n4\n5\n6\n7\n8\n9\n" });
  const base = at.head();
  const { path } = await work(at);
  at.write({ "a.txt": "1\n2\n3\n4\n5\n6\n7\n8\nnine\n" }, path);
  const start = await candidateOf(at, base);
  const moved = at.commit({ "a.txt": "one\n2\n3\n4\n5\n6\n7\n8\n9\n" });
  const ready = await work(at, { base: moved, start });
  expect(ready.conflicts).toEqual([]);
  expect(textOf(join(path, "a.txt"))).toBe("one\n2\n3\n4\n5\n6\n7\n8\nnine\n");
});

test("earlier work that conflicts with the new base is named, and the tree is the base's", async () => {
  const at = repositoryFixture({ "a.txt": "old\n" });
  const base = at.head();
  const { path } = await work(at);
  at.write({ "a.txt": "mine\n" }, path);
  const start = await candidateOf(at, base);
  const moved = at.commit({ "a.txt": "theirs\n" });
  const ready = await work(at, { base: moved, start });
  expect(ready.conflicts).toEqual(["a.txt"]);
  expect(textOf(join(path, "a.txt"))).toBe("theirs\n");
});

test("work on a base that was rewritten is put on the new base although no history connects them", async () => {
  const at = repositoryFixture({ "a.txt": "a\n" });
  const base = at.head();
  const { path } = await work(at);
  at.write({ "b.txt": "b\n" }, path);
  const start = await candidateOf(at, base);
  at.git(["checkout", "--quiet", "--orphan", "other"]);
  const moved = at.commit({ "c.txt": "c\n" });
  await work(at, { base: moved, start });
  expect(readdirSync(path).sort()).toEqual([".git", "a.txt", "b.txt", "c.txt"]);
});

test("changes that nobody collected are kept below the lane's refs before the tree is reset", async () => {
  const at = repositoryFixture();
  const { path } = await work(at);
  at.write({ "stray.txt": "precious\n" }, path);
  await work(at);
  expect(existsSync(join(path, "stray.txt"))).toBe(false);
  const ref = `refs/execute-prd/${runId}/lane-1/salvage-1`;
  expect(at.git(["show", `${ref}:stray.txt`])).toBe("precious");
  expect(readFileSync(join(at.options.runFolder, "salvage", "lane-1-salvage-1.patch"), "utf8")).toContain(
    "+precious",
  );
});

test("a lane in the middle of a rebase is salvaged, set aside and replaced", async () => {
  const at = repositoryFixture({ "a.txt": "a\n" });
  const base = at.head();
  const { path } = await work(at);
  at.write({ "a.txt": "agent\n" }, path);
  at.git(["commit", "-qam", "agent"], { cwd: path, env: agent });
  at.commit({ "a.txt": "theirs\n" });
  expect(() => at.git(["rebase", "main"], { cwd: path, env: agent })).toThrow();
  at.write({ "half.txt": "half\n" }, path);
  const again = await work(at, { base });
  expect(again.path).toBe(path);
  expect(readdirSync(path).sort()).toEqual([".git", "a.txt"]);
  expect(at.git(["show", `refs/execute-prd/${runId}/lane-1/salvage-1:half.txt`])).toBe("half");
  expect(readdirSync(join(at.runRoot, "lane-1", "aside"))).toEqual(["1-work"]);
  expect(at.git(["status", "--porcelain"], { cwd: path })).toBe("");
});

test("a lane whose .git file leads to another repository is replaced, its files kept", async () => {
  const at = repositoryFixture();
  const { path } = await work(at);
  rmSync(join(path, ".git"));
  at.git(["init", "--quiet", path]);
  at.write({ "mine.txt": "mine\n" }, path);
  await work(at);
  expect(at.git(["rev-parse", "--git-common-dir"], { cwd: path })).toBe(at.commonDir);
  expect(at.git(["show", `refs/execute-prd/${runId}/lane-1/salvage-1:mine.txt`])).toBe("mine");
});

test("a lane that git no longer knows is replaced, its files kept", async () => {
  const at = repositoryFixture();
  const { path } = await work(at);
  at.write({ "mine.txt": "mine\n" }, path);
  rmSync(join(at.commonDir, "worktrees"), { recursive: true });
  await work(at);
  expect(at.git(["status", "--porcelain"], { cwd: path })).toBe("");
  expect(at.git(["show", `refs/execute-prd/${runId}/lane-1/salvage-1:mine.txt`])).toBe("mine");
});

test("a lane that was deleted is made again", async () => {
  const at = repositoryFixture();
  const { path } = await work(at);
  rmSync(join(at.runRoot), { recursive: true });
  await work(at);
  expect(at.git(["status", "--porcelain"], { cwd: path })).toBe("");
});

test("a work tree that was replaced by a link into the main checkout leaves the main checkout alone", async () => {
  const at = repositoryFixture();
  const base = at.head();
  at.commit({ "later.txt": "later\n" });
  const { path } = await work(at, { base });
  renameSync(path, `${path}-elsewhere`);
  symlinkSync(at.checkout, path);
  at.write({ "builders.txt": "uncommitted\n" });
  expect(failureOf(await snapshot(at)).reason).toBe("lane-unusable");
  await work(at, { base });
  expect(textOf(join(at.checkout, "builders.txt"))).toBe("uncommitted\n");
  expect(textOf(join(at.checkout, "later.txt"))).toBe("later\n");
  expect(at.git(["status", "--porcelain"], { cwd: path })).toBe("");
});

test("a half-made lane of a killed program is removed and made again", async () => {
  const at = repositoryFixture();
  const { path } = await work(at);
  const admin = at.git(["rev-parse", "--absolute-git-dir"], { cwd: path });
  rmSync(join(at.runRoot, "lane-1", "private"), { recursive: true });
  rmSync(path, { recursive: true });
  mkdirSync(path);
  writeFileSync(join(path, ".git"), `gitdir: ${admin}\n`);
  writeFileSync(join(admin, "locked"), "initializing");
  rmSync(join(admin, "HEAD"));
  await work(at);
  expect(at.git(["status", "--porcelain"], { cwd: path })).toBe("");
  expect(at.git(["worktree", "list"]).split("\n")).toHaveLength(2);
  expect(existsSync(join(at.runRoot, "lane-1", "aside"))).toBe(false);
});

test("a folder that is there but not ours is refused and not touched", async () => {
  const at = repositoryFixture();
  at.write({ "notes.txt": "mine" }, at.runRoot);
  const call = { lane: 1, base: at.head(), start: at.head(), setup: "" };
  expect(failureOf(await at.repository.prepareWork(call, never))).toMatchObject({
    reason: "lane-unusable",
    path: at.runRoot,
  });
  expect(readdirSync(at.runRoot)).toEqual(["notes.txt"]);
});

test("a worktree root inside the checkout, also through a link, is refused", async () => {
  const at = repositoryFixture();
  mkdirSync(join(at.checkout, "inside"));
  symlinkSync(join(at.checkout, "inside"), at.options.worktreeRoot);
  const call = { lane: 1, base: at.head(), start: at.head(), setup: "" };
  expect(failureOf(await at.repository.prepareWork(call, never)).reason).toBe("lane-unusable");
  expect(at.git(["worktree", "list"]).split("\n")).toHaveLength(1);
});

test("worktrees of the builder that are not there just now stay in git's books", async () => {
  const at = repositoryFixture();
  at.git(["worktree", "add", "--quiet", "--detach", join(at.folder, "stick")]);
  renameSync(join(at.folder, "stick"), join(at.folder, "unplugged"));
  const { path } = await work(at);
  rmSync(path, { recursive: true });
  await work(at);
  expect(at.git(["worktree", "list"])).toContain("stick");
});

test("setup runs once in each tree, is told where the checkout is, and its things are kept", async () => {
  const at = repositoryFixture({ ".gitignore": "node_modules/\n", "package-lock.json": "1" }, (cwd) => {
    mkdirSync(join(cwd, "node_modules"), { recursive: true });
    writeFileSync(join(cwd, "node_modules", "made"), "");
    return undefined;
  });
  const { path } = await work(at, { setup: "npm ci" });
  const checkPath = await check(at, { setup: "npm ci" });
  at.write({ "x.txt": "x\n" }, path);
  const commit = await candidateOf(at, at.head());
  await check(at, { commit, setup: "npm ci" });
  await work(at, { base: commit, setup: "npm ci" });
  expect(at.setups.map(({ cwd }) => cwd)).toEqual([path, checkPath]);
  expect(at.setups[0]?.env).toMatchObject({ EXECUTE_PRD_CHECKOUT: at.checkout, HUSKY: "0" });
  expect(existsSync(join(path, "node_modules", "made"))).toBe(true);
  expect(existsSync(join(checkPath, "node_modules", "made"))).toBe(true);
});

test("setup runs again when a lockfile of the commit changed, at any depth", async () => {
  const at = repositoryFixture({ "packages/a/pnpm-lock.yaml": "1" });
  await check(at, { setup: "install" });
  const same = at.commit({ "src.txt": "1" });
  await check(at, { commit: same, setup: "install" });
  expect(at.setups).toHaveLength(1);
  const other = at.commit({ "packages/a/pnpm-lock.yaml": "2" });
  await check(at, { commit: other, setup: "install" });
  expect(at.setups).toHaveLength(2);
  await check(at, { commit: other, setup: "install --more" });
  expect(at.setups).toHaveLength(3);
});

test("setup runs again in the work tree when an attempt that changed a lockfile is thrown away", async () => {
  const at = repositoryFixture({ "package-lock.json": "1" });
  const { path } = await work(at, { setup: "install" });
  at.write({ "package-lock.json": "2" }, path);
  toValue(await snapshot(at));
  await work(at, { setup: "install" });
  expect(at.setups).toHaveLength(2);
});

test("setup runs again when what it made is gone", async () => {
  const at = repositoryFixture({ ".gitignore": "vendor/\n" }, (cwd) => {
    mkdirSync(join(cwd, "vendor"), { recursive: true });
    writeFileSync(join(cwd, "vendor", "x"), "");
    return undefined;
  });
  const { path } = await work(at, { setup: "install" });
  rmSync(join(path, "vendor"), { recursive: true });
  await work(at, { setup: "install" });
  expect(at.setups).toHaveLength(2);
});

test("a set-up that fails is a failure with its output, and runs again next time", async () => {
  let exitCode = 3;
  const at = repositoryFixture(undefined, () => ({ kind: "ended", exitCode, tail: "no network" }));
  const call = { lane: 1, base: at.head(), start: at.head(), setup: "install" };
  expect(failureOf(await at.repository.prepareWork(call, never))).toEqual({
    reason: "setup-failed",
    command: "install",
    exitCode: 3,
    tail: "no network",
  });
  exitCode = 0;
  toValue(await at.restart().prepareWork(call, never));
  expect(at.setups).toHaveLength(2);
});

test("configuration and hooks that setup writes into the shared repository are put back", async () => {
  const at = repositoryFixture(undefined, (cwd) => {
    at.git(["config", "core.hooksPath", ".husky/_"], { cwd });
    writeFileSync(join(at.commonDir, "hooks", "pre-commit"), "#!/bin/sh\nexit 1\n");
    return undefined;
  });
  const config = textOf(join(at.commonDir, "config"));
  await work(at, { setup: "install" });
  expect(textOf(join(at.commonDir, "config"))).toBe(config);
  expect(existsSync(join(at.commonDir, "hooks", "pre-commit"))).toBe(false);
});

/** A file stored with CRLF although an attribute says that it should not be: dirty wherever it is checked out. */
function withCrlf(at: RepositoryFixture): Sha {
  at.write({ "old.txt": "1\r\n" });
  at.git(["add", "old.txt"]);
  at.git(["commit", "-qm", "crlf"]);
  at.write({ ".gitattributes": "*.txt text\n" });
  at.git(["add", ".gitattributes"]);
  at.git(["commit", "-qm", "attributes"]);
  expect(at.git(["ls-files", "--eol", "old.txt"])).toMatch(/^i\/crlf/);
  return at.head();
}

test("what is dirty when a tree becomes ready is no change: line endings and what setup did", async () => {
  const at = repositoryFixture({ "lock.txt": "1\n", "gone.txt": "g\n" }, (cwd) => {
    writeFileSync(join(cwd, "lock.txt"), "rewritten\n");
    writeFileSync(join(cwd, "local.env"), "made by setup\n");
    rmSync(join(cwd, "gone.txt"), { force: true });
    return undefined;
  });
  const base = withCrlf(at);
  const { path } = await work(at, { setup: "install" });
  const changed = async () => at.git(["diff", "--name-only", base, toValue(await snapshot(at)).tree]);
  expect(at.git(["status", "--porcelain"], { cwd: path })).not.toBe("");
  expect(await changed()).toBe("");
  at.write({ "mine.ts": "x\n" }, path);
  expect(await changed()).toBe("mine.ts");
  at.write({ "old.txt": "2\r\n", "lock.txt": "mine\n" }, path);
  expect(await changed()).toBe("lock.txt\nmine.ts\nold.txt");
  expect(textOf(join(path, "local.env"))).toBe("made by setup\n");
});

test("a file with unusual line endings that was only touched, at any time, is no change", async () => {
  // With an index younger than the files git does not look into them when the tree becomes ready.
  const at = repositoryFixture(undefined, (cwd) => {
    const later = Date.now() / 1_000 + 60;
    const privateFolder = join(cwd, "..", "private");
    for (const name of readdirSync(privateFolder).filter((each) => each.endsWith(".index"))) {
      utimesSync(join(privateFolder, name), later, later);
    }
    return undefined;
  });
  const base = withCrlf(at);
  const { path } = await work(at, { setup: "install" });
  utimesSync(join(path, "old.txt"), 1_000, 1_000);
  expect(toValue(await snapshot(at)).tree).toBe(at.head("HEAD^{tree}"));
  const checkPath = await check(at, { setup: "install" });
  utimesSync(join(checkPath, "old.txt"), 1_000, 1_000);
  expect(toValue(await at.repository.restoreCheck({ lane: 1, commit: base, baseVersions: null }))).toEqual(
    [],
  );
});

test("a file that setup rewrote, changed by an agent and changed back, is taken as it then is", async () => {
  const at = repositoryFixture({ "lock.txt": "1\n" }, (cwd) => {
    writeFileSync(join(cwd, "lock.txt"), "rewritten\n");
    return undefined;
  });
  const { path } = await work(at, { setup: "install" });
  at.write({ "lock.txt": "mine\n" }, path);
  toValue(await snapshot(at));
  at.write({ "lock.txt": "rewritten\n" }, path);
  const { tree } = toValue(await snapshot(at));
  expect(at.git(["cat-file", "blob", `${tree}:lock.txt`])).toBe("rewritten");
});

test("a file in the place of a folder that setup removed is taken", async () => {
  const at = repositoryFixture({ "d/x": "x\n" }, (cwd) => {
    rmSync(join(cwd, "d"), { recursive: true, force: true });
    return undefined;
  });
  const { path } = await work(at, { setup: "install" });
  at.write({ d: "a file\n" }, path);
  const { tree } = toValue(await snapshot(at));
  expect(at.git(["ls-tree", "-r", "--name-only", tree])).toBe("d");
});

test("the index that an agent sees never looks younger than the files it describes", async () => {
  const at = repositoryFixture();
  const { path } = await work(at);
  const admin = at.git(["rev-parse", "--absolute-git-dir"], { cwd: path });
  const ours = statSync(join(at.runRoot, "lane-1", "private", "work.index"));
  expect(statSync(join(admin, "index")).mtimeMs).toBeLessThanOrEqual(ours.mtimeMs);
});

test("the check tree is cleaned of everything that gates left in it but setup's things", async () => {
  const at = repositoryFixture({ "a.txt": "a\n", ".gitignore": "node_modules/\ncoverage/\n" }, (cwd) => {
    mkdirSync(join(cwd, "node_modules"), { recursive: true });
    writeFileSync(join(cwd, "node_modules", "made"), "");
    return undefined;
  });
  const path = await check(at, { setup: "install" });
  at.write({ "a.txt": "tampered\n", "coverage/x": "c", "out/new.txt": "n", "nested/f": "f" }, path);
  at.git(["init", "--quiet", join(path, "nested")]);
  await check(at, { setup: "install" });
  expect(readdirSync(path).sort()).toEqual([".git", ".gitignore", "a.txt", "node_modules"]);
  expect(textOf(join(path, "a.txt"))).toBe("a\n");
});

test("with keep, a check tree that is at the commit is left as the gate before left it", async () => {
  const at = repositoryFixture({ "a.txt": "a\n", ".gitignore": "dist/\n" });
  const path = await check(at);
  at.write({ "dist/built.js": "b" }, path);
  await check(at, { keep: true });
  expect(existsSync(join(path, "dist/built.js"))).toBe(true);
  const other = at.commit({ "a.txt": "b\n" });
  await check(at, { keep: true, commit: other });
  expect(existsSync(join(path, "dist/built.js"))).toBe(false);
  expect(textOf(join(path, "a.txt"))).toBe("b\n");
});

test("a tracked file of the check tree changed with its size and time kept is seen", async () => {
  const at = repositoryFixture({ "a.txt": "good\n" });
  const path = await check(at);
  const { atime, mtime } = statSync(join(path, "a.txt"));
  writeFileSync(join(path, "a.txt"), "evil\n");
  utimesSync(join(path, "a.txt"), atime, mtime);
  expect(
    toValue(await at.repository.restoreCheck({ lane: 1, commit: at.head(), baseVersions: null })),
  ).toEqual(["a.txt"]);
  expect(textOf(join(path, "a.txt"))).toBe("good\n");
});

test("a forged private index is not believed", async () => {
  const at = repositoryFixture({ "a.txt": "good\n" });
  const path = await check(at);
  writeFileSync(join(path, "a.txt"), "evil\n");
  const env = { GIT_INDEX_FILE: join(at.runRoot, "lane-1", "private", "check.index") };
  at.git(["update-index", "--assume-unchanged", "a.txt"], { cwd: path, env });
  expect(
    toValue(await at.repository.restoreCheck({ lane: 1, commit: at.head(), baseVersions: null })),
  ).toEqual(["a.txt"]);
  expect(textOf(join(path, "a.txt"))).toBe("good\n");
});

test("a reviewer's changes are put back and named, its commits undone, its caches taken away in silence", async () => {
  const at = repositoryFixture({ "a.txt": "a\n", "b.txt": "b\n", ".gitignore": "*.cache\n" });
  const commit = at.head();
  const path = await check(at);
  const restore = async () =>
    toValue(await at.repository.restoreCheck({ lane: 1, commit, baseVersions: null }));
  expect(await restore()).toEqual([]);
  at.write({ "a.txt": "x\n", "new.txt": "n\n", "x.cache": "" }, path);
  rmSync(join(path, "b.txt"));
  chmodSync(join(path, ".gitignore"), 0o755);
  expect((await restore()).toSorted()).toEqual([".gitignore", "a.txt", "b.txt", "new.txt"]);
  expect(at.git(["status", "--porcelain", "--ignored"], { cwd: path })).toBe("");
  at.git(["commit", "-q", "--allow-empty", "-m", "mine"], { cwd: path });
  expect(await restore()).toEqual([]);
  expect(at.git(["rev-parse", "HEAD"], { cwd: path })).toBe(commit);
});

test("submodules are there in both trees, and the shared configuration is as before", async () => {
  const library = repositoryFixture({ "lib.txt": "lib\n" });
  const at = repositoryFixture();
  at.git(["config", "--global", "protocol.file.allow", "always"]);
  at.git(["submodule", "--quiet", "add", library.checkout, "vendor/lib"]);
  at.git(["commit", "-qm", "submodule"]);
  at.git(["submodule", "--quiet", "deinit", "-f", "vendor/lib"]);
  const config = textOf(join(at.commonDir, "config"));
  const { path } = await work(at);
  const checkPath = await check(at);
  expect(textOf(join(path, "vendor/lib/lib.txt"))).toBe("lib\n");
  expect(textOf(join(checkPath, "vendor/lib/lib.txt"))).toBe("lib\n");
  expect(textOf(join(at.commonDir, "config"))).toBe(config);
  expect(toValue(await snapshot(at)).tree).toBe(at.git(["rev-parse", "HEAD^{tree}"]));
  await work(at);
  expect(textOf(join(path, "vendor/lib/lib.txt"))).toBe("lib\n");
});

test("a sparse main checkout and one with its own worktree configuration give whole lanes", async () => {
  const at = repositoryFixture({ "a/a.txt": "a\n", "b/b.txt": "b\n" });
  at.git(["sparse-checkout", "set", "a"]);
  expect(existsSync(join(at.checkout, "b"))).toBe(false);
  const { path } = await work(at);
  expect(textOf(join(path, "b/b.txt"))).toBe("b\n");
  expect(toValue(await snapshot(at)).tree).toBe(at.git(["rev-parse", "HEAD^{tree}"]));
});

test("the main checkout, its index, its branch and its stash are never touched", async () => {
  const at = repositoryFixture({ "a.txt": "a\n" });
  at.write({ "a.txt": "mine\n", "u.txt": "u\n" });
  at.git(["stash", "--quiet", "-u"]);
  at.write({ "a.txt": "mine again\n", "v.txt": "v\n" });
  at.git(["add", "v.txt"]);
  const seen = () => [
    at.git(["status", "--porcelain"]),
    at.git(["stash", "list"]),
    readFileSync(join(at.commonDir, "index"), "hex"),
    at.git(["symbolic-ref", "HEAD"]),
  ];
  const before = seen();
  const { path } = await work(at);
  at.write({ "x.txt": "x" }, path);
  const commit = await candidateOf(at, at.head());
  await check(at, { commit });
  await work(at);
  expect(seen()).toEqual(before);
});
