// Watches an agent at work: ends one that is silent for too long, that has answered and does not go, or that only
// tries again.

import { limits } from "../../core/limits.ts";
import { type IdleWatched, watchIdle } from "../process/idle.ts";
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

export function watchActivity(watched: Pick<IdleWatched, "idleMs" | "dispatch" | "folder">): Activity {
  const controller = new AbortController();
  let reason: OwnStop | null = null;
  let isBusy = false;
  let grace: NodeJS.Timeout | null = null;
  function stop(why: OwnStop): void {
    if (reason !== null) return;
    reason = why;
    controller.abort();
  }
  const idle = watchIdle({
    ...watched,
    patience: () => (isBusy ? toolFactor : 1),
    onIdle: () => stop("idle"),
  });
  return {
    signal: controller.signal,
    touch: ({ openTools }) => {
      isBusy = openTools.size > 0;
      idle.touch();
    },
    consider: ({ done, retriesInARow, turns }, maxTurns) => {
      if (done !== null) grace ??= setTimeout(() => stop("done"), limits.exitGraceMs);
      else if (retriesInARow > limits.serviceRetriesInARow) stop("retries");
      else if (maxTurns > 0 && turns > maxTurns) stop("turns");
    },
    stop: () => reason,
    end: () => {
      idle.end();
      if (grace !== null) clearTimeout(grace);
    },
  };
}
