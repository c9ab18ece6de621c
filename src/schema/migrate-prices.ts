// Version 2 to 3: agents have a model and a role, usage has its basis, and a run waits for services.

type Fields = Readonly<Record<string, unknown>>;

/** What version 2 did not know: no prices, no model, costs on the agent's word. */
export function withModels(event: unknown): unknown {
  if (!isFields(event)) return event;
  if (event["kind"] === "session-started") return { ...event, policy: withPrices(event["policy"]) };
  return event["kind"] === "dispatch-ended" ? { ...event, usage: withBasis(event["usage"]) } : event;
}

function withPrices(policy: unknown): unknown {
  if (!isFields(policy) || !isFields(policy["agents"])) return policy;
  const agents = Object.entries(policy["agents"]).map(([key, agent]) => [key, withModel(agent)]);
  return { prices: {}, meteringProxy: false, ...policy, agents: Object.fromEntries(agents) };
}

function withModel(agent: unknown): unknown {
  if (!isFields(agent)) return agent;
  return { model: "", effort: null, tools: null, instructions: "", maxTurns: 0, ...agent };
}

function withBasis(usage: unknown): unknown {
  if (!isFields(usage)) return usage;
  const costBasis = typeof usage["costUsd"] === "number" ? "reported" : "unknown";
  return { cacheWriteTokens: 0, costBasis, model: null, ...usage };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
