import { describe, expect, test, vi } from "vitest";
import { systemClock } from "../../src/adapters/clock.ts";

describe("the system's clock", () => {
  test("gives the wall clock and a clock that only goes forward", () => {
    expect(Math.abs(systemClock.nowMs() - Date.now())).toBeLessThan(1_000);
    const first = systemClock.elapsedMs();
    expect(systemClock.elapsedMs()).toBeGreaterThanOrEqual(first);
  });

  test("calls back once, after the delay", async () => {
    const start = performance.now();
    let calls = 0;
    await new Promise<void>((resolve) => {
      systemClock.after(20, () => {
        calls += 1;
        resolve();
      });
    });
    expect(performance.now() - start).toBeGreaterThanOrEqual(19);
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toBe(1);
  });

  test("a timer keeps the program alive until it has called back or was cancelled", () => {
    const timersBefore = activeTimers();
    const cancel = systemClock.after(60_000, () => {});
    expect(activeTimers()).toBe(timersBefore + 1);
    cancel();
    expect(activeTimers()).toBe(timersBefore);
  });

  test("a delay longer than Node's longest timer is kept, and can be cancelled late", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      const days = 24 * 60 * 60 * 1000;
      let calls = 0;
      systemClock.after(60 * days, () => {
        calls += 1;
      });
      const cancel = systemClock.after(60 * days, () => expect.unreachable("it was cancelled"));
      vi.advanceTimersByTime(59 * days);
      expect(calls).toBe(0);
      cancel();
      vi.advanceTimersByTime(2 * days);
      expect(calls).toBe(1);
    } finally {
      vi.useRealTimers();
    }
  });
});

function activeTimers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}
