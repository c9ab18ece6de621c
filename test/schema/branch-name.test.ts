// Names of branches: the same judgement as git's own, but for names that no builder means.
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { branchNameProblem } from "../../src/schema/branch-name.ts";

const good = [
  "a",
  "feature/x",
  "a-b_c.d",
  "a/-b",
  "a./b",
  "@a",
  "a@",
  "a/@",
  "refs/heads/x",
  "ünï/😀",
  "a{b",
  "}",
];
const bad = [
  "",
  "-a",
  "HEAD",
  ".a",
  "a/.b",
  "a..b",
  "a.",
  "a.lock",
  "a.lock/b",
  "/a",
  "a/",
  "a//b",
  "a b",
  "a\tb",
  "a\u007f",
  "a~1",
  "a^",
  "a:b",
  "a?",
  "a*",
  "a[b",
  "a\\b",
  "a@{b",
  "@{-1}",
  "@{u}",
];

describe("as git sees it", () => {
  test.each(good)("%j is a branch name", (name) => {
    expect([branchNameProblem(name), isTakenByGit(name)]).toEqual([null, true]);
  });

  test.each(bad)("%j is none", (name) => {
    expect([branchNameProblem(name), isTakenByGit(name)]).toEqual([
      expect.stringMatching(/^(no |a name)/),
      false,
    ]);
  });

  test("any text is judged as git judges it", () => {
    const part = fc.constantFrom(
      "a",
      ".",
      "/",
      "@",
      "{",
      "-",
      ".lock",
      "HEAD",
      "~",
      " ",
      "é",
      "\\",
      "[",
      "*",
      "b",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const name = parts.join("");
        if (name === "@") return;
        expect(branchNameProblem(name) === null).toBe(isTakenByGit(name));
      }),
      { numRuns: 150 },
    );
  });
});

test.each(["@", "a\u0085b", "\uD800", "x".repeat(251), `a/${"é".repeat(126)}`])(
  "%j is refused although git takes it",
  (name) => {
    expect(branchNameProblem(name)).not.toBe(null);
  },
);

function isTakenByGit(name: string): boolean {
  const { status, error } = spawnSync("git", ["check-ref-format", "--branch", name], { cwd: tmpdir() });
  if (error) throw error;
  return status === 0;
}
