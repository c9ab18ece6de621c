// What a dispatch does to the repository beside its lane: caught, named, put back; the builder's work is left alone.
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dispatchIdentity } from "../../../src/adapters/git/dispatch-identity.ts";
import type { GitRepository } from "../../../src/adapters/git/repository.ts";
import type { Sha } from "../../../src/core/ids.ts";
import {
  agent,
  intentOf,
  never,
  type RepositoryFixture,
  refPrefix,
  repositoryFixture,
  runId,
  scriptIn,
  textOf,
  toValue,
} from "../../support/git-fixture.ts";

const lane = 1;

/** A lane in which a dispatch is about to begin; the run's branch is held. */
async function begin(files?: Record<string, string>) {
  const at = repositoryFixture({ "a.txt": "a\n", ...files });
  const base = at.head();
  toValue(await at.repository.holdBranch({ branch: "feature/x", head: base, create: true }));
  const ready = await at.repository.prepareWork({ lane, base, start: base, setup: "" }, never);
  const { path } = toValue(ready);
  toValue(
    await at.repository.prepareCheck(
      { lane, commit: base, setup: "", keep: false, baseVersions: null },
      never,
    ),
  );
  toValue(await at.repository.beforeDispatch({ lane, dispatch: "d1" }));
  const asAgent = (args: readonly string[]) => at.git(args, { cwd: path, env: agent });
  return { ...at, base, path, asAgent };
}

async function end(at: { repository: GitRepository }) {
  return toValue(await at.repository.afterDispatch({ lane, refPrefix }));
}

const nothing = { violations: [], notes: [], doubts: [] };

test("a dispatch that only works in its lane, commits included, leaves nothing to say", async () => {
  const at = await begin();
  at.write({ "b.txt": "b\n" }, at.path);
  at.asAgent(["add", "-A"]);
  at.asAgent(["commit", "-qm", "mine"]);
  at.asAgent(["status"]);
  expect(await end(at)).toEqual(nothing);
});

describe("the metadata", () => {
  test("settings that an agent adds are taken out before git reads them, and fail the attempt", async () => {
    const at = await begin();
    const trap = scriptIn(at.folder, "trap.sh", `#!/bin/sh\ntouch "${at.folder}/sprung"\ncat\n`);
    const before = textOf(join(at.commonDir, "config"));
    at.asAgent(["config", "core.fsmonitor", trap]);
    at.asAgent(["config", "filter.z.clean", trap]);
    writeFileSync(join(at.commonDir, "info", "attributes"), "* filter=z\n");
    writeFileSync(join(at.commonDir, "info", "exclude"), "*\n");
    at.write({ "b.txt": "b\n" }, at.path);
    rmSync(join(at.folder, "sprung"), { force: true });
    const { violations } = await end(at);
    expect(violations.toSorted()).toEqual([
      `"config" was changed and put back`,
      `"info/attributes" was added and put back`,
      `"info/exclude" was changed and put back`,
    ]);
    expect(textOf(join(at.commonDir, "config"))).toBe(before);
    const { tree } = toValue(await at.repository.snapshotWork({ lane, refPrefix }));
    expect(at.git(["cat-file", "blob", `${tree}:b.txt`])).toBe("b");
    expect(existsSync(join(at.folder, "sprung"))).toBe(false);
  });

  test("what is displaced is kept in the run's salvage", async () => {
    const at = await begin();
    at.asAgent(["config", "alias.mine", "log"]);
    await end(at);
    expect(readFileSync(join(at.options.runFolder, "salvage", "metadata", "config-1"), "utf8")).toContain(
      "mine = log",
    );
  });

  test("hooks, alternates, a commondir file and a removed config are put back", async () => {
    const at = await begin();
    const hooks = readdirSync(join(at.commonDir, "hooks"));
    scriptIn(join(at.commonDir, "hooks"), "post-commit", "#!/bin/sh\nexit 0\n");
    rmSync(join(at.commonDir, "hooks", hooks[0] ?? ""));
    mkdirSync(join(at.commonDir, "objects", "info"), { recursive: true });
    writeFileSync(join(at.commonDir, "objects", "info", "alternates"), "/elsewhere\n");
    writeFileSync(join(at.commonDir, "commondir"), "/elsewhere\n");
    rmSync(join(at.commonDir, "config"));
    const { violations } = await end(at);
    expect(violations).toHaveLength(5);
    expect(readdirSync(join(at.commonDir, "hooks"))).toEqual(hooks);
    expect(existsSync(join(at.commonDir, "config"))).toBe(true);
    expect(existsSync(join(at.commonDir, "commondir"))).toBe(false);
    expect(at.git(["status", "--porcelain"])).toBe("");
  });

  test("hooks that became a link to another folder are put back", async () => {
    const at = await begin();
    const hooks = readdirSync(join(at.commonDir, "hooks"));
    renameSync(join(at.commonDir, "hooks"), join(at.folder, "hooks"));
    symlinkSync(join(at.folder, "hooks"), join(at.commonDir, "hooks"));
    expect((await end(at)).violations.length).toBeGreaterThan(0);
    expect(readdirSync(join(at.commonDir, "hooks")).sort()).toEqual(hooks.sort());
  });

  test("a lane's .git file that became a repository is put back, and the agent's repository set aside", async () => {
    const at = await begin();
    const gitFile = readFileSync(join(at.path, ".git"), "utf8");
    rmSync(join(at.path, ".git"));
    at.git(["init", "--quiet", at.path]);
    at.git(["config", "core.fsmonitor", "touch sprung"], { cwd: at.path });
    expect((await end(at)).violations).toEqual([`"${join(at.path, ".git")}" was changed and put back`]);
    expect(readFileSync(join(at.path, ".git"), "utf8")).toBe(gitFile);
  });

  test("git's folder of the lane that leads elsewhere is put back", async () => {
    const at = await begin();
    const admin = at.git(["rev-parse", "--absolute-git-dir"], { cwd: at.path });
    writeFileSync(join(admin, "commondir"), `${at.folder}\n`);
    writeFileSync(join(admin, "config.worktree"), "[core]\n\tfsmonitor = touch sprung\n");
    expect((await end(at)).violations).toHaveLength(2);
    expect(textOf(join(admin, "commondir"))).toBe("../..\n");
    expect(existsSync(join(admin, "config.worktree"))).toBe(false);
  });

  test("what hook managers write in an honest installation is put back with a note", async () => {
    const at = await begin();
    const config = textOf(join(at.commonDir, "config"));
    at.asAgent(["config", "core.hooksPath", ".husky/_"]);
    scriptIn(join(at.commonDir, "hooks"), "pre-commit", '#!/bin/sh\ncall_lefthook run "pre-commit"\n');
    const { violations, notes } = await end(at);
    expect(violations).toEqual([]);
    expect(notes).toHaveLength(2);
    expect(textOf(join(at.commonDir, "config"))).toBe(config);
    expect(existsSync(join(at.commonDir, "hooks", "pre-commit"))).toBe(false);
  });

  test("upstream settings and editors' notes of branches may be the builder's and stay", async () => {
    const at = await begin();
    at.git(["config", "branch.main.remote", "origin"]);
    at.git(["config", "branch.main.vscode-merge-base", "origin/main"]);
    const config = textOf(join(at.commonDir, "config"));
    expect(await end(at)).toEqual(nothing);
    expect(textOf(join(at.commonDir, "config"))).toBe(config);
  });

  test("a setting cannot hide behind the section of a branch", async () => {
    for (const hidden of [
      `[branch "x"] [core] fsmonitor = touch\n`,
      `[branch "x"]\n\tremote = origin\n[core]\n\tfsmonitor = touch\n`,
      `[branch "x"]\n\tremote = "a\\\n"\n[alias]\n\tx = y\n`,
    ]) {
      const at = await begin();
      appendFileSync(join(at.commonDir, "config"), hidden);
      expect((await end(at)).violations).toEqual([`"config" was changed and put back`]);
    }
  });

  test("a program that died during the dispatch puts the metadata back before it uses git for the lane", async () => {
    const at = await begin();
    const config = textOf(join(at.commonDir, "config"));
    at.asAgent(["config", "core.fsmonitor", "touch sprung"]);
    at.write({ "b.txt": "b\n" }, at.path);
    const salvaged = await at.restart().salvageWork({ lane, base: at.base, start: at.base, refPrefix });
    expect(textOf(join(at.commonDir, "config"))).toBe(config);
    expect(at.git(["show", `${toValue(salvaged)}:b.txt`])).toBe("b");
  });

  test("a program that died during the dispatch can still ask what it did", async () => {
    const at = await begin();
    at.asAgent(["config", "core.fsmonitor", "touch sprung"]);
    at.asAgent(["branch", "mine"]);
    const { violations, notes } = await end({ repository: at.restart() });
    expect(violations).toEqual([`"config" was changed and put back`]);
    expect(notes).toHaveLength(1);
  });
});

describe("a tree that is gone when a program starts after one that died in a dispatch", () => {
  const salvage = async (at: Awaited<ReturnType<typeof begin>>, repository: GitRepository) => {
    const told = toValue(await repository.afterDispatch({ lane, refPrefix })).violations;
    const work = { lane, base: at.base, start: at.base, refPrefix };
    const salvaged = toValue(await repository.salvageWork(work));
    toValue(await repository.prepareWork({ ...work, setup: "" }, never));
    return { told, salvaged };
  };
  const isMadeAgain = (path: string) => expect(textOf(join(path, "a.txt"))).toBe("a\n");

  test("is made again; it is not taken for one whose every file an agent deleted", async () => {
    const at = await begin();
    rmSync(at.path, { recursive: true });
    const { told, salvaged } = await salvage(at, at.restart());
    expect(told).toEqual([`the tree "${at.path}" was removed or replaced`]);
    expect(salvaged).toBe(null);
    isMadeAgain(at.path);
  });

  test("nor is an empty folder in its place, or another repository, whose files are kept", async () => {
    for (const files of [{}, { "mine.txt": "mine\n" }]) {
      const at = await begin();
      rmSync(at.path, { recursive: true });
      mkdirSync(at.path);
      at.write(files, at.path);
      const { salvaged } = await salvage(at, at.restart());
      expect(salvaged).toBe(null);
      isMadeAgain(at.path);
      if ("mine.txt" in files) expect(at.git(["show", `${refPrefix}/salvage-1:mine.txt`])).toBe("mine");
    }
  });

  test("nor a file or a link in its place, through which nothing is written", async () => {
    for (const kind of ["file", "link"] as const) {
      const at = await begin();
      const other = join(at.folder, "other");
      mkdirSync(join(other, ".git"), { recursive: true });
      rmSync(at.path, { recursive: true });
      if (kind === "file") writeFileSync(at.path, "mine\n");
      else symlinkSync(other, at.path);
      const { salvaged } = await salvage(at, at.restart());
      expect(salvaged).toBe(null);
      expect(readdirSync(other)).toEqual([".git"]);
      isMadeAgain(at.path);
    }
  });

  test("a check tree that is gone is told once, and fails no attempt after it", async () => {
    const at = await begin();
    rmSync(join(at.path, "..", "check"), { recursive: true });
    expect((await salvage(at, at.restart())).told).toHaveLength(1);
    const again = at.restart();
    toValue(await again.beforeDispatch({ lane, dispatch: "d2" }));
    expect(await end({ repository: again })).toEqual(nothing);
  });
});

describe("refs", () => {
  test("branches, tags and stash entries of the agent are moved below the attempt's ref", async () => {
    const at = await begin();
    at.asAgent(["checkout", "-q", "-b", "feature/mine"]);
    at.write({ "b.txt": "b\n" }, at.path);
    at.asAgent(["add", "-A"]);
    at.asAgent(["commit", "-qm", "mine"]);
    const commit = at.asAgent(["rev-parse", "HEAD"]);
    at.asAgent(["tag", "light"]);
    at.asAgent(["tag", "-a", "-m", "heavy", "heavy", at.base]);
    at.write({ "b.txt": "stashed\n" }, at.path);
    at.asAgent(["stash", "-q"]);
    const { violations, notes } = await end(at);
    expect(violations).toEqual([]);
    expect(notes).toHaveLength(4);
    expect(at.git(["for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags", "refs/stash"])).toBe(
      "refs/heads/feature/x\nrefs/heads/main",
    );
    expect(at.git(["stash", "list"])).toBe("");
    expect(at.head(`${refPrefix}/agent-refs/heads/feature/mine`)).toBe(commit);
    const kept = at.git(["for-each-ref", "--format=%(refname)", `${refPrefix}/agent-refs/`]);
    expect(kept).toContain(`${refPrefix}/agent-refs/tags/light`);
    expect(kept).toContain(`${refPrefix}/agent-refs/tags/heavy`);
    expect(kept).toContain(`${refPrefix}/agent-refs/stash-`);
    const left = toValue(await at.repository.snapshotWork({ lane, refPrefix }));
    expect(left.agentHead).toBe(commit);
    expect(at.head(`${refPrefix}/agent`)).toBe(commit);
    expect(at.git(["cat-file", "blob", `${left.tree}:b.txt`])).toBe("b");
  });

  test("the builder's new branches, fetches and other runs during a dispatch are no finding", async () => {
    const at = await begin();
    at.git(["branch", "builders"]);
    at.git(["update-ref", "refs/remotes/origin/main", at.base]);
    at.git(["update-ref", "refs/execute-prd/other-run/task-1/1/candidate", at.base]);
    at.git(["branch", "other-run"], { env: dispatchIdentity("d1", "another-run") });
    const before = at.git(["for-each-ref"]);
    expect(await end(at)).toEqual(nothing);
    expect(at.git(["for-each-ref"])).toBe(before);
  });

  test("the builder's stash entries keep their place when the agent's are taken out", async () => {
    const at = await begin();
    at.write({ "a.txt": "one\n" });
    at.git(["stash", "push", "-q", "-m", "builder one"]);
    at.write({ "a.txt": "agent\n" }, at.path);
    at.asAgent(["stash", "push", "-q", "-m", "agent's"]);
    at.write({ "a.txt": "two\n" });
    at.git(["stash", "push", "-q", "-m", "builder two"]);
    const { notes } = await end(at);
    expect(notes).toHaveLength(1);
    expect(at.git(["stash", "list", "--format=%gs"])).toBe("On main: builder two\nOn main: builder one");
    expect(at.git(["show", "stash@{0}:a.txt"])).toBe("two");
  });

  test("the run's branch that an agent moved is put back, its commit kept", async () => {
    const at = await begin();
    at.asAgent(["commit", "-q", "--allow-empty", "-m", "mine"]);
    const commit = at.asAgent(["rev-parse", "HEAD"]);
    at.asAgent(["update-ref", "refs/heads/feature/x", commit]);
    expect((await end(at)).violations).toEqual([
      `"refs/heads/feature/x" was moved (${commit.slice(0, 7)}) and put back`,
    ]);
    expect(at.head("feature/x")).toBe(at.base);
    expect(at.head(`${refPrefix}/foreign-1`)).toBe(commit);
  });

  test("the run's branch that an agent deleted, behind git's back, is put back", async () => {
    const at = await begin();
    rmSync(join(at.commonDir, "refs", "heads", "feature", "x"));
    expect((await end(at)).violations).toEqual([`"refs/heads/feature/x" was deleted and put back`]);
    expect(at.head("feature/x")).toBe(at.base);
  });

  test("refs of the run that an agent makes, moves and deletes are put back", async () => {
    const at = repositoryFixture();
    const base = at.head();
    const other = at.git(["commit-tree", "-m", "other", `${base}^{tree}`]) as Sha; // git prints a full sha
    toValue(await at.repository.keep({ ref: `${refPrefix}/salvage-1`, commit: base }));
    toValue(await at.repository.keep({ ref: `${refPrefix}/salvage-2`, commit: base }));
    const ready = await at.repository.prepareWork({ lane, base, start: base, setup: "" }, never);
    const { path } = toValue(ready);
    toValue(await at.repository.beforeDispatch({ lane }));
    at.git(["update-ref", `${refPrefix}/salvage-1`, other], { cwd: path, env: agent });
    at.git(["update-ref", "-d", `${refPrefix}/salvage-2`], { cwd: path, env: agent });
    at.git(["update-ref", `${refPrefix}/candidate`, other], { cwd: path, env: agent });
    expect((await end(at)).violations).toHaveLength(3);
    expect(at.head(`${refPrefix}/salvage-1`)).toBe(base);
    expect(at.head(`${refPrefix}/salvage-2`)).toBe(base);
    expect(() => at.head(`${refPrefix}/candidate`)).toThrow();
  });

  test("what the program itself writes for another lane meanwhile is no finding", async () => {
    const at = await begin();
    const tree = at.head("HEAD^{tree}");
    const other = refPrefix.replace("task-1", "task-2");
    const made = await at.repository.makeCandidate({
      intent: intentOf({ base: at.base, tree }),
      atMs: 1_000,
      refPrefix: other,
    });
    const { commit } = toValue(made);
    toValue(await at.repository.integrate({ branch: "feature/x", from: at.base, to: commit }));
    expect(await end(at)).toEqual(nothing);
    expect(at.head("feature/x")).toBe(commit);
    expect(at.head(`${other}/candidate`)).toBe(commit);
  });

  test("an existing branch that the dispatch moved in its lane is put back, its commit kept", async () => {
    const at = await begin();
    at.git(["branch", "develop"]);
    toValue(await at.repository.beforeDispatch({ lane, dispatch: "d1" }));
    at.asAgent(["checkout", "-q", "develop"]);
    at.asAgent(["commit", "-q", "--allow-empty", "-m", "mine"]);
    const commit = at.head("develop");
    expect((await end(at)).violations).toEqual([
      `"refs/heads/develop" was moved from ${at.base} to ${commit} and put back`,
      `the lane was switched to "refs/heads/develop"`,
    ]);
    expect(at.head("develop")).toBe(at.base);
    expect(at.head(`${refPrefix}/foreign-1`)).toBe(commit);
    const left = toValue(await at.repository.snapshotWork({ lane, refPrefix }));
    expect(left.agentHead).toBe(commit);
  });

  test("a tag of which nobody can say who made it is left and told", async () => {
    const at = await begin();
    at.git(["tag", "v1"]);
    expect(await end(at)).toEqual({
      ...nothing,
      notes: [`new tag "refs/tags/v1" was left where it is`],
    });
    expect(at.head("v1")).toBe(at.base);
  });

  test("replace refs are taken out, and nothing of ours ever saw them", async () => {
    const at = await begin();
    at.write({ "a.txt": "bad\n" }, at.path);
    const bad = at.asAgent(["hash-object", "-w", "a.txt"]);
    const good = at.asAgent(["rev-parse", "HEAD:a.txt"]);
    at.asAgent(["replace", bad, good]);
    expect((await end(at)).violations).toHaveLength(1);
    const { tree } = toValue(await at.repository.snapshotWork({ lane, refPrefix }));
    expect(at.git(["for-each-ref", "refs/replace"])).toBe("");
    expect(at.git(["ls-tree", tree, "a.txt"])).toContain(bad);
  });

  test("two lanes' dispatches are told apart by their ids", async () => {
    const at = await begin();
    at.git(["branch", "of-other"], { env: dispatchIdentity("d2", runId) });
    expect(await end(at)).toEqual(nothing);
    expect(at.head("of-other")).toBe(at.base);
  });
});

test("assume-unchanged and a changed index of the lane hide nothing from the candidate", async () => {
  const at: RepositoryFixture & { path: string; asAgent: (args: readonly string[]) => string } =
    await begin();
  at.asAgent(["update-index", "--assume-unchanged", "a.txt"]);
  at.asAgent(["update-index", "--skip-worktree", "a.txt"]);
  at.write({ "a.txt": "hidden\n" }, at.path);
  expect(await end(at)).toEqual(nothing);
  const { tree } = toValue(await at.repository.snapshotWork({ lane, refPrefix }));
  expect(
    execFileSync("git", ["cat-file", "blob", `${tree}:a.txt`], { cwd: at.checkout, encoding: "utf8" }),
  ).toBe("hidden\n");
});
