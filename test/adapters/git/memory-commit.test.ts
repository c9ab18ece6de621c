// The memory commit: made without a working tree, the same for the same input, refused where a link leads elsewhere.
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { failureOf, type RepositoryFixture, repositoryFixture, toValue } from "../../support/git-fixture.ts";

const memory = {
  entryPath: "memory/entries/2026-01-31_plan-learnings.md",
  entryText: "# Learned\n",
  indexPath: "memory/MEMORY.md",
  toIndexText: (present: string) => `${present}- [entry](entries/2026-01-31_plan-learnings.md)\n`,
  message: "Record what was learned\n\nPRD-Stage: memory\n",
};

const make = (at: RepositoryFixture, wanted: Partial<typeof memory> = {}) =>
  at.repository.makeMemoryCommit({ head: at.head(), atMs: 7_500, memory: { ...memory, ...wanted } });

test("entry and index are written on the head, everything else stays, and the same input gives the same commit", async () => {
  const at = repositoryFixture({ "a.txt": "a\n", "memory/MEMORY.md": "# Index\n", "memory/other.md": "o\n" });
  const commit = toValue(await make(at));
  expect(at.git(["show", `${commit}:memory/MEMORY.md`])).toBe(
    "# Index\n- [entry](entries/2026-01-31_plan-learnings.md)",
  );
  expect(at.git(["diff", "--name-status", at.head(), commit])).toBe(
    "M\tmemory/MEMORY.md\nA\tmemory/entries/2026-01-31_plan-learnings.md",
  );
  expect(at.git(["log", "-1", "--format=%P %at %ct %an", commit])).toBe(`${at.head()} 7 7 execute-prd`);
  expect(toValue(await make(at))).toBe(commit);
  expect(at.git(["status", "--porcelain"])).toBe("");
});

test("a repository without a memory gets one", async () => {
  const at = repositoryFixture();
  const commit = toValue(await make(at));
  expect(at.git(["show", `${commit}:memory/MEMORY.md`])).toBe(
    "- [entry](entries/2026-01-31_plan-learnings.md)",
  );
});

test("a link anywhere on the way, or a file where a folder is wanted, is refused", async () => {
  const whole = repositoryFixture({ "elsewhere/x": "x\n" });
  symlinkSync("elsewhere", join(whole.checkout, "memory"));
  whole.commit({});
  const part = repositoryFixture();
  mkdirSync(join(part.checkout, "memory"));
  symlinkSync("/tmp", join(part.checkout, "memory", "entries"));
  part.commit({});
  const index = repositoryFixture({ "memory/entries/x": "x\n" });
  symlinkSync("../README.md", join(index.checkout, "memory", "MEMORY.md"));
  index.commit({});
  const file = repositoryFixture({ memory: "a file\n" });
  for (const at of [whole, part, index, file]) {
    expect(failureOf(await make(at))).toMatchObject({
      reason: "git-failed",
      doing: "making the memory commit",
    });
  }
});

test("a path that leaves the repository or enters git's own folder is refused", async () => {
  const at = repositoryFixture();
  for (const entryPath of ["../x.md", "/x.md", "a//x.md", ".git/hooks/x", "a/.GIT/x"]) {
    expect(failureOf(await make(at, { entryPath })).reason).toBe("git-failed");
  }
});
