// Time in which the program stood still is no time that an agent could have used.
import { expect, test } from "vitest";
import { afterAwake } from "../../src/adapters/awake-timer.ts";

function fired(delayMs: number): Promise<number> {
  return new Promise((resolve) => afterAwake(delayMs, () => resolve(performance.now())));
}

/** As SIGSTOP does: nothing of this program runs meanwhile. */
function standStill(forMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
}

test("fires after the time, in one piece or several", async () => {
  const begun = performance.now();
  const [short, long] = await Promise.all([fired(50), fired(1_200)]);
  expect(short - begun).toBeGreaterThan(48);
  expect(long - begun).toBeGreaterThan(1_198);
});

test("what was over while the program stood still is not over when it goes on", async () => {
  const begun = performance.now();
  const end = fired(1_000);
  standStill(3_500);
  expect((await end) - begun).toBeGreaterThan(3_900);
});

test("a cancelled one never fires", async () => {
  let count = 0;
  const cancel = afterAwake(10, () => {
    count += 1;
  });
  cancel();
  await fired(30);
  expect(count).toBe(0);
});
