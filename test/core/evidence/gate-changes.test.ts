// Changed scripts and configuration on which gates depend, and settings that were made weaker.
import { describe, expect, test } from "vitest";
import { baseVersionsToTry } from "../../../src/core/evidence/base-versions.ts";
import type { ChangedFile } from "../../../src/core/evidence/changed-file.ts";
import { namedFiles, readManifest } from "../../../src/core/evidence/gate-scripts.ts";
import { change, contextOf, findingsOf, text } from "./change.ts";

const gates = [{ name: "all", command: "npm run check" }];
const manifest = (scripts: object, other: object = {}) => JSON.stringify({ name: "x", scripts, ...other });

function toldBy(changes: readonly ChangedFile[], command = "npm run check", definitions: string[] = []) {
  return findingsOf(changes, {
    gates: [{ name: "all", command }],
    definitions: definitions.map((content) => ({
      path: content.startsWith("{") ? "package.json" : "Makefile",
      text: content,
    })),
  }).map((finding) => `${finding.effect} ${finding.kind} ${finding.text}`);
}

const scripts = {
  check: "npm run lint && run-s 'unit:*'",
  lint: "biome check .",
  "unit:a": "vitest run",
  start: "node .",
};

test.each([
  ["what a gate runs", { ...scripts, check: "true" }, '"scripts.check" of "package.json" is changed'],
  ["what that runs", { ...scripts, lint: "true" }, '"scripts.lint" of "package.json" is changed'],
  ["what a pattern names", { ...scripts, "unit:a": "true" }, '"scripts.unit:a" of "package.json" is changed'],
  [
    "what runs before it",
    { ...scripts, prelint: "rm -r src" },
    '"scripts.prelint" of "package.json" is changed',
  ],
  ["a script that is gone", { ...scripts, lint: undefined }, '"scripts.lint" of "package.json" is changed'],
])("in a manifest %s is told", (_what, after, expected) => {
  const file = change("package.json", manifest(scripts), manifest(after));
  expect(toldBy([file])).toEqual([`justify gate-changed ${expected}`]);
});

test.each([
  ["a script that no gate comes to", manifest({ ...scripts, start: "node b.js", docs: "x" })],
  ["a dependency", manifest(scripts, { dependencies: { a: "1" }, version: "2" })],
])("in a manifest %s is not told", (_what, after) => {
  expect(toldBy([change("package.json", manifest(scripts), after)])).toEqual([]);
});

test("scripts with the usual names of checks count whatever the gate is", () => {
  const file = change("packages/a/package.json", manifest({ test: "jest" }), manifest({ test: "true" }));
  expect(toldBy([file], "make")).toEqual([
    'justify gate-changed "scripts.test" of "packages/a/package.json" is changed',
  ]);
});

test("npm t is npm test, and two scripts that call each other end", () => {
  const before = { test: "npm run a", a: "npm run b", b: "npm run a" };
  const file = change("package.json", manifest(before), manifest({ ...before, b: "true" }));
  expect(toldBy([file], "npm t")).toEqual(['justify gate-changed "scripts.b" of "package.json" is changed']);
});

test("settings of tools in a manifest count, and tasks of other kinds of manifests", () => {
  const file = change("package.json", manifest({}, { jest: { bail: 1 } }), manifest({}, { jest: {} }));
  expect(toldBy([file])).toEqual(['justify gate-changed "jest" of "package.json" is changed']);
  const composer = change("composer.json", '{"scripts":{"test":["phpunit"]}}', '{"scripts":{"test":[]}}');
  expect(toldBy([composer])).toEqual(['justify gate-changed "scripts.test" of "composer.json" is changed']);
});

test.each([
  ["no JSON", "{", 'the manifest "package.json", which cannot be read as JSON, is changed'],
  ["no object", "[]", '"scripts.lint", "scripts.check", "scripts.unit:a" of "package.json" is changed'],
  ["null", "null", 'the manifest "package.json", which cannot be read as JSON, is changed'],
])("a manifest that is %s is told", (_what, after, expected) => {
  const [first] = toldBy([change("package.json", manifest(scripts), after)]);
  expect(first?.split(" ").sort()).toEqual(`justify gate-changed ${expected}`.split(" ").sort());
});

test("a manifest that is new or gone is compared with none", () => {
  expect(toldBy([change("package.json", null, manifest({ check: "x" }))])).toEqual([
    'justify gate-changed "scripts.check" of "package.json" is new',
  ]);
  expect(toldBy([change("package.json", manifest({ check: "x" }), null)])).toEqual([
    'justify gate-changed "scripts.check" of "package.json" is deleted',
  ]);
  expect(readManifest('{"scripts":"x","wireit":{"a":{"command":"b"}}}')).toEqual({
    scripts: { a: '{"command":"b"}' },
    settings: {},
  });
});

test("a file that a gate runs is told, also when a script of the unchanged manifest runs it", () => {
  const file = change("scripts/check.mjs", "a();\n", "b();\n");
  const expected = ['justify gate-changed the file "scripts/check.mjs", which a gate runs, is changed'];
  expect(toldBy([file], "node ./scripts/check.mjs --all")).toEqual(expected);
  expect(toldBy([file], "npm run check", [manifest({ check: "node scripts/check.mjs" })])).toEqual(expected);
  expect(toldBy([file], "make check", [text("check:", "\tnode scripts/check.mjs")])).toEqual(expected);
  expect(toldBy([file], "npm run check", ["{", text("check:", "\tnode scripts/check.mjs")])).toEqual([]);
});

const moduleFiles = (name: string) => [`${name}.py`, `${name}/__init__.py`, `${name}/__main__.py`];

test.each([
  ["node --import ./hook.js scripts/a.mjs b.js", ["hook.js", "scripts/a.mjs"]],
  ["CI=1 npx tsx ./a.ts", ["a.ts"]],
  ["./run.sh && python3 -m pytest; bash ci/b.sh", ["run.sh", ...moduleFiles("pytest"), "ci/b.sh"]],
  ["CI=1 python -W error -m tools.check src", moduleFiles("tools/check")],
  ["tsc -p tsconfig.build.json src/a.ts", ["tsconfig.build.json"]],
  ["vitest run --config=unit.config.ts", ["unit.config.ts"]],
  ["node", []],
  ["", []],
])("of %s the files are %s", (command, files) => {
  expect(namedFiles(command)).toEqual(files);
});

describe("what a gate's files take in", () => {
  const tool = (path: string, ...lines: readonly string[]) => ({ path, text: text(...lines) });

  function toldWith(file: ChangedFile, command: string, tools: readonly { path: string; text: string }[]) {
    return findingsOf([file], { gates: [{ name: "lint", command }], tools }).map(({ text: told }) => told);
  }

  test.each<[string, string, string, string, string]>([
    [
      "a module",
      "scripts/rules.js",
      "node scripts/lint.js",
      "scripts/lint.js",
      'import { a } from "./rules.js";',
    ],
    [
      "without ending",
      "scripts/rules.ts",
      "npx tsx scripts/lint.ts",
      "scripts/lint.ts",
      'require("./rules")',
    ],
    ["a list", "ci/forbidden.txt", "sh ci/style.sh", "ci/style.sh", "! grep -f ci/forbidden.txt src/a.c"],
    ["a sourced script", "ci/lib.sh", "./check.sh", "check.sh", ". ./ci/lib.sh"],
    [
      "a module of Python",
      "tools/rules.py",
      "python3 tools/lint.py",
      "tools/lint.py",
      "from rules import all",
    ],
    [
      "of a package",
      "tools/rules/__init__.py",
      "python3 tools/lint.py",
      "tools/lint.py",
      "import tools.rules",
    ],
    ["by a path in parts", "ci/allow.json", "node ci/a.mjs", "ci/a.mjs", 'join(here, "allow.json")'],
    ["in a folder", "ci/rules/one.mjs", "node ci/a.mjs", "ci/a.mjs", 'readdirSync(new URL("./rules", here))'],
    [
      "a rule of a linter",
      "eslint-rules/one.js",
      "eslint .",
      "eslint.config.js",
      'import "./eslint-rules/one.js"',
    ],
  ])("is told: %s", (_what, path, command, by, line) => {
    const expected = [`the file "${path}", which what a gate runs takes in, is changed`];
    expect(toldWith(change(path, "one\n", "two\n"), command, [tool(by, line)])).toEqual(expected);
  });

  test("is told over several files, of which none needs to have changed but the last", () => {
    const tools = [
      tool("ci/a.sh", "sh ci/b.sh"),
      tool("ci/b.sh", "node ci/c.mjs"),
      tool("ci/c.mjs", 'import "./d.mjs"'),
    ];
    const file = change("ci/d.mjs", null, "new\n");
    expect(toldWith(file, "bash ci/a.sh", tools)).toEqual([
      'the file "ci/d.mjs", which what a gate runs takes in, is new',
    ]);
    expect(
      baseVersionsToTry([file], { gates: [{ name: "a", command: "bash ci/a.sh" }], definitions: [], tools }),
    ).toEqual([{ path: "ci/d.mjs", kind: "gate definition", isInBase: false }]);
  });

  test.each<[string, string, string]>([
    ["the product that a check looks at", "src/a.js", 'import "../src/a.js"; import "./rules.js"'],
    ["a tool that nothing names", "scripts/deploy.js", 'import "./rules.js"'],
    ["a document", "scripts/rules.md", 'read("./rules.md")'],
    ["a test", "scripts/rules.test.js", 'run("./rules.test.js")'],
  ])("is not told: %s", (_what, path, line) => {
    const file = change(path, "one\n", "two\n");
    expect(toldWith(file, "node scripts/lint.js", [tool("scripts/lint.js", line)])).toEqual([]);
  });

  test("ends where files take in each other", () => {
    const tools = [tool("ci/a.js", 'import "./b.js"'), tool("ci/b.js", 'import "./a.js"')];
    expect(toldWith(change("ci/z.js", "1\n", "2\n"), "node ci/a.js", tools)).toEqual([]);
  });
});

test.each([
  "pytest.py",
  "pytest/__main__.py",
  "_pytest/main.py",
  "node_modules/.bin/vitest",
  "unittest/__init__.py",
])("%s as a new file stands before what is installed", (path) => {
  expect(toldBy([change(path, null, "x\n")], "make").map((told) => told.split(" ")[1])).toContain(
    "gate-changed",
  );
  expect(toldBy([change(path, "x\n", "y\n")], "make")).toEqual([]);
});

test("a test that a gate names is a test, not a definition", () => {
  expect(toldBy([change("a.test.js", "check(1);\n", "check(2);\n")], "node --test a.test.js")).toEqual([]);
});

const makefile = text(
  "# how to check",
  "FLAGS = -v",
  ".PHONY: test",
  "",
  "test: unit lint",
  "",
  "unit lint:",
  "\tgo test $(FLAGS)",
  "",
  "other:",
  "\techo",
);
const isMake = 'justify gate-changed the configuration "Makefile" is changed';

test.each<[string, string, string, readonly string[]]>([
  ["a recipe", "go test $(FLAGS)", "true", [isMake]],
  ["a variable", "-v", "-x", [isMake]],
  ["what a target needs", "test: unit lint", "test: lint", [isMake]],
  ["a target that the gate does not come to", "\techo", "\techo 1", []],
  ["a comment", "how to check", "how to test", []],
  ["a new target", "other:", "more:\n\techo\n\nother:", []],
])("of a Makefile %s", (_what, from, to, expected) => {
  const file = change("Makefile", makefile, makefile.replace(from, to));
  expect(toldBy([file], "make test")).toEqual(expected);
  expect(toldBy([file], "npm run check", [manifest({ check: "make test" })])).toEqual(expected);
});

test("without a target make takes the first one, and without make the usual ones count", () => {
  const first = text("all:", "\tgcc", "other:", "\techo");
  expect(toldBy([change("Makefile", first, first.replace("gcc", "true"))], "make")).toEqual([isMake]);
  expect(toldBy([change("Makefile", first, first.replace("echo", "true"))], "make")).toEqual([]);
  expect(toldBy([change("Makefile", first, first.replace("gcc", "true"))], "npm run x")).toEqual([isMake]);
  expect(toldBy([change("Makefile", "A = 1\n", "A = 1\n# x\n")], "make")).toEqual([]);
  const isNew = 'justify gate-changed the configuration "Makefile" is new';
  expect(toldBy([change("Makefile", null, first)], "make")).toEqual([isNew]);
  expect(toldBy([change("Makefile", first, null)], "make")).toHaveLength(1);
});

test("a Makefile too long to be read closely is told when anything is another", () => {
  const long = `${"# a\n".repeat(30_000)}test:\n\techo\n`;
  expect(toldBy([change("Makefile", long, `${long}# b\n`)], "make test")).toEqual([isMake]);
});

test.each([
  "vitest.config.ts",
  "jest.config.js",
  "packages/a/tsconfig.build.json",
  ".eslintrc.cjs",
  "eslint.config.mjs",
  ".github/workflows/ci.yml",
  ".gitlab-ci.yml",
  "Jenkinsfile",
  "pytest.ini",
  "tests/conftest.py",
  "tox.ini",
  ".golangci.yml",
  "clippy.toml",
  ".npmrc",
  "phpunit.xml.dist",
  ".rspec",
  "biome.json",
  "knip.json",
])("%s says how checks run: new, changed or gone it is told", (path) => {
  const kinds = [change(path, "a\n", "b\n"), change(path, null, "a\n"), change(path, "a\n", null)];
  expect(kinds.map((file) => findingsOf([file]).map(({ kind }) => kind))).toEqual([
    ["gate-changed"],
    ["gate-changed"],
    ["gate-changed"],
  ]);
});

const project = text("[project]", 'name = "x"', "", "[tool.pytest.ini_options]", 'addopts = "-v"', "# why");
const cargo = text("[package]", 'name = "x"', "[lints.rust]", 'unsafe_code = "deny"');
const pom = text("<artifactId>junit-test</artifactId>", "<skipTests>false</skipTests>");

test.each<[string, string, string, string, number]>([
  ["pyproject.toml", project, "-v", "-x", 1],
  ["pyproject.toml", project, '"x"', '"y"', 0],
  ["pyproject.toml", project, "# why", "# because", 0],
  ["Cargo.toml", cargo, '"deny"', '"forbid"', 1],
  ["Cargo.toml", cargo, '"x"', '"y"', 0],
  ["pom.xml", pom, ">false<", ">true<", 1],
  ["pom.xml", pom, "junit-test", "junit-test2", 0],
  ["build.gradle", "testImplementation 'a'\ntest { ignoreFailures = false }\n", "= false", "= true", 1],
  ["vite.config.ts", "export default { test: {} };\n", "{}", "{ a }", 1],
  ["vite.config.ts", "export default { build: {} };\n", "{}", "{ a }", 0],
  [".gitattributes", "*.lock text\n", "text", "-diff", 1],
  [".gitattributes", "*.lock text\n", "text", "eol=lf", 0],
])("of %s only what is about checks counts", (path, before, from, to, count) => {
  expect(findingsOf([change(path, before, before.replace(from, to))])).toHaveLength(count);
});

test("a part of a build file that is new or gone counts", () => {
  expect(findingsOf([change("Cargo.toml", null, cargo)])).toHaveLength(1);
  expect(findingsOf([change("Cargo.toml", cargo, null)])).toHaveLength(1);
});

test.each([
  ["vitest.config.ts", "branches: 100", "branches: 80", '"branches" was 100 and is 80'],
  ["vitest.config.ts", "branches: 100", "", '"branches" was 100 and is gone'],
  [
    "pyproject.toml",
    "[tool.coverage.report]\nfail_under = 90",
    "[tool.coverage.report]\nfail_under = 9",
    '"fail_under" was 90 and is 9',
  ],
  ["tsconfig.json", '{"strict": true}', '{"strict": false}', '"strict" was true and is false'],
  [
    "tsconfig.json",
    '{"skipLibCheck": false}',
    '{"skipLibCheck": true}',
    '"skipLibCheck" was false and is true',
  ],
  [
    "biome.json",
    '{"noExplicitAny": "error"}',
    '{"noExplicitAny": "off"}',
    '"noExplicitAny" was error and is off',
  ],
  [
    "Cargo.toml",
    '[lints.rust]\nunsafe_code = "deny"',
    '[lints.rust]\nunsafe_code = "allow"',
    '"unsafe_code" was deny and is allow',
  ],
])("a weaker setting in %s is told with both values", (path, before, after, expected) => {
  const findings = findingsOf([change(path, before, after)]);
  expect(findings.map(({ kind }) => kind).sort()).toEqual(["gate-changed", "setting-weakened"]);
  expect(findings.find(({ kind }) => kind === "setting-weakened")?.text).toBe(`the setting ${expected}`);
});

test.each([
  ["vitest.config.ts", "branches: 80", "branches: 100"],
  ["tsconfig.json", '{"strict": false}', "{}"],
  ["biome.json", '{"noExplicitAny": "error"}', "{}"],
])("a stricter setting in %s, or the usual one, is no weaker one", (path, before, after) => {
  expect(findingsOf([change(path, before, after)]).map(({ kind }) => kind)).toEqual(["gate-changed"]);
});

test.each([
  ["quality.json", '{"rules": {"no-var": "error"}}', '{"rules": {"no-var": "off"}}', true],
  ["config/checks.yaml", "functions: 100", "functions: 10", true],
  ["config/checks.yaml", "functions: 10", "functions: 100", false],
  ["config/game.json", '{"lines": 9, "enabled": true}', '{"lines": 3, "enabled": false}', false],
  ["test/data/rules.json", '{"no-var": "error"}', '{"no-var": "off"}', false],
  ["src/rules.ts", 'const rules = { "no-var": "error" };', 'const rules = { "no-var": "off" };', false],
])("in %s, which no tool looks for, %s and then %s is told: %s", (path, before, after, isTold) => {
  const expected = isTold ? ["setting-weakened"] : [];
  expect(findingsOf([change(path, before, after)]).map(({ kind }) => kind)).toEqual(expected);
});

test("versions of the base to try are those of tests and of gate definitions, not of what only moved", () => {
  const own = 'test("a", () => {\n  expect(a()).toBe(1);\n});\n';
  const changes = [
    change("test/changed.test.ts", own, own.replace("1", "2")),
    change("test/deleted.test.ts", "expect(b()).toBe(2);\n", null),
    change("test/moved.test.ts", "expect(c()).toBe(3);\n", null),
    change("test/here.test.ts", null, "expect(c()).toBe(3);\n"),
    change("test/new.test.ts", null, own),
    change("test/support/x.ts", "export {};\n", "export const a = 1;\n"),
    change("package.json", manifest({ check: "a" }), manifest({ check: "b" })),
    change("vitest.config.ts", null, "export default {};\n"),
    change("src/a.ts", "a\n", "b\n"),
  ];
  expect(baseVersionsToTry(changes, contextOf({ gates }))).toEqual([
    { path: "test/changed.test.ts", kind: "test", isInBase: true },
    { path: "test/deleted.test.ts", kind: "test", isInBase: true },
    { path: "test/support/x.ts", kind: "test", isInBase: true },
    { path: "package.json", kind: "gate definition", isInBase: true },
    { path: "vitest.config.ts", kind: "gate definition", isInBase: false },
  ]);
});

test("of instructions for agents the reviewer sees the base's version", () => {
  const changes = [
    change("AGENTS.md", "careful\n", "approve\n"),
    change("docs/readme.md", "a\n", "b\n"),
    change(".claude/agents/x.md", null, "approve\n"),
  ];
  expect(baseVersionsToTry(changes, contextOf({ gates }))).toEqual([
    { path: "AGENTS.md", kind: "agent instruction", isInBase: true },
    { path: ".claude/agents/x.md", kind: "agent instruction", isInBase: false },
  ]);
});

describe("a conftest.py", () => {
  const before = "import pytest\n\n@pytest.fixture\ndef db():\n    return {}\n";
  const isTried = (after: string | null, ...others: ChangedFile[]) =>
    baseVersionsToTry([change("tests/conftest.py", before, after), ...others], contextOf({ gates })).some(
      ({ path }) => path === "tests/conftest.py",
    );

  test("with one more fixture changes nothing for tests that do not ask for it", () => {
    expect(isTried(`${before}\n@pytest.fixture\ndef user(db):\n    return db.get("user")\n`)).toBe(false);
  });

  test.each([
    ["gone", null],
    ["with a fixture less", "import pytest\n"],
    ["with another one in its place", before.replace("{}", "[]")],
    ["that only has a function more", `${before}\ndef helper():\n    return 1\n`],
    ["that acts when it is loaded", `${before}\nprepare()\n@pytest.fixture\ndef user():\n    return 1\n`],
    ["with a fixture for all", `${before}\n@pytest.fixture(autouse=True)\ndef user():\n    return 1\n`],
    [
      "with a hook",
      `${before}\n@pytest.fixture\ndef user():\n    return 1\n\ndef pytest_runtest_call(item):\n    pass\n`,
    ],
  ])("%s is tried as it was in the base", (_what, after) => expect(isTried(after)).toBe(true));

  test("is so where it takes in a module that comes with it", () => {
    const after = `${before}\nfrom tests.helper import run\n\n@pytest.fixture\ndef user():\n    return run\n`;
    expect(isTried(after)).toBe(false);
    expect(isTried(after, change("tests/helper.py", null, "run = 1\n"))).toBe(true);
  });
});
