// Which tests are seen in a text, in each language, and where what looks like one is none.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: lines of code in texts
import { expect, test } from "vitest";
import { languageOf } from "../../../src/core/evidence/language.ts";
import { readSource } from "../../../src/core/evidence/source.ts";
import { findTests } from "../../../src/core/evidence/test-cases.ts";
import { canHoldTests, isSnapshot, isTestName, isTestPath } from "../../../src/core/evidence/test-path.ts";
import { measure } from "../../../src/core/evidence/test-strength.ts";
import { text } from "./change.ts";

function namesIn(path: string, ...lines: string[]): string[] {
  return findTests(readSource(text(...lines), languageOf(path))).map(
    ({ name, rows }) => name + (rows > 0 ? ` *${rows}` : ""),
  );
}

test.each<[string, string, readonly string[]]>([
  ["a.ts", 'test("a", () => {});', ["a"]],
  ["a.ts", "it('a', function () {});", ["a"]],
  ["a.ts", "test(`a ${1}`, () => {});", ["a ${1}"]],
  ["a.ts", "test(name, () => {});", ["name"]],
  ["a.ts", "test(() => {});", ["() => {}"]],
  ["a.ts", "test(", [""]],
  ["a.ts", 'test.concurrent("a", () => {});', ["a"]],
  ["a.ts", 'test.each([1])("a", () => {});', ["a *1"]],
  ["a.ts", 'test.each([\n  1,\n  2,\n])("a", () => {});', ["a *2"]],
  ["a.ts", 'test.each`\na | b\n${1} | ${2}\n`("a", () => {});', ["a *3"]],
  ["a.ts", "test.each(rows)", ["rows *1"]],
  ["a.ts", "test.each`", [" *1"]],
  ["a.ts", 'test.skipIf(ci)("a", () => {});', ["a *1"]],
  ["a.ts", 'Deno.test("a", () => {});', ["a"]],
  ["a.ts", 'describe("x", () => { it("a", () => {}); it("b", () => {}); });', ["a", "b"]],
  ["a.ts", 'test("a", () => { test("inner", () => {}); });', ["a"]],
  ["a.ts", 'pattern.test("a"); const it = 1; contest("a");', []],
  ["a.ts", '// test("a", () => {});\n/* it("b") */ const s = "test(1)";', []],
  ["a.ts", 'const r = /it("[a]\\/"/; test("a", () => { return /`/.test(x); });', ["a"]],
  [
    "a.py",
    "class A:\n    async def test_a(\n        self,\n    ):\n        pass\n\n    def test_b(self): pass",
    ["test_a", "test_b"],
  ],
  ["a.py", "def test_a(): pass", ["test_a"]],
  ["a.py", '"""\ndef test_a():\n"""\ndef helper():\n    pass', []],
  [
    "a_test.go",
    "func TestA(t *testing.T) {\n}\nfunc (s *S) TestB() {\n}\nfunc helper() {\n}",
    ["TestA", "TestB"],
  ],
  ["a_test.go", "func TestA(t *testing.T)", []],
  ["a.rs", '#[test]\nfn a() {}\n#[tokio::test(flavor = "x")]\nasync fn b() {}\nfn c() {}', ["a", "b"]],
  ["a.rs", "#[test]", []],
  ["ATest.java", '@Test\n@DisplayName("x")\npublic void a() {\n}\n@Test void b() {}', ["a", "b"]],
  ["ATest.kt", "@Test\nfun `a b`() {\n}", ["a b"]],
  ["ATest.java", `@Test${"\n".repeat(2_100)}void a() {}`, []],
  ["ATests.cs", "[Theory]\n[InlineData(1)]\npublic async Task A(int b) {\n}", ["A *1"]],
  [
    "ATests.cs",
    "[TestCase(1)]\n[TestCase(2)]\npublic void A(int b) {\n}\n[Test]\npublic void B() {\n}",
    ["A *2", "B"],
  ],
  [
    "ATest.php",
    "<?php\nfunction testA() {}\n#[Test]\npublic function b() {}\nit('c', function () {});",
    ["testA", "b", "c"],
  ],
  ["a_spec.rb", 'it "a" do\n  x\nend\ndef test_b\n  y\nend\nxit("c") { z }', ["a", "test_b", "c"]],
  ["a.bats", '@test "a" {\n  run x\n}\ntest_b() {\n  x\n}', ["a", "test_b()"]],
  ["a.cc", "TEST_F(Suite, A) {\n}\nvoid f() {\n}", ["TEST_F(Suite, A"]],
  ["a.swift", "func testA() {\n}", ["testA"]],
  ["a.md", 'test("a", () => {});', []],
  ["a.yml", "test: x", []],
])("of %s %#", (path, source, names) => {
  expect(namesIn(path, source)).toEqual(names);
});

test("a text that ends in the middle is read to its end", () => {
  const read = (path: string, source: string) => findTests(readSource(source, languageOf(path)));
  expect(read("a.py", "def test_a(): pass")).toMatchObject([{ name: "test_a", body: [] }]);
  expect(read("a.ts", ')}] test("a", () => { x(')).toMatchObject([{ name: "a", end: 24 }]);
});

test.each<[string, string, boolean, boolean]>([
  ["src/a.test.ts", "a test", true, true],
  ["src/a.spec.jsx", "a test", true, true],
  ["test.js", "a test", true, true],
  ["cypress/a.ts", "below a folder of tests", false, true],
  ["tests/a.rs", "a test", true, true],
  ["src/a.rs", "code", false, false],
  ["pkg/a_test.go", "a test", true, true],
  ["test_a.py", "a test", true, true],
  ["tests/data/a.json", "below a folder of tests", false, true],
  ["src/AddTest.java", "a test", true, true],
  ["spec/a_spec.rb", "a test", true, true],
  ["a.bats", "a test", true, true],
  ["src/test.md", "a document", false, false],
  ["src/latest.ts", "code", false, false],
  ["src/contest.go", "code", false, false],
  ["a.snap", "expected output", false, true],
])("%s is %s", (path, _what, isName, isPath) => {
  expect([isTestName(path), isTestPath(path)]).toEqual([isName, isPath]);
});

test("Rust may have tests anywhere, other code only where tests are", () => {
  expect(["src/a.rs", "src/a.ts", "test/a.ts", "test/a.json"].map(canHoldTests)).toEqual([
    true,
    false,
    true,
    false,
  ]);
  expect(["a/golden/b.txt", "a.snap", "src/a.ts"].map(isSnapshot)).toEqual([true, true, false]);
});

function strengthOf(path: string, ...lines: string[]) {
  const source = readSource(text(...lines), languageOf(path));
  return measure(source, 0, source.text.length);
}

test.each([
  ["a.ts", "try { expect(a).toBe(1); } catch (e) { log(e); }", 1],
  ["a.ts", "try { expect(a).toBe(1); } catch (e) { throw e; }", 0],
  ["a.ts", "try { expect(a).toBe(1); } catch (e) { expect(e).toBe(2); }", 0],
  ["a.ts", "try { remove(a); } catch {}", 0],
  ["a.ts", "try { expect(a).toBe(1); } finally { end(); }", 0],
  ["a.ts", "try { expect(a)", 0],
  ["a.ts", "f().catch((e) => {});", 1],
  ["a.py", "try:\n    assert a\nexcept Exception:\n    pass", 1],
  ["a.py", "with suppress(AssertionError):\n    assert a", 1],
  ["a.py", "try:\n    assert a\nexcept Exception as e:\n    raise", 0],
  ["a.bats", "[ a ] || true", 1],
  ["a.bats", "[ a ] || truely", 0],
])("failures that are swallowed in %s: %s", (path, source, swallows) => {
  expect(strengthOf(path, source).swallows).toBe(swallows);
});

test.each([
  ["a.ts", "() => { return; expect(a); }", 1],
  ["a.ts", "() => { if (x) return; expect(a); }", 1],
  ["a.ts", "() => { expect(r.ok); if (!r.ok) return; expect(a); }", 0],
  ["a.ts", "() => { expect(r.ok); return; expect(a); }", 1],
  ["a.ts", "() => { return expect(a); }", 0],
  ["a.ts", "() => { expect(a); return; }", 0],
  ["a.ts", "() => { const f = () => { return; }; expect(a); }", 0],
  ["a.ts", `() => { ${"return; ".repeat(30)} expect(a); }`, 20],
  ["a.py", "def test_a():\n    return\n    assert a", 1],
  ["a.py", "def test_a():\n    if x:\n        return\n    assert a", 0],
  ["a.py", "def test_a(): return", 0],
])("ways out before an assertion in %s: %s", (path, source, exits) => {
  expect(strengthOf(path, source).exits).toBe(exits);
});
