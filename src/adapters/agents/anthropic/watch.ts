// The time of a dispatch: the whole of it, and silence of the service. A tool at work and a wait that was told are no
// silence.

import { limits } from "../../../core/limits.ts";
import { afterAwake } from "../../awake-timer.ts";

export interface Watch {
  /** Fires when the dispatch is to end, whatever the reason. */
  readonly signal: AbortSignal;
  /** Something came from the service. */
  touch(): void;
  /** Silence does not count meanwhile. */
  during<Value>(work: () => Promise<Value>): Promise<Value>;
  endedBy(): "interrupted" | "total" | "idle" | null;
  /** Ends the timers. */
  end(): void;
}

export function openWatch(wanted: { signal: AbortSignal; timeoutMs: number; idleTimeoutMs: number }): Watch {
  const timeUp = new AbortController();
  let reason: "total" | "idle" | null = null;
  let isAtWork = 0;
  function stop(why: "total" | "idle"): void {
    reason ??= why;
    timeUp.abort();
  }
  const endTotal = afterAwake(wanted.timeoutMs, () => stop("total"));
  const idle =
    wanted.idleTimeoutMs <= 0
      ? null
      : setTimeout(onIdle, Math.min(wanted.idleTimeoutMs, limits.longestTimerMs));
  function onIdle(): void {
    if (isAtWork > 0) idle?.refresh();
    else stop("idle");
  }
  return {
    signal: AbortSignal.any([wanted.signal, timeUp.signal]),
    touch: () => {
      if (reason === null) idle?.refresh();
    },
    during: async (work) => {
      isAtWork += 1;
      try {
        return await work();
      } finally {
        isAtWork -= 1;
        if (reason === null) idle?.refresh();
      }
    },
    endedBy: () => reason ?? (wanted.signal.aborted ? "interrupted" : null),
    end: () => {
      endTotal();
      if (idle !== null) clearTimeout(idle);
    },
  };
}
