// Asks agents: hands each request to its backend and keeps the evidence of it.

import type { DispatchId } from "../../core/ids.ts";
import { unreachable } from "../../core/result.ts";
import type { AgentRequest, AgentRunner } from "../../ports.ts";
import type { Environment } from "../process/environment.ts";
import { runCommandAgent } from "./command.ts";
import type { Judged } from "./outcome.ts";
import { runScriptedAgent } from "./scripted.ts";

export interface AgentRunnerOptions {
  /** Absolute path of the run folder; evidence is kept in it. */
  readonly runFolder: string;
  /** Absolute path that a relative `script` of a scripted agent is seen from: the folder of the configuration. */
  readonly root: string;
  /** Absolute paths of folders that no drop folder may lie in: the checkout, the repository, the worktree root. */
  readonly outside: readonly string[];
  /** Variables that give git the identity of a dispatch. */
  readonly identity: (dispatch: DispatchId) => Readonly<Record<string, string>>;
  /** Absolute path of the main checkout: what a plan names and only lies there is copied for the agent. */
  readonly checkout: string;
  /** The builder's environment, of which agents get an allow-list. */
  readonly environment: Environment;
}

/** One request being worked on. */
export interface AgentRun {
  readonly request: AgentRequest;
  readonly options: AgentRunnerOptions;
  readonly signal: AbortSignal;
  readonly onOutput: (line: string) => void;
}

export function createAgentRunner(options: AgentRunnerOptions): AgentRunner {
  return {
    run: async (request, signal, onOutput) => {
      const startedMs = performance.now();
      const judged = await runBackend({ request, options, signal, onOutput });
      return { ...judged, durationMs: Math.round(performance.now() - startedMs) };
    },
  };
}

function runBackend(run: AgentRun): Promise<Judged> {
  const { backend } = run.request.agent;
  switch (backend) {
    case "command":
      return runCommandAgent(run);
    case "scripted":
      return runScriptedAgent(run);
    default:
      return unreachable(backend, "agent backend");
  }
}
