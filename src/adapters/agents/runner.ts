// Asks agents: hands each request to its backend and keeps the evidence of it.

import { unreachable } from "../../core/result.ts";
import type { AgentRequest, AgentRunner } from "../../ports.ts";
import type { Redaction } from "../redaction/redaction.ts";
import type { AgentRun, AgentRunnerOptions } from "./agent-run.ts";
import { runCommandAgent } from "./command.ts";
import type { Judged } from "./outcome.ts";
import { runScriptedAgent } from "./scripted.ts";

export function createAgentRunner(options: AgentRunnerOptions): AgentRunner {
  return {
    run: async (asked, signal, onOutput) => {
      const startedMs = performance.now();
      const request = redactRequest(asked, options.redaction);
      const judged = await runBackend({ request, options, signal, onOutput });
      return { ...judged, durationMs: Math.round(performance.now() - startedMs) };
    },
  };
}

/** What is kept of a request is what is sent. */
function redactRequest(asked: AgentRequest, redaction: Redaction): AgentRequest {
  const { prompt, request } = asked;
  return { ...asked, prompt: redaction.text(prompt), request: redaction.json(request) };
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
