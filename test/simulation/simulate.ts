// Plays the runs of some seeds and tells its parent what came of each: one of the processes of run.mjs.

import { playRandomRun } from "./random-run.ts";
import { playSteadyRun } from "./steady-run.ts";

/** What the parent is told; `begin` comes before a seed, so that it knows which one a process died of. */
export type Told =
  | { readonly kind: "begin"; readonly seed: number }
  | { readonly kind: "held"; readonly seed: number; readonly counts: SeedCounts }
  | { readonly kind: "failed"; readonly seed: number; readonly words: string };

export interface SeedCounts {
  readonly runs: number;
  readonly events: number;
  readonly deaths: number;
  /** How sessions and runs stopped. */
  readonly stops: readonly string[];
}

const [from = 1, until = 1, step = 1] = process.argv.slice(2).map(Number);
for (let seed = from; seed <= until; seed += step) {
  tell({ kind: "begin", seed });
  try {
    tell({ kind: "held", seed, counts: await playSeed(seed) });
  } catch (error) {
    tell({
      kind: "failed",
      seed,
      words: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
}
process.disconnect?.();

/** A run in a hostile world; for every second seed also one whose end has to be the same with and without deaths. */
async function playSeed(seed: number): Promise<SeedCounts> {
  const concurrency = (seed % 3) + 1;
  const { world, deaths, stops } = await playRandomRun(seed, concurrency);
  const counts = { runs: 1, events: world.journal.length, deaths, stops };
  if (seed % 2 === 1) return counts;
  const steady = await playSteadyRun(seed, concurrency);
  return {
    runs: 3,
    events: counts.events + steady.events,
    deaths: deaths + steady.deaths,
    stops: [...stops, ...steady.stops],
  };
}

function tell(told: Told): void {
  process.send?.(told);
}
