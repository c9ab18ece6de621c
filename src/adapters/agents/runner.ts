// Asks agents: hands each request to its backend and keeps the evidence of it.

import { unreachable } from "../../core/result.ts";
import type { AgentRequest, AgentRunner } from "../../ports.ts";
import type { Redaction } from "../redaction/redaction.ts";
import { runAcpAgent } from "./acp.ts";
import { openAgentHome } from "./agent-home.ts";
import type { AgentRun, AgentRunnerOptions } from "./agent-run.ts";
import { runAnthropicAgent } from "./anthropic/agent.ts";
import { claudeCode } from "./claude-code.ts";
import { runCliAgent } from "./cli-agent.ts";
import { codex } from "./codex.ts";
import { runCommandAgent } from "./command.ts";
import { gemini } from "./gemini.ts";
import { runMetered } from "./metered.ts";
import { opencode } from "./opencode.ts";
import type { Judged } from "./outcome.ts";
import { usesLogin } from "./program-variables.ts";
import { runScriptedAgent } from "./scripted.ts";

/** `homes`: absolute folder in which each dispatch gets a HOME of its own; missing: all have that of the options. */
export type AgentRunnerPlace = AgentRunnerOptions & { readonly homes?: string };

export function createAgentRunner({ homes, ...place }: AgentRunnerPlace): AgentRunner {
  return {
    run: async (asked, contact) => {
      const startedMs = performance.now();
      const request = redactRequest(asked, place.redaction);
      const judged = await runMetered({ ...contact, request, options: place }, (run) =>
        runAtHome(run, homes),
      );
      const isByLogin = usesLogin(request.agent, place.environment);
      return { ...judged, isByLogin, durationMs: Math.round(performance.now() - startedMs) };
    },
  };
}

async function runAtHome(run: AgentRun, homes: string | undefined): Promise<Judged> {
  if (homes === undefined) return runBackend(run);
  const home = await openAgentHome(homes, run.request, run.options.environment);
  if (!home.ok) return { outcome: { kind: "failed", failure: home.failure }, usage: null };
  const judged = await runBackend({ ...run, options: { ...run.options, home: home.value.path } });
  await home.value.close();
  return judged;
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
    case "anthropic":
      return runAnthropicAgent(run);
    case "claude-code":
      return runCliAgent(claudeCode, run);
    case "codex":
      return runCliAgent(codex, run);
    case "gemini":
      return runCliAgent(gemini, run);
    case "opencode":
      return runCliAgent(opencode, run);
    case "acp":
      return runAcpAgent(run);
    default:
      return unreachable(backend, "agent backend");
  }
}
