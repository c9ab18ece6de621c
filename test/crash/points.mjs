// The points at which the run is killed, and what has to be so after each: the same command again ends as an
// undisturbed run does, and once more changes nothing.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { makeProject, removeProject, runProgram, slug } from "./crash-project.mjs";
import { observe, snapshot } from "./observe.mjs";

/** @typedef {import("./crash-project.mjs").Workshop} Workshop */
/** @typedef {import("./crash-project.mjs").Project} Project */

/**
 * @typedef {object} Point
 * @property {string} kind append, file, git or child
 * @property {number} number
 * @property {string} when
 * @property {string} what what the program was about
 */

/**
 * @typedef {object} Reference
 * @property {Record<string, unknown>} seen
 * @property {readonly Point[]} points
 */

/** @type {Readonly<Record<string, readonly string[]>>} */
const times = {
  append: ["before", "mid", "after"],
  git: ["started", "ended"],
  child: ["started", "ended"],
  file: ["before", "after"],
};

/** The kinds in the order in which points are numbered. */
export const kinds = Object.keys(times);

/**
 * The undisturbed run, and every point there is in it.
 *
 * @param {Workshop} workshop
 * @returns {Promise<Reference>}
 */
export async function playReference(workshop) {
  const project = makeProject(workshop, "undisturbed");
  const trace = join(workshop.folder, "trace");
  const ended = await runProgram(project, ["run", slug], { trace });
  if (ended.exitCode !== 0)
    throw new Error(`the undisturbed run ended with ${ended.exitCode}:\n${ended.output}`);
  const lines = readFileSync(trace, "utf8").trimEnd().split("\n");
  const seen = observe(project);
  removeProject(project);
  return { seen, points: kinds.flatMap((kind) => toPoints(kind, lines)) };
}

/**
 * @param {string} kind
 * @param {readonly string[]} lines
 * @returns {Point[]}
 */
function toPoints(kind, lines) {
  return lines
    .filter((line) => line.startsWith(`${kind} `))
    .flatMap((line, index) =>
      (times[kind] ?? []).map((when) => ({
        kind,
        number: index + 1,
        when,
        what: line.slice(kind.length + 1),
      })),
    );
}

/**
 * Kills the run there, once in each of as many starts as there are points, then lets it finish.
 *
 * @param {Workshop} workshop
 * @param {{ points: readonly Point[], reference: Reference, name: string }} at
 * @returns {Promise<readonly string[]>} what is not as it should be
 */
export async function play(workshop, { points, reference, name }) {
  const project = makeProject(workshop, name);
  try {
    for (const point of points) {
      const killed = await runProgram(project, ["run", slug], {
        point: `${point.kind} ${point.number} ${point.when}`,
      });
      // A later start has fewer points than the first; then it has simply ended.
      if (killed.signal !== "SIGKILL" && killed.exitCode !== 0) {
        return [
          `the run was to be killed, and ended with ${killed.exitCode}: ${killed.output.slice(-2_000)}`,
        ];
      }
      if (killed.signal !== "SIGKILL" && point.kind === "append" && point === points[0]) {
        return ["the point was not reached"];
      }
    }
    return await finish(project, reference);
  } catch (error) {
    return [`what is left cannot be looked at: ${error instanceof Error ? error.message : String(error)}`];
  } finally {
    removeProject(project);
  }
}

/**
 * The builder comes back the next day.
 *
 * @param {Project} project
 * @param {Reference} reference
 * @returns {Promise<readonly string[]>}
 */
async function finish(project, reference) {
  const clock = join(project.folder, "clock-shift");
  writeFileSync(clock, String(24 * 60 * 60 * 1_000));
  const ended = await runProgram(project, ["run", slug], { clock });
  if (ended.exitCode !== 0)
    return [`the second start ended with ${ended.exitCode}: ${ended.output.slice(-2_000)}`];
  const differences = findDifferences(reference.seen, observe(project));
  if (differences.length > 0) return differences;
  const before = snapshot(project);
  const again = await runProgram(project, ["run", slug], { clock });
  const changed = findDifferences(before, snapshot(project)).map((text) => `the third start changed ${text}`);
  if (again.exitCode !== 0) return [`the third start ended with ${again.exitCode}`, ...changed];
  const rebuilt = await runProgram(project, ["rebuild", slug]);
  const otherwise = findDifferences(before, snapshot(project)).map((text) => `a rebuild changed ${text}`);
  return rebuilt.exitCode === 0
    ? [...changed, ...otherwise]
    : [...changed, `rebuild ended with ${rebuilt.exitCode}`];
}

/**
 * @param {unknown} wanted
 * @param {unknown} found
 * @param {string} [path]
 * @returns {string[]}
 */
export function findDifferences(wanted, found, path = "") {
  if (isDeepStrictEqual(wanted, found)) return [];
  if (isObject(wanted) && isObject(found)) {
    const keys = [...new Set([...Object.keys(wanted), ...Object.keys(found)])];
    return keys
      .flatMap((key) => findDifferences(wanted[key], found[key], path === "" ? key : `${path}.${key}`))
      .slice(0, 20);
  }
  return [`${path}: ${JSON.stringify(wanted)} became ${JSON.stringify(found)}`];
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isObject(value) {
  return typeof value === "object" && value !== null;
}

/**
 * A few of them, spread over all kinds and times by a seed.
 *
 * @param {readonly Point[]} points
 * @param {{ count: number, seed: number }} at
 * @returns {Point[]}
 */
export function samplePoints(points, { count, seed }) {
  const next = toRandom(seed);
  return points
    .map((point) => ({ point, rank: next() }))
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, count)
    .map(({ point }) => point);
}

/**
 * Numbers from 0 to 1, the same for the same seed.
 *
 * @param {number} seed
 * @returns {() => number}
 */
export function toRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** @param {Point} point */
export function wordPoint({ kind, number, when, what }) {
  return `${when} ${kind} ${number} (${what})`;
}
