// Watches an agent at work: ends one that is silent for too long, that has answered and does not go, or that only
// tries again.

import { limits } from "../../core/limits.ts";
import type { EventTally } from "./event-tally.ts";
import type { OwnStop } from "./judge-events.ts";

export interface Activity {
  /** Fires when the agent is to be ended. */
  readonly signal: AbortSignal;
  /** Something came of it that is a sign of work. */
  touch(tally: EventTally): void;
  /** Looks whether it has to be ended for what it said. */
  consider(tally: EventTally, maxTurns: number): void;
  stop(): OwnStop | null;
  end(): void;
}

/** A tool at work (a build, a suite of tests) says nothing for much longer than a model. */
const toolFactor = 4;

/** `idleMs` 0: silence is no reason. */
export function watchActivity(idleMs: number): Activity {
  const controller = new AbortController();
  let reason: OwnStop | null = null;
  let idle: NodeJS.Timeout | null = null;
  let grace: NodeJS.Timeout | null = null;
  function stop(why: OwnStop): void {
    if (reason !== null) return;
    reason = why;
    controller.abort();
  }
  function restart(isBusy: boolean): void {
    if (idle !== null) clearTimeout(idle);
    if (idleMs <= 0) return;
    idle = setTimeout(() => stop("idle"), Math.min(isBusy ? idleMs * toolFactor : idleMs, longestTimerMs));
  }
  restart(false);
  return {
    signal: controller.signal,
    touch: ({ openTools }) => restart(openTools.size > 0),
    consider: ({ done, retriesInARow, turns }, maxTurns) => {
      if (done !== null) grace ??= setTimeout(() => stop("done"), limits.exitGraceMs);
      else if (retriesInARow > limits.serviceRetriesInARow) stop("retries");
      else if (maxTurns > 0 && turns > maxTurns) stop("turns");
    },
    stop: () => reason,
    end: () => {
      if (idle !== null) clearTimeout(idle);
      if (grace !== null) clearTimeout(grace);
    },
  };
}

// Node fires a timer that is set for longer than this at once.
const longestTimerMs = 2 ** 31 - 1;
