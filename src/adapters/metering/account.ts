// What the dispatches of a run have used, and whether there is money left: the cap is held before each request.

import type { TaskId } from "../../core/ids.ts";
import { limits } from "../../core/limits.ts";
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
export type Use = () => Tokens | null;

export interface Account {
  /** Called before a request goes out. */
  reached(): Reached | null;
  /**
   * Calls back as soon as the caps leave room for one more request beside those under way, or are reached. The returned
   * function, called with what the request used, makes room again.
   */
  enter(go: () => void): (use: Use | null) => void;
  /** A request whose answer began. */
  add(use: Use): void;
  /** null: no request was answered. */
  usage(): Usage | null;
  close(): void;
}

/** null: the model has no price. */
export type CostOf = (usage: Usage) => number | null;

interface Look extends Reached {
  readonly underWay: number;
}

/** Opens the accounts of one run. */
export function openAccounts() {
  const accounts = new Set<{ costUsd: () => number }>();
  const door = openDoor();
  let underWay = 0;
  let dearestUsd = 0;
  let closedUsd = 0;
  // What the run used beside the dispatches that were counted here: of earlier sessions, of other agents.
  let otherUsd = 0;
  return (caps: Caps, costOf: CostOf): Account => {
    const uses: Use[] = [];
    let ownUnderWay = 0;
    otherUsd = Math.max(otherUsd, caps.usedUsd - closedUsd);
    const own = { costUsd: () => sum(uses.map((use) => costOfUse(use(), costOf) ?? 0)) };
    accounts.add(own);

    /** Of the run and of the task. */
    function looks(): readonly Look[] {
      const usedUsd = otherUsd + closedUsd + sum([...accounts].map((each) => each.costUsd()));
      const ofRun = { usedUsd, limitUsd: caps.limitUsd, taskId: null, underWay };
      if (caps.task === null) return [ofRun];
      const { id: taskId, limitUsd } = caps.task;
      const ofTask = caps.task.usedUsd + own.costUsd();
      return [ofRun, { usedUsd: ofTask, limitUsd, taskId, underWay: ownUnderWay }];
    }

    function reached(): Reached | null {
      const found = looks().find(({ usedUsd, limitUsd }) => limitUsd > 0 && usedUsd >= limitUsd);
      return found === undefined
        ? null
        : { usedUsd: found.usedUsd, limitUsd: found.limitUsd, taskId: found.taskId };
    }

    return {
      reached,
      enter: (go) => {
        const leave = door({
          mayEnter: () => reached() !== null || looks().every((look) => hasRoom(look, dearestUsd)),
          onEnter: () => {
            underWay += 1;
            ownUnderWay += 1;
            go();
          },
          onLeave: () => {
            underWay -= 1;
            ownUnderWay -= 1;
          },
        });
        return (use) => {
          dearestUsd = Math.max(dearestUsd, costOfUse(use?.() ?? null, costOf) ?? 0);
          leave();
        };
      },
      add: (use) => uses.push(use),
      usage: () => toUsage(uses, costOf),
      close: () => {
        if (accounts.delete(own)) closedUsd += own.costUsd();
      },
    };
  };
}

/** One that goes alone may find out what it costs; of several, each is taken to be as dear as any was. */
function hasRoom({ usedUsd, limitUsd, underWay }: Look, dearestUsd: number): boolean {
  const eachUsd = dearestUsd === 0 ? limits.unseenRequestUsd : dearestUsd;
  return limitUsd === 0 || underWay === 0 || usedUsd + (underWay + 1) * eachUsd <= limitUsd;
}

interface Visit {
  readonly mayEnter: () => boolean;
  readonly onEnter: () => void;
  readonly onLeave: () => void;
}

/** Who may not enter waits until another leaves. The function returned leaves, or ends the wait. */
function openDoor(): (visit: Visit) => () => void {
  const waiting = new Set<() => void>();
  return ({ mayEnter, onEnter, onLeave }) => {
    let isInside = false;
    const knock = (): void => {
      if (!mayEnter()) return;
      waiting.delete(knock);
      isInside = true;
      onEnter();
    };
    waiting.add(knock);
    knock();
    return () => {
      waiting.delete(knock);
      if (isInside) onLeave();
      for (const next of [...waiting]) next();
    };
  };
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
