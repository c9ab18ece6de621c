// Files by what they are and whose they are: conflict markers, links, repositories, sizes, protected paths, scope,
// suppressions, deletions.
import { expect, test } from "vitest";
import { findMoves } from "../../../src/core/evidence/moves.ts";
import { limits } from "../../../src/core/limits.ts";
import { change, findingsOf, text, told } from "./change.ts";

const conflict = text("<<<<<<< HEAD", "a();", "=======", "b();", ">>>>>>> other");

test.each([
  ["src/a.ts", text("x();", ...conflict.trimEnd().split("\n")), ["reject conflict-marker src/a.ts:2"]],
  ["src/a.ts", conflict.replaceAll(/([<=>])\1+/g, "$&$1$1$1"), ["reject conflict-marker src/a.ts:1"]],
  ["src/a.ts", conflict.replaceAll("\n", "\r\n"), ["reject conflict-marker src/a.ts:1"]],
  ["src/a.ts", `/*\n${conflict}*/\n`, ["reject conflict-marker src/a.ts:2"]],
  ["src/a.ts", `const a = \`\n${conflict}\`;\n`, ["justify conflict-marker src/a.ts:2"]],
  ["README.md", conflict, ["reject conflict-marker README.md:1"]],
  ["README.md", `~~~~\n\`\`\`\n${conflict}~~~~\n`, []],
  ["README.md", `\`\`\`\ncode\n\`\`\`\n${conflict}`, ["reject conflict-marker README.md:4"]],
  ["data.json", conflict, ["reject conflict-marker data.json:1"]],
  ["test/fixtures/conflict.txt", conflict, ["reject conflict-marker test/fixtures/conflict.txt:1"]],
  ["test/fixtures/conflict.json", conflict, ["justify conflict-marker test/fixtures/conflict.json:1"]],
  ["test/merge.test.ts", `const a = \`\n${conflict}\`;\n`, []],
  ["src/a.ts", "<<<<<<< HEAD\na();\n", []],
  ["src/a.ts", text("=======", ">>>>>>> a", "<<<<<<< a"), []],
  ["README.md", "Title\n=======\n>>>>>>> x\n", []],
])("conflict markers in %s %#", (path, after, expected) => {
  expect(told([change(path, "x();\n", after)])).toEqual(expected);
});

test("markers that were there before are not the candidate's", () => {
  expect(told([change("a.txt", conflict, `${conflict}more\n`)])).toEqual([]);
  expect(told([change("a.txt", conflict, `${conflict}${conflict}`)])).toEqual([
    "reject conflict-marker a.txt:6",
  ]);
  expect(told([change("a.ts", conflict, `${conflict}// <<<<<<< x\n<<<<<<< y\n`)])).toEqual([]);
});

test.each([
  ["a link", "src/b", "../a.ts", {}, "note link-added src/b"],
  [
    "a link in place of a file",
    "src/b",
    "./a.ts",
    { beforeMode: "100644" },
    "justify link-replaced-file src/b",
  ],
  ["a link that was one", "src/b", "a.ts", { beforeMode: "120000" }, "note link-added src/b"],
  ["a link out of the repository", "src/b", "../../a", {}, "reject link-outside src/b"],
  ["a link to an absolute place", "src/b", "/etc/passwd", {}, "reject link-outside src/b"],
  ["a link to a drive", "src/b", "C:\\a", {}, "reject link-outside src/b"],
  ["a link to git's folder", "src/b", "../.GIT/config", {}, "reject link-outside src/b"],
])("%s", (_what, path, target, other, expected) => {
  const file = change(path, null, target, { afterMode: "120000", ...other });
  expect(told([file])).toEqual([expected]);
});

test("a link that cannot be read may point anywhere", () => {
  const file = change("b", null, null, { afterMode: "120000", change: "added" });
  expect(told([file])).toEqual(["reject link-outside b"]);
});

const gitlink = { afterMode: "160000", before: null, after: null };

test("a repository within the repository is rejected, a submodule is to be justified", () => {
  expect(told([change("lib", null, null, gitlink)])).toEqual(["reject nested-repository lib"]);
  const modules = change(".gitmodules", "", '[submodule "lib"]\n\tpath = lib\n\turl = x\n');
  expect(told([modules, change("lib", null, null, gitlink)])).toEqual([
    "justify submodule-changed .gitmodules",
    "justify submodule-changed lib",
  ]);
  const moved = change("lib", null, null, { ...gitlink, beforeMode: "160000", change: "modified" });
  expect(told([moved])).toEqual(["justify submodule-changed lib"]);
  expect(told([change("lib", null, null, { beforeMode: "160000", change: "deleted" })])).toEqual([
    "justify submodule-changed lib",
  ]);
  expect(told([change("a/.Git/config", null, "x\n")])).toEqual(["reject nested-repository a/.Git/config"]);
});

test("so is a repository without a folder of that name; a file called HEAD alone is not", () => {
  const parts = [change("x.git/objects/ab/cd", null, "x"), change("x.git/refs/heads/main", null, "y\n")];
  const head = change("x.git/HEAD", null, "ref: refs/heads/main\n");
  expect(told([head, ...parts])).toEqual(["reject nested-repository x.git/HEAD"]);
  expect(told([head, ...parts.slice(1)])).toEqual([]);
  expect(told([change("x.git/HEAD", "ref: refs/heads/main\n", null), ...parts])).toEqual([]);
  expect(told([change("x.git/HEAD", null, "the head of the list\n"), ...parts])).toEqual([]);
});

test("sizes, binaries and the executable bit are noted", () => {
  const large = { afterMode: "100644", afterBytes: limits.largeFileBytes };
  expect(findingsOf([change("a.bin", null, null, { ...large, isBinary: true })])).toMatchObject([
    { kind: "large-file", effect: "note", text: '"a.bin" has 1024 KiB, too large or binary to be examined' },
  ]);
  expect(findingsOf([change("a.txt", null, "a\n", large)])[0]?.text).toBe('"a.txt" has 1024 KiB');
  expect(
    told([change("a.bin", "a", null, { isBinary: true, afterMode: "100644", change: "modified" })]),
  ).toEqual(["note binary-file a.bin"]);
  expect(
    told([change("a.bin", null, null, { isBinary: true, beforeMode: "100644", change: "deleted" })]),
  ).toEqual([]);
  expect(told([change("a.sh", "a\n", "a\n", { afterMode: "100755" })])).toEqual([
    "note made-executable a.sh",
  ]);
  expect(told([change("a.sh", "a\n", "b\n", { beforeMode: "100755", afterMode: "100755" })])).toEqual([]);
});

test.each([
  "AGENTS.md",
  "docs/agents.MD",
  "CLAUDE.md",
  "CLAUDE.local.md",
  "GEMINI.md",
  ".claude/settings.json",
  "packages/a/.codex/config.toml",
  ".gemini/x",
  ".opencode/plugin/a.js",
  "opencode.json",
  ".cursor/rules/a.mdc",
  ".mcp.json",
  ".execute-prd/agents/reviewer.md",
  ".claude",
])("%s is held unless the task names it", (path) => {
  const file = change(path, "a\n", "b\n");
  expect(told([file])).toEqual([`hold agent-instructions ${path}`]);
  expect(told([file], { filesTouched: [path] })).toEqual([]);
  const folder = path.includes("/") ? `${path.split("/")[0]}/` : "";
  const kinds = told([file], { filesTouched: [folder] });
  expect(kinds).toEqual(folder === "" ? [`hold agent-instructions ${path}`] : []);
});

test("our own configuration is held, and to be justified where the task names it", () => {
  const file = change("execute-prd.config.json", '{"gates":["a"]}', '{"gates":[]}');
  expect(told([file])).toEqual([
    "hold agent-instructions execute-prd.config.json",
    "justify gate-changed execute-prd.config.json:1",
  ]);
  expect(told([file], { filesTouched: ["execute-prd.config.json"] })).toEqual([
    "justify gate-changed execute-prd.config.json:1",
  ]);
});

test("protected paths are held unless the task names them, in any case", () => {
  const file = change("Deploy/keys.txt", "a\n", "b\n");
  for (const name of ["deploy/keys.txt", "deploy/", "deploy/*.txt", "**/keys.txt"]) {
    expect(told([file], { protectedPaths: ["x", name] })).toEqual(["hold protected-path Deploy/keys.txt"]);
  }
  expect(told([file], { protectedPaths: ["deploy"], filesTouched: ["Deploy/"] })).toEqual([]);
  expect(told([file], { protectedPaths: ["other"] })).toEqual([]);
});

test("files that the task does not name are one note", () => {
  const changes = ["src/a.ts", "src/b.ts", "lib/c.ts"].map((path) => change(path, "a\n", "b\n"));
  expect(findingsOf(changes, { filesTouched: ["src/a.ts"] })).toMatchObject([
    {
      effect: "note",
      kind: "outside-scope",
      file: "lib/c.ts",
      text: '2 files changed that the task does not name: "lib/c.ts", "src/b.ts"',
    },
  ]);
  expect(told(changes, { filesTouched: ["src/", "**/c.ts"] })).toEqual([]);
});

test("a path of strange characters stays one line", () => {
  const [finding] = findingsOf([
    change("a\nb\u202E.bin", null, null, { afterMode: "100644", isBinary: true }),
  ]);
  expect(finding?.text).toBe('"a b .bin" is binary (0 KiB)');
});

test.each([
  ["src/a.ts", "// @ts-ignore"],
  ["src/a.ts", "/* eslint-disable no-console */"],
  ["src/a.ts", "// biome-ignore lint: why"],
  ["a.py", "x = 1  # type: ignore[attr]"],
  ["a.py", "x = 1  # noqa: E501"],
  ["a.py", "# pylint: disable=all"],
  ["a.rs", "#[allow(dead_code)]"],
  ["a.go", "x() //nolint:errcheck"],
  ["A.java", '@SuppressWarnings("unchecked")'],
  ["A.cs", "#pragma warning disable CS0168"],
])("in %s this is a suppression: %s", (path, line) => {
  const more = [line, `${line} `, `${line}  `].map((written, index) => `${written} ${index}`);
  expect(told([change(path, "a\n", `a\n${line}\n`)])).toEqual([`note suppression-added ${path}:2`]);
  expect(told([change(path, "a\n", `a\n${more.join("\n")}\n`)])).toEqual([
    `justify suppression-added ${path}:2`,
  ]);
  expect(told([change(path, `${line}\na\n`, `a\n${line}\n`)])).toEqual([]);
});

test("a suppression in a string or in a document is none", () => {
  expect(told([change("src/a.ts", "a\n", 'const rule = "// @ts-ignore";\n')])).toEqual([]);
  expect(told([change("a.md", "a\n", "// @ts-ignore\n")])).toEqual([]);
  expect(told([change("src/a.ts", "// @ts-ignore\n", null)])).toEqual([]);
});

const old = (at: number, size = 1) =>
  change(`src/f${at}.ts`, `export const only${at} = ${at};\n`.repeat(size), null);
const files = (count: number, size = 1) => Array.from({ length: count }, (_value, at) => old(at, size));

test("more deleted files than may be are held, unless the task allows it", () => {
  expect(told(files(10))).toEqual([]);
  expect(told(files(11))).toEqual(["hold many-deletions"]);
  expect(told(files(11), { allowDeletions: true })).toEqual([]);
  expect(told(files(11), { maxDeletedFiles: 11 })).toEqual([]);
  expect(told(files(1), { maxDeletedFiles: 0 })).toEqual(["hold many-deletions"]);
});

test("deletions beyond what was looked at count", () => {
  expect(told(files(2), { deletions: 401, changeCount: 401, isComplete: false })).toEqual([
    "hold many-deletions",
    "hold not-examined",
  ]);
});

test("a file of which nearly nothing is left counts as deleted", () => {
  const gutted = files(11, 20).map((file) => change(file.path, file.before, "\n"));
  expect(told(gutted)).toEqual(["hold many-deletions"]);
});

test("moves are no deletions, also of binary files and of files that were split or are empty", () => {
  const part = (at: number) =>
    Array.from({ length: 6 }, (_value, line) => `export const a${at}x${line} = ${line};`);
  const split = Array.from({ length: 12 }, (_value, at) => [
    change(`src/f${at}.ts`, text(...part(at)), null),
    change(`src/a${at}.ts`, null, text(...part(at).slice(0, 3))),
    change(`src/b${at}.ts`, null, text(...part(at).slice(3))),
  ]).flat();
  expect(told(split, { maxDeletedFiles: 0 })).toEqual([]);
  const binary = { isBinary: true, beforeId: "1", beforeMode: "100644" };
  const from = change("a.png", null, null, { ...binary, change: "deleted" });
  const to = change("b.png", null, null, {
    isBinary: true,
    afterId: "1",
    afterMode: "100644",
    change: "added",
  });
  expect(told([from, to], { maxDeletedFiles: 0 })).toEqual(["note binary-file b.png"]);
  const empty = [change("a/x", "", null), change("b/x", null, ""), change("b/y", null, "")];
  expect(told(empty, { maxDeletedFiles: 0 })).toEqual([]);
  expect(told([change("a/x", "", null)], { maxDeletedFiles: 0 })).toEqual(["hold many-deletions"]);
});

test("one new file is where one deleted file went, not two", () => {
  const content = text("export const one = 1;", "export const two = 2;", "export const three = 3;");
  const changes = [
    change("a.ts", `${content}export const a = 5;\n`, null),
    change("b.ts", `${content}export const b = 6;\n`, null),
    change("c.ts", null, `${content}export const c = 7;\n`),
  ];
  expect([...findMoves(changes)].map(([from, to]) => `${from} ${to.path}`)).toEqual(["a.ts c.ts"]);
});

test("lines that stand in many files say nothing about where a file went", () => {
  const same = text("import one from one;", "import two from two;");
  const added = Array.from({ length: 40 }, (_value, at) =>
    change(`new/${at}.ts`, null, `${same}const a${at} = 1;\n`),
  );
  const gone = change("old.ts", text("const other = 5;", "const another = 6;", "const last = 7;"), null);
  expect(told([...added, gone], { maxDeletedFiles: 0 })).toEqual(["hold many-deletions"]);
});

test("a large share of the content is held, a small repository is not", () => {
  const big = change("src/big.ts", "x", "y", { beforeBytes: 90_000, afterBytes: 30_000 });
  expect(told([big], { baseBytes: 100_000 })).toEqual(["hold many-deletions"]);
  expect(told([big], { baseBytes: 1_000_000 })).toEqual([]);
  expect(told([big], { baseBytes: null })).toEqual([]);
  expect(told([{ ...big, beforeBytes: 9_000, afterBytes: 10 }], { baseBytes: 10_000 })).toEqual([]);
  expect(
    told([change("a.bin", "x", null, { beforeBytes: 90_000 })], { baseBytes: 100_000, allowDeletions: true }),
  ).toEqual([]);
});

test("a snapshot that is new, moved or only grew replaces nothing", () => {
  const snapshot = "exports[`a`] = `1`;\n";
  expect(told([change("test/__snapshots__/a.snap", null, snapshot)])).toEqual([]);
  expect(told([change("test/__snapshots__/a.snap", snapshot, `${snapshot}more\n`)])).toEqual([]);
  expect(told([change("a/a.snap", snapshot, null), change("b/a.snap", null, snapshot)])).toEqual([]);
  expect(
    told([
      change("a.snap", snapshot, null),
      change("golden/b.png", null, null, { beforeMode: "100644", afterMode: "100644", change: "modified" }),
    ]),
  ).toEqual(["note snapshot-rewritten a.snap"]);
});

test("what was not looked at is held, never taken for harmless", () => {
  expect(findingsOf([], { isComplete: false, changeCount: 9_000 })).toMatchObject([
    {
      kind: "not-examined",
      effect: "hold",
      text: expect.stringContaining("9000 files are changed, 0 were looked at"),
    },
  ]);
});
