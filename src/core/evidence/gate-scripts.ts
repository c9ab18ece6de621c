// Which scripts of a package.json the gates come to, and which of them a candidate changed.

import { withoutSpace } from "./lines.ts";

/** The parts of a manifest that say how checks run. */
export interface ManifestParts {
  readonly scripts: Readonly<Record<string, string>>;
  /** Settings of test runners, compilers, linters and the like, by key, in one form. */
  readonly settings: Readonly<Record<string, string>>;
}

/** null: it cannot be read. */
export function readManifest(text: string): ManifestParts | null {
  const manifest = parseJson(text);
  if (manifest === null) return null;
  const scripts: Record<string, string> = {};
  for (const key of ["scripts", "tasks", "wireit"]) {
    for (const [name, value] of Object.entries(toObject(manifest[key]))) {
      scripts[name] = (scripts[name] ?? "") + (typeof value === "string" ? value : JSON.stringify(value));
    }
  }
  const settings = Object.entries(manifest).filter(([key]) => settingKeys.has(key));
  return {
    scripts,
    settings: Object.fromEntries(settings.map(([key, value]) => [key, JSON.stringify(value)])),
  };
}

function parseJson(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? toObject(value) : null;
  } catch {
    return null;
  }
}

/** Names of the scripts that the command lines come to, with those before and after them. */
export function reachedScripts(
  commands: readonly string[],
  scripts: Readonly<Record<string, string>>,
): ReadonlySet<string> {
  const reached = new Set<string>();
  const todo = commands.filter(runsScripts);
  for (let command = todo.pop(); command !== undefined; command = todo.pop()) {
    for (const name of namedScripts(command, scripts)) {
      if (reached.has(name) || reached.size >= mostScripts) continue;
      reached.add(name);
      const text = String(scripts[name]);
      if (runsScripts(text)) todo.push(text);
    }
  }
  return reached;
}

/** Names under which checks usually run: whatever starts them, a gate may. */
export function isCheckName(name: string): boolean {
  return /^(?:pre|post)?(?:test|lint|types?|typecheck|type-check|check|tsc|build|compile|verify|validate|ci|coverage|unit|integration|e2e)(?::[^\s]*)?$/.test(
    name,
  );
}

const settingKeys = new Set([
  "jest",
  "vitest",
  "mocha",
  "ava",
  "nyc",
  "c8",
  "tap",
  "jasmine",
  "eslintConfig",
  "eslintIgnore",
  "prettier",
  "stylelint",
  "xo",
  "standard",
  "lint",
  "fmt",
  "test",
  "compilerOptions",
  "lint-staged",
  "husky",
  "simple-git-hooks",
  "config",
]);

function toObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  return value as Readonly<Record<string, unknown>>; // an object that is no list has string keys
}

function runsScripts(command: string): boolean {
  return /\b(?:npm|pnpm|yarn|bun|npx|run-s|run-p|npm-run-all|concurrently|turbo|nx|lerna|wireit|deno|composer)\b|--run\b/.test(
    command,
  );
}

/** Every word of the command that is a script: more than are run, never fewer. `npm:test`, `a:test` and `unit:*` too. */
function namedScripts(command: string, scripts: Readonly<Record<string, string>>): string[] {
  const written = command.split(/[\s"'`;&|()<>,[\]{}]+/);
  const words = new Set(written.flatMap((word) => [word, word.slice(word.indexOf(":") + 1)]));
  if (words.has("t") || words.has("tst")) words.add("test");
  const patterns = written.map((word) => word.replace(/^npm:/, "")).filter((word) => /^[^*]+\*/.test(word));
  const starts = patterns.slice(0, mostPatterns).map((word) => word.slice(0, word.indexOf("*")));
  const isNamed = (name: string): boolean =>
    words.has(name) || starts.some((start) => name.startsWith(start));
  const named = Object.keys(scripts).filter(isNamed);
  const around = named.flatMap((name) => [`pre${name}`, `post${name}`]);
  return [...named, ...around.filter((name) => Object.hasOwn(scripts, name))];
}

const mostPatterns = 20;
const mostScripts = 500;

/** Paths of files that a command line runs, or takes its configuration from, as they may stand in a diff. */
export function namedFiles(command: string): string[] {
  return command.split(/&&|\|\||[;|\n]/).flatMap((part) => {
    const words = part.replace(/\b[A-Z_][A-Z0-9_]*=\S*/g, "").split(/[\s"'`()<>=]+/);
    const operands: string[] = [];
    const taken: string[] = [];
    let isTaken = false;
    for (const word of words.filter((each) => each !== "" && !prefixes.has(each))) {
      (isTaken ? taken : operands).push(word);
      isTaken = takesFile.test(word);
    }
    const [program = "", ...others] = operands;
    const run = interpreters.test(program) ? others.filter(isFileName).slice(0, 1) : [program];
    const files = [...taken, ...run].filter(isFileName).map((word) => word.replace(/^(?:\.\/)+/, ""));
    return [...files, ...pythonModule(part)];
  });
}

/** `python -m NAME` runs what the repository has under this name before what is installed. */
function pythonModule(part: string): string[] {
  const name = /\bpython[\d.]*\s(?:[^|]{0,200}\s)?-m\s*([\w.]{1,200})/.exec(part)?.[1];
  const path = name?.replaceAll(".", "/");
  return path === undefined ? [] : [`${path}.py`, `${path}/__init__.py`, `${path}/__main__.py`];
}

/** What stands before a program without being the one that runs. */
const prefixes = new Set(["npx", "exec", "env", "cross-env", "time", "sudo", "@"]);
const interpreters =
  /^(?:node|bash|sh|zsh|dash|python[\d.]*|tsx|ts-node|bun|deno|ruby|perl|php|pwsh|zx|jiti)$/;
const takesFile =
  /^(?:-c|-r|-p|--config|--configuration|--project|--require|--import|--loader|--rcfile|--config-file|--setup)$/;

function isFileName(word: string): boolean {
  return /^[\w@.-][\w@./-]{0,300}\.(?:[cm]?[jt]sx?|sh|bash|py|rb|pl|php|ps1|bat|json|ya?ml|toml|ini)$/.test(
    word,
  );
}

/** Whether two texts of a configuration say the same but for white space and, in JSON, order of writing. */
export function isSameSetting(before: string, after: string): boolean {
  const left = parseJson(before);
  const right = parseJson(after);
  if (left !== null && right !== null) return JSON.stringify(left) === JSON.stringify(right);
  return toBare(before) === toBare(after);
}

/** Without lines of comment, space and commas before a closing bracket, with one kind of quotes. */
function toBare(text: string): string {
  return withoutSpace(text.replace(/^[ \t]*(?:\/\/|#)[^\n]*$/gm, ""))
    .replace(/,(?=[}\])])/g, "")
    .replace(/["'`]/g, '"')
    .replace(/;/g, "");
}
