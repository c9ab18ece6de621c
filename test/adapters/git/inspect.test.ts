// Looking at a repository: each refusal by its kind, and questions whose "no" is never made of a failure.
import { mkdirSync, readdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  branchHead,
  checkedOutAt,
  defaultBranch,
  inspectCheckout,
  isAncestor,
  isBranchName,
  isIgnored,
  isOlder,
  listBranches,
  pathsAt,
  resolveCommit,
} from "../../../src/adapters/git/inspect.ts";
import type { Result } from "../../../src/core/result.ts";
import { gitFixture, scriptIn, toValue, withEnvironment } from "../../support/git-fixture.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

async function inspect(cwd: string) {
  const result = await inspectCheckout(cwd);
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return result.value;
}

async function refusal(cwd: string) {
  const result: Result<unknown, { kind: string }> = await inspectCheckout(cwd);
  return result.ok ? null : result.failure.kind;
}

test("a checkout is described from any folder in it", async () => {
  const at = gitFixture({ "dir/a.txt": "a\n" });
  expect(await inspect(join(at.checkout, "dir"))).toMatchObject({
    topLevel: at.checkout,
    gitCommonDir: at.commonDir,
    mainWorktree: at.checkout,
    head: at.head(),
    branch: "main",
    uncommittedCount: 0,
    hasSubmodules: false,
    usesLfs: false,
  });
});

test("a linked worktree, a detached HEAD and uncommitted paths are seen", async () => {
  const at = gitFixture({ "a.txt": "a\n" });
  const linked = join(at.folder, "linked");
  at.git(["worktree", "add", "-q", "--detach", linked]);
  at.write({ "a.txt": "x\n", "new file.txt": "n\n" }, linked);
  expect(await inspect(linked)).toMatchObject({
    topLevel: linked,
    gitCommonDir: at.commonDir,
    mainWorktree: at.checkout,
    branch: null,
    uncommittedCount: 2,
    uncommitted: ["a.txt", "new file.txt"],
  });
});

test("a linked worktree of a bare repository is a checkout without a main worktree", async () => {
  const at = gitFixture();
  at.git(["clone", "-q", "--bare", at.checkout, join(at.folder, "bare.git")]);
  const linked = join(at.folder, "linked");
  at.git(["worktree", "add", "-q", linked, "-b", "side"], { cwd: join(at.folder, "bare.git") });
  expect(await inspect(linked)).toMatchObject({ mainWorktree: null, branch: "side" });
});

test("what cannot carry a run is refused by its kind", async () => {
  const at = gitFixture();
  at.git(["clone", "-q", "--bare", at.checkout, join(at.folder, "bare.git")]);
  expect(await refusal(join(at.folder, "bare.git"))).toBe("bare");
  expect(await refusal(join(at.checkout, ".git"))).toBe("bare");
  expect(await refusal(temporaryFolder())).toBe("not-a-repository");
  expect(await refusal(gitFixture({}).checkout)).toBe("no-commit");
  const broken = join(at.folder, "a line\nbreak");
  at.git(["clone", "-q", at.checkout, broken]);
  expect(await refusal(broken)).toBe("path-unusable");
  mkdirSync(join(at.commonDir, "reftable"));
  expect(await refusal(at.checkout)).toBe("ref-storage-unsupported");
});

test("a git that is missing or too old is refused", async () => {
  const at = gitFixture();
  const tools = temporaryFolder();
  withEnvironment({ PATH: tools });
  expect(await refusal(at.checkout)).toBe("git-missing");
  scriptIn(tools, "git", "#!/bin/sh\necho git version 2.37.9\n");
  expect(await refusal(at.checkout)).toBe("git-too-old");
  expect(isOlder("2.38.0", "2.38")).toBe(false);
  expect(isOlder("2.9.5", "2.38")).toBe(true);
  expect(isOlder("3.0.0", "2.38")).toBe(false);
});

test("files for git-lfs need git-lfs", async () => {
  const at = gitFixture({ "assets/.gitattributes": "*.png filter=lfs diff=lfs\n" });
  const tools = temporaryFolder();
  const realGit = (process.env["PATH"] ?? "").split(":").find((folder) => {
    try {
      return readdirSync(folder).includes("git");
    } catch {
      return false;
    }
  });
  scriptIn(tools, "git", `#!/bin/sh\nexec "${realGit}/git" "$@"\n`);
  withEnvironment({ PATH: `${tools}:/bin-that-is-not-there` });
  scriptIn(tools, "git", `#!/bin/sh\nPATH=/usr/bin:/bin exec "${realGit}/git" "$@"\n`);
  expect(await refusal(at.checkout)).toBe("lfs-missing");
  scriptIn(tools, "git-lfs", "#!/bin/sh\nexit 0\n");
  expect(await inspect(at.checkout)).toMatchObject({ usesLfs: true });
});

test("submodules are seen", async () => {
  const library = gitFixture();
  const at = gitFixture();
  at.git(["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library.checkout, "lib"]);
  at.git(["commit", "-qm", "submodule"]);
  expect((await inspect(at.checkout)).hasSubmodules).toBe(true);
});

test("names lead to commits, or nowhere; trouble is a failure", async () => {
  const at = gitFixture();
  const where = await inspect(at.checkout);
  at.git(["tag", "-a", "-m", "v1", "v1"]);
  expect(toValue(await resolveCommit(where, "v1"))).toBe(at.head());
  expect(toValue(await resolveCommit(where, at.head().slice(0, 8)))).toBe(at.head());
  for (const name of ["nope", "1".repeat(40), "HEAD:README.md", "--all", "a b"]) {
    expect(toValue(await resolveCommit(where, name)), name).toBeNull();
  }
  const broken = await resolveCommit({ gitCommonDir: join(at.folder, "gone") }, "HEAD");
  expect(broken.ok).toBe(false);
});

test("branches: their heads, where they are checked out, their list, the default one", async () => {
  const at = gitFixture();
  const where = await inspect(at.checkout);
  at.git(["branch", "feature/a"]);
  expect(toValue(await branchHead(where, "feature/a"))).toBe(at.head());
  expect(toValue(await branchHead(where, "feature"))).toBeNull();
  expect(toValue(await checkedOutAt(where, "main"))).toBe(at.checkout);
  expect(toValue(await checkedOutAt(where, "feature/a"))).toBeNull();
  expect(toValue(await listBranches(where))).toEqual(["feature/a", "main"]);
  expect(toValue(await defaultBranch(where))).toBe("main");
  at.git(["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk"]);
  expect(toValue(await defaultBranch(where))).toBe("trunk");
});

test("an ancestor is 0, no ancestor is 1, and anything else is no answer", async () => {
  const at = gitFixture();
  const where = await inspect(at.checkout);
  const first = at.head();
  const second = at.commit({ "b.txt": "b\n" });
  expect(toValue(await isAncestor(where, { ancestor: first, of: second }))).toBe(true);
  expect(toValue(await isAncestor(where, { ancestor: second, of: first }))).toBe(false);
  const unknown = await isAncestor(where, { ancestor: "1".repeat(40), of: second });
  expect(unknown.ok ? null : unknown.failure).toMatchObject({ reason: "git-failed", exitCode: 128 });
});

test("what is ignored, and what a commit has", async () => {
  const at = gitFixture({ ".gitignore": "dev/executions/*/\n", "dir/a.txt": "a\n" });
  const where = await inspect(at.checkout);
  expect(await isIgnored(where, "dev/executions/x/status.json")).toBe(true);
  expect(await isIgnored(where, "dev/executions/README.md")).toBe(false);
  const paths = ["dir", "dir/a.txt", "dir/", "none.txt", "dir\nx"];
  const found = toValue(await pathsAt(where, { commit: at.head(), paths }));
  expect([...found]).toEqual(["dir", "dir/a.txt", "dir/"]);
});

test("names for branches are judged as git does", async () => {
  const at = gitFixture();
  at.git(["checkout", "-q", "-b", "before"]);
  at.git(["checkout", "-q", "main"]);
  for (const name of ["feature/x", "a", "ü"])
    expect(toValue(await isBranchName(at.checkout, name)), name).toBe(true);
  for (const name of ["a b", "a..b", "x.lock", "-x", "@{-1}", "a~1", ""]) {
    expect(toValue(await isBranchName(at.checkout, name)), name).toBe(false);
  }
});

test("a hostile configuration is not followed when looking", async () => {
  const at = gitFixture();
  const trap = scriptIn(at.folder, "trap.sh", `#!/bin/sh\ntouch "${at.folder}/sprung"\n`);
  at.git(["config", "core.fsmonitor", trap]);
  writeFileSync(join(at.checkout, "README.md"), "changed\n");
  expect((await inspect(at.checkout)).uncommitted).toEqual(["README.md"]);
  expect(readdirSync(realpathSync(at.folder))).not.toContain("sprung");
});
