// A throw-away project to measure in: a repository of fifty small files, a plan of any number of tasks, and agents
// and a gate that do almost nothing, so that what is measured is what goes on around them.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/**
 * @typedef {object} Project
 * @property {string} folder everything of it lies in here
 * @property {string} checkout the repository
 * @property {string} slug
 * @property {readonly string[]} taskIds
 * @property {Agents} agents
 */

/**
 * @typedef {object} Agents
 * @property {readonly string[]} developer program and arguments
 * @property {readonly string[]} reviewer
 * @property {readonly string[]} lead
 * @property {string} gate a shell's command line
 */

const FILE_COUNT = 50;

// The developer writes one file, named after the task's number modulo the number of files: the repository keeps its
// size, and what grows with the number of tasks is only what the program itself keeps.
const PROGRAMS = {
  "developer.sh": [
    `number=$(( \${EXECUTE_PRD_TASK_ID#task-} % ${FILE_COUNT} ))`,
    `printf '%s\\n' "$EXECUTE_PRD_TASK_ID" > "src/$number.txt"`,
    `printf '{"summary":"wrote it"}\\n' > "$EXECUTE_PRD_REPORT"`,
  ],
  "reviewer.sh": [`printf '{"verdict":"approved","score":100,"findings":[]}\\n' > "$EXECUTE_PRD_REPORT"`],
  "lead.sh": [
    `printf '{"verdict":"pass","summary":"well","followUps":[],"learnings":[]}\\n' > "$EXECUTE_PRD_REPORT"`,
  ],
};

/** @type {(taskCount: number, sandbox?: "off" | "required") => Project} */
export function makeProject(taskCount, sandbox = "off") {
  const folder = mkdtempSync(join(tmpdir(), "bench-project-"));
  const checkout = join(folder, "project");
  const programs = join(folder, "programs");
  const taskIds = Array.from({ length: taskCount }, (_, index) => `task-${index + 1}`);
  /** @type {(name: keyof typeof PROGRAMS) => readonly string[]} */
  const program = (name) => ["sh", join(programs, name)];
  const agents = {
    developer: program("developer.sh"),
    reviewer: program("reviewer.sh"),
    lead: program("lead.sh"),
    gate: ":",
  };
  for (const [name, lines] of Object.entries(PROGRAMS)) {
    write(join(programs, name), `${lines.join("\n")}\n`);
  }
  for (let number = 0; number < FILE_COUNT; number += 1) {
    write(join(checkout, "src", `${number}.txt`), `file ${number}\n`);
  }
  write(join(checkout, ".gitignore"), "dev/executions/*/\n");
  write(join(checkout, "execute-prd.config.json"), toText({ ...toConfig(agents), sandbox }));
  write(join(checkout, "dev/work/plans/many/prd.json"), toText(toPrd(taskIds)));
  git(checkout, ["init", "--quiet", "--initial-branch=main"]);
  git(checkout, ["add", "--all"]);
  git(checkout, ["commit", "--quiet", "--message=start"]);
  return { folder, checkout, slug: "many", taskIds, agents };
}

/** @param {Project} project */
export function removeProject({ folder }) {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * @param {string} cwd
 * @param {readonly string[]} args
 * @returns {string} what git said, without its last line end
 */
export function git(cwd, args) {
  const person = ["-c", "user.name=Bench", "-c", "user.email=bench@localhost.invalid"];
  return execFileSync("git", [...person, ...args], { cwd, encoding: "utf8" }).trimEnd();
}

/** @param {Agents} agents */
function toConfig(agents) {
  const toAgent = (/** @type {readonly string[]} */ command) => ({ backend: "command", command });
  return {
    agents: {
      developer: toAgent(agents.developer),
      reviewer: toAgent(agents.reviewer),
      orchestrator: toAgent(agents.lead),
    },
    gates: [{ name: "nothing", command: agents.gate, report: "none" }],
    precheck: "off",
    recon: "off",
    preMortem: "off",
    memory: { enabled: false },
  };
}

/** @param {readonly string[]} taskIds */
function toPrd(taskIds) {
  return {
    name: "many",
    goal: "Write many files",
    userStories: taskIds.map((id) => ({
      id,
      title: `Write the file of ${id}`,
      description: `Write the name ${id} into its file`,
      acceptanceCriteria: [`the file of ${id} holds its name`],
    })),
  };
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
