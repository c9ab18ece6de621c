// Where each agent program looks for its own configuration and credentials, and which variables hold its keys.

import { join } from "node:path";
import type { AgentPolicy, Backend } from "../../core/policy.ts";
import type { Environment } from "../process/environment.ts";

/** Variables that make a program keep all of its own in `home`; null: it keeps to its usual place. */
export function agentHomeVariables(backend: Backend, home: string | null): Readonly<Record<string, string>> {
  if (home === null) return {};
  switch (backend) {
    case "claude-code":
      return { CLAUDE_CONFIG_DIR: join(home, ".claude") };
    case "codex":
      return { CODEX_HOME: join(home, ".codex") };
    case "gemini":
      return { GEMINI_CLI_HOME: home };
    case "opencode":
      return {
        XDG_CONFIG_HOME: join(home, ".config"),
        XDG_DATA_HOME: join(home, ".local", "share"),
        XDG_STATE_HOME: join(home, ".local", "state"),
        XDG_CACHE_HOME: join(home, ".cache"),
      };
    default:
      return {};
  }
}

/** Names of variables with keys and addresses of services, which a program gets with `auth: "key"` alone. */
export function keyVariables(backend: Backend): readonly string[] {
  switch (backend) {
    case "claude-code":
      return ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"];
    case "codex":
      return ["CODEX_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL"];
    case "gemini":
      return ["GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"];
    case "opencode":
      return [
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_BASE_URL",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "GOOGLE_GENERATIVE_AI_API_KEY",
        "GEMINI_API_KEY",
        "OPENROUTER_API_KEY",
        "OPENCODE_API_KEY",
      ];
    default:
      return [];
  }
}

/** What was configured; else a key where the environment has one, else the program's own login. */
export function authOf(
  { backend, auth }: Pick<AgentPolicy, "backend" | "auth">,
  from: Environment,
): "login" | "key" {
  if (auth !== null) return auth;
  return keyVariables(backend).some((name) => variableOf(from, name) !== null) ? "key" : "login";
}

/** Whether it is paid by a plan that its login belongs to, as far as can be known: its tokens cost no money then. */
export function usesLogin(agent: Pick<AgentPolicy, "backend" | "auth">, from: Environment): boolean {
  switch (agent.backend) {
    case "anthropic":
    case "scripted":
      return false;
    case "command":
    case "acp":
      return agent.auth === "login";
    default:
      return authOf(agent, from) === "login";
  }
}

/** null: not set, or empty. */
export function variableOf(from: Environment, name: string): string | null {
  const value = from[name];
  return value === undefined || value === "" ? null : value;
}
