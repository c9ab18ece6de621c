// Refs seen by plain reads are those that git lists, whatever happens to them.
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  emptyRefCache,
  lookAtRefs,
  type RefCache,
  refIn,
  refsOf,
} from "../../../src/adapters/git/ref-look.ts";
import { type GitFixture, gitFixture } from "../../support/git-fixture.ts";

const zeros = "0".repeat(40);

/** Every step is looked at twice with the same memory. */
function expectSame(at: GitFixture, cache: RefCache): void {
  const listed = at.git(["for-each-ref", "--format=%(refname) %(objectname)"]);
  for (const each of ["first", "second"]) {
    const look = lookAtRefs(at.commonDir, cache);
    if (look === null) throw new Error(`the ${each} look is left to git`);
    const seen = [...refsOf(look)].map((entry) => entry.join(" ")).toSorted();
    expect(seen, each).toEqual(listed.split("\n").toSorted());
  }
}

test.each(["sha1", "sha256"] as const)("through a repository's life (%s)", (objectFormat) => {
  const at = gitFixture({ "a.txt": "a\n" }, objectFormat);
  const cache = emptyRefCache();
  const steps: readonly (() => unknown)[] = [
    () => {},
    () => at.git(["branch", "feature/x"]),
    () => at.git(["tag", "-a", "v1", "-m", "one"]),
    () => at.commit({ "b.txt": "b\n" }),
    () => at.git(["update-ref", "refs/execute-prd/r/t/1/candidate", "HEAD"]),
    () => at.git(["pack-refs", "--all"]),
    () => at.commit({ "c.txt": "c\n" }),
    () => at.git(["branch", "-D", "feature/x"]),
    () => at.git(["update-ref", "-d", "refs/execute-prd/r/t/1/candidate"]),
    () => at.git(["branch", "feature/x/y"]),
    () => at.git(["update-ref", "refs/remotes/origin/main", "HEAD"]),
    () => at.git(["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main"]),
    () => at.git(["symbolic-ref", "refs/remotes/origin/gone", "refs/remotes/origin/nowhere"]),
    () => at.git(["branch", "\u00e4\u4e2d"]),
    () => writeFileSync(join(at.commonDir, "refs/heads/main.lock"), ""),
    () => at.git(["pack-refs", "--all"], { env: {} }),
    () => rmSync(join(at.commonDir, "packed-refs")),
  ];
  rmSync(join(at.commonDir, "refs/heads/main.lock"), { force: true });
  for (const step of steps) {
    try {
      step();
    } catch {
      rmSync(join(at.commonDir, "refs/heads/main.lock"), { force: true });
    }
    expectSame(at, cache);
  }
});

test("a ref that is written over in place, with the old times put back, is seen", () => {
  const at = gitFixture();
  const first = at.head();
  const second = at.commit({ "b.txt": "b\n" });
  const path = join(at.commonDir, "refs/heads/x");
  writeFileSync(path, `${first}\n`);
  const long = new Date(Date.now() - 60_000);
  utimesSync(path, long, long);
  const cache = emptyRefCache();
  lookAtRefs(at.commonDir, cache);
  writeFileSync(path, `${second}\n`);
  utimesSync(path, long, long);
  const look = lookAtRefs(at.commonDir, cache);
  expect(look === null ? null : refIn(look, "refs/heads/x")).toBe(second);
});

test("packed refs that nobody touched are the same map again", async () => {
  const at = gitFixture();
  at.git(["pack-refs", "--all"]);
  const cache = emptyRefCache();
  const packed = () => lookAtRefs(at.commonDir, cache)?.packed;
  const isSame = () => Object.is(packed(), packed());
  await expect.poll(isSame).toBe(true);
});

test.each<[string, (at: GitFixture) => void]>([
  ["a link", (at) => symlinkSync(join(at.commonDir, "refs/heads/main"), join(at.commonDir, "refs/heads/x"))],
  [
    "a linked folder",
    (at) => {
      renameSync(join(at.commonDir, "refs/tags"), join(at.commonDir, "tags"));
      symlinkSync(join(at.commonDir, "tags"), join(at.commonDir, "refs/tags"));
    },
  ],
  ["no object id", (at) => writeFileSync(join(at.commonDir, "refs/heads/x"), "nothing\n")],
  ["the object id of nothing", (at) => writeFileSync(join(at.commonDir, "refs/heads/x"), `${zeros}\n`)],
  ["a name that is none", (at) => writeFileSync(join(at.commonDir, "refs/heads/a b"), `${at.head()}\n`)],
  ["a ref that leads out of refs", (at) => writeFileSync(join(at.commonDir, "refs/heads/x"), "ref: HEAD\n")],
  ["a huge file", (at) => writeFileSync(join(at.commonDir, "refs/heads/x"), "x".repeat(10_000))],
  ["broken packed refs", (at) => writeFileSync(join(at.commonDir, "packed-refs"), "nothing refs/heads/x\n")],
  ["a folder for packed refs", (at) => mkdirSync(join(at.commonDir, "packed-refs"))],
])("%s is left to git", (_what, spoil) => {
  const at = gitFixture();
  spoil(at);
  expect(lookAtRefs(at.commonDir, emptyRefCache())).toBeNull();
});
