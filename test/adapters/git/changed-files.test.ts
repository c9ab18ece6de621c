// The changed files of a candidate as real repositories have them: kinds, modes, texts, odd paths, bounds.
import { chmodSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type CollectingBounds, collectChanges } from "../../../src/adapters/git/changed-files.ts";
import { openGitRun } from "../../../src/adapters/git/git-run.ts";
import { createRedaction } from "../../../src/adapters/redaction/redaction.ts";
import type { Sha } from "../../../src/core/ids.ts";
import { failureOf, type RepositoryFixture, repositoryFixture, toValue } from "../../support/git-fixture.ts";

async function collect(at: RepositoryFixture, base: Sha, bounds?: CollectingBounds) {
  return toValue(await collectChanges(openGitRun(at.options), { base, commit: at.head() }, bounds));
}

const file = "export const a = 1;\n";

test("each kind of change comes with modes, texts and lines", async () => {
  const at = repositoryFixture({
    "changed.ts": "a\nb\nc\n",
    "gone.ts": file,
    "same.ts": file,
    "run.sh": "x\n",
    "link.ts": file,
  });
  const base = at.head();
  rmSync(join(at.checkout, "gone.ts"));
  rmSync(join(at.checkout, "link.ts"));
  symlinkSync("../outside", join(at.checkout, "link.ts"));
  chmodSync(join(at.checkout, "run.sh"), 0o755);
  writeFileSync(join(at.checkout, "picture.png"), Buffer.from([137, 80, 0, 1]));
  at.commit({ "changed.ts": "a\nx\nc\n", "new.ts": file });
  const found = await collect(at, base);
  const byPath = new Map(found.changes.map((change) => [change.path, change]));
  expect(byPath.get("changed.ts")).toMatchObject({
    change: "modified",
    beforeMode: "100644",
    afterMode: "100644",
    before: "a\nb\nc\n",
    after: "a\nx\nc\n",
    isBinary: false,
    beforeBytes: 6,
    afterBytes: 6,
    added: [{ line: 2, text: "x" }],
    removed: [{ line: 2, text: "b" }],
  });
  expect(byPath.get("gone.ts")).toMatchObject({
    change: "deleted",
    before: file,
    after: null,
    afterMode: null,
  });
  expect(byPath.get("new.ts")).toMatchObject({
    change: "added",
    before: null,
    beforeMode: null,
    after: file,
  });
  expect(byPath.get("new.ts")?.afterId).toBe(byPath.get("gone.ts")?.beforeId);
  expect(byPath.get("link.ts")).toMatchObject({
    change: "type changed",
    afterMode: "120000",
    after: "../outside",
  });
  expect(byPath.get("run.sh")).toMatchObject({
    change: "modified",
    beforeMode: "100644",
    afterMode: "100755",
    added: [],
  });
  expect(byPath.get("picture.png")).toMatchObject({
    isBinary: true,
    after: null,
    afterBytes: 4,
    afterMode: "100644",
  });
  expect(found).toMatchObject({
    changeCount: 6,
    deletions: 1,
    isComplete: true,
    baseBytes: null,
    definitions: [],
  });
});

test("paths of any characters, and attributes that would hide a patch, change nothing", async () => {
  const at = repositoryFixture({ ".gitattributes": "*.ts -diff\n*.txt binary\n" });
  const base = at.head();
  at.commit({ 'a "b"\n\tü.ts': "x\n", "-rf.txt": "y\n" });
  const { changes } = await collect(at, base);
  expect(changes.map(({ path, after, isBinary }) => [path, after, isBinary])).toEqual([
    ["-rf.txt", "y\n", false],
    ['a "b"\n\tü.ts', "x\n", false],
  ]);
});

test("a repository within the repository has no text", async () => {
  const at = repositoryFixture();
  const base = at.head();
  at.git(["update-index", "--add", "--cacheinfo", `160000,${base},lib`]);
  at.git(["commit", "-qm", "lib"]);
  const { changes } = await collect(at, base);
  expect(changes).toMatchObject([
    { path: "lib", change: "added", afterMode: "160000", after: null, afterBytes: 0 },
  ]);
});

test("the base's tools come along where a file of their kind changed, and only there", async () => {
  const at = repositoryFixture();
  at.commit({ "ci/a.sh": "sh ci/b.sh\n", "ci/b.sh": "b\n", "run.sh": "sh ci/a.sh\n", "src/a.js": "a\n" });
  const base = at.head();
  at.commit({ "src/a.js": "b\n" });
  expect(await collect(at, base)).toMatchObject({ tools: [] });
  at.commit({ "ci/b.sh": "true\n" });
  expect((await collect(at, base)).tools).toEqual([
    { path: "ci/a.sh", text: "sh ci/b.sh\n" },
    { path: "ci/b.sh", text: "b\n" },
    { path: "run.sh", text: "sh ci/a.sh\n" },
  ]);
});

test("values of the builder's variables are known where they are added, and not where they only moved", async () => {
  const redaction = createRedaction({
    DB_PASSWORD: "correct horse battery",
    OLD_TOKEN: "was-there-before-1",
    NO: "x",
  });
  const at = repositoryFixture({ "old.txt": "was-there-before-1\n", "same.txt": "a\n" });
  const base = at.head();
  at.commit({
    "new.txt": "was-there-before-1\n",
    "old.txt": "gone\n",
    "a.js": 'x();\nconst p = "correct horse battery";\n',
    "b.txt": "[redacted DB_PASSWORD]\n",
    "correct horse battery.txt": "x\n",
    "same.txt": `a\n${Buffer.from("user:correct horse battery").toString("base64")}\n`,
  });
  const run = openGitRun({ ...at.options, redact: redaction.text });
  const { knownSecrets } = toValue(await collectChanges(run, { base, commit: at.head() }));
  expect(knownSecrets).toEqual([
    { path: "a.js", line: 2, name: "DB_PASSWORD" },
    { path: "correct horse battery.txt", line: null, name: "DB_PASSWORD" },
    { path: "same.txt", line: 2, name: "DB_PASSWORD" },
  ]);
});

test("nothing changed is no change", async () => {
  const at = repositoryFixture();
  expect(await collect(at, at.head())).toMatchObject({ changes: [], changeCount: 0, isComplete: true });
});

test("the base's definitions of gates come with it, changed or not", async () => {
  const at = repositoryFixture({ "package.json": "{}\n", Makefile: "test:\n", "sub/package.json": "{}\n" });
  const base = at.head();
  at.commit({ "package.json": '{"a":1}\n' });
  const { definitions } = await collect(at, base);
  expect(definitions).toEqual([
    { path: "package.json", text: "{}\n" },
    { path: "Makefile", text: "test:\n" },
  ]);
});

test("what is beyond a bound is left out and said so", async () => {
  const at = repositoryFixture({ "package.json": "{\n\n\n\n\n\n\n\n\n\n\n\n}\n" });
  const base = at.head();
  at.commit({ "a.txt": "12345\n", "b.txt": "12345678901\n", "c.txt": "xyz\n" });
  const bounds = { files: 10, fileBytes: 10, bytes: 100 };
  const texts = async (other: Partial<CollectingBounds>) => {
    const { changes, changeCount, isComplete } = await collect(at, base, { ...bounds, ...other });
    return { texts: changes.map(({ after }) => after), changeCount, isComplete };
  };
  // One file that is too large is told by its size; the others are all there.
  expect(await texts({})).toEqual({ texts: ["12345\n", null, "xyz\n"], changeCount: 3, isComplete: true });
  expect(await texts({ bytes: 7 })).toEqual({
    texts: ["12345\n", null, null],
    changeCount: 3,
    isComplete: false,
  });
  expect(await texts({ files: 2 })).toEqual({ texts: ["12345\n", null], changeCount: 3, isComplete: false });
  expect((await collect(at, base, bounds)).definitions).toEqual([]);
});

test("the base is measured where much is taken away, and only there", async () => {
  const at = repositoryFixture({ "big.txt": "line of text\n".repeat(8_000), "small.txt": "x".repeat(1_000) });
  const base = at.head();
  rmSync(join(at.checkout, "big.txt"));
  at.commit({});
  expect(await collect(at, base)).toMatchObject({ baseBytes: 105_000, deletions: 1 });
  at.commit({ "other.txt": "y\n" });
  expect(await collect(at, at.head("HEAD^"))).toMatchObject({ baseBytes: null });
});

test("a commit that is not there is a failure, not an empty diff", async () => {
  const at = repositoryFixture();
  const missing = "1".repeat(40) as Sha; // has the form of one
  const answer = await collectChanges(openGitRun(at.options), { base: at.head(), commit: missing });
  expect(failureOf(answer)).toMatchObject({ reason: "git-failed" });
});

test("a file whose object is gone is a failure", async () => {
  const at = repositoryFixture();
  const base = at.head();
  at.commit({ "a.txt": "a\n" });
  const id = at.git(["rev-parse", "HEAD:a.txt"]);
  rmSync(join(at.commonDir, "objects", id.slice(0, 2), id.slice(2)), { force: true });
  const answer = await collectChanges(openGitRun(at.options), { base, commit: at.head() });
  expect(failureOf(answer)).toMatchObject({ reason: "git-failed", detail: `object ${id} is missing` });
});
