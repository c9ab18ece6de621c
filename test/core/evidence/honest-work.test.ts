// Honest work: what developers do every day is neither rejected nor held, and mostly not even told.
import { expect, test } from "vitest";
import type { ChangedFile } from "../../../src/core/evidence/changed-file.ts";
import { change, findingsOf, text, told } from "./change.ts";

const first = text('test("adds", () => {', "  const sum = add(1, 2);", "  expect(sum).toBe(3);", "});");
const second = text(
  'test("takes away", () => {',
  "  const rest = take(3, 2);",
  "  expect(rest).toBe(1);",
  "});",
);
const head = text('import { add, take } from "../src/count.ts";', "");
const both = `${head}${first}\n${second}`;
const manifest = (other: object) =>
  JSON.stringify({ name: "x", scripts: { test: "vitest run", start: "node a.js" }, ...other }, null, 2);
const many = (count: number, folder: string) =>
  Array.from({ length: count }, (_value, at) => `${folder}/part-${at}.test.ts`);
const own = (at: number) => `${head}${first.replace("adds", `adds ${at}`)}// the ${at}th file\n`;

const besideCode = `pub fn add(a: i32, b: i32) -> i32 {
    a + b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds() {
        assert_eq!(add(1, 2), 3);
    }

    #[test]
    fn adds_many() {
        for (a, b, want) in [
            (1, 1, 2),
            (2, 2, 4),
        ] {
            assert_eq!(add(a, b), want);
        }
        let more = &[(5, 1)];
        for (a, b) in more {
            assert!(add(*a, *b) > *a);
        }
    }
}
`;

const nothing: readonly [string, readonly ChangedFile[]][] = [
  [
    "words that only look like a rigged library",
    [
      change("src/a.ts", null, text("const isSame = expect.length === 2;", "run((assert) => assert.ok);")),
      change(
        "src/b.ts",
        null,
        text("// NODE_TEST_CONTEXT is set by the runner", "export const expected = 1;"),
      ),
      change("test/run.ts", null, text("delete process.env.NODE_TEST_CONTEXT;")),
      change("docs/assert.md", null, text("assert.equal = nothing")),
    ],
  ],
  [
    "a rigged library that was there before",
    [change("src/a.ts", "assert.equal = f;\n", text("a();", "  assert.equal = f;"))],
  ],
  [
    "renaming a test file",
    [change("test/count.test.ts", both, null), change("test/sums.test.ts", null, both)],
  ],
  [
    "renaming a test file and changing its imports",
    [
      change("test/count.test.ts", both, null),
      change("test/deep/sums.test.ts", null, both.replace("../src", "../../src")),
    ],
  ],
  ["renaming a test", [change("test/count.test.ts", both, both.replace('"adds"', '"adds two numbers"'))]],
  [
    "splitting a test file in two",
    [
      change("test/count.test.ts", both, null),
      change("test/add.test.ts", null, `${head}${first}`),
      change("test/take.test.ts", null, `${head}${second}`),
    ],
  ],
  [
    "moving a test to another file",
    [
      change("test/count.test.ts", both, `${head}${first}`),
      change("test/take.test.ts", null, `${head}${second}`),
    ],
  ],
  [
    "moving more test files than may be deleted",
    many(20, "test").flatMap((path, at) => [
      change(path, own(at), null),
      change(path.replace("test/", "test/unit/"), null, own(at)),
    ]),
  ],
  ["adding tests", [change("test/count.test.ts", `${head}${first}`, both)]],
  ["a new test file", [change("test/count.test.ts", null, both)]],
  [
    "moving assertions to a function that is shared",
    [
      change(
        "test/count.test.ts",
        text(
          'test("a", () => {',
          "  const a = run(1);",
          "  expect(a.code).toBe(0);",
          "  expect(a.out).toBe(1);",
          "});",
        ),
        text(
          "function succeeds(a) {",
          "  expect(a.code).toBe(0);",
          "  expect(a.out).toBe(1);",
          "}",
          'test("a", () => {',
          "  const a = run(1);",
          "  succeeds(a);",
          "});",
        ),
      ),
    ],
  ],
  ["changing an expected value", [change("test/count.test.ts", both, both.replace("toBe(3)", "toBe(4)"))]],
  [
    "formatting a test file",
    [change("test/count.test.ts", both, both.replaceAll("  ", "\t").replaceAll('"', "'"))],
  ],
  [
    "adding a dependency",
    [
      change("package.json", manifest({ dependencies: {} }), manifest({ dependencies: { left: "1.0.0" } })),
      change("package-lock.json", "{}\n", '{ "integrity": "sha512-Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4" }\n'),
    ],
  ],
  [
    "a new script",
    [
      change(
        "package.json",
        manifest({}),
        JSON.stringify({
          name: "x",
          scripts: { test: "vitest run", start: "node a.js", "test:watch": "vitest" },
        }),
      ),
    ],
  ],
  ["formatting a manifest", [change("package.json", manifest({}), JSON.stringify(JSON.parse(manifest({}))))]],
  [
    "formatting a configuration",
    [
      change(
        "tsconfig.json",
        '{"compilerOptions":{"strict":true}}',
        '{\n  "compilerOptions": { "strict": true }\n}\n',
      ),
      change(
        "vitest.config.ts",
        "export default { test: { bail: 1 } };\n",
        "// runs tests\nexport default {\n  test: {\n    bail: 1,\n  },\n};\n",
      ),
    ],
  ],
  [
    "documents that quote what would be wrong in code",
    [
      change(
        "docs/guide.md",
        "# Guide\n",
        text(
          "# Guide",
          "=======",
          "Never use `test.skip` or `// @ts-ignore`. Set TOKEN=your-token-here-1234567890.",
          "```diff",
          "<<<<<<< HEAD",
          "=======",
          ">>>>>>> branch",
          "```",
          "export AWS_KEY=AKIAIOSFODNN7EXAMPLE",
        ),
      ),
    ],
  ],
  [
    "fixtures with keys that are plainly none",
    [
      change(
        "test/fixtures/keys.json",
        null,
        text(
          '{ "apiKey": "sk-ant-EXAMPLE-0123456789abcdef",',
          '  "token": "ghp_abcdefghijklmnopqrstuvwxyz0123456789" }',
        ),
      ),
      change(
        "src/keys.ts",
        null,
        'export const apiKey = process.env["API_KEY"];\nconst secret = "changeme";\n',
      ),
    ],
  ],
  [
    "tests of a tool that merges",
    [
      change(
        "test/merge.test.ts",
        null,
        text(
          'test("finds conflicts", () => {',
          "  expect(conflicts(`",
          "<<<<<<< ours",
          "=======",
          ">>>>>>> theirs",
          "`)).toBe(1);",
          "});",
        ),
      ),
    ],
  ],
  ["a new link to a neighbour's file is told, not judged", []],
  ["deleting a few files of a feature", [change("src/old.ts", "export {};\n", null)]],
  ["an executable script that is new", [change("bin/x", null, "#!/bin/sh\n", { afterMode: "100755" })]],
  [
    "tests in Rust that are others only in their name, comments and space",
    [
      change(
        "src/lib.rs",
        "#[test]\nfn a() {\n    assert!(x);\n}\n",
        "#[test]\nfn b() {\n  // x\n  assert!(x);\n}\n",
      ),
    ],
  ],
  ...[
    [
      "more assertions",
      "assert_eq!(add(1, 2), 3);",
      "assert_eq!(add(0, 2), 2);\n        assert_eq!(add(1, 2), 3);\n        assert!(add(1, 1) > 1);",
    ],
    [
      "an assertion of a new value",
      "assert_eq!(add(1, 2), 3);",
      "assert_eq!(add(1, 2), 3);\n        let mut sum = add(2, 2);\n        debug_assert_eq!(sum, 4);",
    ],
    [
      "another form",
      "assert_eq!(add(1, 2), 3);",
      "assert_eq!(\n            add(1, 2),\n            3,\n        );",
    ],
    [
      "a comment behind the code",
      "assert_eq!(add(1, 2), 3);",
      "assert_eq!(add(1, 2), 3); // three; no { here",
    ],
    ["a message", "assert_eq!(add(a, b), want);", 'assert_eq!(add(a, b), want, "{} + {b}; wrong", a);'],
    ["one more row", "(1, 1, 2),\n", "(1, 1, 2),\n            (1, 3, 4),\n"],
    ["a row in front", "(1, 1, 2),\n", "(0, 1, 1),\n            (1, 1, 2),\n"],
    ["one more row of a list that has a name", "&[(5, 1)]", "&[(5, 1), (6, 2)]"],
  ].map(([what, from = "", to = ""]): (typeof nothing)[number] => [
    `a test beside the code, in Rust, that has ${what}`,
    [change("src/lib.rs", besideCode, besideCode.replace(from, to))],
  ]),
  [
    "an assertion at the end of a test in Rust that is not closed",
    [
      change(
        "src/lib.rs",
        "#[test]\nfn a() {\n    assert!(x);\n",
        "#[test]\nfn a() {\n    assert!(x);\n    assert!(y);\n",
      ),
    ],
  ],
  [
    "a result that says Ok, in Rust",
    [
      change(
        "src/lib.rs",
        besideCode,
        besideCode.replace(
          "    #[test]\n",
          "    #[test]\n    fn parses() {\n        check(\n            Ok(1)\n        );\n    }\n\n    #[test]\n",
        ),
      ),
    ],
  ],
  [
    "a result that says ok, as what is expected",
    [change("test/a.test.ts", null, 'test("a", () => {\n  expect(parse("1")).toEqual(ok(1));\n});\n')],
  ],
  [
    "one more test beside the code, in Rust",
    [
      change(
        "src/lib.rs",
        "fn add() {}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn a() {\n        assert!(x);\n    }\n}\n",
        "fn add() {}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn b() {\n        assert!(y);\n    }\n\n    #[test]\n    fn a() {\n        assert!(x);\n    }\n}\n",
      ),
    ],
  ],
  [
    "a test in Rust that wants a panic",
    [
      change(
        "src/lib.rs",
        "",
        text("#[test]", '#[should_panic(expected = "over")]', "fn a() {", "    add(MAX, 1);", "}"),
      ),
    ],
  ],
  [
    "a test for one system, in go",
    [
      change(
        "a_linux_test.go",
        null,
        text("//go:build linux && !386", "", "func TestA(t *testing.T) {", "\tt.Fatal()", "}"),
      ),
    ],
  ],
  [
    "tests that move to another package, with its folder",
    [
      change("calc/count_test.go", "func TestA(t *testing.T) {\n\tt.Fatal()\n}\n", null),
      change("math/count_test.go", null, "func TestA(t *testing.T) {\n\tt.Fatal()\n}\n"),
      change("test/a.test.js", first, null),
      change("src/__tests__/a.js", null, first),
    ],
  ],
  [
    "more tests and dependencies in build files",
    [
      change(
        "CMakeLists.txt",
        "add_test(NAME a COMMAND a)\n",
        "add_test(NAME a COMMAND a)\nadd_test(NAME b COMMAND b)\n",
      ),
      change("build.gradle", "a\n", 'a\nimplementation("x") {\n  exclude(group = "y")\n}\n'),
      change(
        "Cargo.toml",
        '[package]\nname = "a"\n',
        '[package]\nname = "a"\n\n[dependencies]\ntest-case = "3"\n',
      ),
    ],
  ],
  [
    "what tests share, in python",
    [
      change(
        "tests/shared.py",
        null,
        text(
          "limit = 3",
          "os.environ['A'] = 'b'",
          "",
          "",
          "class Fake:",
          "    def __init__(self):",
          "        self.a = 1",
        ),
      ),
    ],
  ],
  [
    "packages of tests that mirror those of the product",
    [change("lib/__init__.py", "", "from .calc import add\n"), change("tests/lib/__init__.py", null, "")],
  ],
];

test.each(nothing)("%s: nothing to tell", (_what, changes) => {
  expect(findingsOf(changes)).toEqual([]);
});

const answered: readonly [string, readonly ChangedFile[], readonly string[]][] = [
  [
    "deleting a feature with its tests",
    [change("src/count.ts", "export {};\n", null), change("test/count.test.ts", both, null)],
    ["justify test-deleted test/count.test.ts"],
  ],
  [
    "changing the command of the tests",
    [change("package.json", manifest({}), manifest({}).replace("vitest run", "vitest run --coverage"))],
    ["justify gate-changed package.json:4"],
  ],
  [
    "one suppression",
    [change("src/a.ts", "a();\n", "// @ts-expect-error: the types are wrong\na();\n")],
    ["note suppression-added src/a.ts:1"],
  ],
  [
    "a picture",
    [change("docs/a.png", null, null, { afterMode: "100644", isBinary: true, afterBytes: 2_000 })],
    ["note binary-file docs/a.png"],
  ],
  [
    "snapshots of a view that was changed",
    [change("test/__snapshots__/a.snap", "a\nb\n", "a\nc\n")],
    ["note snapshot-rewritten test/__snapshots__/a.snap"],
  ],
];

test.each(answered)("%s: at most to be justified", (_what, changes, expected) => {
  expect(told(changes)).toEqual(expected);
});
