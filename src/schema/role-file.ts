// A role file: settings of a role's agent in YAML between two lines of three dashes, then the role's instructions.
//
//   ---
//   backend: claude-code
//   tools: [Read, Edit]
//   ---
//   Follow the rules of CONTRIBUTING.md.
//
// Settings are read as strictly as the configuration. YAML has ways to make little text large or strange: aliases and
// tags are refused, and the front matter is bounded.

import type { Document, LineCounter } from "yaml";
import { limits } from "../core/limits.ts";
import type { Role } from "../core/report.ts";
import { failed, type Result, success } from "../core/result.ts";
import { type RoleSettings, roleSettingsShape } from "./config-shape.ts";
import { decodeText, type JsonSource } from "./json-text.ts";
import { type InputProblem, ProblemList, toExcerpt } from "./problem.ts";
import { checkShape } from "./zod-problems.ts";

/** Each may have a role file; the developer first, whose agent plays the others that have none. */
export const roles = ["developer", "reviewer", "orchestrator"] as const satisfies readonly Role[];

export function isRole(name: string): name is Role {
  return roles.some((role) => role === name);
}

export interface RoleFile {
  /** As it is shown to people. */
  readonly file: string;
  /** `subagent`: written for Claude Code, and so are its words for models and tools. */
  readonly kind: "role" | "subagent";
  readonly settings: RoleSettings;
  /** Without comments; empty: none. */
  readonly instructions: string;
}

export async function readRoleFile(source: JsonSource): Promise<Result<RoleFile, readonly InputProblem[]>> {
  const split = splitRoleFile(source);
  if (!split.ok) return failed([split.failure]);
  const { frontMatter, body } = split.value;
  const settings = await readSettings(frontMatter, source.file);
  if (!settings.ok) return settings;
  return success({
    file: source.file,
    kind: "role",
    settings: settings.value,
    instructions: withoutComments(body),
  });
}

/** Of `.claude/agents`: only model and tools are looked for, by line, as its YAML often is none. */
export function readSubagentFile(source: JsonSource): Result<RoleFile, InputProblem> {
  const split = splitRoleFile(source);
  if (!split.ok) return split;
  const { frontMatter, body } = split.value;
  const model = valueOfLine(frontMatter, "model");
  const tools = namesIn(valueOfLine(frontMatter, "tools"));
  const settings: RoleSettings = {
    ...(model !== "" && model !== "inherit" && { model }),
    ...(tools.length > 0 && { tools }),
  };
  return success({ file: source.file, kind: "subagent", settings, instructions: withoutComments(body) });
}

interface Split {
  readonly frontMatter: string;
  readonly body: string;
}

function splitRoleFile(source: JsonSource): Result<Split, InputProblem> {
  const decoded = decodeText(source, limits.roleFileBytes);
  if (!decoded.ok) return decoded;
  const text = decoded.value.replace(/\r\n?/g, "\n");
  if (!text.startsWith("---\n")) return success({ frontMatter: "", body: text });
  const end = /^---[ \t]*$/m.exec(text.slice(4));
  const problem = { file: source.file, path: "line 1", value: '"---"', hint: "" };
  if (end === null)
    return failed({ ...problem, expected: "a second line of three dashes after the settings" });
  const frontMatter = text.slice(4, 4 + end.index);
  if (frontMatter.length > limits.frontMatterChars) {
    return failed({ ...problem, expected: `at most ${limits.frontMatterChars} characters of settings` });
  }
  return success({ frontMatter, body: text.slice(4 + end.index + end[0].length) });
}

async function readSettings(
  frontMatter: string,
  file: string,
): Promise<Result<RoleSettings, readonly InputProblem[]>> {
  // Most role files have nothing but comments there, and need no reader of YAML.
  if (/^(?:[ \t]*(?:#.*)?\n)*$/.test(frontMatter)) return success({});
  const { LineCounter, parseDocument } = await import("yaml");
  const lineCounter = new LineCounter();
  try {
    const document = parseDocument(frontMatter, {
      lineCounter,
      schema: "core",
      resolveKnownTags: false,
      prettyErrors: false,
      logLevel: "silent",
    });
    return check({ document, lineCounter, file });
  } catch {
    // An alias, or nested so deeply that the parser gives up.
    const hint = "it must not have aliases, nor be nested deeply";
    return failed([{ file, path: "line 2", value: "", expected: "settings in YAML", hint }]);
  }
}

interface Parsed {
  readonly document: Document.Parsed;
  readonly lineCounter: LineCounter;
  readonly file: string;
}

function check(parsed: Parsed): Result<RoleSettings, readonly InputProblem[]> {
  const { document, file } = parsed;
  const refused = [...document.errors, ...document.warnings];
  if (refused.length > 0) {
    return failed(
      refused.map(({ pos, message }) => {
        const path = `line ${lineAt(parsed, pos[0])}`;
        return { file, path, value: "", expected: "settings in YAML", hint: message };
      }),
    );
  }
  // An alias makes `toJS` throw, as it may stand for anything and often.
  const value = withLists(document.toJS({ maxAliasCount: 0 }));
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return failed([{ file, path: "line 2", value: toExcerpt(value), expected: "keys and values", hint: "" }]);
  }
  const problems = new ProblemList(file);
  if (!checkShape({ shape: roleSettingsShape, value, problems })) {
    return failed(problems.all().map((problem) => withLine(problem, parsed)));
  }
  return success(roleSettingsShape.parse(value));
}

/** `tools: Read, Edit` means the same as a list. */
function withLists(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("tools" in value)) return value;
  return typeof value.tools === "string" ? { ...value, tools: namesIn(value.tools) } : value;
}

function namesIn(list: string): string[] {
  return list
    .replace(/^\[|\]$/g, "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

function withLine(problem: InputProblem, parsed: Parsed): InputProblem {
  const [key] = problem.path.split(/[.[]/);
  const { contents } = parsed.document;
  const items: readonly unknown[] = contents !== null && "items" in contents ? contents.items : [];
  for (const item of items) {
    const node: unknown = item instanceof Object && "key" in item ? item.key : null;
    if (!(node instanceof Object && "value" in node && "range" in node)) continue;
    if (String(node.value) !== key || !Array.isArray(node.range)) continue;
    return { ...problem, path: `line ${lineAt(parsed, Number(node.range[0]))}, ${problem.path}` };
  }
  return problem;
}

/** In the file, whose first line are the dashes. */
function lineAt({ lineCounter }: Parsed, offset: number): number {
  return lineCounter.linePos(offset).line + 1;
}

function valueOfLine(frontMatter: string, key: string): string {
  const line = frontMatter.split("\n").find((each) => each.startsWith(`${key}:`)) ?? "";
  const value = line.slice(key.length + 1).trim();
  return value.replace(/^(["'])(.*)\1$/, "$2");
}

function withoutComments(body: string): string {
  return body.replace(/<!--[\s\S]*?-->/g, "").trim();
}
