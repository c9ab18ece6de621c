// Taking the work tree's content into the object store: whole, exact, and never by way of the agent's own index.
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  agent,
  failureOf,
  never,
  refPrefix,
  repositoryFixture,
  scriptIn,
  toValue,
  withEnvironment,
} from "../../support/git-fixture.ts";

async function begin(files?: Record<string, string>) {
  const at = repositoryFixture({ "a.txt": "a\n", ...files });
  const base = at.head();
  const ready = await at.repository.prepareWork({ lane: 1, base, start: base, setup: "" }, never);
  const { path } = toValue(ready);
  const snapshot = async () => toValue(await at.repository.snapshotWork({ lane: 1, refPrefix }));
  const names = async () =>
    at
      .git(["diff", "--name-status", "-z", base, (await snapshot()).tree])
      .split("\0")
      .slice(0, -1);
  return { ...at, base, path, snapshot, names };
}

test("nothing changed is the base's own tree", async () => {
  const at = await begin();
  expect(await at.snapshot()).toEqual({ tree: at.head("HEAD^{tree}"), agentHead: null });
});

test("added, changed, deleted, renamed and replaced files are in the tree, ignored ones are not", async () => {
  const at = await begin({ "b.txt": "b\n", "d/x": "x\n", f: "f\n", ".gitignore": "*.log\n" });
  rmSync(join(at.path, "b.txt"));
  rmSync(join(at.path, "d"), { recursive: true });
  rmSync(join(at.path, "f"));
  at.write(
    { "a.txt": "changed\n", "n/new": "n\n", d: "now a file\n", "f/now": "a folder\n", "x.log": "l" },
    at.path,
  );
  expect(await at.names()).toEqual([
    "M",
    "a.txt",
    "D",
    "b.txt",
    "A",
    "d",
    "D",
    "d/x",
    "D",
    "f",
    "A",
    "f/now",
    "A",
    "n/new",
  ]);
});

test("hostile file names, names that are not UTF-8, modes and links arrive as they are", async () => {
  const at = await begin();
  const names = ["-rf", "--all", "new\nline", 'quo"te', "tab\t", " space ", ":(glob)*", "*", "é", ".gitx"];
  for (const name of names) writeFileSync(join(at.path, name), "x");
  writeFileSync(Buffer.from(`${at.path}/\xff\xfe`, "latin1"), "x");
  scriptIn(at.path, "run.sh", "#!/bin/sh\n");
  symlinkSync("/etc/passwd", join(at.path, "link"));
  const { tree } = await at.snapshot();
  const listed = at.git(["ls-tree", "-z", "--name-only", tree]).split("\0");
  expect(listed).toEqual(expect.arrayContaining([...names, "run.sh", "link"]));
  expect(listed).toHaveLength(names.length + 5);
  expect(at.git(["ls-tree", tree, "run.sh"])).toMatch(/^100755/);
  expect(at.git(["ls-tree", tree, "link"])).toMatch(/^120000/);
  chmodSync(join(at.path, "run.sh"), 0o644);
  expect(at.git(["ls-tree", (await at.snapshot()).tree, "run.sh"])).toMatch(/^100644/);
  const again = await at.repository.prepareWork({ lane: 1, base: at.base, start: at.base, setup: "" }, never);
  expect(at.git(["status", "--porcelain"], { cwd: toValue(again).path })).toBe("");
});

test("a nested repository, with and without commits, is named, never a gitlink", async () => {
  const at = await begin();
  at.write({ "full/f.txt": "f\n", "empty/e.txt": "e\n", "deep/er/x.txt": "x\n" }, at.path);
  for (const folder of ["full", "empty", "deep/er"])
    at.git(["init", "--quiet"], { cwd: join(at.path, folder) });
  at.git(["add", "-A"], { cwd: join(at.path, "full") });
  at.git(["commit", "-qm", "inner"], { cwd: join(at.path, "full") });
  const failure = failureOf(await at.repository.snapshotWork({ lane: 1, refPrefix }));
  expect(failure).toEqual({ reason: "nested-repository", paths: ["deep/er/", "empty/", "full/"] });
});

test("an attempt after one with a nested repository begins clean, and the repository is set aside whole", async () => {
  const at = await begin();
  at.write({ "inner/f.txt": "f\n", "beside.txt": "b\n" }, at.path);
  at.git(["init", "--quiet"], { cwd: join(at.path, "inner") });
  failureOf(await at.repository.snapshotWork({ lane: 1, refPrefix }));
  const salvaged = await at.repository.salvageWork({ lane: 1, base: at.base, start: at.base, refPrefix });
  expect(at.git(["show", `${toValue(salvaged)}:beside.txt`])).toBe("b");
  toValue(await at.repository.prepareWork({ lane: 1, base: at.base, start: at.base, setup: "" }, never));
  expect(at.git(["status", "--porcelain", "--ignored"], { cwd: at.path })).toBe("");
  expect(readFileSync(join(at.runRoot, "lane-1", "aside", "1-inner", "f.txt"), "utf8")).toBe("f\n");
});

test("a submodule that .gitmodules names may be added", async () => {
  const library = repositoryFixture({ "lib.txt": "lib\n" });
  const at = await begin();
  at.git(["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library.checkout, "lib"], {
    cwd: at.path,
    env: agent,
  });
  expect(await at.names()).toEqual(["A", ".gitmodules", "A", "lib"]);
});

test("commits that the agent made are kept as the attempt's agent ref, and HEAD is the base again", async () => {
  const at = await begin();
  at.write({ "b.txt": "b\n" }, at.path);
  at.git(["add", "-A"], { cwd: at.path, env: agent });
  at.git(["commit", "-qm", "mine"], { cwd: at.path, env: agent });
  const commit = at.git(["rev-parse", "HEAD"], { cwd: at.path });
  expect(await at.snapshot()).toEqual({ tree: at.head(`${commit}^{tree}`), agentHead: commit });
  expect(at.head(`${refPrefix}/agent`)).toBe(commit);
  expect(at.git(["rev-parse", "HEAD"], { cwd: at.path })).toBe(at.base);
});

test("a HEAD that leads nowhere is no obstacle", async () => {
  for (const head of ["ref: refs/heads/never-born", "f".repeat(40), "rubbish"]) {
    const at = await begin();
    const admin = at.git(["rev-parse", "--absolute-git-dir"], { cwd: at.path });
    at.write({ "b.txt": "b\n" }, at.path);
    writeFileSync(join(admin, "HEAD"), `${head}\n`);
    expect((await at.snapshot()).agentHead).toBeNull();
    expect(await at.names()).toEqual(["A", "b.txt"]);
  }
});

test("a lock that a killed git of the agent left in the lane is no obstacle", async () => {
  const at = await begin();
  const admin = at.git(["rev-parse", "--absolute-git-dir"], { cwd: at.path });
  at.write({ "b.txt": "b\n" }, at.path);
  writeFileSync(join(admin, "index.lock"), "");
  writeFileSync(join(admin, "HEAD.lock"), "");
  expect(await at.names()).toEqual(["A", "b.txt"]);
  toValue(await at.repository.prepareWork({ lane: 1, base: at.base, start: at.base, setup: "" }, never));
  at.git(["commit", "-q", "--allow-empty", "-m", "works again"], { cwd: at.path, env: agent });
});

test("filters that were configured before the run stay on", async () => {
  const at = repositoryFixture({ ".gitattributes": "*.up filter=up\n" });
  at.git(["config", "filter.up.clean", "tr a-z A-Z"]);
  at.git(["config", "filter.up.smudge", "tr A-Z a-z"]);
  const base = at.commit({ "old.up": "old\n" });
  const ready = await at.repository.prepareWork({ lane: 1, base, start: base, setup: "" }, never);
  const { path } = toValue(ready);
  expect(readFileSync(join(path, "old.up"), "utf8")).toBe("old\n");
  at.write({ "new.up": "new\n" }, path);
  const { tree } = toValue(await at.repository.snapshotWork({ lane: 1, refPrefix }));
  expect(at.git(["cat-file", "blob", `${tree}:new.up`])).toBe("NEW");
});

test("variables of git in the program's own environment change nothing", async () => {
  const at = await begin();
  withEnvironment({
    GIT_DIR: "/nowhere",
    GIT_INDEX_FILE: "/nowhere",
    GIT_WORK_TREE: "/",
    GIT_OBJECT_DIRECTORY: "/x",
  });
  at.write({ "b.txt": "b\n" }, at.path);
  const { tree } = await at.snapshot();
  expect(at.git(["ls-tree", "--name-only", tree], { env: cleared })).toBe("a.txt\nb.txt");
});

const cleared = {
  GIT_DIR: ".git",
  GIT_INDEX_FILE: ".git/index",
  GIT_WORK_TREE: ".",
  GIT_OBJECT_DIRECTORY: ".git/objects",
};

test("salvage keeps the work as a commit on the base with a readable patch; the same work once", async () => {
  const at = await begin();
  at.write({ "half.txt": "half\n" }, at.path);
  const salvage = () => at.repository.salvageWork({ lane: 1, base: at.base, start: at.base, refPrefix });
  const commit = toValue(await salvage());
  expect(at.head(`${refPrefix}/salvage-1`)).toBe(commit);
  expect(at.head(`${commit}^`)).toBe(at.base);
  expect(readFileSync(join(at.options.runFolder, "salvage", "task-1-1-salvage-1.patch"), "utf8")).toContain(
    "+half",
  );
  expect(toValue(await salvage())).toBe(commit);
  at.write({ "half.txt": "more\n" }, at.path);
  const second = toValue(
    await at.restart().salvageWork({ lane: 1, base: at.base, start: at.base, refPrefix }),
  );
  expect(at.head(`${refPrefix}/salvage-2`)).toBe(second);
  const started = await at.repository.prepareWork(
    { lane: 1, base: at.base, start: commit ?? at.base, setup: "" },
    never,
  );
  expect(readFileSync(join(toValue(started).path, "half.txt"), "utf8")).toBe("half\n");
});

test("there is nothing to salvage in an unchanged tree, in a lane never made, or after a killed set-up", async () => {
  const at = await begin();
  const salvage = (lane: number) =>
    at.repository.salvageWork({ lane, base: at.base, start: at.base, refPrefix });
  expect(toValue(await salvage(1))).toBeNull();
  expect(toValue(await salvage(7))).toBeNull();
});

test("an interrupted set-up leaves no work behind and is started again", async () => {
  let ends = false;
  const at = repositoryFixture(undefined, (cwd) => {
    mkdirSync(join(cwd, "half"), { recursive: true });
    writeFileSync(join(cwd, "half", "made"), "");
    return ends ? undefined : { kind: "interrupted" };
  });
  const base = at.head();
  const call = { lane: 1, base, start: base, setup: "install" };
  expect(failureOf(await at.repository.prepareWork(call, never)).reason).toBe("setup-failed");
  const again = at.restart();
  expect(toValue(await again.salvageWork({ lane: 1, base, start: base, refPrefix }))).toBeNull();
  ends = true;
  toValue(await again.prepareWork(call, never));
  expect(toValue(await again.snapshotWork({ lane: 1, refPrefix })).tree).toBe(at.head("HEAD^{tree}"));
  expect(at.git(["for-each-ref", "refs/execute-prd"])).toBe("");
});

test("secrets are taken out of the patch, not out of the commit", async () => {
  const at = await begin();
  const { createRepository } = await import("../../../src/adapters/git/repository.ts");
  const redact = (text: string) => text.replaceAll("s3cret-value-123", "[redacted]");
  const repository = createRepository({ ...at.options, redact });
  at.write({ "half.txt": "s3cret-value-123\n" }, at.path);
  const commit = toValue(await repository.salvageWork({ lane: 1, base: at.base, start: at.base, refPrefix }));
  const patch = readFileSync(join(at.options.runFolder, "salvage", "task-1-1-salvage-1.patch"), "utf8");
  expect(patch).toContain("+[redacted]");
  expect(at.git(["show", `${commit}:half.txt`])).toBe("s3cret-value-123");
});

test("a patch that is cut is cut after secrets are taken out", async () => {
  const at = await begin();
  const { createRepository } = await import("../../../src/adapters/git/repository.ts");
  const secret = "s3cret-value-123".repeat(20);
  const redact = (text: string) => text.replaceAll(secret, "[redacted]");
  const repository = createRepository({ ...at.options, redact });
  at.write({ "big.txt": `${secret}\n`.repeat(4_000) }, at.path);
  await repository.salvageWork({ lane: 1, base: at.base, start: at.base, refPrefix });
  const patch = readFileSync(join(at.options.runFolder, "salvage", "task-1-1-salvage-1.patch"), "utf8");
  expect(patch).toContain("[redacted]");
  expect(patch).not.toContain("s3cret");
});
