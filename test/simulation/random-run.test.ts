// Some seeds of each kind, so that a change of the rules is judged at once; thousands: `npm run test:simulation`.
import { describe, expect, it } from "vitest";
import { kindsOf, playRandomRun } from "./random-run.ts";
import { playSteadyRun } from "./steady-run.ts";

const timeoutMs = 180_000;

describe.each([{ concurrency: 1 }, { concurrency: 3 }])("$concurrency at a time,", ({ concurrency }) => {
  it(
    "random runs hold every invariant after every event and end (I1, I2, I5, I6, I9, I10, I11, I12)",
    async () => {
      const seen = new Set<string>();
      for (let seed = 1; seed <= 60; seed += 1) {
        try {
          const { world } = await playRandomRun(seed, concurrency);
          for (const kind of kindsOf(world.journal)) seen.add(kind);
        } catch (error) {
          throw new Error(`playRandomRun(${seed}, ${concurrency}) went wrong`, { cause: error });
        }
      }
      // A set of runs that never saw these would prove little.
      const rare = ["foreign-commits-adopted", "follow-ups-added", "task-skipped", "task-retried"];
      expect([...seen]).toEqual(
        expect.arrayContaining([...rare, "run-completed", "run-failed", "run-blocked"]),
      );
    },
    timeoutMs,
  );

  it(
    "a run with deaths at any call and pauses ends as the same run without them (promise 3)",
    async () => {
      let deaths = 0;
      for (let seed = 1; seed <= 25; seed += 1) {
        try {
          deaths += (await playSteadyRun(seed, concurrency)).deaths;
        } catch (error) {
          throw new Error(`playSteadyRun(${seed}, ${concurrency}) went wrong`, { cause: error });
        }
      }
      expect(deaths).toBeGreaterThan(50);
    },
    timeoutMs,
  );
});
