// `npm run test:agents`: the real agent programs against services on loopback, with no key and no account.
//
// Each one plays every role of a plan of two tasks; tries to write where it must not; and is at work when the program
// is killed.
//
//   --programs DIR   they are installed there already (also: EXECUTE_PRD_AGENT_PROGRAMS)
//   --only NAMES     some of them, separated by commas
//   --if-there       does nothing, and says so, when no folder of programs is named
//   --sandbox WHICH  auto, required or off; else auto
//   --keep           leaves the projects where they are
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { agentPrograms, install, pathOf, versionOf } from "./programs.mjs";
import { filesOnBranch, makeProject, processesOf, readOfRun, startRun } from "./project.mjs";
import { startServices } from "./services.mjs";

/**
 * @typedef {object} Line
 * @property {string} backend
 * @property {string} version
 * @property {string} plan what became of the plan of two tasks
 * @property {string} confined
 * @property {string} killed
 * @property {string} usage
 * @property {number} seconds
 * @property {readonly string[]} problems
 */

const named = flagOf("--programs") ?? process.env["EXECUTE_PRD_AGENT_PROGRAMS"];
if (named === undefined && process.argv.includes("--if-there")) {
  console.log("The agent programs were not tried: EXECUTE_PRD_AGENT_PROGRAMS names no folder with them.");
} else {
  process.exitCode = await main();
}

/** @returns {Promise<number>} the exit code */
async function main() {
  // Not in the temporary folder, where Codex lets everybody write.
  const folder = realpathSync(mkdtempSync(join(findPlace(), "execute-prd-agents-")));
  const only = flagOf("--only")?.split(",");
  const wanted = agentPrograms.filter(({ backend }) => only === undefined || only.includes(backend));
  try {
    const programs = named ?? join(folder, "programs");
    if (named === undefined) install(programs, wanted);
    /** @type {Line[]} */
    const lines = [];
    for (const program of wanted) lines.push(await tryProgram(folder, programs, program));
    console.table(Object.fromEntries(lines.map(({ backend, problems, ...line }) => [backend, line])));
    for (const { backend, problems } of lines)
      for (const problem of problems) console.log(`${backend}: ${problem}`);
    return lines.some(({ problems }) => problems.length > 0) ? 1 : 0;
  } finally {
    if (process.argv.includes("--keep")) console.log(`Kept: ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} folder
 * @param {string} programs
 * @param {import("./programs.mjs").AgentProgram} program
 * @returns {Promise<Line>}
 */
async function tryProgram(folder, programs, program) {
  const { backend } = program;
  const version = versionOf(programs, program, { PATH: process.env["PATH"], HOME: folder });
  if (version === null) {
    const problem = `did not run: "${pathOf(programs, program)}" is not there, or does not start`;
    return {
      backend,
      version: "-",
      plan: "-",
      confined: "-",
      killed: "-",
      usage: "-",
      seconds: 0,
      problems: [problem],
    };
  }
  const begun = performance.now();
  const place = join(folder, backend);
  const outside = join(place, "outside.txt");
  const services = await startServices(outside);
  const { model } = program;
  const command = [pathOf(programs, program)];
  const agent = { backend, command, ...(model !== "" && { model }), auth: "key", timeoutMs: 120_000 };
  const environment = program.environment(services.url);
  const sandbox = flagOf("--sandbox") ?? "auto";
  try {
    const plan = await runPlan(
      makeProject(join(place, "plan"), { agent, sandbox, environment, goal: "two files" }),
      outside,
    );
    const killed = await killRun(
      makeProject(join(place, "kill"), { agent, sandbox, environment, goal: "HANG-NOW" }),
    );
    const seconds = Math.round((performance.now() - begun) / 1_000);
    return {
      backend,
      version,
      ...plan,
      ...killed,
      seconds,
      problems: [...plan.problems, ...killed.problems],
    };
  } finally {
    await services.close();
  }
}

/** @param {import("./project.mjs").Project} project @param {string} outside */
async function runPlan(project, outside) {
  const { exitCode, output } = await startRun(project).ended;
  const problems = [];
  const status = JSON.parse(readOfRun(project, "status.json") || "{}");
  if (exitCode !== 0) problems.push(`the plan ended with exit code ${exitCode}:\n${output.slice(-2_000)}`);
  const files = exitCode === 0 ? filesOnBranch(project) : [];
  for (const name of exitCode === 0 ? ["task-1.txt", "task-2.txt"] : []) {
    if (!files.includes(name)) problems.push(`${name} is not on the branch`);
  }
  if (existsSync(outside)) problems.push("the developer wrote outside of its lane");
  const changed =
    files.includes("by-the-reviewer.txt") ||
    readOfRun(project, "execution.log.jsonl").includes("by-the-reviewer.txt");
  if (changed) problems.push("the reviewer changed its tree");
  const { inputTokens = 0, outputTokens = 0, costUsd = null, costBasis = "unknown" } = status.usage ?? {};
  const isKnown = costUsd !== null && costBasis !== "unknown";
  const cost = isKnown ? `$${costUsd.toFixed(4)} ${costBasis}` : "cost unknown";
  return {
    plan: `${status.completedTasks ?? 0} of 2 tasks, ${status.status}`,
    confined: existsSync(outside) ? "no" : changed ? "developer" : "both roles",
    usage: `${inputTokens} in, ${outputTokens} out, ${cost}`,
    problems,
  };
}

/** @param {import("./project.mjs").Project} project */
async function killRun(project) {
  if (process.platform !== "linux") return { killed: "tried on Linux alone", problems: [] };
  const run = startRun(project);
  const isAtWork = () => sleepers(project).length > 0;
  const atWork = await untilTrue(isAtWork, 40_000);
  run.kill();
  const { output } = await run.ended;
  if (!atWork) return { killed: "-", problems: [`it never came to work:\n${output.slice(-2_000)}`] };
  const isGone = await untilTrue(() => processesOf(project).length === 0, 20_000);
  const left = processesOf(project);
  for (const pid of left) process.kill(Number(pid), "SIGKILL");
  return {
    killed: isGone ? "nothing left" : `${left.length} left`,
    problems: isGone ? [] : ["processes outlived the program"],
  };
}

/** The tool of the agent that hangs. @param {import("./project.mjs").Project} project */
function sleepers(project) {
  return processesOf(project).filter((pid) => commandOf(pid).includes("tail -f /dev/null"));
}

/** @param {string} pid */
function commandOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

/** @param {() => boolean} isTrue @param {number} withinMs */
async function untilTrue(isTrue, withinMs) {
  for (const end = performance.now() + withinMs; performance.now() < end; await delay(100)) {
    if (isTrue()) return true;
  }
  return isTrue();
}

function findPlace() {
  const places = ["/var/tmp", homedir(), tmpdir()];
  return places.find((place) => existsSync(place)) ?? tmpdir();
}

/** @param {string} flag */
function flagOf(flag) {
  return process.argv.includes(flag) ? process.argv[process.argv.indexOf(flag) + 1] : undefined;
}
