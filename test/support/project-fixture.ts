// A project to run plans in: a real repository with a plan, a configuration and agents that are programs of their own.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type GitFixture, gitFixture } from "./git-fixture.ts";

const workerPath = fileURLToPath(new URL("./agents/worker.mjs", import.meta.url));

export interface AgentRule {
  readonly stage: string;
  readonly taskId?: string;
  readonly attempt?: number;
  readonly write?: Readonly<Record<string, string>>;
  readonly delete?: readonly string[];
  /** null: none is written. */
  readonly report?: object | null;
  readonly raw?: string;
  readonly exit?: number;
  readonly waitMs?: number;
  readonly hang?: boolean;
  /** File that a hanging agent writes its pid to. */
  readonly mark?: string;
}

export interface Project extends GitFixture {
  readonly slug: string;
  readonly runFolder: string;
  /** File to which the agent appends a line per dispatch. */
  readonly agentLog: string;
  setRules(rules: readonly AgentRule[]): void;
  setConfig(changes: object): void;
  setPrd(prd: object): void;
}

export function task(id: string, changes: object = {}): object {
  return {
    id,
    title: `Make ${id}`,
    description: `Make the file ${id}.txt`,
    acceptanceCriteria: [`${id}.txt exists`],
    ...changes,
  };
}

export function projectFixture(
  at: { prd?: object; config?: object; rules?: readonly AgentRule[] } = {},
): Project {
  const git = gitFixture({
    "README.md": "a project\n",
    ".gitignore": "dev/executions/*/\n",
    "check.mjs":
      'import { readdirSync } from "node:fs";\nif (readdirSync(".").includes("bad.txt")) { console.log("bad.txt must go"); process.exit(1); }\nconsole.log("3 passed, 0 failed");\n',
  });
  const slug = "plan-x";
  const planFile = `dev/work/plans/${slug}/prd.json`;
  const rulesFile = join(git.folder, "rules.json");
  const agentLog = join(git.folder, "agent.log");
  const project: Project = {
    ...git,
    slug,
    runFolder: join(git.checkout, "dev", "executions", slug),
    agentLog,
    setRules: (rules) => writeFileSync(rulesFile, JSON.stringify({ log: agentLog, rules })),
    setConfig: (changes) =>
      git.write({ "execute-prd.config.json": JSON.stringify(toConfig(changes), null, 2) }),
    setPrd: (prd) => git.write({ [planFile]: JSON.stringify(prd, null, 2) }),
  };
  process.env["TEST_AGENT"] = rulesFile;
  project.setRules(at.rules ?? []);
  project.setConfig(at.config ?? {});
  project.setPrd(
    at.prd ?? { name: slug, goal: "make files", userStories: [task("a"), task("b", { dependsOn: ["a"] })] },
  );
  git.commit({}, "plan");
  return project;
}

function toConfig(changes: object): object {
  const agent = { backend: "command", command: ["node", workerPath], env: ["TEST_AGENT"] };
  return {
    agents: { developer: agent, reviewer: agent, orchestrator: agent },
    gates: [{ name: "tests", command: "node check.mjs" }],
    sandbox: "off", // agents write their log beside the checkout
    ...changes,
  };
}
