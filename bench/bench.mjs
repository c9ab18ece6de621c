// `npm run bench`: what a run costs over a bare script, side by side on this machine, as a Markdown table.
//
//   --short        only the run of 20 tasks, fewer repetitions, 1,000 simulated tasks
//   --tasks N      so many tasks in the long run, instead of 1,000
//   --only PARTS   some of: runs, sandbox, status, journal, memory (separated by commas)
//   --write        puts the table into docs/benchmark.md
//
// The folder for temporary files (TMPDIR) decides which disk is measured.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, release, tmpdir, totalmem, type } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleParts } from "./bundle.mjs";
import { measureNode, median, timeNode, toSpread } from "./measure.mjs";
import { git, makeProject, removeProject } from "./project.mjs";

/** @typedef {import("./project.mjs").Project} Project */

/**
 * @typedef {object} Row
 * @property {string} what
 * @property {string} program
 * @property {string} yardstick
 * @property {string} result
 * @property {string} aim
 */

/**
 * @typedef {object} Pair
 * @property {import("./measure.mjs").Measured} run
 * @property {import("./measure.mjs").Measured} bare
 * @property {readonly number[]} taskMs how long each task of the run took, from the second on
 */

const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const bareScript = fileURLToPath(new URL("./bare-script.mjs", import.meta.url));
const resultsFile = fileURLToPath(new URL("../docs/benchmark.md", import.meta.url));

const eventsOfTask = 12;
const isShort = process.argv.includes("--short");
const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : undefined;
const longRun = Number(
  process.argv.includes("--tasks") ? process.argv[process.argv.indexOf("--tasks") + 1] : 1_000,
);
const parts = only?.split(",") ?? ["runs", "sandbox", "status", "journal", "memory"];

/** @type {Row[]} */
const rows = [];
if (parts.includes("runs")) add(await measureRuns({ taskCount: 20, pairs: isShort ? 2 : 5 }));
if (parts.includes("runs") && !isShort) add(await measureRuns({ taskCount: longRun, pairs: 1 }));
if (parts.includes("sandbox") && hasBubblewrap()) add(await measureSandbox(isShort ? 2 : 5));
const built = mkdtempSync(join(tmpdir(), "bench-parts-"));
try {
  if (parts.includes("status")) add([await measureStatus(isShort ? 10 : 20)]);
  if (parts.includes("journal") || parts.includes("memory")) await bundleParts(built);
  if (parts.includes("journal")) add([await measureJournal(isShort ? 1_000 : 3_000)]);
  if (parts.includes("journal")) add(await measureLongJournal());
  if (parts.includes("memory")) add([await measureEngine(isShort ? 1_000 : 10_000)]);
} finally {
  rmSync(built, { recursive: true, force: true });
}
const table = toTable(rows);
console.log(`\n${table}`);
if (process.argv.includes("--write")) writeResults(table);

/** Shown at once: a whole measurement takes long. @param {readonly Row[]} measured */
function add(measured) {
  rows.push(...measured);
  for (const row of measured) console.log(toLine(row));
}

/**
 * @param {{ taskCount: number, pairs: number }} at
 * @returns {Promise<readonly Row[]>}
 */
async function measureRuns({ taskCount, pairs }) {
  /** @type {Pair[]} */
  const all = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    const measured = await measurePair(taskCount, pair % 2 === 0);
    const ratio = (measured.run.ms / measured.bare.ms).toFixed(2);
    console.log(`${taskCount} tasks, pair ${pair + 1} of ${pairs}: ${ratio} times the bare script`);
    all.push(measured);
  }
  const name = `${taskCount.toLocaleString("en")} tasks`;
  return [
    {
      ...toComparison(all, ({ ms }) => ms, taskCount),
      what: `a run of ${name} over a bare script`,
      aim: "at most 1.3 times",
    },
    { ...toComparison(all, ({ cpuMs }) => cpuMs, taskCount), what: "the same in processor time", aim: "" },
    {
      what: `peak memory, ${name}`,
      program: toSpread(
        all.map(({ run }) => run.peakMb),
        "MB",
      ),
      yardstick: toSpread(
        all.map(({ bare }) => bare.peakMb),
        "MB",
      ),
      result: "",
      aim: taskCount === 20 ? "at most 90 MB" : "",
    },
    ...(taskCount > 100 ? [toGrowth(all)] : []),
  ];
}

/**
 * @param {readonly Pair[]} all
 * @param {(measured: import("./measure.mjs").Measured) => number} toValue
 * @param {number} taskCount
 * @returns {Pick<Row, "program" | "yardstick" | "result">}
 */
function toComparison(all, toValue, taskCount) {
  const run = all.map((pair) => toValue(pair.run));
  const bare = all.map((pair) => toValue(pair.bare));
  const perTask = (/** @type {readonly number[]} */ values) => values.map((value) => value / taskCount);
  const ratios = run.map((value, index) => value / (bare[index] ?? Number.NaN));
  return {
    program: toSpread(perTask(run), "ms a task", 1),
    yardstick: toSpread(perTask(bare), "ms a task", 1),
    result: toSpread(ratios, "times", 2),
  };
}

/**
 * The medians of ten tasks early and late in the run: a single task is at the mercy of whatever else the machine does.
 *
 * @param {readonly Pair[]} all
 * @returns {Row}
 */
function toGrowth(all) {
  const window = (/** @type {Pair} */ { taskMs }, /** @type {number} */ task) =>
    median(taskMs.slice(task - 6, task + 4)); // the first of them belongs to the second task
  const last = (all[0]?.taskMs.length ?? 0) + 1;
  const early = all.map((pair) => window(pair, 10));
  const late = all.map((pair) => window(pair, last - 10));
  return {
    what: `the ${last - 10}th task (median of ten around it) over the 10th`,
    program: toSpread(late, "ms", 1),
    yardstick: toSpread(early, "ms", 1),
    result: toSpread(
      late.map((ms, index) => ms / (early[index] ?? Number.NaN)),
      "times",
      2,
    ),
    aim: "at most 1.1 times",
  };
}

/**
 * A run and the bare script in the same fresh project, one after the other.
 *
 * @param {number} taskCount
 * @param {boolean} isRunFirst
 * @returns {Promise<Pair>}
 */
async function measurePair(taskCount, isRunFirst) {
  const project = makeProject(taskCount);
  try {
    const projectFile = join(project.folder, "project.json");
    writeFileSync(projectFile, JSON.stringify(project));
    const run = () => measureNode([program, "run", project.slug], { cwd: project.checkout });
    const bare = () => measureNode([bareScript, projectFile], { cwd: project.checkout });
    const first = isRunFirst ? await run() : await bare();
    const second = isRunFirst ? await bare() : await run();
    checkSameResult(project);
    const taskMs = readTaskTimes(project);
    return isRunFirst ? { run: first, bare: second, taskMs } : { run: second, bare: first, taskMs };
  } finally {
    removeProject(project);
  }
}

/**
 * The same run with every agent and gate in bubblewrap, and without, in turns.
 *
 * @param {number} pairs
 * @returns {Promise<readonly Row[]>}
 */
async function measureSandbox(pairs) {
  const taskCount = 20;
  /** @type {number[][]} */
  const both = [[], []];
  for (let pair = 0; pair < pairs * 2; pair += 1) {
    const isConfined = pair % 4 === 0 || pair % 4 === 3;
    const project = makeProject(taskCount, isConfined ? "required" : "off");
    try {
      const { ms } = await measureNode([program, "run", project.slug], { cwd: project.checkout });
      both[isConfined ? 0 : 1]?.push(ms / taskCount);
    } finally {
      removeProject(project);
    }
  }
  const [confined = [], free = []] = both;
  return [
    {
      what: "a run of 20 tasks in bubblewrap over one without",
      program: toSpread(confined, "ms a task", 1),
      yardstick: toSpread(free, "ms a task", 1),
      result: toSpread(
        confined.map((ms, index) => ms / (free[index] ?? Number.NaN)),
        "times",
        2,
      ),
      aim: "",
    },
  ];
}

function hasBubblewrap() {
  return spawnSync("bwrap", ["--ro-bind", "/", "/", "true"], { stdio: "ignore" }).status === 0;
}

/** Both made one commit a task and the same files. @param {Project} project */
function checkSameResult({ checkout, slug, taskIds }) {
  const [ours, theirs] = [`feature/${slug}`, "bare"].map((branch) => ({
    tree: git(checkout, ["rev-parse", `${branch}^{tree}`]),
    commits: Number(git(checkout, ["rev-list", "--count", `main..${branch}`])),
  }));
  if (ours?.tree !== theirs?.tree || ours?.commits !== taskIds.length || theirs?.commits !== taskIds.length) {
    throw new Error(`the two did not do the same: ${JSON.stringify({ ours, theirs })}`);
  }
}

/** @param {Project} project */
function readTaskTimes({ checkout, slug }) {
  const journal = join(checkout, "dev", "executions", slug, "execution.log.jsonl");
  const lines = readFileSync(journal, "utf8").trimEnd().split("\n").slice(1);
  const ends = lines
    .map((line) => JSON.parse(line))
    .filter(({ event }) => event.kind === "attempt-ended")
    .map(({ at }) => Date.parse(at));
  return ends.slice(1).map((end, index) => end - (ends[index] ?? Number.NaN));
}

/**
 * @param {number} taskCount
 * @returns {Promise<Row>}
 */
async function measureEngine(taskCount) {
  const { peakMb, ms } = await measureNode([join(built, "simulated-run.mjs"), String(taskCount)]);
  return {
    what: `peak memory, ${taskCount.toLocaleString("en")} simulated tasks`,
    program: `${peakMb.toFixed(0)} MB`,
    yardstick: "",
    result: `${(ms / taskCount).toFixed(1)} ms a task`,
    aim: "at most 150 MB",
  };
}

/**
 * @param {number} times
 * @returns {Promise<Row>}
 */
async function measureStatus(times) {
  const project = makeProject(2);
  try {
    const at = { cwd: project.checkout };
    await timeNode([program, "run", project.slug], at);
    /** @type {{ status: number[], empty: number[] }} */
    const ms = { status: [], empty: [] };
    for (let turn = 0; turn < times; turn += 1) {
      ms.status.push(await timeNode([program, "status", project.slug], at));
      ms.empty.push(await timeNode(["-e", "0"], at));
    }
    return {
      what: "`status SLUG` over `node -e 0`",
      program: toSpread(ms.status, "ms"),
      yardstick: toSpread(ms.empty, "ms"),
      result: `${(median(ms.status) / median(ms.empty)).toFixed(2)} times`,
      aim: "at most 2.5 times",
    };
  } finally {
    removeProject(project);
  }
}

/**
 * @param {number} appends
 * @returns {Promise<Row>}
 */
async function measureJournal(appends) {
  const folder = join(built, "journal");
  mkdirSync(folder);
  const script = join(built, "journal-append.mjs");
  const said = execFileSync(process.execPath, [script, folder, String(appends)], { encoding: "utf8" });
  /** @type {{ journalMs: number, bareMs: number }} */
  const { journalMs, bareMs } = JSON.parse(said);
  return {
    what: "an append to the journal over a bare flushed append",
    program: `${journalMs.toFixed(3)} ms`,
    yardstick: `${bareMs.toFixed(3)} ms`,
    result: `${(journalMs / bareMs).toFixed(2)} times`,
    aim: "at most 1.3 times",
  };
}

/**
 * Journals of simulated runs of 5,000 and of 50,000 events.
 *
 * @returns {Promise<readonly Row[]>}
 */
async function measureLongJournal() {
  const [short, long] = [makeJournal(5_000), makeJournal(50_000)];
  const perEvent = (/** @type {Journal} */ { bytes, events }) => bytes / events;
  const name = `${long.events.toLocaleString("en")} events`;
  return [
    {
      what: `bytes of a journal of ${name} for one event, over one of ${short.events.toLocaleString("en")}`,
      program: `${perEvent(long).toFixed(0)} bytes`,
      yardstick: `${perEvent(short).toFixed(0)} bytes`,
      result: `${(perEvent(long) / perEvent(short)).toFixed(2)} times`,
      aim: "at most 1.05 times",
    },
    {
      what: `reading, checking and folding ${name}`,
      program: `${(long.readMs + long.foldMs).toFixed(0)} ms`,
      yardstick: "",
      result: `${long.readMs.toFixed(0)} ms reading, ${long.foldMs.toFixed(0)} ms folding`,
      aim: "under 1,000 ms",
    },
  ];
}

/** @typedef {{ events: number, bytes: number, readMs: number, foldMs: number }} Journal */

/**
 * @param {number} events about so many
 * @returns {Journal}
 */
function makeJournal(events) {
  const folder = mkdtempSync(join(built, "journal-"));
  const tasks = Math.round(events / eventsOfTask);
  execFileSync(process.execPath, [join(built, "simulated-run.mjs"), String(tasks), folder]);
  const reads = [1, 2, 3].map(() => {
    const said = execFileSync(process.execPath, [join(built, "journal-read.mjs"), folder], {
      encoding: "utf8",
    });
    return /** @type {Journal} */ (JSON.parse(said));
  });
  const total = (/** @type {Journal} */ { readMs, foldMs }) => readMs + foldMs;
  const [, middle] = reads.toSorted((a, b) => total(a) - total(b));
  if (middle === undefined) throw new Error("three are measured");
  return middle;
}

/** @param {readonly Row[]} all */
function toTable(all) {
  return [
    `Machine: ${machine()}.`,
    "",
    "| what | program | yardstick | result | aim |",
    "| --- | --- | --- | --- | --- |",
    ...all.map(toLine),
  ].join("\n");
}

/** @param {Row} row */
function toLine({ what, program, yardstick, result, aim }) {
  return `| ${[what, program, yardstick, result, aim].join(" | ")} |`;
}

function machine() {
  const memoryGb = (totalmem() / 1024 ** 3).toFixed(0);
  const processor = cpus()[0]?.model.trim() ?? "unknown processor";
  const gitVersion = execFileSync("git", ["version"], { encoding: "utf8" })
    .trim()
    .replace("git version", "git");
  const system = `${type()} ${release().split("-")[0]}`;
  return `${availableParallelism()} cores (${processor}), ${memoryGb} GB of memory, ${system}, Node ${process.versions.node}, ${gitVersion}`;
}

/** @param {string} text */
function writeResults(text) {
  const [begin, end] = ["<!-- results -->", "<!-- end of results -->"];
  const page = readFileSync(resultsFile, "utf8");
  const [before = "", rest = ""] = page.split(begin);
  const after = rest.split(end)[1] ?? "\n";
  writeFileSync(resultsFile, `${before}${begin}\n\n${text}\n\n${end}${after}`);
}
