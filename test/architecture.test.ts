// The rules of the architecture: that the sources keep them, and that each rule bites on sources that do not.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { checkArchitecture, type SourceFile } from "./support/architecture.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

test("the sources keep every rule of the architecture", () => {
  const files = readSources();
  expect(files.map(({ path }) => path)).toContain("src/main.ts");
  expect(checkArchitecture(files)).toEqual([]);
});

describe("what a room may import", () => {
  const allowed: readonly (readonly [path: string, text: string])[] = [
    ["src/core/plan.ts", `import { fold } from "./state.ts"; import type { Id } from "./ids.ts";`],
    ["src/views/report.ts", `import { fold } from "../core/state.ts"; import { row } from "./table.ts";`],
    ["src/ports.ts", `import type { Id } from "./core/ids.ts";`],
    ["src/prompts/render.ts", `import { fold } from "../core/state.ts"; import text from "./developer.md";`],
    [
      "src/engine/engine.ts",
      `import { plan } from "../core/plan.ts"; import type { Clock } from "../ports.ts";`,
    ],
    [
      "src/engine/perform/x.ts",
      `import { a } from "../../views/a.ts"; import { b } from "../../prompts/b.ts";`,
    ],
    ["src/engine/recover.ts", `import { start } from "./perform/start.ts";`],
    ["src/schema/prd.ts", `import { z } from "zod"; import { createHash } from "node:crypto";`],
    ["src/adapters/git/x.ts", `import { execa } from "execa"; import { a } from "../../schema/a.ts";`],
    ["src/demo/agent.ts", `import { join } from "node:path"; import { a } from "../schema/a.ts";`],
    ["src/surfaces/cli/run.ts", `import { run } from "../../library.ts"; import { x } from "commander";`],
    [
      "src/surfaces/cli/status.ts",
      `import type { Clock } from "../../ports.ts"; import text from "./help.txt";`,
    ],
    ["src/main.ts", `const cli = await import("./surfaces/cli.ts");`],
    ["src/application/version.ts", `import packageJson from "../../package.json" with { type: "json" };`],
    [
      "src/application/session.ts",
      `import { a } from "../adapters/a.ts"; import { b } from "../engine/engine.ts";`,
    ],
    ["src/library.ts", `export { a } from "./application/a.ts";`],
  ];
  test.each(allowed)("%s may have: %s", (path, text) => {
    expect(check(path, `${text}\nexport const x = 1;`)).toEqual([]);
  });

  const forbidden: readonly (readonly [path: string, text: string, complaint: string])[] = [
    ["src/core/a.ts", `import { join } from "node:path";`, `core may not import "node:path"`],
    ["src/core/a.ts", `import { join } from "path";`, `core may not import "path"`],
    ["src/core/a.ts", `import { z } from "zod";`, `core may not import the package "zod"`],
    ["src/core/a.ts", `import type { z } from "zod";`, `core may not import the package "zod"`],
    ["src/core/a.ts", `type T = import("@types/x/y").T;`, `core may not import the package "@types/x"`],
    ["src/core/a.ts", `import { a } from "../views/a.ts";`, `core may not import "views/a.ts"`],
    ["src/core/a.ts", `export { a } from "../views/a.ts";`, `core may not import "views/a.ts"`],
    ["src/core/a.ts", `import "../views/a.ts";`, `core may not import "views/a.ts"`],
    ["src/core/a.ts", `import a = require("../views/a.ts");`, `core may not import "views/a.ts"`],
    ["src/core/a.ts", `import text from "./a.md";`, `core may not import the file "./a.md"`],
    ["src/views/a.ts", `import type { Clock } from "../ports.ts";`, `views may not import "ports.ts"`],
    ["src/ports.ts", `import { a } from "./core/a.ts";`, `only types from "core/a.ts"`],
    ["src/ports.ts", `import type { a } from "./views/a.ts";`, `ports may not import "views/a.ts"`],
    ["src/prompts/a.ts", `import { a } from "../views/a.ts";`, `prompts may not import "views/a.ts"`],
    ["src/engine/a.ts", `import { randomUUID } from "node:crypto";`, `engine may not import "node:crypto"`],
    ["src/engine/a.ts", `import { execa } from "execa";`, `engine may not import the package "execa"`],
    ["src/engine/a.ts", `import { a } from "../adapters/a.ts";`, `engine may not import "adapters/a.ts"`],
    ["src/engine/a.ts", `import { a } from "../schema/a.ts";`, `engine may not import "schema/a.ts"`],
    ["src/schema/a.ts", `import { readFile } from "node:fs";`, `schema may not import "node:fs"`],
    ["src/schema/a.ts", `import { execa } from "execa";`, `schema may not import the package "execa"`],
    ["src/adapters/a.ts", `import { a } from "../engine/a.ts";`, `adapters may not import "engine/a.ts"`],
    ["src/adapters/a.ts", `import { a } from "../surfaces/a.ts";`, `adapters may not import "surfaces/a.ts"`],
    ["src/adapters/a.ts", `const a = await import("../surfaces/a.ts");`, `may not import "surfaces/a.ts"`],
    ["src/demo/a.ts", `import { execa } from "execa";`, `demo may not import the package "execa"`],
    ["src/demo/a.ts", `import { a } from "../adapters/a.ts";`, `demo may not import "adapters/a.ts"`],
    ["src/surfaces/a.ts", `import { a } from "../adapters/a.ts";`, `surfaces may not import "adapters/a.ts"`],
    [
      "src/surfaces/a.ts",
      `import { a } from "../engine/inbox.ts";`,
      `surfaces may not import "engine/inbox.ts"`,
    ],
    ["src/surfaces/a.ts", `import { Clock } from "../ports.ts";`, `only types from "ports.ts"`],
    ["src/surfaces/a.ts", `import { a } from "../main.ts";`, "nobody imports main.ts"],
    [
      "src/adapters/a.ts",
      `import { a } from "../application/a.ts";`,
      `adapters may not import "application/a.ts"`,
    ],
    ["src/application/a.ts", `import { a } from "../library.ts";`, `application may not import "library.ts"`],
    ["src/main.ts", `import { a } from "./adapters/a.ts";`, `main may not import "adapters/a.ts"`],
    ["src/library.ts", `import { a } from "./main.ts";`, "nobody imports main.ts"],
    ["src/surfaces/a.ts", `import { a } from "../../test/a.ts";`, `surfaces may not import "../test/a.ts"`],
    ["src/adapters/a.ts", "const a = await import(name);", "not a plain string"],
  ];
  test.each(forbidden)("%s may not have: %s", (path, text, complaint) => {
    expect(check(path, `${text}\nexport const x = 1;`)).toEqual([expect.stringContaining(complaint)]);
  });

  test("a violation names the file and the line", () => {
    const text = `export const x = 1;\n\nimport "zod";\n`;
    expect(check("src/core/a.ts", text)).toEqual([`src/core/a.ts:3: core may not import the package "zod"`]);
  });
});

describe("what core may name", () => {
  test.each([
    ["Date", "export const a = Date.now();"],
    ["Date", "export const a = new Date(0);"],
    ["Date", `export const a = Date.parse("2020-01-01");`],
    ["Date", "export type A = Date;"],
    ["Math.random", "export const a = Math.random();"],
    ["Math.random", `export const a = Math["random"]();`],
    ["Math.random", "export const { random } = Math;"],
    ["console", "export const a = () => console;"],
    ["async", "export const a = async () => 1;"],
    ["await", "export const a = await 1;"],
    ["await", "export function* a(b) { for await (const c of b) yield c; }"],
    ["Promise", "export type A = Promise<string>;"],
    ["process", "export const a = { process };"],
    ["setTimeout", "export const a = setTimeout;"],
    ["fetch", "export const a = fetch;"],
    ["globalThis", "export const a = globalThis;"],
  ])("%s is found in: %s", (name, text) => {
    expect(check("src/core/a.ts", text)).toEqual([`src/core/a.ts:1: core may not use "${name}"`]);
    expect(check("src/adapters/a.ts", text)).toEqual([]);
  });

  test.each([
    "export const a = Math.max(1, 2);",
    "export const a = (b: { process: string }) => b.process;",
    "export const a = { process: 1, fetch: 2 };",
    "// Date, console, process\nexport const a = 'Date';",
  ])("nothing is found in: %s", (text) => {
    expect(check("src/core/a.ts", text)).toEqual([]);
  });
});

describe("sizes", () => {
  test.each([
    ["function", "export function f() {", "}"],
    ["arrow", "export const f = () => {", "};"],
    ["method", "export class A { f() {", "} }"],
    ["getter", "export const a = { get f() {", "} };"],
  ])("a %s has at most 70 lines", (_kind, head, tail) => {
    expect(check("src/adapters/a.ts", lines(head, 68, tail))).toEqual([]);
    expect(check("src/adapters/a.ts", `\n${lines(head, 69, tail)}`)).toEqual([
      "src/adapters/a.ts:2: a function of 71 lines, at most 70",
    ]);
  });

  test("a file has at most 400 lines", () => {
    expect(check("src/engine/a.ts", `${lines("export const a = 1;", 398, "")}\n`)).toEqual([]);
    expect(check("src/engine/a.ts", `${lines("export const a = 1;", 399, "// end")}\n`)).toEqual([
      "src/engine/a.ts: 401 lines, at most 400",
    ]);
  });

  test("the median function in core is under 20 lines, elsewhere it may be longer", () => {
    const short = "export const a = () => 1;";
    const long = lines("export function f() {", 18, "}");
    expect(check("src/core/a.ts", [long, short, short].join("\n"))).toEqual([]);
    expect(check("src/core/a.ts", [long, long, short].join("\n"))).toEqual([
      "src/core: the median function has 20 lines, wanted are under 20",
    ]);
    expect(check("src/engine/a.ts", [long, long].join("\n"))).toEqual([]);
  });
});

describe("barrels", () => {
  test.each([
    `export { a } from "./b.ts";`,
    `export * from "./b.ts";`,
    `export type { A } from "./b.ts";`,
    `import { a } from "./b.ts";\nexport { a };`,
    `import { a } from "./b.ts";\nexport default a;`,
  ])("a file that only re-exports is refused: %s", (text) => {
    expect(check("src/core/a.ts", text)).toEqual([
      "src/core/a.ts: only re-exports; import from the file that has the thing",
    ]);
  });

  test("the library may consist of re-exports", () => {
    expect(check("src/library.ts", `export { plan } from "./core/plan.ts";`)).toEqual([]);
  });
});

describe("cycles", () => {
  test("a cycle is reported once, with its way", () => {
    const files = [
      { path: "src/core/c.ts", text: `import { a } from "./a.ts"; export const c = a;` },
      { path: "src/core/a.ts", text: `import { b } from "./b.ts"; export const a = b;` },
      { path: "src/core/b.ts", text: `import { c } from "./c.ts"; export const b = c;` },
      { path: "src/core/d.ts", text: `import { a } from "./a.ts"; export const d = a;` },
    ];
    expect(checkArchitecture(files)).toEqual([
      "a cycle of imports: src/core/a.ts -> src/core/b.ts -> src/core/c.ts -> src/core/a.ts",
    ]);
  });

  test("a file that imports itself is a cycle", () => {
    expect(check("src/core/a.ts", `import { a } from "./a.ts"; export const b = 1;`)).toEqual([
      "a cycle of imports: src/core/a.ts -> src/core/a.ts",
    ]);
  });

  test("a dynamic import closes a cycle, a type import does not", () => {
    const toFiles = (back: string) => [
      { path: "src/adapters/a.ts", text: `import { b } from "./b.ts"; export const a = b;` },
      { path: "src/adapters/b.ts", text: `${back}\nexport const b = 1;` },
    ];
    expect(checkArchitecture(toFiles(`await import("./a.ts");`))).toHaveLength(1);
    expect(checkArchitecture(toFiles(`import type { A } from "./a.ts";`))).toEqual([]);
  });
});

describe("names of files and folders", () => {
  test.each([
    ["src/core/taskGraph.ts", `"taskGraph" is not kebab-case`],
    ["src/core/task_graph.ts", `"task_graph" is not kebab-case`],
    ["src/adapters/Git/a.ts", `"Git" is not kebab-case`],
    ["src/core/utils.ts", `"utils" says nothing about what is in it`],
    ["src/core/string-helpers.ts", `"string-helpers" says nothing about what is in it`],
    ["src/adapters/common/a.ts", `"common" says nothing about what is in it`],
    ["src/engine/run-manager.ts", `"run-manager" says nothing about what is in it`],
    ["src/engine/service.ts", `"service" says nothing about what is in it`],
    ["src/web/a.ts", `"web" is no known room`],
    ["src/index.ts", `"index" is no known room`],
  ])("%s is refused", (path, complaint) => {
    expect(check(path, "export const a = 1;")).toEqual([`${path}: ${complaint}`]);
  });

  test("kebab-case names are fine, and so is a bad word inside a good name", () => {
    expect(check("src/adapters/git/common-folder.ts", "export const a = 1;")).toEqual([]);
  });
});

function check(path: string, text: string): string[] {
  return checkArchitecture([{ path, text }]);
}

/** A first line, so many lines between, a last line. */
function lines(head: string, count: number, tail: string): string {
  return [head, ...Array.from({ length: count }, () => "//"), tail].join("\n");
}

function readSources(): SourceFile[] {
  const folder = join(ROOT, "src");
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((file) => ({
      path: relative(ROOT, file).split(sep).join("/"),
      text: readFileSync(file, "utf8"),
    }));
}
