// `npm run test:crash`: kills the built program at every point of a run and compares what comes of it.
//
//   --kinds append,git,child,file   which kinds of points; default: append, git, child
//   --points 1,5,9-12               only these, by the number that is printed
//   --sample N                      N of them, by --seed S (default: by the clock, and printed)
//   --twice N                       besides, N runs that are killed at two or three points one after another
//   --jobs N                        runs at a time; default: 2
//   --dist FOLDER                   of the built program; default: dist
import { parseArgs } from "node:util";
import { closeWorkshop, openWorkshop } from "./crash-project.mjs";
import { kinds, play, playReference, samplePoints, toRandom, wordPoint } from "./points.mjs";

/** @typedef {import("./points.mjs").Point} Point */
/** @typedef {{ number: number, points: readonly Point[] }} Case */

const { values } = parseArgs({
  options: {
    kinds: { type: "string", default: "append,git,child" },
    points: { type: "string", default: "" },
    sample: { type: "string", default: "0" },
    twice: { type: "string", default: "20" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    jobs: { type: "string", default: "2" },
    dist: { type: "string" },
  },
});

process.exitCode = await main();

async function main() {
  const workshop = openWorkshop(values.dist);
  try {
    const reference = await playReference(workshop);
    const wanted = values.kinds.split(",");
    const points = reference.points.filter(({ kind }) => wanted.includes(kind));
    const cases = toCases(points);
    console.log(`seed ${values.seed}; ${countWords(points)}; ${cases.length} runs`);
    /** @type {number[]} */
    const bad = [];
    let done = 0;
    await inParallel(Number(values.jobs), cases, async (one) => {
      const wrong = await play(workshop, { points: one.points, reference, name: `run-${one.number}` });
      done += 1;
      if (wrong.length > 0) bad.push(one.number);
      const words = one.points.map(wordPoint).join(", then ");
      console.log(
        `point ${one.number} of ${points.length}: ${wrong.length === 0 ? "same result" : "NOT the same result"}, ${words}`,
      );
      for (const line of wrong) console.log(`    ${line}`);
    });
    console.log(
      `${done - bad.length} of ${done} the same result (${((100 * (done - bad.length)) / Math.max(done, 1)).toFixed(1)} %)`,
    );
    if (bad.length > 0)
      console.log(
        `not the same: --kinds ${values.kinds} --seed ${values.seed} --points ${bad.toSorted((a, b) => a - b).join(",")}`,
      );
    return bad.length === 0 && done > 0 ? 0 : 1;
  } finally {
    closeWorkshop(workshop);
  }
}

/**
 * @param {readonly Point[]} points
 * @returns {Case[]}
 */
function toCases(points) {
  const all = points.map((point, index) => ({ number: index + 1, points: [point] }));
  const several = toSeveral(points);
  if (values.points !== "") return [...all, ...several].filter(({ number }) => isNamed(number));
  if (values.sample === "0") return [...all, ...several];
  const sampled = samplePoints(points, { count: Number(values.sample), seed: Number(values.seed) });
  return [...all.filter(({ points: [point] }) => point !== undefined && sampled.includes(point)), ...several];
}

/**
 * Runs that are killed again on their way back; numbered after the others.
 *
 * @param {readonly Point[]} points
 * @returns {Case[]}
 */
function toSeveral(points) {
  const next = toRandom(Number(values.seed));
  return Array.from({ length: Number(values.twice) }, (_, index) => {
    const [first] = samplePoints(points, { count: 1, seed: Math.floor(next() * 1e9) });
    // Soon after the start, where recovery is at work.
    const early = points.filter(({ kind, number }) => number <= (kind === "append" ? 8 : 25));
    const later = samplePoints(early, { count: 1 + Math.floor(next() * 2), seed: Math.floor(next() * 1e9) });
    return { number: points.length + index + 1, points: first === undefined ? [] : [first, ...later] };
  });
}

/** @param {number} number */
function isNamed(number) {
  return values.points.split(",").some((part) => {
    const [from = "", to = from] = part.split("-");
    return number >= Number(from) && number <= Number(to);
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
