// The real clock: wall clock for records, monotonic clock for durations, timers that keep the program alive.

import { limits } from "../core/limits.ts";
import type { Clock } from "../ports.ts";

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  elapsedMs: () => performance.now(),
  after: startTimer,
};

// Node fires a longer timer at once (its delay is a signed 32-bit number), so long waits are made of several.
function startTimer(delayMs: number, callback: () => void): () => void {
  const endMs = performance.now() + delayMs;
  let timer: NodeJS.Timeout;
  const wait = (remainingMs: number): void => {
    timer = setTimeout(
      () => (remainingMs > limits.longestTimerMs ? wait(endMs - performance.now()) : callback()),
      Math.min(remainingMs, limits.longestTimerMs),
    );
  };
  wait(delayMs);
  return () => clearTimeout(timer);
}
