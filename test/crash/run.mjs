// `npm run test:crash`: kills the built program at every point of a run and compares what comes of it.
//
//   --kinds append,git,child,file   which kinds of points; default: append, git, child
//   --points 1,5,9-12               only these, by the number that is printed; or all, which is the default
//   --sample N                      N of them, by --seed S (default: by the clock, and printed)
//   --twice N                       besides, N runs that are killed at two or three points one after another
//   --jobs N                        runs at a time; default: 2
//   --dist FOLDER                   of the built program; default: dist
//
// Every append of the journal, one run each: --kinds append --twice 0.
// Exit code 0: the same result everywhere; 1: not; 2: a wrong argument.
import { parseArgs } from "node:util";
import { closeWorkshop, openWorkshop } from "./crash-project.mjs";
import { kinds, play, playReference, samplePoints, toRandom, wordPoint } from "./points.mjs";

/** @typedef {import("./points.mjs").Point} Point */
/** @typedef {{ number: number, points: readonly Point[] }} Case */

/** @typedef {{ kinds: readonly string[], points: readonly (readonly [number, number])[], sample: number, twice: number, seed: number, jobs: number, dist: string | undefined }} Wanted */

process.exitCode = await main();

async function main() {
  const wanted = readArguments();
  if (wanted === null) return 2;
  const workshop = openWorkshop(wanted.dist);
  try {
    const reference = await playReference(workshop);
    const points = reference.points.filter(({ kind }) => wanted.kinds.includes(kind));
    const cases = toCases(points, wanted);
    if (cases.length === 0)
      return refuse(`there are ${points.length + wanted.twice} points, and none of those named`);
    const total = points.length + wanted.twice;
    console.log(`seed ${wanted.seed}; ${countWords(points)}; ${cases.length} runs`);
    /** @type {number[]} */
    const bad = [];
    let done = 0;
    await inParallel(wanted.jobs, cases, async (one) => {
      const wrong = await play(workshop, { points: one.points, reference, name: `run-${one.number}` });
      done += 1;
      if (wrong.length > 0) bad.push(one.number);
      const words = one.points.map(wordPoint).join(", then ");
      console.log(
        `point ${one.number} of ${total}: ${wrong.length === 0 ? "same result" : "NOT the same result"}, ${words}`,
      );
      for (const line of wrong) console.log(`    ${line}`);
    });
    console.log(
      `${done - bad.length} of ${done} the same result (${((100 * (done - bad.length)) / Math.max(done, 1)).toFixed(1)} %)`,
    );
    if (bad.length > 0)
      console.log(
        `not the same: --kinds ${wanted.kinds.join(",")} --twice ${wanted.twice} --seed ${wanted.seed} --points ${bad.toSorted((a, b) => a - b).join(",")}`,
      );
    return bad.length === 0 && done > 0 ? 0 : 1;
  } finally {
    closeWorkshop(workshop);
  }
}

/** @returns {Wanted | null} */
function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        kinds: { type: "string", default: "append,git,child" },
        points: { type: "string", default: "all" },
        sample: { type: "string", default: "0" },
        twice: { type: "string", default: "20" },
        seed: { type: "string", default: String(Date.now() % 1_000_000) },
        jobs: { type: "string", default: "2" },
        dist: { type: "string" },
      },
    });
    const { sample, twice, seed, jobs } = values;
    return {
      kinds: toKinds(values.kinds),
      points: toRanges(values.points),
      sample: toNumber({ name: "sample", text: sample, from: 0 }),
      twice: toNumber({ name: "twice", text: twice, from: 0 }),
      seed: toNumber({ name: "seed", text: seed, from: 0 }),
      jobs: toNumber({ name: "jobs", text: jobs, from: 1 }),
      dist: values.dist,
    };
  } catch (error) {
    refuse(error instanceof Error ? error.message : String(error));
    return null;
  }
}

/** @param {string} why @returns {2} */
function refuse(why) {
  console.error(`error: ${why}`);
  console.error(
    "usage: npm run test:crash -- [--kinds append,git,child,file] [--points all | 1,5,9-12] [--sample N] [--twice N] [--seed S] [--jobs N] [--dist FOLDER]",
  );
  return 2;
}

/** @param {string} text */
function toKinds(text) {
  const named = text.split(",");
  for (const kind of named) {
    if (!kinds.includes(kind)) throw new Error(`--kinds knows ${kinds.join(", ")}, not "${kind}"`);
  }
  return named;
}

/** @param {{ name: string, text: string, from: number }} at */
function toNumber({ name, text, from }) {
  if (!/^\d{1,9}$/.test(text) || Number(text) < from)
    throw new Error(`--${name} wants a whole number from ${from}, not "${text}"`);
  return Number(text);
}

/** @param {string} text @returns {[number, number][]} from and to, both included */
function toRanges(text) {
  if (text === "all") return [[1, Number.POSITIVE_INFINITY]];
  return text.split(",").map((part) => {
    const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (from === undefined) throw new Error(`--points wants numbers as in 1,5,9-12, or all, not "${part}"`);
    return [Number(from), Number(to)];
  });
}

/**
 * @param {readonly Point[]} points
 * @param {Wanted} wanted
 * @returns {Case[]}
 */
function toCases(points, wanted) {
  const { seed, sample } = wanted;
  const sampled = sample === 0 ? points : samplePoints(points, { count: sample, seed });
  const all = points.map((point, index) => ({ number: index + 1, point }));
  const single = all.filter(({ point }) => sampled.includes(point));
  const cases = [
    ...single.map(({ number, point }) => ({ number, points: [point] })),
    ...toSeveral(points, wanted),
  ];
  return cases.filter(({ number }) => wanted.points.some(([from, to]) => number >= from && number <= to));
}

/**
 * Runs that are killed again on their way back; numbered after the others.
 *
 * @param {readonly Point[]} points
 * @param {Wanted} wanted
 * @returns {Case[]}
 */
function toSeveral(points, wanted) {
  const next = toRandom(wanted.seed);
  return Array.from({ length: wanted.twice }, (_, index) => {
    const [first] = samplePoints(points, { count: 1, seed: Math.floor(next() * 1e9) });
    // Soon after the start, where recovery is at work.
    const early = points.filter(({ kind, number }) => number <= (kind === "append" ? 8 : 25));
    const later = samplePoints(early, { count: 1 + Math.floor(next() * 2), seed: Math.floor(next() * 1e9) });
    return { number: points.length + index + 1, points: first === undefined ? [] : [first, ...later] };
  });
}

/** @param {readonly Point[]} points */
function countWords(points) {
  const counts = kinds.map((kind) => `${points.filter((point) => point.kind === kind).length} ${kind}`);
  return `${points.length} points (${counts.filter((text) => !text.startsWith("0 ")).join(", ")})`;
}

/**
 * @template Item
 * @param {number} jobs
 * @param {readonly Item[]} items
 * @param {(item: Item) => Promise<void>} work
 */
async function inParallel(jobs, items, work) {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: jobs }, worker));
}
