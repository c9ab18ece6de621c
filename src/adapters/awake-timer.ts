// A timer that counts only time in which this program was running. A program that was suspended (SIGSTOP, a frozen
// container or laptop) would else find every time-out over at once, and blame agents that could not work either.

import { limits } from "../core/limits.ts";

/** Calls back after `delayMs` of such time; what is returned cancels it. */
export function afterAwake(delayMs: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (leftMs: number): void => {
    const sliceMs = Math.min(leftMs, limits.awakeSliceMs);
    const begunMs = performance.now();
    timer = setTimeout(() => {
      const lateMs = performance.now() - begunMs - sliceMs;
      // Half of it, so that a machine on which everything is late comes to an end as well.
      const countedMs = lateMs > limits.suspendedAfterMs ? sliceMs / 2 : sliceMs + Math.max(0, lateMs);
      if (leftMs - countedMs < 1) callback();
      else wait(leftMs - countedMs);
    }, sliceMs);
  };
  wait(delayMs);
  return () => clearTimeout(timer);
}
