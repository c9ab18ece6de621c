// Tokens and money in the report: by role, agent and stage, each with where the figure comes from.

import { spentKey } from "../core/budget.ts";
import { type AgentStage, roleOfStage } from "../core/report.ts";
import { policyOf, type RunState, type UsageSum } from "../core/state.ts";
import { toTable } from "./markdown.ts";
import { basisOf } from "./run-metrics.ts";
import { toNumber, toUsd } from "./text.ts";

const stages: readonly AgentStage[] = [
  "recon",
  "pre-mortem",
  "precheck",
  "develop",
  "review",
  "holistic-review",
];

/** Empty: nobody was asked. */
export function toUsageTable(state: RunState): string {
  if (state.policy === null || state.dispatches === 0) return "";
  const agents = Object.keys(policyOf(state).agents);
  const rows = stages.flatMap((stage) =>
    agents.flatMap((agent) => {
      const sum = state.spent.get(spentKey(agent, stage));
      return sum === undefined ? [] : [[roleOfStage[stage], agent, stage, ...toCells(sum)]];
    }),
  );
  const head = ["Role", "Agent", "Stage", "Dispatches", "In", "Cache", "Out", "Cost", "Basis"];
  return rows.length === 0 ? "" : toTable(head, rows);
}

function toCells(sum: UsageSum): readonly string[] {
  const { cacheReadTokens, cacheWriteTokens, costUsd, dispatches, inputTokens, outputTokens, priced } = sum;
  const cached = cacheReadTokens + cacheWriteTokens;
  const isSilent = inputTokens + outputTokens + cached === 0;
  const tokens = [inputTokens, cached, outputTokens].map((count) => (isSilent ? "?" : toNumber(count)));
  return [String(dispatches), ...tokens, priced === 0 ? "?" : toUsd(costUsd), basisOf(sum)];
}
