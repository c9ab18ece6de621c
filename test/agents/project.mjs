// A repository with a plan of two tasks, whose roles are all played by one agent program.

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
const slug = "two-files";
const longestRunMs = 300_000;

/**
 * @typedef {object} Project
 * @property {string} folder everything of it lies in here
 * @property {string} checkout
 * @property {Readonly<Record<string, string>>} env
 */

/**
 * @param {string} folder
 * @param {{ agent: object, sandbox: string, environment: Readonly<Record<string, string>>, goal: string }} wanted
 * @returns {Project}
 */
export function makeProject(folder, { agent, sandbox, environment, goal }) {
  const checkout = join(folder, "checkout");
  const home = join(folder, "home");
  const { PATH = "", TMPDIR } = process.env;
  const env = {
    PATH,
    ...(TMPDIR === undefined ? {} : { TMPDIR }),
    HOME: home,
    LANG: "C.UTF-8",
    ...environment,
  };
  write(
    join(home, ".gitconfig"),
    "[user]\n\tname = Builder\n\temail = builder@example.com\n[init]\n\tdefaultBranch = main\n",
  );
  write(join(checkout, "README.md"), "# Two files\n");
  write(join(checkout, ".gitignore"), "dev/executions/*/\n");
  write(join(checkout, "execute-prd.config.json"), toText(configOf(agent, sandbox)));
  write(join(checkout, `dev/work/plans/${slug}/prd.json`), toText(planOf(goal)));
  const project = { folder, checkout, env };
  git(project, "init", "--quiet");
  git(project, "add", "--all");
  git(project, "commit", "--quiet", "--message=Start");
  return project;
}

/** @param {object} agent @param {string} sandbox */
function configOf(agent, sandbox) {
  return {
    agents: { developer: agent, reviewer: agent, orchestrator: agent },
    gates: [{ name: "there", command: "git ls-files" }],
    memory: { enabled: false },
    sandbox,
  };
}

/** @param {string} goal */
function planOf(goal) {
  const task = (/** @type {string} */ id) => ({
    id,
    title: `Make ${id}.txt`,
    description: `Make the file ${id}.txt.`,
    acceptanceCriteria: [`there is a file ${id}.txt`],
    status: "pending",
    passes: false,
    attemptCount: 0,
  });
  return { name: slug, branchName: `feature/${slug}`, goal, userStories: [task("task-1"), task("task-2")] };
}

/**
 * @param {Project} project
 * @returns {{ kill: () => void, ended: Promise<{ exitCode: number | null, output: string }> }}
 */
export function startRun(project) {
  const child = spawn(process.execPath, [program, "run", slug], {
    cwd: project.checkout,
    env: project.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  const timer = setTimeout(() => child.kill("SIGTERM"), longestRunMs);
  /** @type {Promise<{ exitCode: number | null, output: string }>} */
  const ended = new Promise((resolve) => {
    child.once("close", (exitCode) => {
      clearTimeout(timer);
      resolve({ exitCode, output });
    });
  });
  return { kill: () => child.kill("SIGKILL"), ended };
}

/** Files of the run's branch. @param {Project} project */
export function filesOnBranch(project) {
  return git(project, "ls-tree", "-r", "--name-only", `feature/${slug}`).split("\n");
}

/** @param {Project} project @param {string} name @returns {string} empty: it is not there */
export function readOfRun({ checkout }, name) {
  try {
    return readFileSync(join(checkout, "dev/executions", slug, name), "utf8");
  } catch {
    return "";
  }
}

/** Processes that the run started: their home is the builder's or one of the run. @param {Project} project */
export function processesOf({ folder }) {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/environ`, "latin1")
        .split("\0")
        .some((entry) => entry.startsWith(`HOME=${folder}/`));
    } catch {
      return false; // gone, or of somebody else
    }
  });
}

/** @param {Pick<Project, "checkout" | "env">} project @param {string[]} args */
function git({ checkout, env }, ...args) {
  return execFileSync("git", args, { cwd: checkout, env, encoding: "utf8" }).trimEnd();
}

/** @param {string} path @param {string} text */
function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** @param {object} value */
function toText(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}
