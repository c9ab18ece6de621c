// A project for the built program: a real repository, a plan, a configuration, and agents that are programs.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { type GitFixture, gitFixture } from "../../support/git-fixture.ts";
import { type AgentRule, task } from "../../support/project-fixture.ts";
import { type Ended, execute, type Live, processesWith, type Start, start, until } from "./program.ts";

export const agentPath = fileURLToPath(new URL("./agent.mjs", import.meta.url));

export type Rule = AgentRule & { readonly code?: string };

export interface Project extends GitFixture {
  readonly slug: string;
  readonly branch: string;
  readonly planFile: string;
  readonly runFolder: string;
  readonly worktrees: string;
  run(args: readonly string[], at?: Partial<Start>): Promise<Ended>;
  start(args: readonly string[], at?: Partial<Start>): Live;
  setRules(rules: readonly Rule[]): void;
  setConfig(changes: object): void;
  config(): string;
  setPrd(prd: object | string): void;
  /** A file of the run folder as text; empty while it is not there. */
  read(name: string): string;
  status(): Json;
  prd(): Json;
  /** The task of the run's prd.json. */
  task(id: string): Json;
  events(): Event[];
  /** Waits for an event of the journal. */
  event(matches: (event: Event) => boolean, what: string): Promise<Event>;
  /** Subjects of the commits on the run's branch that are not in main, oldest first. */
  subjects(): string[];
  /** Whether `untilLetGo` or a gate on hang.txt has begun to wait. */
  isUp(): boolean;
  /** Ends the waiting of `untilLetGo` and of a gate on hang.txt. */
  letGo(): void;
  /** Processes of agents and gates of this project that are alive. */
  children(): number[];
}

export type Json = Readonly<Record<string, unknown>>;
export type Event = Json & { readonly kind: string };

export interface Wanted {
  readonly prd?: object | string;
  readonly config?: object;
  readonly rules?: readonly Rule[];
  readonly files?: Readonly<Record<string, string>>;
  /** Name of the checkout's folder. */
  readonly folder?: string;
}

const slug = "plan-x";
const planFile = `dev/work/plans/${slug}/prd.json`;

/** Red when there is a file bad.txt; where there is a file hang.txt, it hangs until `letGo` was called. */
const gate = `import { existsSync, readdirSync, writeFileSync } from "node:fs";
const files = readdirSync(".");
if (files.includes("hang.txt")) writeFileSync(process.env.TEST_AGENT + ".up", "");
while (files.includes("hang.txt") && !existsSync(process.env.TEST_AGENT + ".go")) {
  await new Promise((resolve) => setTimeout(resolve, 20));
}
if (files.includes("bad.txt")) {
  console.log("bad.txt must go");
  process.exit(1);
}
console.log("3 passed, 0 failed");
`;

/** Code of a rule: says that it is up, and waits until `letGo` was called. */
export const untilLetGo =
  'fs.writeFileSync(env.TEST_AGENT + ".up", ""); while (!fs.existsSync(env.TEST_AGENT + ".go")) await sleep(20);';

export function plain(...tasks: readonly object[]): object {
  return { name: slug, goal: "make files", userStories: tasks };
}

export const quick = { precheck: "off", recon: "off", preMortem: "off" };

export function project(wanted: Wanted = {}): Project {
  const made = gitFixture({
    "README.md": "a project\n",
    ".gitignore": "dev/executions/*/\n",
    "check.mjs": gate,
    ...wanted.files,
  });
  const git = wanted.folder === undefined ? made : renamed(made, wanted.folder);
  const rulesFile = join(git.folder, "rules.json");
  const env = { TEST_AGENT: rulesFile };
  const runFolder = join(git.checkout, "dev", "executions", slug);
  const read = (name: string): string => {
    const path = join(runFolder, name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  };
  const toStart = (at: Partial<Start> = {}): Start => ({
    cwd: at.cwd ?? git.checkout,
    env: { ...env, ...at.env },
    ...(at.through !== undefined && { through: at.through }),
  });
  const found: Project = {
    ...git,
    slug,
    branch: `feature/${slug}`,
    planFile,
    runFolder,
    worktrees: `${git.checkout}.worktrees`,
    run: (args, at) => execute(args, toStart(at)),
    start: (args, at) => start(args, toStart(at)),
    setRules: (rules) => writeFileSync(rulesFile, JSON.stringify({ rules })),
    setConfig: (changes) =>
      git.write({ "execute-prd.config.json": JSON.stringify(toConfig(changes), null, 2) }),
    config: () => readFileSync(join(git.checkout, "execute-prd.config.json"), "utf8"),
    setPrd: (prd) => git.write({ [planFile]: typeof prd === "string" ? prd : JSON.stringify(prd, null, 2) }),
    read,
    status: () => JSON.parse(read("status.json")) as Json, // a document of the program
    prd: () => JSON.parse(read("prd.json")) as Json, // a document of the program
    task: (id) => taskIn(found.prd(), id),
    events: () => eventsIn(read("execution.log.jsonl")),
    event: (matches, what) => until(what, () => found.events().find(matches)),
    subjects: () =>
      git
        .git(["log", "--format=%s", "--reverse", `main..feature/${slug}`])
        .split("\n")
        .filter((line) => line !== ""),
    isUp: () => existsSync(`${rulesFile}.up`),
    letGo: () => writeFileSync(`${rulesFile}.go`, ""),
    children: () => processesWith(`TEST_AGENT=${rulesFile}`).filter((pid) => !isProgram(pid)),
  };
  onTestFinished(() => {
    for (const pid of found.children()) process.kill(pid, "SIGKILL");
    rmSync(found.worktrees, { recursive: true, force: true });
  });
  found.setRules(wanted.rules ?? []);
  found.setConfig(wanted.config ?? quick);
  found.setPrd(wanted.prd ?? plain(task("a"), task("b", { dependsOn: ["a"] })));
  git.git(["add", "-A"]);
  git.git(["commit", "--quiet", "-m", "plan"]);
  return found;
}

function renamed(git: GitFixture, name: string): GitFixture {
  const checkout = join(git.folder, name);
  renameSync(git.checkout, checkout);
  return {
    ...git,
    checkout,
    commonDir: join(checkout, ".git"),
    git: (args, at = {}) => git.git(args, { cwd: checkout, ...at }),
    write: (files, folder = checkout) => git.write(files, folder),
    head: (ref = "HEAD") => git.git(["rev-parse", ref], { cwd: checkout }) as ReturnType<GitFixture["head"]>, // git prints a full sha
  };
}

function toConfig(changes: object): object {
  const agent = { backend: "command", command: ["node", agentPath], env: ["TEST_AGENT"] };
  return {
    agents: { developer: agent, reviewer: agent, orchestrator: agent },
    gates: [{ name: "tests", command: "node check.mjs", env: ["TEST_AGENT"] }],
    sandbox: "off", // agents and gates talk with the tests through files beside the checkout
    ...changes,
  };
}

function taskIn(prd: Json, id: string): Json {
  const tasks = prd["userStories"] as readonly Json[]; // the strict writer always has the list
  const found = tasks.find((each) => each["id"] === id);
  if (found === undefined) throw new Error(`the run's prd.json has no task "${id}"`);
  return found;
}

/** The events of whole lines; a last line that is being written is left out. */
function eventsIn(journal: string): Event[] {
  const lines = journal.slice(0, journal.lastIndexOf("\n") + 1).split("\n");
  return lines.flatMap((line) => {
    if (line === "") return [];
    const { event } = JSON.parse(line) as { event?: Event }; // the header has none
    return event === undefined ? [] : [event];
  });
}

function isProgram(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("dist/main.js");
  } catch {
    return true; // gone meanwhile
  }
}
