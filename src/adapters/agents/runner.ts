// Asks agents: hands each request to its backend and keeps the evidence of it.

import { unreachable } from "../../core/result.ts";
import type { AgentRunner } from "../../ports.ts";
import type { AgentRun, AgentRunnerOptions } from "./agent-run.ts";
import { runCommandAgent } from "./command.ts";
import type { Judged } from "./outcome.ts";
import { runScriptedAgent } from "./scripted.ts";

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
