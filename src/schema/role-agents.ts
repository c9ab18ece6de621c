// What role files say, put under what the configuration says of the agents of the roles.
//
// The configuration wins key by key. Settings come from the first role file that has any, and only where the
// configuration does not name another backend: what one program takes for a model or a tool, another does not know.
// Instructions come from the first file that has any. What a file says that was written for Claude Code holds for
// nothing else.

import type { Role } from "../core/report.ts";
import { type RoleFile, roles } from "./role-file.ts";
import { valueAt } from "./value-at.ts";

/** Of each role, the first that counts first. */
export type RoleFiles = { readonly [Key in Role]?: readonly RoleFile[] };

/** `config` as it was read; what is not as it should be stays as it is. */
export function withRoles(config: unknown, files: RoleFiles): unknown {
  if (!isObject(config)) return config;
  const agents = valueAt(config, ["agents"]) ?? {};
  if (!isObject(agents)) return config;
  const merged: Record<string, unknown> = { ...agents };
  for (const role of roles) {
    const entry = merge(merged, role, files[role] ?? []);
    if (entry !== undefined) merged[role] = entry;
  }
  return Object.keys(merged).length === 0 ? config : { ...config, agents: merged };
}

/** Files whose settings do not count, as the configuration names another backend. */
export function overruled(config: unknown, files: RoleFiles): readonly string[] {
  return roles.flatMap((role) => {
    const file = files[role]?.find(hasSettings);
    const backend = valueAt(config, ["agents", role, "backend"]);
    return file !== undefined && isOtherBackend(file, backend) ? [file.file] : [];
  });
}

/** The developer comes first: its backend may be that of the others. */
function merge(agents: Readonly<Record<string, unknown>>, role: Role, files: readonly RoleFile[]): unknown {
  const own = Object.hasOwn(agents, role) ? agents[role] : {};
  if (!isObject(own)) return own;
  const file = files.find(hasSettings);
  const isLeftOut = file === undefined || isOtherBackend(file, valueAt(own, ["backend"]));
  const entry = { ...(isLeftOut ? {} : file.settings), ...own };
  const backend = valueAt(entry, ["backend"]) ?? valueAt(agents, ["developer", "backend"]);
  const subagent = files.find(({ kind }) => kind === "subagent");
  const text = files.find(({ instructions }) => instructions !== "")?.instructions;
  const whole = {
    ...(backend === "claude-code" ? subagent?.settings : {}),
    ...(text !== undefined && { instructions: text }),
    ...entry,
  };
  return Object.keys(whole).length === 0 && !Object.hasOwn(agents, role) ? undefined : whole;
}

function hasSettings({ kind, settings }: RoleFile): boolean {
  return kind === "role" && Object.keys(settings).length > 0;
}

function isOtherBackend({ settings }: RoleFile, backend: unknown): boolean {
  return settings.backend !== undefined && backend !== undefined && backend !== settings.backend;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
