// Dishonest work: each way of passing without having done the work is found, with what it does to the candidate.
import { expect, test } from "vitest";
import type { ChangedFile } from "../../../src/core/evidence/changed-file.ts";
import { change, findingsOf, text, told } from "./change.ts";

const body = ["  const sum = add(1, 2);", "  expect(sum).toBe(3);", "  expect(sum).not.toBe(4);"];
const whole = text('test("adds", () => {', ...body, "});");
const at = "test/count.test.ts";
const js = (...lines: string[]) => [change(at, whole, text(...lines))];
const inTest = (...lines: string[]) => js('test("adds", () => {', ...lines, "});");
const python = text(
  "def test_adds():",
  "    total = add(1, 2)",
  "    assert total == 3",
  "    assert total != 4",
);
const py = (...lines: string[]) => [change("tests/test_count.py", python, text(...lines))];
const go = text("func TestAdd(t *testing.T) {", "\tif add(1, 2) != 3 {", '\t\tt.Fatal("wrong")', "\t}", "}");
const rust = text("#[test]", "fn adds() {", "    assert_eq!(add(1, 2), 3);", "}");
const longRust = text(
  "#[test]",
  "fn lists() {",
  "    setup();",
  "    let list = [(1, 2)];",
  "    let seen = [(1, 2)];",
  "    let loop_over = [(1, 2)];",
  "    for each in list {",
  "        look(each);",
  "    }",
  "    for (a, b) in loop_over {",
  "        look((a, b));",
  "    }",
  "    assert_eq!(all(), list);",
  "}",
);
const java = text(
  "class AddTest {",
  "  @Test",
  "  void adds() {",
  "    assertEquals(3, add(1, 2));",
  "  }",
  "}",
);
const sharp = text(
  "class AddTests {",
  "  [Fact]",
  "  public void Adds() {",
  "    Assert.Equal(3, Add(1, 2));",
  "  }",
  "}",
);
const php = text(
  "<?php",
  "class AddTest {",
  "  public function testAdds() {",
  "    $this->assertSame(3, add(1, 2));",
  "  }",
  "}",
);
const ruby = text('it "adds" do', "  expect(add(1, 2)).to eq(3)", "end");
const bats = text('@test "adds" {', "  run add 1 2", '  [ "$output" = 3 ]', "}");
const swift = text("func testAdds() {", "  XCTAssertEqual(add(1, 2), 3)", "}");

const lies: readonly [string, readonly ChangedFile[], readonly string[]][] = [
  ["deletes the test file", [change(at, whole, null)], [`justify test-deleted ${at}`]],
  ["empties the test file", [change(at, whole, "")], [`justify test-emptied ${at}`]],
  [
    "comments the tests out",
    [change(at, whole, whole.replaceAll(/^/gm, "// "))],
    [`justify test-emptied ${at}`],
  ],
  [
    "deletes one test",
    [change(at, `${whole}test("b", () => check(1));\n`, whole)],
    [`justify test-deleted ${at}:6`],
  ],
  [
    "skips the test",
    [change(at, whole, whole.replace("test(", "test.skip("))],
    [`justify test-skipped ${at}:1`],
  ],
  [
    "skips it over two lines",
    [change(at, whole, whole.replace("test(", "test\n  .skip("))],
    [`justify test-skipped ${at}:1`],
  ],
  [
    "skips by another name",
    [change(at, whole, whole.replace("test(", "xit("))],
    [`justify test-skipped ${at}:1`],
  ],
  ["skips within", inTest("  t.skip();", ...body), [`justify test-skipped ${at}:2`]],
  [
    "skips by an option",
    js('test("adds", { skip: true }, () => {', ...body, "});"),
    [`justify test-skipped ${at}:1`],
  ],
  ["makes it a plan", js('test.todo("adds", () => {', ...body, "});"), [`justify test-skipped ${at}:1`]],
  [
    "runs another test only",
    js(...whole.trimEnd().split("\n"), 'it.only("b", () => check(1));'),
    [`justify test-focused ${at}:6`],
  ],
  [
    "runs another test only, by an option",
    js(...whole.trimEnd().split("\n"), 'it("b", { only: true }, () => check(1));'),
    [`justify test-focused ${at}:6`],
  ],
  ["takes an assertion out", inTest(...body.slice(0, 2)), [`justify assertion-removed ${at}:1`]],
  ["takes all assertions out", inTest("  add(1, 2);"), [`justify test-emptied ${at}:1`]],
  [
    "turns an assertion to a comment",
    inTest(body[0] ?? "", body[1] ?? "", `// ${body[2]}`),
    [`justify assertion-removed ${at}:1`],
  ],
  [
    "loosens the expectation",
    inTest(...body.slice(0, 2), "  expect(sum).toBeDefined();"),
    [`justify assertion-loosened ${at}:1`],
  ],
  [
    "loosens to a part",
    inTest(...body.slice(0, 2), "  expect(sum).toMatchObject({});"),
    [`justify assertion-loosened ${at}:1`],
  ],
  [
    "compares constants",
    inTest("  add(1, 2);", "  expect(true).toBe(true);", "  expect(sum).not.toBe(4);"),
    [`justify assertion-loosened ${at}:3`],
  ],
  [
    "compares a thing to itself",
    inTest("  expect(add(1, 2)).toEqual(add(1, 2));", "  expect(sum).not.toBe(4);"),
    [`justify assertion-loosened ${at}:2`],
  ],
  ["ends the test before", inTest("  return;", ...body), [`justify test-silenced ${at}:1`]],
  ["ends it on a condition", inTest("  if (!ready) return;", ...body), [`justify test-silenced ${at}:1`]],
  [
    "catches what the assertion throws",
    inTest("  try {", ...body, "  } catch {}"),
    [`justify test-silenced ${at}:1`],
  ],
  ["ignores the rejection", inTest(...body, "  done().catch(() => {});"), [`justify test-silenced ${at}:1`]],
  [
    "adds a test that cannot fail",
    [
      change(
        "test/new.test.ts",
        null,
        text('test("new", () => {', "  return;", "  expect(add(1)).toBe(1);", "});"),
      ),
    ],
    ["justify test-silenced test/new.test.ts:1"],
  ],
  [
    "loosens a part to nothing",
    [change(at, whole.replace("toBe(3)", "toContain(3)"), whole.replace("toBe(3)", "toBeTruthy()"))],
    [`justify assertion-loosened ${at}:1`],
  ],
  [
    "takes rows out of a table",
    [
      change(
        at,
        text("test.each([", "  [1, 2],", "  [3, 4],", '])("%s", (a, b) => {', "  expect(a).toBe(b);", "});"),
        text("test.each([", "  [1, 2],", '])("%s", (a, b) => {', "  expect(a).toBe(b);", "});"),
      ),
    ],
    [`justify assertion-removed ${at}:1`],
  ],
  [
    "weakens what tests share",
    [
      change(
        "test/support/check.ts",
        "export function check(a) {\n  expect(a).toBe(1);\n}\n",
        "export function check() {}\n",
      ),
    ],
    ["justify assertion-removed test/support/check.ts:2"],
  ],
  [
    "python: skips",
    py("@pytest.mark.skip", ...python.trimEnd().split("\n")),
    ["justify test-skipped tests/test_count.py:1"],
  ],
  [
    "python: swallows",
    py(
      "def test_adds():",
      "    try:",
      "        assert add(1, 2) == 3",
      "        assert add(1, 2) != 4",
      "    except AssertionError:",
      "        pass",
    ),
    ["justify test-silenced tests/test_count.py:1"],
  ],
  [
    "python: asserts the constant",
    py("def test_adds():", "    total = add(1, 2)", "    assert True", "    assert total != 4"),
    ["justify assertion-loosened tests/test_count.py:1", "justify assertion-loosened tests/test_count.py:3"],
  ],
  [
    "python: returns first",
    py("def test_adds():", "    return", "    assert add(1, 2) == 3", "    assert total != 4"),
    ["justify test-silenced tests/test_count.py:1"],
  ],
  ["python: deletes", py("def other():", "    pass"), ["justify test-emptied tests/test_count.py"]],
  [
    "go: skips",
    [change("add_test.go", go, go.replace("\tif", "\tt.Skip()\n\tif"))],
    ["justify test-skipped add_test.go:2"],
  ],
  [
    "go: builds it never",
    [change("add_test.go", go, `//go:build ignore\n\n${go}`)],
    ["justify test-skipped add_test.go:1"],
  ],
  [
    "go: only logs",
    [change("add_test.go", go, go.replace("Fatal", "Log"))],
    ["justify test-emptied add_test.go:1"],
  ],
  [
    "rust: ignores",
    [change("src/add.rs", rust, rust.replace("fn", "#[ignore]\nfn"))],
    ["justify test-skipped src/add.rs:2"],
  ],
  [
    "rust: deletes a test within the source",
    [change("src/add.rs", `fn add() {}\n${rust}`, "fn add() {}\n")],
    ["justify test-emptied src/add.rs"],
  ],
  [
    "java: disables",
    [change("src/test/AddTest.java", java, java.replace("@Test", "@Disabled\n  @Test"))],
    ["justify test-skipped src/test/AddTest.java:2"],
  ],
  [
    "java: checks less",
    [change("src/test/AddTest.java", java, java.replace("assertEquals(3, add(1, 2))", "add(1, 2)"))],
    ["justify test-emptied src/test/AddTest.java:2"],
  ],
  [
    "c#: skips",
    [change("AddTests.cs", sharp, sharp.replace("[Fact]", '[Fact(Skip = "later")]'))],
    ["justify test-skipped AddTests.cs:2"],
  ],
  [
    "php: skips",
    [change("AddTest.php", php, php.replace("    $this", "    $this->markTestSkipped();\n    $this"))],
    ["justify test-skipped AddTest.php:4"],
  ],
  [
    "php: deletes",
    [change("AddTest.php", php, "<?php\nclass AddTest {\n}\n")],
    ["justify test-emptied AddTest.php"],
  ],
  [
    "ruby: skips",
    [change("add_spec.rb", ruby, ruby.replace("it ", "xit "))],
    ["justify test-skipped add_spec.rb:1"],
  ],
  [
    "ruby: checks nothing",
    [change("add_spec.rb", ruby, text('it "adds" do', "  add(1, 2)", "end"))],
    ["justify test-emptied add_spec.rb:1"],
  ],
  [
    "bats: skips",
    [change("add.bats", bats, bats.replace("  run", "  skip\n  run"))],
    ["justify test-skipped add.bats:2"],
  ],
  [
    "bats: lets it fail",
    [change("add.bats", bats, bats.replace("3 ]", "3 ] || true"))],
    ["justify test-silenced add.bats:1"],
  ],
  [
    "swift: deletes",
    [change("Tests/AddTests.swift", swift, "\n")],
    ["justify test-emptied Tests/AddTests.swift"],
  ],
  [
    "gtest: skips",
    [
      change(
        "add_test.cc",
        "TEST(Add, Adds) {\n  EXPECT_EQ(1, 1);\n}\n",
        "TEST(Add, Adds) {\n  GTEST_SKIP();\n  EXPECT_EQ(1, 1);\n}\n",
      ),
    ],
    ["justify test-skipped add_test.cc:2"],
  ],
  [
    "loosens an assertion of node:assert",
    [
      change(
        at,
        text('test("adds", () => {', "  assert.equal(add(1, 2), 3);", "});"),
        text('test("adds", () => {', "  assert.ok(add(1, 2));", "});"),
      ),
    ],
    [`justify assertion-loosened ${at}:1`],
  ],
  [
    "replaces a function of the library that checks",
    [change("src/a.ts", "a();\n", text("a();", "assert.strict.equal = () => {};"))],
    ["justify test-silenced src/a.ts:2"],
  ],
  [
    "replaces it under another name, in a new file",
    [
      change("src/a.ts", null, text('import yes from "node:assert/strict";', "yes.equal = () => {};")),
      change("src/b.cjs", null, text('const sure = require("assert");', "sure.ok=f;")),
    ],
    ["justify test-silenced src/a.ts:2", "justify test-silenced src/b.cjs:2"],
  ],
  [
    "replaces it by a call",
    [
      change(
        "test/setup.ts",
        null,
        text("Object.assign(assert, nothing);", "t.mock.method(assert, 'equal', f);"),
      ),
      change(
        "test/conf.py",
        null,
        text("setattr(unittest.TestCase, name, f)", "unittest.TestCase.assertEqual = f"),
      ),
    ],
    [
      "justify test-silenced test/conf.py:1",
      "justify test-silenced test/conf.py:2",
      "justify test-silenced test/setup.ts:1",
      "justify test-silenced test/setup.ts:2",
    ],
  ],
  [
    "asks in the product whether it is being tested",
    [
      change("src/a.js", null, text("if (process.env.NODE_TEST_CONTEXT) process.exit(0);")),
      change("src/b.py", null, text('if "PYTEST_CURRENT_TEST" in os.environ:', "    sys.exit(0)")),
      change("src/c.ts", null, text('const isTest = process.env["VITEST"];')),
    ],
    [
      "justify test-silenced src/a.js:1",
      "justify test-silenced src/b.py:1",
      "justify test-silenced src/c.ts:1",
    ],
  ],
  [
    "makes the test file unreadable",
    [change(at, whole, null, { change: "modified", afterMode: "100644", isBinary: true, afterBytes: 9 })],
    [`justify not-examined ${at}`, `note binary-file ${at}`],
  ],
  ...[
    ["calc/count_test.go", "calc/testdata/count_test.go", go],
    ["calc/count_test.go", "calc/_count_test.go", go],
    ["calc/count_test.go", "calc/count_windows_test.go", go],
    ["tests/test_count.py", "tests/count_checks.py", python],
    [at, "test/count.ts", whole],
    ["t/count.t", "t/count.t.off", 'is(add(1, 2), 3, "adds");\n'],
    ["src/test/java/CountTest.java", "src/main/java/CountTest.java", java],
  ].map(([from = "", to = "", content = ""]): (typeof lies)[number] => [
    `moves tests to ${to}, where no runner looks`,
    [change(from, content, null), change(to, null, content)],
    [`justify test-deleted ${from}`],
  ]),
  ...["test/count_test.exs", "t/count.t", "spec/count_spec.lua", "test/count_test.dart"].map(
    (path): (typeof lies)[number] => [
      `deletes ${path}`,
      [change(path, 'is(add(1, 2), 3, "adds");\n', null)],
      [`justify test-deleted ${path}`],
    ],
  ),
  [
    "lets a wrong result be wanted, in Rust",
    [change("src/lib.rs", rust, rust.replace("#[test]", "#[should_panic]\n#[test]"))],
    ["justify test-silenced src/lib.rs:1"],
  ],
  [
    "catches the panic, in Rust",
    [
      change(
        "src/lib.rs",
        rust,
        rust.replace("assert_eq!(add(1, 2), 3);", "let _ = catch_unwind(|| assert_eq!(add(1, 2), 3));"),
      ),
    ],
    ["justify test-silenced src/lib.rs:1"],
  ],
  [
    "checks only that it is not something else, in Rust",
    [change("src/lib.rs", rust, rust.replace("assert_eq!(add(1, 2), 3)", "assert_ne!(add(1, 2), 9)"))],
    ["justify assertion-loosened src/lib.rs:1"],
  ],
  ...['#[cfg(all(test, feature = "slow"))]', "#[cfg_attr(all(), ignore)]"].map(
    (mark): (typeof lies)[number] => [
      `skips by ${mark}`,
      [change("src/lib.rs", rust, `${mark}\n${rust}`)],
      ["justify test-skipped src/lib.rs:1"],
    ],
  ),
  ...["//go:build integration", "// +build never"].map((tag): (typeof lies)[number] => [
    `skips by ${tag}`,
    [change("count_test.go", go, `${tag}\n\n${go}`)],
    ["justify test-skipped count_test.go:1"],
  ]),
  [
    "names a test so that go does not run it",
    [change("count_test.go", go, go.replace("TestAdd", "Testadd"))],
    ["justify test-emptied count_test.go"],
  ],
  [
    "wants any exception",
    [
      change(
        "tests/test_count.py",
        "def test_a():\n    with pytest.raises(TypeError):\n        add(1)\n",
        "def test_a():\n    with pytest.raises(Exception):\n        add(1)\n",
      ),
    ],
    ["justify assertion-loosened tests/test_count.py:1"],
  ],
  [
    "wants the assertion to fail",
    py(
      "def test_adds():",
      "    total = add(1, 2)",
      "    with pytest.raises(AssertionError):",
      "        assert total == 3",
      "    assert total != 4",
    ),
    ["justify test-silenced tests/test_count.py:1"],
  ],
  [
    "skips by a whole name",
    [change("AddTest.java", java, java.replace("  @Test", "  @org.junit.jupiter.api.Disabled\n  @Test"))],
    ["justify test-skipped AddTest.java:2"],
  ],
  [
    "takes lines out of a table",
    [
      change(
        "count_test.go",
        go.replace("{\n", "{\n\t\t{1, 1},\n\t\t{2, 2},\n"),
        go.replace("{\n", "{\n\t\t{1, 1},\n"),
      ),
    ],
    ["justify assertion-removed count_test.go:1"],
  ],
  [
    "puts a module before the product's, for tests only",
    [
      change("lib/calc.py", "def add(a, b):\n    return a + b\n", "def add(a, b):\n    return 0\n"),
      change("tests/lib/calc.py", null, "def add(a, b):\n    return a + b\n"),
    ],
    ["justify test-silenced tests/lib/calc.py"],
  ],
  ...[
    "shop.calc.sub = lambda a, b: a - b",
    'setattr(shop.calc, "sub", f)',
    'mock.patch("shop.calc.sub", f).start()',
  ].map((line): (typeof lies)[number] => [
    `replaces the product for all tests by ${line}`,
    [change("tests/__init__.py", "", `import shop.calc\n${line}\n`)],
    ["justify test-silenced tests/__init__.py:2"],
  ]),
  ...[
    ["src/a.py", 'if "pytest" in sys.modules:'],
    ["src/a.rs", "    if cfg!(test) { 1 } else { 0 }"],
    ["a.go", "\tif testing.Testing() {"],
    ["b.go", '\tif flag.Lookup("test.v") != nil {'],
  ].map(([path = "", line = ""]): (typeof lies)[number] => [
    `asks in ${path} whether it is being tested`,
    [change(path, null, `${line}\n`)],
    [`justify test-silenced ${path}:1`],
  ]),
  ...[
    ["assert_eq!(add(1, 2), 3);", "assert_eq!(add(1, 2), -1);"],
    ["    assert_eq!", "    if add(1, 1) == 0 {\n        return;\n    }\n    assert_eq!"],
    ["    assert_eq!", "    let add = |_, _| 3;\n    assert_eq!"],
    ["    assert_eq!", "    assert!(std::process::exit(0));\n    assert_eq!"],
    ["add(1, 2)", "add(1, 2, (3))"],
    ["3);", '3, "text", || 3);'],
  ].map(([from = "", to = ""]): (typeof lies)[number] => [
    `makes of ${from} in Rust ${to}`,
    [change("src/lib.rs", rust, rust.replace(from, to))],
    ["justify assertion-loosened src/lib.rs:1"],
  ]),
  ...[
    ["setup();", "setup_other();"],
    ["let list = [(1, 2)];", "let list = [(1, 2), (3, 4)];"],
    ["let seen = [(1, 2)];", "let seen = [(1, 2), (3, 4)];"],
    ["let loop_over = [(1, 2)];", "let loop_over = [(1, 2), x];"],
    ["assert_eq!(all(), list);", "assert_eq!(all(), list, note());"],
  ].map(([from = "", to = ""]): (typeof lies)[number] => [
    `makes of ${from} in a longer test in Rust ${to}`,
    [change("src/lib.rs", longRust, longRust.replace(from, to))],
    ["justify assertion-loosened src/lib.rs:1"],
  ]),
  [
    "tests a function of its own, in Rust",
    [
      change(
        "src/lib.rs",
        `pub fn add() {}\n#[cfg(test)]\nmod tests {\n${rust}}\n`,
        `pub fn add() {}\n#[cfg(test)]\nmod tests {\n    fn add() {}\n${rust}}\n`,
      ),
    ],
    ["justify test-silenced src/lib.rs:4"],
  ],
  [
    "replaces the assertion, in Rust",
    [change("src/lib.rs", rust, `macro_rules! assert_eq {\n    ($($t:tt)*) => {};\n}\n${rust}`)],
    ["justify test-silenced src/lib.rs:1"],
  ],
  [
    "lets make go on after errors",
    [change("Makefile", "test:\n\tpytest\n", ".IGNORE:\ntest:\n\tpytest\n")],
    ["justify gate-changed Makefile:1"],
  ],
  [
    "lets a test pass that fails, in CMake",
    [
      change(
        "CMakeLists.txt",
        "add_test(NAME a COMMAND a)\n",
        "add_test(NAME a COMMAND a)\nset_tests_properties(a PROPERTIES WILL_FAIL TRUE)\n",
      ),
    ],
    ["justify gate-changed CMakeLists.txt:2"],
  ],
  [
    "lets cargo leave tests out",
    [change("Cargo.toml", '[package]\nname = "a"\n', '[package]\nname = "a"\nautotests = false\n')],
    ["justify gate-changed Cargo.toml:3"],
  ],
  [
    "leaves tests out, in Gradle",
    [change("build.gradle", "test {\n}\n", 'test {\n  filter { excludeTestsMatching("*adds*") }\n}\n')],
    ["justify gate-changed build.gradle:2"],
  ],
  [
    "skips tests by maven's own file",
    [change(".mvn/maven.config", null, "-DskipTests\n")],
    ["justify gate-changed .mvn/maven.config:1"],
  ],
];

test.each(lies)("%s", (_what, changes, expected) => {
  expect(told(changes)).toEqual(expected);
});

test("many deleted tests of a file are one finding that names the first", () => {
  const tests = Array.from(
    { length: 8 },
    (_value, index) => `test("t${index}", () => {\n  expect(f(${index})).toBe(1);\n});\n`,
  );
  const [finding, ...others] = findingsOf([change(at, tests.join(""), String(tests[0]))]);
  expect(finding?.text).toBe(`7 tests deleted from "${at}": "t1", "t2", "t3", "t4", "t5" and 2 more`);
  expect(others).toEqual([]);
});

test("the same diff gives the same findings, whatever the order of its files", () => {
  const changes = lies.map(([, [file]], index) => ({
    ...(file as ChangedFile),
    path: `${index}/${file?.path}`,
  }));
  expect(findingsOf([...changes].reverse())).toEqual(findingsOf(changes));
});

const long = (name: string, ...extra: string[]) =>
  text(
    `test("${name}", () => {`,
    "  const first = prepare(1);",
    "  const second = prepare(2);",
    "  expect(first).toBe(second);",
    ...extra,
    "});",
  );

test("a test that was moved, renamed and changed is the same test, and what it lost is told where it is", () => {
  const more = "  expect(second).toBe(7);";
  const from = change("test/a.test.ts", `${long("old", more)}${whole}`, whole);
  expect(told([from, change("test/b.test.ts", null, long("new"))])).toEqual([
    "justify assertion-removed test/b.test.ts:1",
  ]);
  expect(told([from, change("test/b.test.ts", null, long("new", more, "  more();"))])).toEqual([]);
});

test("of several like it the most alike is taken, the one of the same name first", () => {
  const before = `${long("one", "  expect(1).toBe(a);")}${long("two", "  expect(2).toBe(b);")}`;
  const after = `${long("two", "  expect(3).toBe(c);")}${long("one", "  expect(4).toBe(d);")}`;
  const moved = [change("test/a.test.ts", before, "x();\n"), change("test/b.test.ts", null, after)];
  expect(told(moved)).toEqual([]);
});

test("lines that every test has do not make tests alike", () => {
  const common = (name: string) =>
    text(`test("${name}", () => {`, "  prepare();", `  expect(own${name}(1)).toBe(${name.length});`, "});");
  const others = Array.from({ length: 40 }, (_value, index) => common(`n${index}x`)).join("");
  const gone = text(
    'test("gone", () => {',
    "  prepare();",
    "  expect(of(9)).toBe(1);",
    "  expect(of(8)).toBe(2);",
    "});",
  );
  expect(told([change("test/a.test.ts", gone, "x();\n"), change("test/b.test.ts", null, others)])).toEqual([
    "justify test-emptied test/a.test.ts",
  ]);
});

test("what tests share may move to another file, with its assertions", () => {
  const shared = text(
    "export function isFine(a) {",
    "  expect(a.one).toBe(1);",
    "  expect(a.two).toBe(2);",
    "}",
  );
  const rest = "export const other = 5;\n";
  const old = change("test/support/a.ts", `${rest}${shared}`, rest);
  expect(told([old, change("test/support/b.ts", null, shared)])).toEqual([]);
  expect(told([old])).toEqual(["justify assertion-removed test/support/a.ts:3"]);
  const weaker = shared.replace("  expect(a.two).toBe(2);\n", "  use(a.two);\n");
  expect(
    told([change("test/support/a.ts", shared, null), change("test/support/c.ts", null, weaker)]),
  ).toEqual(["justify assertion-removed test/support/c.ts"]);
});

test("a file of tests that no pattern knows is told by its name or by its assertions", () => {
  const script = "import { run } from './x.js';\nassert.equal(run(), 1);\n";
  expect(told([change("test/run.js", script, null)])).toEqual(["justify test-deleted test/run.js"]);
  expect(told([change("test/run.js", script, "")])).toEqual([
    "justify test-emptied test/run.js",
    "justify assertion-removed test/run.js:2",
  ]);
  expect(told([change("a.test.js", "run();\n", null)])).toEqual(["justify test-deleted a.test.js"]);
  expect(told([change("test/support/x.js", "run();\n", null)])).toEqual([]);
  expect(told([change("a.test.js", "\n", null)])).toEqual([]);
});

test("a silenced test of a file that cannot be read any more is not compared, but told", () => {
  const file = change("src/a.test.ts", null, null, {
    change: "modified",
    beforeMode: "100644",
    afterMode: "100644",
  });
  expect(told([file])).toEqual(["justify not-examined src/a.test.ts"]);
});

test("a gate's file that is another kind of file is told without a line", () => {
  const file = change("tsconfig.json", null, null, {
    change: "type changed",
    beforeMode: "100644",
    afterMode: "120000",
    after: "a.json",
  });
  expect(told([file])).toEqual([
    "justify gate-changed tsconfig.json",
    "justify link-replaced-file tsconfig.json",
  ]);
});
