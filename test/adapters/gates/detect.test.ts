// Gates and setup from a project's own files.

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { detectGates } from "../../../src/adapters/gates/detect.ts";
import { isOnPath, programOf } from "../../../src/adapters/process/command-line.ts";
import { makeFolder } from "../process/programs.ts";

async function detect(files: Readonly<Record<string, string>>) {
  const root = await makeFolder();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  const { gates, setup, told } = await detectGates(root);
  return { gates: gates.map(({ name, command }) => `${name}: ${command}`), setup, told, policies: gates };
}

const scripts = (all: Record<string, string>, more: object = {}) => JSON.stringify({ scripts: all, ...more });
const usual = scripts({ build: "x", test: "vitest run", lint: "biome check", typecheck: "tsc --noEmit" });

describe("A package.json", () => {
  test("gives typecheck, lint and tests, the quick ones first, with npm by default", async () => {
    const found = await detect({ "package.json": usual });
    expect(found.gates).toEqual(["typecheck: npm run typecheck", "lint: npm run lint", "tests: npm test"]);
    expect(found).toMatchObject({ setup: "", told: [] });
    expect(found.policies[0]).toEqual({
      name: "typecheck",
      command: "npm run typecheck",
      timeoutMs: 1_200_000,
      report: "auto",
      env: [],
    });
  });

  test.each([
    ["package-lock.json", "npm test", "npm ci"],
    ["npm-shrinkwrap.json", "npm test", "npm ci"],
    ["pnpm-lock.yaml", "pnpm test", "pnpm install --frozen-lockfile"],
    ["yarn.lock", "yarn test", "yarn install --frozen-lockfile"],
    ["bun.lockb", "bun run test", "bun install --frozen-lockfile"],
    ["bun.lock", "bun run test", "bun install --frozen-lockfile"],
  ])("with %s uses its package manager", async (lockfile, command, setup) => {
    const found = await detect({ "package.json": scripts({ test: "x" }), [lockfile]: "" });
    expect(found).toMatchObject({ gates: [`tests: ${command}`], setup });
  });

  test("with a packageManager field uses that one", async () => {
    const found = await detect({
      "package.json": scripts({ test: "x" }, { packageManager: "yarn@4.1.0" }),
      "yarn.lock": "",
    });
    expect(found).toMatchObject({ gates: ["tests: yarn test"], setup: "yarn install --immutable" });
  });

  test.each(["typecheck", "type-check", "types", "tsc"])("may call its type check %s", async (name) => {
    const found = await detect({ "package.json": scripts({ [name]: "tsc" }) });
    expect(found.gates).toEqual([`typecheck: npm run ${name}`]);
  });

  test("fresh from npm init has no gate", async () => {
    const found = await detect({
      "package.json": scripts({ test: 'echo "Error: no test specified" && exit 1', lint: "  " }),
    });
    expect(found.gates).toEqual([]);
    expect(found.told).toEqual([
      'no gates found in the project\'s files; name them under "gates" in execute-prd.config.json',
    ]);
  });

  test("with dependencies and no lockfile is told: nothing is known to install them", async () => {
    const found = await detect({
      "package.json": scripts({ test: "x" }, { devDependencies: { vitest: "1" } }),
    });
    expect(found.setup).toBe("");
    expect(found.told).toEqual([expect.stringContaining("no lockfile")]);
  });

  test("with a watching test script is told", async () => {
    const found = await detect({ "package.json": scripts({ test: "jest --watch" }) });
    expect(found.told).toEqual([
      expect.stringContaining('script "test" in package.json starts a watch mode'),
    ]);
  });

  test.each([
    "{ scripts }",
    "[]",
    "null",
    '{"scripts": []}',
    '{"scripts": {"test": 1}}',
    '{"__proto__": {"scripts": {"test": "x"}}}',
  ])("that is %s has no gate", async (text) => {
    expect((await detect({ "package.json": text })).gates).toEqual([]);
  });
});

describe("Other projects", () => {
  test.each<[string, Record<string, string>, string[]]>([
    ["Rust", { "Cargo.toml": "[package]" }, ["tests: cargo test --no-fail-fast"]],
    ["Go", { "go.mod": "module x" }, ["lint: go vet ./...", "tests: go test ./..."]],
    [
      "make",
      { Makefile: "all: build\nlint test: build\n\techo\ntypecheck:=no\n" },
      ["lint: make lint", "tests: make test"],
    ],
    ["make with check", { Makefile: ".PHONY: check\ncheck:\n\techo\n" }, ["tests: make check"]],
    [
      "make beside another",
      { Makefile: "test:\nlint:\n", "Cargo.toml": "" },
      ["lint: make lint", "tests: cargo test --no-fail-fast"],
    ],
    [
      "two kinds at once",
      { "package.json": scripts({ test: "x" }), "Cargo.toml": "" },
      ["tests: npm test", "tests-rust: cargo test --no-fail-fast"],
    ],
    ["none", { "README.md": "" }, []],
  ])("%s", async (_kind, files, gates) => {
    expect((await detect(files)).gates).toEqual(gates);
  });

  test.each<[string, Record<string, string>]>([
    ["pytest.ini", { "pytest.ini": "[pytest]" }],
    ["pyproject.toml", { "pyproject.toml": "[project]\nname='x'\n[tool.pytest.ini_options]\n" }],
    ["setup.cfg", { "setup.cfg": "[metadata]\n[tool:pytest]\n" }],
    ["test files", { "tests/test_it.py": "" }],
  ])("Python with pytest, seen by %s", async (_how, files) => {
    expect((await detect(files)).gates).toEqual([
      expect.stringMatching(/^tests: (?:pytest|python3? -m pytest)$/),
    ]);
  });

  test("Python without pytest has no gate", async () => {
    expect((await detect({ "pyproject.toml": "[project]\n", "tests/data.py": "" })).gates).toEqual([]);
  });
});

describe("The program of a command line", () => {
  test.each([
    ["npm test", "npm"],
    ["  ./scripts/check.sh --all", "./scripts/check.sh"],
    ["CI=1 FOO=b npm test && npm run lint", "npm"],
    ["cd sub && npm test", null],
    ['"my tool" x', null],
    ["$TOOL x", null],
    ["(npm test)", null],
    ["", null],
  ])("%s", (line, program) => {
    expect(programOf(line)).toBe(program);
  });

  test("is looked for in PATH, or at its path", async () => {
    const folder = await makeFolder();
    await writeFile(join(folder, "tool"), "#!/bin/sh\n", { mode: 0o755 });
    await writeFile(join(folder, "text"), "", { mode: 0o644 });
    await mkdir(join(folder, "folder"));
    const environment = { PATH: `/nowhere:${folder}` };
    const found = await Promise.all(
      ["tool", "text", "folder", "none", ""].map((name) => isOnPath(name, environment)),
    );
    expect(found).toEqual([true, false, false, false, false]);
    expect(await isOnPath("./tool", {}, folder)).toBe(true);
    expect(await isOnPath("./text", {}, folder)).toBe(false);
    expect(await isOnPath("tool", {}, folder)).toBe(false);
  });
});
