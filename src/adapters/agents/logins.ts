// The coding agents that are known by name: their programs, where a login of theirs lies, and which variables hold a
// key instead.

import { existsSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";
import type { AgentPolicy } from "../../core/policy.ts";
import type { Environment } from "../process/environment.ts";
import { authOf, keyVariables } from "./program-variables.ts";

export interface KnownProgram {
  /** As it is found on PATH. */
  readonly program: string;
  readonly files: readonly CredentialFile[];
  readonly keys: readonly string[];
}

interface CredentialFile {
  /** Below a home folder. */
  readonly path: string;
  /** Variable that may name another place for the folder `path` lies in. */
  readonly variable: string | null;
}

export const knownPrograms: readonly KnownProgram[] = [
  {
    program: "claude",
    files: [{ path: ".claude/.credentials.json", variable: "CLAUDE_CONFIG_DIR" }],
    keys: ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"],
  },
  {
    program: "codex",
    files: [{ path: ".codex/auth.json", variable: "CODEX_HOME" }],
    keys: ["OPENAI_API_KEY", "CODEX_API_KEY"],
  },
  {
    program: "gemini",
    files: [
      { path: ".gemini/oauth_creds.json", variable: null },
      { path: ".gemini/google_accounts.json", variable: null },
    ],
    keys: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
  },
  {
    program: "opencode",
    files: [{ path: ".local/share/opencode/auth.json", variable: null }],
    keys: ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY"],
  },
];

const programOfBackend: Readonly<Partial<Record<AgentPolicy["backend"], string>>> = {
  "claude-code": "claude",
  codex: "codex",
  gemini: "gemini",
  opencode: "opencode",
};

/** null: a program of the builder's own, or none. */
export function knownProgramOf({
  backend,
  command,
}: Pick<AgentPolicy, "backend" | "command">): KnownProgram | null {
  const name = backend === "acp" ? acpProgramOf(command) : programOfBackend[backend];
  return knownPrograms.find(({ program }) => program === name) ?? null;
}

/** `gemini --acp`, `npx @agentclientprotocol/claude-agent-acp`: one of the words names it. */
function acpProgramOf(command: readonly string[]): string | undefined {
  const words = command.map((word) => basename(word));
  return knownPrograms.find(({ program }) =>
    words.some((word) => word === program || (word.startsWith(`${program}-`) && word.includes("acp"))),
  )?.program;
}

export interface FoundCredential {
  /** The builder's file, absolute, links resolved. */
  readonly from: string;
  /** Where the program looks for it below a home of its own. */
  readonly path: string;
}

export function findCredentials(known: KnownProgram, environment: Environment): readonly FoundCredential[] {
  return known.files.flatMap(({ path, variable }) => {
    const folder = variable === null ? undefined : environment[variable];
    const home = environment["HOME"] ?? "";
    const from = folder === undefined || folder === "" ? join(home, path) : join(folder, basename(path));
    return existsSync(from) ? [{ from: realpathSync(from), path }] : [];
  });
}

/** Names of the variables that hold a key and reach the agent: its program's own, and those that it is handed. */
export function keysHanded(
  known: KnownProgram,
  agent: Pick<AgentPolicy, "backend" | "env">,
  environment: Environment,
): readonly string[] {
  const own = keyVariables(agent.backend).filter((name) => !name.endsWith("_URL"));
  const names = new Set([...own, ...known.keys.filter((name) => agent.env.includes(name))]);
  return [...names].filter((name) => (environment[name] ?? "") !== "");
}

/** What the agent logs in with: nothing where it has a key, or where it is told so. */
export function credentialsFor(
  agent: Pick<AgentPolicy, "backend" | "command" | "auth" | "env">,
  environment: Environment,
): readonly FoundCredential[] {
  const known = knownProgramOf(agent);
  if (known === null || authOf(agent, environment) === "key") return [];
  if (agent.auth === null && keysHanded(known, agent, environment).length > 0) return [];
  return findCredentials(known, environment);
}
