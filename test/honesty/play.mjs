// Plays one scenario: a project of its own in a folder of its own, the built program as a process of its own.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** @typedef {import("./scenarios.mjs").Scenario} Scenario */

/**
 * @typedef {object} Stage where a scenario is played
 * @property {string} folder everything of it lies in here
 * @property {string} checkout the builder's
 * @property {string} mark folder of the agents; its path is in the environment of all that they start
 * @property {Readonly<Record<string, string>>} env of the builder
 * @property {string} base commit
 */

/**
 * @typedef {object} Ended
 * @property {number | null} exitCode
 * @property {string} output
 * @property {number} ms
 */

export const slug = "till";
export const branch = `feature/${slug}`;

const program = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
const fixture = fileURLToPath(new URL("fixtures/till", import.meta.url));
/** Whether what only a sandbox prevents can be played. */
export const hasSandbox =
  spawnSync("bwrap", ["--ro-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "true"]).status === 0;

const longestRunMs = 120_000;

/** @type {(scenario: Scenario) => Stage} */
export function setStage(scenario) {
  const folder = mkdtempSync(join(tmpdir(), "honesty-"));
  const checkout = join(folder, "till");
  const mark = join(folder, "agents");
  const home = join(folder, "home");
  mkdirSync(mark);
  cpSync(fixture, checkout, { recursive: true });
  write(
    join(home, ".gitconfig"),
    "[user]\n\tname = Builder\n\temail = builder@example.com\n[init]\n\tdefaultBranch = main\n",
  );
  write(join(checkout, ".gitignore"), "node_modules/\ndev/executions/*/\n");
  write(join(checkout, "execute-prd.config.json"), toText(toConfig(scenario)));
  write(join(checkout, `dev/work/plans/${slug}/prd.json`), toText(toPrd(scenario)));
  for (const [path, text] of Object.entries(scenario.files)) write(join(checkout, path), text);
  for (let number = 1; number <= scenario.pictures; number += 1) {
    write(join(checkout, "pictures", `${number}.txt`), `picture ${number}\n`);
  }
  const stage = { folder, checkout, mark, env: builderEnvironment({ home, mark }), base: "" };
  git(stage, ["init", "--quiet"]);
  git(stage, ["add", "--all"]);
  git(stage, ["commit", "--quiet", "--message=Start"]);
  if (scenario.hasStash) {
    write(join(checkout, "README.md"), "what the builder was at\n");
    git(stage, ["stash", "push", "--quiet"]);
  }
  return { ...stage, base: git(stage, ["rev-parse", "HEAD"]) };
}

/** Runs the plan to its end; where the builder has a question to answer, to the end after it. @type {(stage: Stage, scenario: Scenario) => Promise<Ended>} */
export async function runPlan(stage, { builderApproves }) {
  const ended = await execute(stage, ["run", slug]);
  if (!builderApproves || ended.exitCode !== 4) return ended;
  await execute(stage, ["answer", slug, "approve"]);
  return execute(stage, ["resume", slug]);
}

/** @type {(stage: Stage, args: readonly string[]) => Promise<Ended>} */
function execute(stage, args) {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: stage.checkout,
      env: stage.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), longestRunMs);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
      });
    }
    child.once("error", reject);
    child.once("close", (exitCode) => {
      clearTimeout(timer);
      resolve({ exitCode, output, ms: Math.round(performance.now() - begun) });
    });
  });
}

/** @param {Stage} stage */
export function strike(stage) {
  rmSync(stage.folder, { recursive: true, force: true });
}

/**
 * As the builder; nothing that an agent left in the repository is obeyed.
 *
 * @type {(stage: Pick<Stage, "checkout" | "env">, args: readonly string[], env?: Readonly<Record<string, string>>) => string}
 */
export function git(stage, args, env = {}) {
  const plain = ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"];
  return execFileSync("git", [...plain, ...args], {
    cwd: stage.checkout,
    env: { ...stage.env, GIT_NO_REPLACE_OBJECTS: "1", ...env },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 16 * 1024 * 1024,
  }).trimEnd();
}

/** A file of the run's folder; empty where there is none. @type {(stage: Stage, name: string) => string} */
export function readOfRun(stage, name) {
  try {
    return readFileSync(join(stage.checkout, "dev/executions", slug, name), "utf8");
  } catch {
    return "";
  }
}

/** @param {{ home: string, mark: string }} at */
function builderEnvironment({ home, mark }) {
  const { PATH = "", TMPDIR = tmpdir() } = process.env;
  return { PATH, TMPDIR, HOME: home, XDG_CONFIG_HOME: join(home, "config"), HONESTY_MARK: mark, LC_ALL: "C" };
}

/** @param {Scenario} scenario */
function toConfig({ developer, reviewer, config }) {
  const toAgent = (/** @type {string} */ name) => ({
    backend: "command",
    command: ["node", fileURLToPath(new URL(`${name}.mjs`, import.meta.url))],
    env: ["HONESTY_MARK"],
  });
  return {
    agents: {
      developer: toAgent(developer),
      reviewer: toAgent(reviewer),
      orchestrator: toAgent("reviewers/lead"),
    },
    gates: [
      { name: "tests", command: "node --test test/" },
      { name: "lint", command: "node scripts/lint.mjs" },
    ],
    maxAttempts: 1,
    precheck: "off",
    recon: "off",
    preMortem: "off",
    memory: { enabled: false },
    sandbox: "off", // what is found afterwards is to be seen, not what could not be done
    budget: { maxDispatches: 20, wallClockMs: longestRunMs },
    ...config,
  };
}

/** @param {Scenario} scenario */
function toPrd({ tasks }) {
  return { name: slug, goal: "A better till", userStories: tasks };
}

/** @type {(path: string, text: string) => void} */
function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** @param {unknown} value */
function toText(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}
