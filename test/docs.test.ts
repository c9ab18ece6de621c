// The documents: what they name is there, and what is there is named. Claims that a machine can hold are held here.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { limits } from "../src/core/limits.ts";
import { configShape } from "../src/schema/config-shape.ts";
import { eventKinds } from "../src/schema/journal.ts";
import { programPath } from "./e2e/support/program.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const notOurs = new Set(["node_modules", "dist", "coverage", ".git", "golden", "attempts"]);

/** Every document of the project, by path; templates of prompts and files for other repositories are none. */
const documents = findDocuments(ROOT).filter((path) => !path.startsWith("src/"));

const readme = read("README.md");
const operating = read("docs/operating.md");
const journalFormat = read("docs/journal-format.md");
const configuration = read("docs/configuration.md");
const eventFields = readEventFields();

describe("the README", () => {
  test.each(["npm ci && npm run demo", "npm ci && npm test"])("has the command %s", (command) => {
    expect(readme).toContain(`\`${command}\``);
  });

  test("fits on a screen and a half, and the notes for contributors on about the same", () => {
    expect(lineCount(readme)).toBeLessThanOrEqual(110);
    expect(lineCount(read("AGENTS.md"))).toBeLessThanOrEqual(120);
  });

  test("and the other documents show only commands that there are", () => {
    const known = new Set(commandNames());
    const shown = documents.flatMap((path) =>
      [...read(path).matchAll(/\bexecute-prd ([a-z]+)\b/g)]
        .filter(([, name = ""]) => isCommandShown(path, name))
        .map(([, name = ""]) => `${path}: ${name}`),
    );
    expect(shown.filter((line) => !known.has(line.split(": ")[1] ?? ""))).toEqual([]);
    expect(shown.length).toBeGreaterThan(10);
  });
});

describe("docs/operating.md", () => {
  test("names every command of the program", () => {
    const names = commandNames();
    expect(names).toContain("run");
    expect(names.filter((name) => !new RegExp(`^\\| \`${name}[ \`]`, "m").test(operating))).toEqual([]);
  });

  test("names every option of every command, or docs/configuration.md does", () => {
    const text = `${operating}\n${configuration}\n${readme}`;
    const missing = commandNames().flatMap((name) =>
      optionsOf(name).filter((option) => !hasOption(text, option)),
    );
    expect(missing).toEqual([]);
  });

  test("names every exit code", () => {
    const code = readFileSync(join(ROOT, "src/application/run-handle.ts"), "utf8");
    const refusals = readFileSync(join(ROOT, "src/application/refusal.ts"), "utf8");
    const returned = [...code.matchAll(/return (\d+);/g), ...refusals.matchAll(/(?<=RefusalCode =.*)(\d+)/g)];
    const codes = new Set([...returned.map(([, number]) => number), "70", "130"]);
    expect(codes.size).toBeGreaterThan(6);
    expect([...codes].filter((number) => !operating.includes(`\n| ${number} | `))).toEqual([]);
  });

  test("names every question that the rules ask, and every one of its options", () => {
    const rules = ["plan-run", "plan-judging", "plan-judged", "plan-review", "plan-hold"]
      .map((name) => readFileSync(join(ROOT, `src/core/${name}.ts`), "utf8"))
      .join("\n");
    const ids = [...rules.matchAll(/[`"]([a-z-]+):\$\{/g)].map(([, name]) => name);
    expect(new Set(ids).size).toBeGreaterThan(7);
    expect(ids.filter((name) => !operating.includes(`\`${name}:<`))).toEqual([]);
    const options = [...rules.matchAll(/\{ id: "([a-z]+)", label/g)].map(([, id]) => id);
    expect(options.filter((id) => !operating.includes(`\`${id}\``))).toEqual([]);
  });
});

describe("docs/journal-format.md", () => {
  test("has a row for every kind of event, and no other", () => {
    const rows = [...journalFormat.matchAll(/^\| `([a-z-]+)` \| (?:intent|outcome|decision) \|/gm)];
    expect(rows.map(([, kind]) => kind).sort()).toEqual([...eventKinds].sort());
  });

  test.each([...eventKinds])("names every field of %s", (kind) => {
    const row = journalFormat.split("\n").find((line) => line.startsWith(`| \`${kind}\` |`)) ?? "";
    expect(eventFields.get(kind)?.filter((field) => !isNamed(row, field))).toEqual([]);
  });
});

describe("docs/configuration.md", () => {
  test("names every key of the configuration", () => {
    const keys = Object.keys(configShape.shape).filter((key) => key !== "$schema");
    expect(keys.filter((key) => !configuration.includes(`\`${key}`))).toEqual([]);
  });

  test("says the defaults that the limits say", () => {
    expect(configuration).toContain(`| \`agents.*.timeoutMs\` | ${limits.agentTimeoutMs} |`);
    expect(configuration).toContain(`\`timeoutMs\` (${limits.gateTimeoutMs})`);
    const { defaultDispatchesPerTask: each, defaultDispatchesFixed: fixed } = limits;
    expect(configuration).toContain(`0: ${each} a task and ${fixed} more`);
  });
});

describe("every document", () => {
  test("leads only to what is there", () => {
    const broken = documents.flatMap((path) =>
      linksOf(read(path))
        .filter((link) => !existsSync(resolve(ROOT, dirname(path), link)))
        .map((link) => `${path}: ${link}`),
    );
    expect(broken).toEqual([]);
  });

  test("names source files that are there", () => {
    const named = documents.flatMap((path) =>
      [...read(path).matchAll(/`((?:src|test|scripts|bench)\/[\w./-]+\.(?:ts|mjs|md))`/g)].map(
        ([, file = ""]) => `${path}: ${file}`,
      ),
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((line) => !existsSync(join(ROOT, line.split(": ")[1] ?? "")))).toEqual([]);
  });

  test("names no path of a machine", () => {
    const machinePath = /(?:^|[\s`"'(])(?:\/(?:home|Users|root|work)\/\S+|[A-Z]:\\\S+)/m;
    expect(documents.filter((path) => machinePath.test(read(path)))).toEqual([]);
  });

  test("of the invariants names the files in which they are kept and tested", () => {
    const rows = read("docs/architecture.md").match(/^\| I\d+ \|.*$/gm) ?? [];
    expect(rows.map((row) => /^\| (I\d+)/.exec(row)?.[1])).toEqual(
      Array.from({ length: 15 }, (_, index) => `I${index + 1}`),
    );
    const missing = rows.flatMap((row) => {
      const [, , , kept = "", tested = ""] = row.split("|");
      const sources = namesIn(kept).filter((name) => !existsSync(join(ROOT, "src", name)));
      const tests = namesIn(tested).filter((name) => !isTest(name));
      return [...sources, ...tests];
    });
    expect(missing).toEqual([]);
  });
});

test("decision records are numbered without gaps and each has its three parts", () => {
  const names = readdirSync(join(ROOT, "dev/decisions")).sort();
  for (const [index, name] of names.entries()) {
    expect(name.slice(0, 5)).toBe(`${String(index + 1).padStart(4, "0")}-`);
    const headings = read(`dev/decisions/${name}`).match(/^## .*$/gm);
    expect(headings).toEqual(["## Context", "## Decision", "## Consequences"]);
  }
});

function findDocuments(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return notOurs.has(entry.name) ? [] : findDocuments(path);
    return entry.name.endsWith(".md") ? [relative(ROOT, path).replaceAll("\\", "/")] : [];
  });
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

function lineCount(text: string): number {
  return text.trimEnd().split("\n").length;
}

function help(...args: readonly string[]): string {
  const env = { ...process.env, COLUMNS: "200" };
  const { status, stdout } = spawnSync(process.execPath, [programPath, ...args, "--help"], { env });
  expect(status, `"${programPath}" answers; it is made by "npm run build"`).toBe(0);
  return stdout.toString("utf8");
}

function commandNames(): readonly string[] {
  const [, list = ""] = help().split("Commands:\n");
  return [...list.matchAll(/^ {2}([a-z]+)\b/gm)].map(([, name = ""]) => name);
}

function optionsOf(command: string): readonly string[] {
  if (command === "help") return [];
  return [...help(command).matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, option = ""]) => option);
}

function hasOption(text: string, option: string): boolean {
  return new RegExp(`${option}(?![a-z-])`).test(text);
}

/** In code: words of prose after the program's name are no command. */
function isCommandShown(path: string, name: string): boolean {
  return new RegExp(`(?:^|\`|\\| )execute-prd ${name}\\b`, "m").test(read(path));
}

/** Relative targets of Markdown links, without anchors; code blocks have none. */
function linksOf(text: string): readonly string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link.replace(/#.*$/, ""))
    .filter((link) => link !== "" && !/^[a-z]+:/.test(link));
}

/** Members of each event by its kind, read from the union's source. */
function readEventFields(): ReadonlyMap<string, readonly string[]> {
  const tree = ts.createSourceFile("event.ts", read("src/core/event.ts"), ts.ScriptTarget.ES2023, true);
  const fields = new Map<string, readonly string[]>();
  const visit = (node: ts.Node): void => {
    if (ts.isInterfaceDeclaration(node) || ts.isTypeLiteralNode(node)) {
      const [first, ...others] = node.members.map((member) => member.getText(tree));
      const kind = /kind: "([a-z-]+)"/.exec(first ?? "")?.[1] ?? "";
      const names = others.map((text) => /(\w+)\??:/.exec(text.replace(/^readonly /, ""))?.[1] ?? text);
      if (eventKinds.has(kind)) fields.set(kind, names);
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return fields;
}

/** The field as a word of its own, in code. */
function isNamed(row: string, field: string): boolean {
  return new RegExp(`\`[^\`]*\\b${field}\\b[^\`]*\``).test(row);
}

function namesIn(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
}

function isTest(name: string): boolean {
  return ["", ".ts", ".test.ts"].some((ending) => existsSync(join(ROOT, "test", `${name}${ending}`)));
}
