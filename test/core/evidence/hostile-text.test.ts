// Texts made to be slow or to break a reader: a candidate's examination is bounded work whatever is in it.
import { expect, test } from "vitest";
import { limits } from "../../../src/core/limits.ts";
import { timed } from "../../support/processor-time.ts";
import { change, findingsOf } from "./change.ts";

const size = 50_000;
const pieces = [
  "(",
  "{",
  "test(",
  "test.each(",
  "test.each`",
  'test("a", () => { expect(1).toBe(1); return; });',
  "\ntest.skip(",
  "test.skip(",
  "expect(",
  "expect(a, ",
  "assert.equal(",
  "\nassert ",
  "try {",
  "try { expect(a) } catch {",
  "return;",
  "function f() { expect(a); }\n",
  "@Test ",
  "#[test]\n",
  "[Fact] void a(",
  "def test_a():\n",
  "  def test_a():\n",
  "func TestA(\n",
  'it "a"\n',
  "@ts-ignore ",
  "// @ts-ignore\n",
  "/* eslint-disable */",
  "#[allow(",
  "tokentoken",
  'token = "',
  "eyJaaaaaaaaaa.",
  "-----BEGIN PRIVATE KEY-----\n",
  "<<<<<<< a\n",
  "<<<<<<< a\n=======\n",
  "/[",
  "=/[",
  "=/a",
  "`${",
  "'''",
  "/*",
  'r#"',
  "\\",
  " ",
  "\t\n",
  "\r",
  "\0",
  "a",
  "assert",
  "it.",
  "a:",
  "a: a\n",
  '"strict": true,',
  '"a":',
  "branches: 1\n",
  "[[",
  "*",
];
const paths = [
  "a.test.ts",
  "test_a.py",
  "a_test.go",
  "a.rs",
  "ATest.java",
  "a_spec.rb",
  "a.bats",
  "package.json",
  "Makefile",
  "pyproject.toml",
  "tsconfig.json",
  "a.md",
];

test.each(pieces)("%j over and over", (piece) => {
  const text = piece.repeat(Math.ceil(size / piece.length));
  const changes = paths.map((path) => change(path, text, `${text}x\n${piece}`));
  const { value: findings, ms } = timed(() => findingsOf(changes));
  expect(ms).toBeLessThan(6_000);
  expect(findings.length).toBeLessThanOrEqual(limits.findingsKept);
});

test("thousands of small files are bounded work", () => {
  const changes = Array.from({ length: 4_000 }, (_value, at) => [
    change(`test/a${at}.test.ts`, `test("a${at}", () => {\n  expect(f(${at})).toBe(1);\n});\n`, null),
    change(`test/b${at}.test.ts`, null, `test("b${at}", () => {\n  expect(g(${at})).toBe(1);\n});\n`),
  ]).flat();
  const { value: findings, ms } = timed(() => findingsOf(changes));
  expect(findings).toHaveLength(limits.findingsKept);
  expect(ms).toBeLessThan(6_000);
});
