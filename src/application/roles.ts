// The role files that hold for a run: of the project, of Claude Code in the project, of the builder.
//
// They are read from the main checkout, never from a lane, where a developer could write the reviewer's; and no link
// leads out of the repository. What lies in the builder's own folder may be a link.

import { lstatSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { isInside } from "../adapters/agents/confined.ts";
import { readPlainFile } from "../adapters/plain-file.ts";
import { limits } from "../core/limits.ts";
import type { Role } from "../core/report.ts";
import { failed, type Result, success } from "../core/result.ts";
import { toRoleText } from "../prompts/prompt.ts";
import type { InputProblem } from "../schema/problem.ts";
import type { RoleFiles } from "../schema/role-agents.ts";
import { type RoleFile, readRoleFile, readSubagentFile, roles } from "../schema/role-file.ts";
import { roleFolder } from "./init-files.ts";
import { codeOf } from "./locate.ts";
import { programRedaction } from "./redaction.ts";
import { problem, type Refusal, refuse } from "./refusal.ts";

export type RoleEnvironment = Readonly<Record<string, string | undefined>>;

export async function findRoles(
  checkout: string,
  environment: RoleEnvironment = process.env,
): Promise<Result<RoleFiles, Refusal>> {
  const found: { [Key in Role]?: readonly RoleFile[] } = {};
  const problems: InputProblem[] = [];
  for (const role of roles) {
    const files: RoleFile[] = [];
    for (const place of placesOf(role, checkout, environment)) {
      const read = await readPlace(place);
      if (!read.ok) problems.push(...read.failure);
      else if (read.value !== null) files.push(withPlainText(read.value));
    }
    found[role] = files;
  }
  return problems.length === 0 ? success(found) : failed(refuse(problems));
}

interface Place {
  readonly path: string;
  /** As people know it. */
  readonly shown: string;
  readonly kind: RoleFile["kind"];
  /** The folder that it must not lead out of; null: it may lie anywhere. */
  readonly within: string | null;
}

function placesOf(role: Role, checkout: string, environment: RoleEnvironment): readonly Place[] {
  const inCheckout = (shown: string, kind: Place["kind"]): Place => {
    return { path: join(checkout, ...shown.split("/")), shown, kind, within: checkout };
  };
  const own = join(configurationFolder(environment), "execute-prd", "roles", `${role}.md`);
  return [
    inCheckout(`${roleFolder}/${role}.md`, "role"),
    inCheckout(`.claude/agents/${role}.md`, "subagent"),
    { path: own, shown: own, kind: "role", within: null },
  ];
}

/** A relative XDG_CONFIG_HOME counts as none: so says its specification. */
function configurationFolder(environment: RoleEnvironment): string {
  const { XDG_CONFIG_HOME: given = "", HOME: home = "" } = environment;
  return isAbsolute(given) ? given : join(home === "" ? homedir() : home, ".config");
}

/** null: there is none. A file for Claude Code that cannot be used is none: it was not written for us. */
async function readPlace(place: Place): Promise<Result<RoleFile | null, readonly InputProblem[]>> {
  if (lstatSync(place.path, { throwIfNoEntry: false }) === undefined) return success(null);
  const bytes = await readBytes(place);
  if (!bytes.ok) return place.kind === "subagent" ? success(null) : failed([bytes.failure]);
  const source = { text: bytes.value, file: place.shown };
  if (place.kind === "role") return readRoleFile(source);
  const read = readSubagentFile(source);
  return success(read.ok ? read.value : null);
}

async function readBytes({ path, shown, within }: Place): Promise<Result<Uint8Array, InputProblem>> {
  const refused = (expected: string, hint: string) => failed(problem({ file: shown, expected, hint }));
  try {
    const real = realpathSync(path);
    if (within !== null && !isInside(real, realpathSync(within))) {
      return refused("a file inside the repository", "it is a link that leads out of it");
    }
    const found = await readPlainFile(real, limits.roleFileBytes);
    if (found.kind === "read") return success(found.bytes);
    return refused("a readable file", found.kind === "missing" ? "it is gone" : found.problem);
  } catch (error) {
    return refused("a readable file", codeOf(error));
  }
}

function withPlainText(file: RoleFile): RoleFile {
  return { ...file, instructions: toRoleText(programRedaction().text(file.instructions)) };
}
