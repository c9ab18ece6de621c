// The run that is killed: a real repository, a plan of four tasks of which one is sent back by a gate and one by the
// reviewer, with recon, pre-mortem, prechecks, a round of follow-ups and the memory commit.
import { execFileSync, spawn } from "node:child_process";
import {
  accessSync,
  appendFileSync,
  constants,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");

export const slug = "crash-plan";
export const branch = `feature/${slug}`;

/**
 * @typedef {object} Workshop
 * @property {string} folder
 * @property {string} program the built program, kept from being built anew under our hands
 * @property {string} template a project of which each point gets a copy
 */

/**
 * @typedef {object} Project
 * @property {string} folder everything of it lies in here
 * @property {string} checkout
 * @property {string} runFolder
 * @property {string} agentLog
 * @property {string} program
 */

/**
 * @typedef {object} Ended
 * @property {number | null} exitCode
 * @property {NodeJS.Signals | null} signal
 * @property {string} output
 */

/**
 * @param {string} [dist] folder of the built program
 * @returns {Workshop}
 */
export function openWorkshop(dist = join(root, "dist")) {
  const folder = realpathSync(mkdtempSync(join(findPlace(), "execute-prd-crash-")));
  const built = join(folder, "program");
  mkdirSync(built);
  cpSync(dist, join(built, "dist"), { recursive: true });
  cpSync(join(root, "package.json"), join(built, "package.json"));
  symlinkSync(join(root, "node_modules"), join(built, "node_modules"), "dir");
  const workshop = { folder, program: join(built, "dist", "main.js"), template: join(folder, "template") };
  makeTemplate(workshop.template);
  return workshop;
}

/** What a killed program leaves does not depend on the disk, so memory will do, and is twice as fast. */
function findPlace() {
  const memory = "/dev/shm";
  try {
    accessSync(memory, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize >= 512 * 1024 * 1024 ? memory : tmpdir();
  } catch {
    return tmpdir();
  }
}

/** @param {Workshop} workshop */
export function closeWorkshop({ folder }) {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * @param {Workshop} workshop
 * @param {string} name
 * @returns {Project}
 */
export function makeProject(workshop, name) {
  const folder = join(workshop.folder, name);
  cpSync(workshop.template, folder, { recursive: true, preserveTimestamps: true });
  const checkout = join(folder, "project");
  const runFolder = join(checkout, "dev", "executions", slug);
  return { folder, checkout, runFolder, agentLog: join(folder, "agent.log"), program: workshop.program };
}

/** @param {Project} project */
export function removeProject({ folder }) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/**
 * Runs the program to its end, whatever that is.
 *
 * @param {Project} project
 * @param {readonly string[]} args
 * @param {{ point?: string, trace?: string, clock?: string }} [at] clock: file with the milliseconds its clock is off
 * @returns {Promise<Ended>}
 */
export function runProgram(project, args, { point = "", trace = "", clock = "" } = {}) {
  const isWatched = point !== "" || trace !== "";
  const preload = [
    ...(isWatched ? ["--import", join(here, "kill-at.mjs")] : []),
    ...(clock === "" ? [] : ["--import", join(here, "..", "e2e", "support", "clock-jump.mjs")]),
  ];
  const child = spawn(process.execPath, [...preload, project.program, ...args], {
    cwd: project.checkout,
    env: {
      ...environmentOf(project),
      ...(isWatched ? { CRASH_POINT: point, CRASH_TRACE: trace } : {}),
      ...(clock === "" ? {} : { CLOCK_SHIFT: clock }),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const add = (/** @type {Buffer} */ chunk) => {
    output += chunk.toString("utf8");
  };
  child.stdout.on("data", add);
  child.stderr.on("data", add);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    // Not "close": a child of the program may hold on to its output.
    child.once("exit", (exitCode, signal) => setImmediate(() => resolve({ exitCode, signal, output })));
  });
}

/**
 * Git as the builder.
 *
 * @param {Project} project
 * @param {readonly string[]} args
 * @returns {string}
 */
export function git(project, args) {
  return runGit({ folder: project.folder, cwd: project.checkout, args });
}

/**
 * Everything that the program starts carries the project's folder in its environment.
 *
 * @param {{ folder: string }} project
 * @returns {Record<string, string>}
 */
function environmentOf({ folder }) {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: join(folder, "home"),
    TMPDIR: join(folder, "tmp"),
    AGENT_LOG: join(folder, "agent.log"),
    LANG: "C.UTF-8",
    NO_COLOR: "1",
  };
}

/** @param {{ folder: string, cwd: string, args: readonly string[], env?: Record<string, string> }} at */
function runGit({ folder, cwd, args, env = {} }) {
  const options = {
    cwd,
    env: { ...environmentOf({ folder }), ...env },
    encoding: /** @type {const} */ ("utf8"),
  };
  return execFileSync("git", args, { ...options, maxBuffer: 64 * 1024 * 1024 }).trimEnd();
}

/** @param {string} folder */
function makeTemplate(folder) {
  const checkout = join(folder, "project");
  for (const each of ["home", "tmp", "project"]) mkdirSync(join(folder, each), { recursive: true });
  writeFileSync(
    join(folder, "home", ".gitconfig"),
    "[user]\n\tname = Builder\n\temail = builder@example.com\n[init]\n\tdefaultBranch = main\n",
  );
  for (const [name, text] of Object.entries(files())) {
    mkdirSync(dirname(join(checkout, name)), { recursive: true });
    writeFileSync(join(checkout, name), text);
  }
  const day = "2026-01-02T03:04:05Z";
  const env = { GIT_AUTHOR_DATE: day, GIT_COMMITTER_DATE: day };
  for (const args of [
    ["init", "--quiet"],
    ["add", "-A"],
    ["commit", "--quiet", "-m", "first"],
  ]) {
    runGit({ folder, cwd: checkout, args, env });
  }
  // What the builder has not committed is there at the end as it was.
  appendFileSync(join(checkout, "README.md"), "being written\n");
  writeFileSync(join(checkout, "notes.txt"), "not committed\n");
}

/** @returns {Record<string, string>} */
function files() {
  return {
    "README.md": "a project\n",
    "old.txt": "old\n",
    ".gitignore": "dev/executions/*/\ndev/executions/.archive/\nmade/\n",
    "setup.sh": "mkdir -p made\necho tool > made/tool\n",
    "gate.sh": readFileSync(join(here, "agents", "gate.sh"), "utf8"),
    "execute-prd.config.json": toText(config()),
    [`dev/work/plans/${slug}/prd.json`]: toText(prd()),
  };
}

function config() {
  const agent = {
    backend: "command",
    command: ["sh", join(here, "agents", "agent.sh")],
    env: ["AGENT_LOG"],
  };
  return {
    agents: { developer: agent, reviewer: agent, orchestrator: agent },
    setup: "sh setup.sh",
    gates: [
      { name: "tests", command: "sh gate.sh" },
      { name: "files", command: "test -f README.md" },
    ],
    precheck: "on",
    recon: "on",
    preMortem: "on",
  };
}

function prd() {
  const task = (/** @type {string} */ id, /** @type {readonly string[]} */ dependsOn) => ({
    id,
    title: `Make ${id}`,
    description: `Make what ${id} is about`,
    acceptanceCriteria: [`${id} is there`],
    dependsOn,
  });
  return {
    name: slug,
    goal: "make files",
    userStories: [
      task("alpha", []),
      task("beta", ["alpha"]),
      task("gamma", ["alpha"]),
      task("delta", ["beta", "gamma"]),
    ],
  };
}

/** @param {unknown} value */
function toText(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}
