// What a project's own files say about how to check it: the gates of a builder who configured none.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { limits } from "../../core/limits.ts";
import type { GatePolicy } from "../../core/policy.ts";
import { isOnPath } from "../process/command-line.ts";
import { detectPackageGates } from "./detect-package.ts";
import type { Found, FoundGate } from "./found.ts";
import { hasFile, readProjectFile } from "./project-files.ts";

export interface Detected {
  readonly gates: readonly GatePolicy[];
  /** Command line that installs what the gates need; empty where nothing is known to be needed. */
  readonly setup: string;
  /** What the builder should know about this choice. */
  readonly told: readonly string[];
}

/** Reads files only, runs nothing. */
export async function detectGates(root: string): Promise<Detected> {
  const found = [
    await detectPackageGates(root),
    await detectRust(root),
    await detectGo(root),
    await detectPython(root),
  ].filter((each) => each !== null);
  const named = found.reduce(nameGates, new Map<string, string>());
  // Targets of a Makefile mostly wrap what was found already: they fill what is missing.
  for (const { name, command } of await detectMake(root)) {
    if (!named.has(name)) named.set(name, command);
  }
  const told = found.flatMap((each) => each.told);
  if (named.size === 0) {
    told.push('no gates found in the project\'s files; name them under "gates" in execute-prd.config.json');
  }
  const setups = found.map((each) => each.setup).filter((setup) => setup !== "");
  return { gates: inOrder(named).map(toPolicy), setup: setups.join(" && "), told };
}

function nameGates(named: Map<string, string>, found: Found): Map<string, string> {
  for (const { name, command } of found.gates) {
    named.set(named.has(name) ? `${name}-${found.suffix}` : name, command);
  }
  return named;
}

const order = ["typecheck", "lint", "tests"];

/** The quick ones first. */
function inOrder(named: ReadonlyMap<string, string>): readonly [string, string][] {
  const rank = ([name]: readonly [string, string]) => order.findIndex((each) => name.startsWith(each));
  return [...named].sort((left, right) => rank(left) - rank(right));
}

function toPolicy([name, command]: readonly [string, string]): GatePolicy {
  return { name, command, timeoutMs: limits.gateTimeoutMs, report: "auto", env: [] };
}

async function detectRust(root: string): Promise<Found | null> {
  if (!(await hasFile(root, "Cargo.toml"))) return null;
  return {
    suffix: "rust",
    gates: [{ name: "tests", command: "cargo test --no-fail-fast" }],
    setup: "",
    told: [],
  };
}

async function detectGo(root: string): Promise<Found | null> {
  if (!(await hasFile(root, "go.mod"))) return null;
  const gates: FoundGate[] = [
    { name: "lint", command: "go vet ./..." },
    { name: "tests", command: "go test ./..." },
  ];
  return { suffix: "go", gates, setup: "", told: [] };
}

async function detectPython(root: string): Promise<Found | null> {
  if (!(await usesPytest(root))) return null;
  return {
    suffix: "python",
    gates: [{ name: "tests", command: await pytestCommand() }],
    setup: "",
    told: [],
  };
}

async function usesPytest(root: string): Promise<boolean> {
  if (await hasFile(root, "pytest.ini")) return true;
  const sections: readonly [string, RegExp][] = [
    ["pyproject.toml", /^\[tool\.pytest\b/m],
    ["setup.cfg", /^\[tool:pytest\]/m],
    ["tox.ini", /^\[pytest\]/m],
  ];
  for (const [name, section] of sections) {
    if (section.test((await readProjectFile(root, name)) ?? "")) return true;
  }
  for (const folder of ["tests", "test"]) {
    const names = await readdir(join(root, folder)).catch(() => []);
    if (names.some((name) => /^test_.*\.py$/.test(name))) return true;
  }
  return false;
}

async function pytestCommand(): Promise<string> {
  if (await isOnPath("pytest", process.env)) return "pytest";
  return (await isOnPath("python", process.env)) ? "python -m pytest" : "python3 -m pytest";
}

const makeTargets: readonly [string, FoundGate["name"]][] = [
  ["typecheck", "typecheck"],
  ["lint", "lint"],
  ["test", "tests"],
  ["check", "tests"],
];

async function detectMake(root: string): Promise<readonly FoundGate[]> {
  let text: string | null = null;
  for (const name of ["GNUmakefile", "makefile", "Makefile"]) text ??= await readProjectFile(root, name);
  if (text === null) return [];
  const targets = new Set(text.split("\n").flatMap(targetsOf));
  return makeTargets
    .filter(([target]) => targets.has(target))
    .map(([target, name]) => ({ name, command: `make ${target}` }));
}

function targetsOf(line: string): readonly string[] {
  const rule = /^([A-Za-z0-9_. -]+)::?(?![:=])/.exec(line);
  return rule?.[1]?.split(" ") ?? [];
}
