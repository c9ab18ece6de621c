// The yardstick: what a script without any memory, checks or recovery does for the same commits. It starts the same
// processes in the same kind of trees (one to work in, one to check in) and issues the least git commands, which are
// flushed like those of the program.
//
//   node bench/bare-script.mjs <project.json>     the file holds a Project of project.mjs
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** @type {import("./project.mjs").Project} */
const project = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));
const work = join(project.folder, "bare", "work");
const check = join(project.folder, "bare", "check");
const branch = "refs/heads/bare";
const reports = join(project.folder, "bare", "reports");

mkdirSync(reports, { recursive: true });
let head = await git(project.checkout, ["rev-parse", "HEAD"]);
await git(project.checkout, ["update-ref", branch, head]);
for (const tree of [work, check]) {
  await git(project.checkout, ["worktree", "add", "--quiet", "--detach", tree, head]);
}
const workHead = join(await git(work, ["rev-parse", "--absolute-git-dir"]), "HEAD");
await gate();
for (const taskId of project.taskIds) {
  await agent(project.agents.developer, { cwd: work, taskId, stage: "develop" });
  await git(work, ["add", "--all"]);
  await git(work, ["commit", "--quiet", "--message", `Write the file of ${taskId}`]);
  const candidate = readFileSync(workHead, "utf8").trim();
  await git(check, ["checkout", "--quiet", "--detach", candidate]);
  await gate();
  await agent(project.agents.reviewer, { cwd: check, taskId, stage: "review" });
  await git(project.checkout, ["update-ref", branch, candidate, head]);
  head = candidate;
}
await agent(project.agents.lead, { cwd: check, taskId: "", stage: "holistic-review" });

/** @returns {Promise<string>} */
function gate() {
  return run("/bin/sh", ["-c", project.agents.gate], { cwd: check, env: process.env });
}

/**
 * @param {readonly string[]} command
 * @param {{ cwd: string, taskId: string, stage: string }} at
 */
async function agent([program = "", ...args], { cwd, taskId, stage }) {
  const report = join(reports, `${taskId}-${stage}.json`);
  const env = { ...process.env, EXECUTE_PRD_TASK_ID: taskId, EXECUTE_PRD_REPORT: report };
  await run(program, args, { cwd, env });
  JSON.parse(readFileSync(report, "utf8"));
}

/**
 * @param {string} cwd
 * @param {readonly string[]} args
 */
function git(cwd, args) {
  const settings = ["core.fsync=all", "gc.auto=0", "user.name=Bench", "user.email=bench@localhost.invalid"];
  const given = settings.flatMap((setting) => ["-c", setting]);
  return run("git", [...given, ...args], { cwd, env: process.env });
}

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv }} options
 * @returns {Promise<string>} stdout without its last line end
 */
function run(program, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      said += text;
    });
    child.on("error", reject);
    child.on("close", (exitCode) => {
      if (exitCode === 0) resolve(said.trimEnd());
      else reject(new Error(`${program} ${args.join(" ")} ended with ${exitCode}`));
    });
  });
}
