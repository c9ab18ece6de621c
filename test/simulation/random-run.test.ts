import { describe, expect, it } from "vitest";
import { kindsOf, playRandomRun } from "./random-run.ts";

const runs = 150;
const timeoutMs = 180_000;

describe.each([{ concurrency: 1 }, { concurrency: 3 }])(
  "random runs, $concurrency at a time",
  ({ concurrency }) => {
    it(
      "hold every invariant after every event and end (I1, I2, I5, I6, I10, I11, I12)",
      async () => {
        const seen = new Set<string>();
        for (let seed = 1; seed <= runs; seed += 1) {
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
  },
);
