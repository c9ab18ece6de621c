// `npm run test:simulation`: whole runs of the real engine in worlds of chance, one or three for each seed; what
// has to be so after each of them is in random-run.ts, steady-run.ts and run-watch.ts.
//
//   --seeds N    how many seeds; default: 2000
//   --from K     the first of them; default: 1
//   --jobs N     processes; default: as many as there are processors
//
// Exit code 0: everything held; 1: something did not, with the seed; 2: a wrong argument.
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "tsdown";

/** @typedef {import("./simulate.ts").Told} Told */
/** @typedef {{ from: number, seeds: number, jobs: number }} Wanted */

/** A seed takes some tens of milliseconds: one that takes this long goes round in a circle. */
const seedTimeoutMs = 60_000;
const shownFailures = 5;
const namedFailures = 100;

process.exitCode = await main();

async function main() {
  const wanted = readArguments();
  if (wanted === null) return 2;
  const folder = mkdtempSync(join(tmpdir(), "execute-prd-simulation-"));
  try {
    const program = await bundle(folder);
    const totals = newTotals();
    const startedMs = performance.now();
    const jobs = Math.min(wanted.jobs, wanted.seeds);
    await Promise.all(
      Array.from({ length: jobs }, (_, job) => playShare({ program, wanted, job, jobs, totals })),
    );
    return report(wanted, totals, performance.now() - startedMs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns {Wanted | null} */
function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        seeds: { type: "string", default: "2000" },
        from: { type: "string", default: "1" },
        jobs: { type: "string", default: String(availableParallelism()) },
      },
    });
    return {
      seeds: toCount("seeds", values.seeds),
      from: toCount("from", values.from),
      jobs: toCount("jobs", values.jobs),
    };
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    console.error("usage: npm run test:simulation -- [--seeds N] [--from K] [--jobs N]");
    return null;
  }
}

/**
 * @param {string} name
 * @param {string} text
 */
function toCount(name, text) {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--${name} wants a whole number from 1, not "${text}"`);
  return Number(text);
}

/** @param {string} folder @returns {Promise<string>} the program that plays */
async function bundle(folder) {
  await build({
    entry: { simulate: fileURLToPath(new URL("./simulate.ts", import.meta.url)) },
    outDir: folder,
    config: false,
    format: "esm",
    platform: "node",
    target: "node20.19",
    dts: false,
    clean: false,
    logLevel: "error",
    loader: { ".md": "text", ".txt": "text" },
    deps: { alwaysBundle: [/./], onlyBundle: false },
  });
  return join(folder, "simulate.mjs");
}

function newTotals() {
  return {
    seeds: 0,
    runs: 0,
    events: 0,
    deaths: 0,
    /** @type {Map<string, number>} */
    stops: new Map(),
    /** @type {{ seed: number, words: string }[]} */
    failures: [],
  };
}

/**
 * Every `jobs`-th seed, in a process of its own.
 *
 * @param {{ program: string, wanted: Wanted, job: number, jobs: number, totals: ReturnType<typeof newTotals> }} at
 * @returns {Promise<void>}
 */
function playShare({ program, wanted, job, jobs, totals }) {
  const until = wanted.from + wanted.seeds - 1;
  const child = fork(program, [wanted.from + job, until, jobs].map(String));
  /** The seed that is being played. @type {number | null} */
  let seed = null;
  const timer = setTimeout(() => child.kill("SIGKILL"), seedTimeoutMs);
  child.on("message", (/** @type {Told} */ told) => {
    timer.refresh();
    seed = told.kind === "begin" ? told.seed : null;
    if (told.kind === "held") add(totals, told.counts);
    if (told.kind === "failed") totals.failures.push(told);
  });
  return new Promise((resolve) => {
    child.once("exit", (exitCode, signal) => {
      clearTimeout(timer);
      const words = `the process that played it ended with ${signal ?? `exit code ${exitCode}`}; nothing after it was played`;
      if (seed !== null || exitCode !== 0) totals.failures.push({ seed: seed ?? wanted.from, words });
      resolve();
    });
  });
}

/**
 * @param {ReturnType<typeof newTotals>} totals
 * @param {import("./simulate.ts").SeedCounts} counts
 */
function add(totals, counts) {
  totals.seeds += 1;
  totals.runs += counts.runs;
  totals.events += counts.events;
  totals.deaths += counts.deaths;
  for (const stop of counts.stops) totals.stops.set(stop, (totals.stops.get(stop) ?? 0) + 1);
}

/**
 * @param {Wanted} wanted
 * @param {ReturnType<typeof newTotals>} totals
 * @param {number} tookMs
 * @returns {number} the exit code
 */
function report(wanted, totals, tookMs) {
  const { failures, stops } = totals;
  const words = [...stops].toSorted(([one], [other]) => (one < other ? -1 : 1));
  console.log(`seeds ${wanted.from} to ${wanted.from + wanted.seeds - 1}`);
  console.log(`${totals.runs} runs, ${totals.events} events, ${totals.deaths} deaths`);
  console.log(`sessions ended: ${words.map(([kind, count]) => `${count} ${kind}`).join(", ")}`);
  console.log(
    `${(tookMs / 1000).toFixed(1)} s, ${((totals.seeds * 1000) / tookMs).toFixed(1)} seeds a second`,
  );
  for (const { seed, words: why } of failures.slice(0, shownFailures)) {
    console.log(`\nseed ${seed} FAILED: ${why}`);
    console.log(`again: npm run test:simulation -- --seeds 1 --from ${seed}`);
  }
  const others = failures.slice(shownFailures, shownFailures + namedFailures).map(({ seed }) => seed);
  if (others.length > 0) console.log(`\nfailed as well: ${others.join(", ")}`);
  console.log(`\n${totals.seeds} of ${wanted.seeds} seeds held, ${failures.length} failed`);
  return failures.length === 0 && totals.seeds === wanted.seeds ? 0 : 1;
}
