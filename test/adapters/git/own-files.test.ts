// Objects and refs that the program writes itself are what git would have written.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { commitTree } from "../../../src/adapters/git/commits.ts";
import { openGitRun } from "../../../src/adapters/git/git-run.ts";
import { writeLooseRef } from "../../../src/adapters/git/own-files.ts";
import { programIdentity } from "../../../src/adapters/git/run-git.ts";
import type { Sha } from "../../../src/core/ids.ts";
import { gitFixture, repositoryFixture, toValue } from "../../support/git-fixture.ts";

const ref = "refs/execute-prd/run/task-1/1/candidate";

test.each(["sha1", "sha256"] as const)("a commit has the id that git gives it (%s)", (objectFormat) => {
  const at = gitFixture({ "a.txt": "a\n" }, objectFormat);
  const { options } = repositoryFixture();
  const run = openGitRun({ ...options, gitCommonDir: at.commonDir });
  const tree = at.head("HEAD^{tree}");
  const message = "Subject \u00e4\n\nPRD-Run: x\n";
  const made = toValue(
    commitTree(run, { tree, parents: [at.head()], message, committedAt: 1_700_000_000, doing: "committing" }),
  );
  const { name, email } = programIdentity;
  const date = "@1700000000 +0000";
  const env = {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_COMMITTER_DATE: date,
  };
  expect(at.git(["cat-file", "commit", made])).toContain("Subject \u00e4");
  rmSync(join(at.commonDir, "objects", made.slice(0, 2), made.slice(2)));
  expect(at.git(["commit-tree", tree, "-p", at.head(), "-F", "-"], { env, input: message })).toBe(made);
  expect(at.git(["fsck", "--strict"])).not.toContain("error");
});

test("an object lies as readable as git's own, and one that is there is made young again and not written", () => {
  const at = repositoryFixture();
  chmodSync(join(at.commonDir, "objects"), 0o2775);
  const run = openGitRun(at.options);
  const facts = {
    tree: at.head("HEAD^{tree}"),
    parents: [],
    message: "m\n",
    committedAt: 1,
    doing: "committing",
  };
  const made = toValue(commitTree(run, facts));
  const path = join(at.commonDir, "objects", made.slice(0, 2), made.slice(2));
  expect(statSync(path).mode & 0o777).toBe(0o444);
  expect(statSync(dirname(path)).mode & 0o7777).toBe(0o2775);
  const { ino } = statSync(path);
  at.git(["--version"]);
  expect(toValue(commitTree(run, facts))).toBe(made);
  expect(statSync(path).ino).toBe(ino);
});

test("a ref that is written can be read, and a packed one of the same name counts no more", () => {
  const at = gitFixture();
  const first = at.head();
  expect(writeLooseRef(at.commonDir, ref, first)).toBe(true);
  at.git(["pack-refs", "--all"]);
  const second = at.commit({ "b.txt": "b\n" });
  expect(writeLooseRef(at.commonDir, ref, second)).toBe(true);
  expect(at.git(["rev-parse", ref])).toBe(second);
  expect(at.git(["for-each-ref", "--format=%(refname)", "refs/execute-prd"])).toBe(ref);
});

test("what a killed program leaves of a ref keeps nobody waiting and is no ref", () => {
  const at = gitFixture();
  writeDeep(join(at.commonDir, `${ref}.0123456789ab.lock`));
  expect(writeLooseRef(at.commonDir, ref, at.head())).toBe(true);
  expect(at.git(["for-each-ref", "--format=%(refname)", "refs/execute-prd"])).toBe(ref);
  expect(at.git(["update-ref", ref, "HEAD"])).toBe("");
  expect(at.git(["fsck", "--strict"])).not.toMatch(/error|warning/);
});

test.each<[string, (commonDir: string) => void]>([
  ["another writer's lock", (commonDir) => writeDeep(join(commonDir, `${ref}.lock`))],
  ["a ref below it", (commonDir) => writeDeep(join(commonDir, ref, "x"))],
  ["a file in the place of a folder", (commonDir) => writeDeep(join(commonDir, "refs/execute-prd/run"))],
  [
    "a link in the place of a folder",
    (commonDir) => {
      mkdirSync(join(commonDir, "elsewhere"));
      symlinkSync(join(commonDir, "elsewhere"), join(commonDir, "refs/execute-prd"));
    },
  ],
  [
    "another ref storage",
    (commonDir) => {
      rmSync(join(commonDir, "refs/heads"), { recursive: true });
      writeFileSync(join(commonDir, "refs/heads"), "");
    },
  ],
])("%s is left to git, and nothing is written", (_what, spoil) => {
  const at = gitFixture();
  const sha: Sha = at.head();
  spoil(at.commonDir);
  expect(writeLooseRef(at.commonDir, ref, sha)).toBe(false);
  expect(existsSync(join(at.commonDir, ref)) && statSync(join(at.commonDir, ref)).isFile()).toBe(false);
  const lock = join(at.commonDir, `${ref}.lock`);
  expect(existsSync(lock) ? readFileSync(lock, "utf8") : "").toBe("");
});

function writeDeep(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "");
}
