// What a developer left becomes the tree that git would make of it, by whichever way it is taken.
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openGitRun } from "../../../src/adapters/git/git-run.ts";
import { placeTree } from "../../../src/adapters/git/lane-state.ts";
import { never, refPrefix, repositoryFixture, toValue } from "../../support/git-fixture.ts";

const files = {
  "a.txt": "a\n",
  "a/b.txt": "b\n",
  "a/c/d.txt": "d\n",
  "a-b/e.txt": "e\n",
  "z/only.txt": "z\n",
  "\u00e4/f g.txt": "f\n",
  ".gitignore": "*.log\n",
};

const changes: Readonly<Record<string, (path: string) => void>> = {
  "a changed file": (path) => writeFileSync(join(path, "a/c/d.txt"), "other\n"),
  "new files and folders": (path) => {
    mkdirSync(join(path, "new/deep"), { recursive: true });
    writeFileSync(join(path, "new/deep/x.txt"), "x\n");
    writeFileSync(join(path, "new/x.log"), "x\n");
    writeFileSync(join(path, "a/0.txt"), "0\n");
  },
  "the last file of a folder gone": (path) => rmSync(join(path, "z/only.txt")),
  "a folder instead of a file": (path) => {
    rmSync(join(path, "a.txt"));
    mkdirSync(join(path, "a.txt"));
    writeFileSync(join(path, "a.txt/x"), "x\n");
  },
  "modes and links": (path) => {
    chmodSync(join(path, "a.txt"), 0o755);
    symlinkSync("a.txt", join(path, "link"));
  },
  "odd names": (path) => writeFileSync(join(path, "\u00e4/\u4e2d \n\t.txt"), "x\n"),
  "everything gone": (path) => {
    for (const name of ["a.txt", "a", "a-b", "z", "\u00e4", ".gitignore"]) {
      rmSync(join(path, name), { recursive: true });
    }
  },
};

/** The second way is taken where a file was dirty when the tree became ready. */
function dirty(cwd: string): undefined {
  writeFileSync(join(cwd, "a-b/e.txt"), "dirty\n");
}

describe.each([
  ["at once", undefined],
  ["one by one", dirty],
] as const)("taken %s", (_way, setup) => {
  test.each(Object.keys(changes))("%s", async (name) => {
    const at = repositoryFixture(files, setup);
    const base = at.head();
    const wanted = { lane: 1, base, start: base, setup: setup === undefined ? "" : "x", refPrefix };
    const { path } = toValue(await at.repository.prepareWork(wanted, never));
    changes[name]?.(path);
    const { tree } = toValue(await at.repository.snapshotWork({ lane: 1, refPrefix }));
    const env = { GIT_INDEX_FILE: join(at.folder, "other.index") };
    at.git(["read-tree", base], { env });
    const exclude = setup === undefined || name === "everything gone" ? [] : [":(exclude)a-b/e.txt"];
    at.git(["--work-tree", path, "add", "--all", "--", ".", ...exclude], { env });
    expect(at.git(["ls-tree", "-r", tree])).toBe(at.git(["ls-tree", "-r", at.git(["write-tree"], { env })]));
    expect(tree).toBe(at.git(["write-tree"], { env }));
    // Nothing but the lane's index has it yet.
    at.git(["gc", "--quiet", "--prune=now"]);
    expect(at.git(["cat-file", "-t", tree])).toBe("tree");
    const index = toValue(placeTree(openGitRun(at.options), 1, "work")).indexFile;
    expect(at.git(["write-tree"], { env: { GIT_INDEX_FILE: index } })).toBe(tree);
    expect(at.git(["fsck", "--strict"])).not.toMatch(/error|missing/);
  });
});

test("in a repository with sha256 as well", async () => {
  const at = repositoryFixture(files, undefined, "sha256");
  const base = at.head();
  toValue(await at.repository.prepareWork({ lane: 1, base, start: base, setup: "", refPrefix }, never));
  writeFileSync(join(at.runRoot, "lane-1/work/a/c/d.txt"), "other\n");
  const { tree } = toValue(await at.repository.snapshotWork({ lane: 1, refPrefix }));
  expect(at.git(["diff", "--name-only", base, tree])).toBe("a/c/d.txt");
});
