// Gates and setup of a project with a package.json.

import { limits } from "../../core/limits.ts";
import { decodeJson } from "../../schema/json-text.ts";
import { describeProblem } from "../../schema/problem.ts";
import type { Found, FoundGate } from "./found.ts";
import { firstFile, hasFile, readProjectFile } from "./project-files.ts";

type PackageManager = "npm" | "pnpm" | "yarn" | "bun";

const lockfiles: readonly [string, PackageManager][] = [
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
  ["package-lock.json", "npm"],
  ["npm-shrinkwrap.json", "npm"],
];

const scriptNames: readonly { readonly gate: FoundGate["name"]; readonly scripts: readonly string[] }[] = [
  { gate: "typecheck", scripts: ["typecheck", "type-check", "types", "tsc"] },
  { gate: "lint", scripts: ["lint"] },
  { gate: "tests", scripts: ["test"] },
];

/** null where there is no package.json. */
export async function detectPackageGates(root: string): Promise<Found | null> {
  const text = await readProjectFile(root, "package.json");
  if (text === null) return null;
  const decoded = decodeJson({ text, file: "package.json" }, limits.prdBytes);
  if (!decoded.ok)
    return { suffix: "package", gates: [], setup: "", told: [describeProblem(decoded.failure)] };
  const described = decoded.value;
  const lockfile = await firstFile(
    root,
    lockfiles.map(([name]) => name),
  );
  const manager = managerOf(memberOf(described, "packageManager"), lockfile);
  const scripts = memberOf(described, "scripts");
  const gates = scriptNames.flatMap(({ gate, scripts: names }): FoundGate[] => {
    const name = names.find((each) => isGateScript(memberOf(scripts, each)));
    return name === undefined ? [] : [{ name: gate, command: toCommand(manager, name) }];
  });
  const setup = lockfile === null ? "" : await toSetup(root, lockfile, memberOf(described, "packageManager"));
  return {
    suffix: "package",
    gates,
    setup,
    told: [...tellWatchModes(scripts), ...tellSetup(described, lockfile)],
  };
}

function managerOf(declared: unknown, lockfile: string | null): PackageManager {
  const name = typeof declared === "string" ? declared.replace(/@.*$/, "") : "";
  if (name === "npm" || name === "pnpm" || name === "yarn" || name === "bun") return name;
  return lockfiles.find(([each]) => each === lockfile)?.[1] ?? "npm";
}

/** What `npm init` writes is no test, and an empty script runs nothing. */
function isGateScript(script: unknown): script is string {
  return typeof script === "string" && script.trim() !== "" && !script.includes("no test specified");
}

function toCommand(manager: PackageManager, script: string): string {
  // `bun test` is bun's own runner, whatever the script says.
  if (script === "test" && manager !== "bun") return `${manager} test`;
  return `${manager} run ${script}`;
}

async function toSetup(root: string, lockfile: string, declared: unknown): Promise<string> {
  const manager = lockfiles.find(([each]) => each === lockfile)?.[1] ?? "npm";
  if (manager === "npm") return "npm ci";
  if (manager !== "yarn") return `${manager} install --frozen-lockfile`;
  const isModern =
    (typeof declared === "string" && /^yarn@[2-9]/.test(declared)) || (await hasFile(root, ".yarnrc.yml"));
  return isModern ? "yarn install --immutable" : "yarn install --frozen-lockfile";
}

function tellWatchModes(scripts: unknown): readonly string[] {
  const watching = scriptNames
    .flatMap((each) => each.scripts)
    .filter((name) => / --watch(?:All)?(?: |$)/.test(String(memberOf(scripts, name) ?? "")));
  return watching.map(
    (name) =>
      `script "${name}" in package.json starts a watch mode, which never ends: configure another command`,
  );
}

function tellSetup(described: unknown, lockfile: string | null): readonly string[] {
  const needs = ["dependencies", "devDependencies"].some((name) => {
    const packages = memberOf(described, name);
    return typeof packages === "object" && packages !== null && Object.keys(packages).length > 0;
  });
  if (!needs || lockfile !== null) return [];
  return [
    'package.json has dependencies but there is no lockfile: name the command that installs them as "setup"',
  ];
}

/** Own properties only: the file is hostile text. */
function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return Reflect.get(value, name);
}
