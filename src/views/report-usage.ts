// Tokens and money in the report: by role, agent and stage, and by task, each with where the figure comes from.

import { spentKey } from "../core/budget.ts";
import { type AgentStage, roleOfStage } from "../core/report.ts";
import type { RunState, UsageSum } from "../core/state.ts";
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

const figures = ["Dispatches", "In", "Cache written", "Cache read", "Out", "Cost", "Basis"];

/** Empty: nobody was asked. */
export function usageTables(state: RunState): readonly string[] {
  if (state.usage.dispatches === 0) return [];
  const ofTasks = [...state.tasks]
    .filter(({ usage }) => usage.dispatches > 0)
    .map(({ task, usage }) => [task.id, ...toCells(usage)]);
  return [
    toTable(
      ["Role", "Agent", "Stage", ...figures],
      [...stages.flatMap((stage) => stageRows(state, stage)), runRow(state)],
    ),
    ...(ofTasks.length === 0 ? [] : ["", toTable(["Task", ...figures], ofTasks)]),
  ];
}

/** Also of agents that are no longer configured. */
function stageRows({ spent }: RunState, stage: AgentStage): readonly (readonly string[])[] {
  const ending = spentKey("", stage);
  return [...spent].flatMap(([key, sum]) =>
    key.endsWith(ending) ? [[roleOfStage[stage], key.slice(0, -ending.length), stage, ...toCells(sum)]] : [],
  );
}

function runRow({ usage }: RunState): readonly string[] {
  return ["all", "", "", ...toCells(usage)];
}

function toCells(sum: UsageSum): readonly string[] {
  const { cacheReadTokens, cacheWriteTokens, inputTokens, outputTokens } = sum;
  const counts = [inputTokens, cacheWriteTokens, cacheReadTokens, outputTokens];
  const isSilent = counts.every((count) => count === 0);
  const tokens = counts.map((count) => (isSilent ? "?" : toNumber(count)));
  return [String(sum.dispatches), ...tokens, toCost(sum), basisOf(sum)];
}

function toCost({ costUsd, dispatches, priced }: UsageSum): string {
  if (priced === 0) return "?";
  return priced < dispatches ? `at least ${toUsd(costUsd)}` : toUsd(costUsd);
}
