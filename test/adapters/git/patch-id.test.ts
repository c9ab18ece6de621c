// The patch id that is reckoned here is git's own.
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { diffCommand } from "../../../src/adapters/git/diff.ts";
import { openPatchId } from "../../../src/adapters/git/patch-id.ts";
import { gitFixture } from "../../support/git-fixture.ts";

const text = Array.from({ length: 60 }, (_, k) => `line ${k}\n`).join("");
const files = { "a.txt": text, "b.txt": "b\n", "c.bin": "\0" };

type Change = Readonly<Record<string, string | null>>;

const changes: Readonly<Record<string, Change>> = {
  "a changed line": { "a.txt": text.replace("line 5\n", "line five\n") },
  "several hunks in several files": {
    "a.txt": text.replace("line 1\n", "").replace("line 40\n", "forty\n\tand  more\n"),
    "b.txt": "b\nmore\n",
  },
  "new, deleted and empty files": { "new.txt": "new\n", "b.txt": null, "empty.txt": "" },
  "a missing line end": { "b.txt": "b" },
  "binary files": { "c.bin": "\0\x01\x02", "d.bin": "\0\0", "a.txt": `${text}more\n` },
  "lines that look like a diff": { "b.txt": "--- a\n+++ b\n@@ -1 +1 @@\ndiff --git a b\nindex 12..34\n" },
  "carriage returns and odd letters": { "b.txt": "b\r\n\u00e4\u2028\n", "\u00e4 \t.txt": "x\n" },
  "an empty file alone": { "empty.txt": "" },
};

describe.each(["sha1", "sha256"] as const)("in a repository with %s", (algorithm) => {
  test.each(Object.keys(changes))("of %s", (name) => {
    const at = gitFixture(files, algorithm);
    const base = at.head();
    for (const [file, content] of Object.entries(changes[name] ?? {})) {
      if (content === null) rmSync(join(at.checkout, file));
      else writeFileSync(join(at.checkout, file), content);
    }
    const cwd = at.checkout;
    const diff = execFileSync("git", [...diffCommand, base, at.commit({})], { cwd });
    const said = execFileSync("git", ["patch-id", "--stable"], { cwd, input: diff, encoding: "utf8" });
    expect(said).not.toBe("");
    expect(idOf(diff, { algorithm, pieceLength: 1_000_000 })).toBe(said.split(" ")[0]);
    expect(idOf(diff, { algorithm, pieceLength: 7 }), "in small pieces").toBe(said.split(" ")[0]);
  });
});

test("of nothing is empty", () => {
  expect(idOf(Buffer.alloc(0), { algorithm: "sha1", pieceLength: 1 })).toBe("");
});

function idOf(diff: Buffer, at: { algorithm: "sha1" | "sha256"; pieceLength: number }): string {
  const id = openPatchId(at.algorithm);
  for (let from = 0; from < diff.length; from += at.pieceLength) {
    id.write(diff.subarray(from, from + at.pieceLength));
  }
  return id.end();
}
