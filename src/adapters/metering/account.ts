// What the dispatches of a run have used, and whether there is money left: the cap is held before each request.

import type { TaskId } from "../../core/ids.ts";
import type { Usage } from "../../core/report.ts";
import type { MeteringWanted } from "../../ports.ts";
import type { Tokens } from "./tokens.ts";

export type Caps = Pick<MeteringWanted, "usedUsd" | "limitUsd" | "task">;

/** A cap that is reached. */
export interface Reached {
  readonly usedUsd: number;
  readonly limitUsd: number;
  readonly taskId: TaskId | null;
}

/** One request: what it used up to now. null: it has not said. */
type Use = () => Tokens | null;

export interface Account {
  /** Called before a request goes out. */
  reached(): Reached | null;
  /** A request whose answer began. */
  add(use: Use): void;
  /** null: no request was answered. */
  usage(): Usage | null;
  close(): void;
}

/** null: the model has no price. */
export type CostOf = (usage: Usage) => number | null;

/** Opens the accounts of one run. */
export function openAccounts() {
  const accounts = new Set<{ costUsd: () => number }>();
  let closedUsd = 0;
  // What the run used beside the dispatches that were counted here: of earlier sessions, of other agents.
  let otherUsd = 0;
  return (caps: Caps, costOf: CostOf): Account => {
    const uses: Use[] = [];
    otherUsd = Math.max(otherUsd, caps.usedUsd - closedUsd);
    const own = { costUsd: () => sum(uses.map((use) => costOfUse(use(), costOf) ?? 0)) };
    accounts.add(own);
    return {
      reached: () => {
        const usedUsd = otherUsd + closedUsd + sum([...accounts].map((each) => each.costUsd()));
        if (isReached(usedUsd, caps.limitUsd)) return { usedUsd, limitUsd: caps.limitUsd, taskId: null };
        if (caps.task === null) return null;
        const { id, limitUsd } = caps.task;
        const ofTask = caps.task.usedUsd + own.costUsd();
        return isReached(ofTask, limitUsd) ? { usedUsd: ofTask, limitUsd, taskId: id } : null;
      },
      add: (use) => uses.push(use),
      usage: () => toUsage(uses, costOf),
      close: () => {
        if (accounts.delete(own)) closedUsd += own.costUsd();
      },
    };
  };
}

/** 0 switches a limit off. */
function isReached(usedUsd: number, limitUsd: number): boolean {
  return limitUsd > 0 && usedUsd >= limitUsd;
}

/** Of several models the cost is that of each; where one has no price, it is unknown, and that model is named. */
function toUsage(uses: readonly Use[], costOf: CostOf): Usage | null {
  if (uses.length === 0) return null;
  const all = uses.map((use) => use());
  const known = all.filter((each) => each !== null);
  const costs = all.map((each) => costOfUse(each, costOf));
  const costUsd = costs.some((cost) => cost === null) ? null : sum(costs.map((cost) => cost ?? 0));
  const unpriced = known.find((each) => costOfUse(each, costOf) === null);
  const most = known.toSorted((one, other) => other.outputTokens - one.outputTokens)[0];
  return {
    inputTokens: sum(known.map(({ inputTokens }) => inputTokens)),
    outputTokens: sum(known.map(({ outputTokens }) => outputTokens)),
    cacheReadTokens: sum(known.map(({ cacheReadTokens }) => cacheReadTokens)),
    cacheWriteTokens: sum(known.map(({ cacheWriteTokens }) => cacheWriteTokens)),
    costUsd,
    costBasis: costUsd === null ? "unknown" : "measured",
    model: costUsd === null ? (unpriced?.model ?? unknownModel) : (most?.model ?? unknownModel),
  };
}

/** No name of a model: nobody finds a price for it. */
const unknownModel = "(unknown)";

function costOfUse(tokens: Tokens | null, costOf: CostOf): number | null {
  return tokens === null ? null : costOf({ ...tokens, costUsd: null, costBasis: "unknown" });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}
