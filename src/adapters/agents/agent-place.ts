// Where an agent's process is at home, and what it may write: for every backend that starts a program.

import type { Confinement } from "../process/confinement.ts";
import { toHomeVariables } from "../process/run-home.ts";
import type { AgentRun } from "./agent-run.ts";

/** Variables of the agent's own home; none where it has the builder's. */
export function homeVariables({ options }: AgentRun): Readonly<Record<string, string>> {
  const { home = null, environment } = options;
  return home === null ? {} : toHomeVariables(home, environment);
}

/** `folders`: absolute paths that it may write beside the tree it works in and its home. */
export function agentConfinement(
  { request, options }: AgentRun,
  folders: readonly string[],
): Confinement | null {
  const { home = null, sandbox = null } = options;
  if (sandbox === null) return null;
  return { sandbox, tree: request.cwd, writable: home === null ? folders : [home, ...folders] };
}
