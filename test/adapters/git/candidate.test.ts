// The candidate: one commit that is a function of the intent, with the facts of its diff.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { diffCommand } from "../../../src/adapters/git/diff.ts";
import type { Sha } from "../../../src/core/ids.ts";
import { limits } from "../../../src/core/limits.ts";
import {
  failureOf,
  intentOf,
  never,
  type RepositoryFixture,
  refPrefix,
  repositoryFixture,
  scriptIn,
  toValue,
} from "../../support/git-fixture.ts";

async function candidate(
  at: RepositoryFixture,
  intent: Parameters<typeof intentOf>[0],
  atMs = 1_700_000_000_999,
) {
  return toValue(await at.repository.makeCandidate({ intent: intentOf(intent), atMs, refPrefix }));
}

/** A commit's tree made in the main checkout's index, on a side branch, which is left again. */
function treeWith(at: RepositoryFixture, change: () => void): Sha {
  const start = at.head();
  change();
  at.git(["add", "-A"]);
  const tree = at.git(["write-tree"]) as Sha; // git prints a full sha
  at.git(["reset", "-q", "--hard", start]);
  return tree;
}

function literalDiff(at: RepositoryFixture, base: string, commit: string): Buffer {
  return execFileSync("git", [...diffCommand, base, commit], { cwd: at.checkout });
}

test("the same intent and time give the same commit, whoever makes it when; another time gives another", async () => {
  const at = repositoryFixture();
  const tree = treeWith(at, () => at.write({ "b.txt": "b\n" }));
  const made = await candidate(at, { base: at.head(), tree, message: "Do it\n\nPRD-Task: task-1\n" });
  at.git(["config", "user.name", "Somebody Else"]);
  at.git(["config", "i18n.commitEncoding", "ISO-8859-1"]);
  at.git(["config", "commit.gpgSign", "true"]);
  expect(await candidate(at, { base: at.head(), tree, message: "Do it\n\nPRD-Task: task-1\n" })).toEqual(
    made,
  );
  const later = await candidate(
    at,
    { base: at.head(), tree, message: "Do it\n\nPRD-Task: task-1\n" },
    1_700_000_001_000,
  );
  expect(later.commit).not.toBe(made.commit);
  expect(at.git(["cat-file", "commit", made.commit])).toBe(
    [
      `tree ${tree}`,
      `parent ${at.head()}`,
      "author execute-prd <execute-prd@localhost.invalid> 1700000000 +0000",
      "committer execute-prd <execute-prd@localhost.invalid> 1700000000 +0000",
      "",
      "Do it",
      "",
      "PRD-Task: task-1",
    ].join("\n"),
  );
});

test("the candidate is stored as the attempt's ref", async () => {
  const at = repositoryFixture();
  const tree = treeWith(at, () => at.write({ "b.txt": "b\n" }));
  const made = await candidate(at, { base: at.head(), tree });
  expect(at.head(`${refPrefix}/candidate`)).toBe(made.commit);
});

test("changes, deletions, digest and patch id are those of the documented commands", async () => {
  const at = repositoryFixture({
    "a.txt": "a\n",
    "b.txt": "b\n",
    "m.sh": "m\n",
    t: "t\n",
    "same.txt": "s\n",
  });
  const tree = treeWith(at, () => {
    at.write({ "a.txt": "changed\n", 'odd "name"\té\n': "o\n" });
    writeFileSync(join(at.checkout, "bin"), Buffer.from([0, 1, 2, 255]));
    rmSync(join(at.checkout, "b.txt"));
    rmSync(join(at.checkout, "t"));
    symlinkSync("a.txt", join(at.checkout, "t"));
    chmodSync(join(at.checkout, "m.sh"), 0o755);
  });
  const made = await candidate(at, { base: at.head(), tree });
  expect(made.changes).toEqual([
    { path: "a.txt", change: "modified" },
    { path: "b.txt", change: "deleted" },
    { path: "bin", change: "added" },
    { path: "m.sh", change: "modified" },
    { path: 'odd "name"\té\n', change: "added" },
    { path: "t", change: "type changed" },
  ]);
  expect(made).toMatchObject({ base: at.head(), tree, changeCount: 6, deletions: 1 });
  const diff = literalDiff(at, made.base, made.commit);
  expect(made.diffSha256).toBe(createHash("sha256").update(diff).digest("hex"));
  const patchId = execFileSync("git", ["patch-id", "--stable"], {
    cwd: at.checkout,
    input: diff,
    encoding: "utf8",
  });
  expect(made.patchId).toBe(patchId.split(" ")[0]);
});

test("the digest does not depend on the builder's taste, external diffs or text conversions", async () => {
  const at = repositoryFixture({ "a.txt": "1\n2\n3\n4\n", ".gitattributes": "*.txt diff=mine\n" });
  const tree = treeWith(at, () => at.write({ "a.txt": "1\n2\nthree\n4\n", "é.txt": "x\n" }));
  const made = await candidate(at, { base: at.head(), tree });
  const trap = scriptIn(at.folder, "trap.sh", "#!/bin/sh\necho trapped\n");
  for (const [name, value] of [
    ["diff.noprefix", "true"],
    ["diff.mine.command", trap],
    ["diff.mine.textconv", trap],
    ["diff.external", trap],
    ["core.abbrev", "4"],
    ["core.quotePath", "false"],
    ["diff.suppressBlankEmpty", "true"],
    ["diff.renames", "copies"],
  ] as const) {
    at.git(["config", name, value]);
  }
  expect((await candidate(at, { base: at.head(), tree })).diffSha256).toBe(made.diffSha256);
});

test("attributes of the base shape the diff, as in a checkout of the base, and those of the candidate do not", async () => {
  const at = repositoryFixture({ "a.lock": "1\n", "a.txt": "1\n", ".gitattributes": "*.lock -diff\n" });
  const tree = treeWith(at, () =>
    at.write({ "a.lock": "2\n", "a.txt": "2\n", ".gitattributes": "* -diff\n" }),
  );
  const base = at.head();
  const made = await candidate(at, { base, tree });
  const diff = literalDiff(at, base, made.commit);
  expect(diff.toString()).toMatch(/a\.lock[\s\S]*GIT binary patch[\s\S]*\+2/);
  expect(made.diffSha256).toBe(createHash("sha256").update(diff).digest("hex"));
  const ready = await at.repository.prepareWork({ lane: 1, base, start: base, setup: "" }, never);
  toValue(ready);
  expect((await candidate(at, { base, tree })).diffSha256).toBe(made.diffSha256);
  at.commit({ ".gitattributes": "" });
  expect((await candidate(at, { base, tree })).diffSha256).toBe(made.diffSha256);
});

test("an empty diff has no changes, the digest of nothing, and no patch id", async () => {
  const at = repositoryFixture();
  const made = await candidate(at, { base: at.head(), tree: at.head("HEAD^{tree}") });
  expect(made).toMatchObject({ changes: [], changeCount: 0, deletions: 0, patchId: "" });
  expect(made.diffSha256).toBe(createHash("sha256").digest("hex"));
});

test("of very many changes the first are listed and all are counted", async () => {
  const at = repositoryFixture();
  const files = Object.fromEntries(
    Array.from({ length: limits.changesKept + 3 }, (_, k) => [`f/${k}`, "x\n"]),
  );
  const tree = treeWith(at, () => at.write(files));
  const made = await candidate(at, { base: at.head(), tree });
  expect(made.changes).toHaveLength(limits.changesKept);
  expect(made.changeCount).toBe(limits.changesKept + 3);
});

test("a replay puts the candidate's change on the moved base, with the same patch id", async () => {
  const at = repositoryFixture({ "a.txt": "a\n" });
  const first = await candidate(at, {
    base: at.head(),
    tree: treeWith(at, () => at.write({ "b.txt": "b\n" })),
  });
  const moved = at.commit({ "c.txt": "c\n" });
  const replayed = await candidate(at, { base: moved, tree: first.tree, replayOf: first.commit });
  expect(at.git(["ls-tree", "--name-only", replayed.commit])).toBe("a.txt\nb.txt\nc.txt");
  expect(replayed.changes).toEqual([{ path: "b.txt", change: "added" }]);
  expect(replayed.patchId).toBe(first.patchId);
  expect(at.head(`${replayed.commit}^`)).toBe(moved);
});

test("a replay that conflicts names the files and makes nothing", async () => {
  const at = repositoryFixture({ "a.txt": "old\n" });
  const first = await candidate(at, {
    base: at.head(),
    tree: treeWith(at, () => at.write({ "a.txt": "mine\n" })),
  });
  const moved = at.commit({ "a.txt": "theirs\n" });
  const intent = intentOf({ base: moved, tree: first.tree, replayOf: first.commit });
  const failure = failureOf(await at.repository.makeCandidate({ intent, atMs: 1_000, refPrefix }));
  expect(failure).toEqual({ reason: "replay-conflict", files: ["a.txt"] });
  expect(at.head(`${refPrefix}/candidate`)).toBe(first.commit);
});

test("the patch for reading lies in the run folder and is cut at its bound with the command for the whole", async () => {
  const at = repositoryFixture();
  const base = at.head();
  const small = await candidate(at, { base, tree: treeWith(at, () => at.write({ "b.txt": "b\n" })) });
  const big = await candidate(at, {
    base,
    tree: treeWith(at, () => at.write({ "b.txt": "line\n".repeat(400_000) })),
  });
  const write = async (commit: Sha) => {
    toValue(await at.repository.writePatch({ base, commit, file: "attempts/task-1/1/candidate.patch" }));
    return readFileSync(join(at.options.runFolder, "attempts/task-1/1/candidate.patch"), "utf8");
  };
  expect(await write(small.commit)).toContain("+b\n");
  const cut = await write(big.commit);
  expect(cut.length).toBeLessThanOrEqual(1024 * 1024);
  expect(cut).toContain(`git diff ${base} ${big.commit}`);
  const outside = await at.repository.writePatch({ base, commit: small.commit, file: "../x.patch" });
  expect(failureOf(outside).reason).toBe("storage-failed");
});
