// A dispatch whose agent asks its service through the metering proxy: it gets a token for a key, and what it used is
// what the proxy counted. No agent gets a real key while the proxy is on, whatever its `env` names.

import type { Failure } from "../../core/failure.ts";
import type { AgentPolicy } from "../../core/policy.ts";
import { costOf } from "../../core/prices.ts";
import type { Usage } from "../../core/report.ts";
import { unreachable } from "../../core/result.ts";
import type { AgentRequest, MeteringWanted } from "../../ports.ts";
import type { Metered, MeteringProxy } from "../metering/proxy.ts";
import {
  meteredKeys,
  type Protocol,
  type Services,
  toVariables,
  variablesOf,
} from "../metering/upstreams.ts";
import type { AgentRun } from "./agent-run.ts";
import type { Judged } from "./outcome.ts";
import { dispatchValue } from "./protocol.ts";
import { toServiceFailure } from "./service-failure.ts";

export type RunBackend = (run: AgentRun) => Promise<Judged>;

export async function runMetered(run: AgentRun, backend: RunBackend): Promise<Judged> {
  const { request, options } = run;
  const wanted = request.metering ?? null;
  const metering = options.metering ?? null;
  if (wanted === null || metering === null) return backend(run);
  const services = metering.services();
  if (!services.ok) return cannotMeter(request, services.failure);
  const protocols = protocolsOf(request.agent).filter((protocol) => services.value[protocol] !== undefined);
  const bare = withoutKeys(run, services.value);
  if (protocols.length === 0) return backend(bare);
  const proxy = await metering.proxy();
  if (!proxy.ok) return cannotMeter(request, proxy.failure);
  return runThrough(proxy.value, { run, bare, wanted, protocols, backend });
}

interface Through {
  /** As it was asked: the builder's environment says in which variables a key is expected. */
  readonly run: AgentRun;
  readonly bare: AgentRun;
  readonly wanted: MeteringWanted;
  readonly protocols: readonly Protocol[];
  readonly backend: RunBackend;
}

async function runThrough(proxy: MeteringProxy, at: Through): Promise<Judged> {
  const { bare, wanted, protocols, backend } = at;
  const id = dispatchValue(bare.request);
  const token = proxy.open({ id, caps: wanted, costOf: (usage) => costOf(usage, wanted.prices) });
  const { address } = proxy;
  const given = protocols.map((each) => toVariables(at.run.options.environment, each, { token, address }));
  const variables = Object.fromEntries(given.flatMap((each) => Object.entries(each)));
  const { agent } = bare.request;
  const metered: AgentRun = {
    ...bare,
    request: {
      ...bare.request,
      agent: { ...agent, env: [...new Set([...agent.env, ...Object.keys(variables)])] },
    },
    options: { ...bare.options, environment: { ...bare.options.environment, ...variables } },
  };
  let counted: Metered | null = null;
  try {
    const judged = await backend(metered);
    counted = proxy.close(id);
    return withCounted(judged, counted, bare.request);
  } finally {
    if (counted === null) proxy.close(id);
  }
}

/** Which protocols an agent is led through the proxy with; none: it has a login, or no words for an address. */
function protocolsOf(agent: AgentPolicy): readonly Protocol[] {
  if (agent.auth === "login") return [];
  switch (agent.backend) {
    case "anthropic":
    case "claude-code":
      return ["messages"];
    case "codex":
      return ["responses"];
    case "opencode":
      return ["messages", "responses"];
    case "command":
    case "acp":
      return (["messages", "responses"] as const).filter(
        (protocol) => agent.auth === "key" || variablesOf(protocol).some((name) => agent.env.includes(name)),
      );
    case "gemini":
    case "scripted":
      return [];
    default:
      return unreachable(agent.backend, "agent backend");
  }
}

/** A program that has a login uses it, when it finds no key. */
function withoutKeys(run: AgentRun, services: Services): AgentRun {
  if (Object.keys(services).length === 0) return run;
  const { agent } = run.request;
  const environment = Object.entries(run.options.environment).filter(([name]) => !meteredKeys.includes(name));
  return {
    ...run,
    request: {
      ...run.request,
      agent: { ...agent, env: agent.env.filter((name) => !meteredKeys.includes(name)) },
    },
    options: { ...run.options, environment: Object.fromEntries(environment) },
  };
}

function withCounted(judged: Judged, counted: Metered, request: AgentRequest): Judged {
  const usage = toUsage(judged.usage, counted.usage);
  const { outcome } = judged;
  if (outcome.kind !== "failed") return { outcome, usage };
  return { outcome: { kind: "failed", failure: toFailure(outcome.failure, counted, request) }, usage };
}

/** Of a model without a price the tokens are known, and the cost is the agent's word, if it gives one. */
function toUsage(said: Usage | null, counted: Usage | null): Usage | null {
  if (counted === null) return said;
  if (counted.costUsd !== null || said === null || said.costUsd === null) return counted;
  return { ...counted, costUsd: said.costUsd, costBasis: said.costBasis };
}

/** What the service said is the reason for what the agent made of it. */
function toFailure(
  failure: Failure,
  { reached, limit, trouble }: Metered,
  { agentKey: agent }: AgentRequest,
): Failure {
  if (reached !== null) return { reason: "budget-cost", ...reached };
  if (!mayHideMore(failure)) return failure;
  const answered = (status: number) => `its service answered with ${status}`;
  if (limit !== null) {
    return { reason: "rate-limited", agent, resetAtMs: limit.resetAtMs, detail: answered(429) };
  }
  if (trouble === null) return failure;
  const detail = trouble.status === null ? "its service could not be reached" : answered(trouble.status);
  return toServiceFailure({ agent, status: trouble.status, detail });
}

function mayHideMore(failure: Failure): boolean {
  switch (failure.reason) {
    case "agent-exited":
    case "agent-went-nowhere":
    case "report-missing":
    case "report-invalid":
    case "service-failed":
      return true;
    case "rate-limited":
      return failure.resetAtMs === null;
    default:
      return false;
  }
}

function cannotMeter({ agentKey: agent }: AgentRequest, detail: string): Judged {
  const command = "the metering proxy";
  return {
    outcome: { kind: "failed", failure: { reason: "agent-cannot-start", agent, command, detail } },
    usage: null,
  };
}
