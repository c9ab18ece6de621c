// The files that `init` writes, as data: what is asked goes in, paths and texts come out. Nothing is read or written.

import { configFileName } from "../schema/config.ts";
import buildCommand from "./init-files/build-command.md";
import developerRole from "./init-files/developer.md";
import executionsReadme from "./init-files/executions-readme.md";
import gitignoreLines from "./init-files/gitignore-lines.txt";
import orchestratorRole from "./init-files/orchestrator.md";
import reviewerRole from "./init-files/reviewer.md";
import skill from "./init-files/skill.md";

export interface InitAnswers {
  /** Program and arguments of the agent that plays every role; null when none is known. */
  readonly agents: readonly string[] | null;
  /** Empty: the configuration names none, and they are detected at each start. */
  readonly gates: readonly { readonly name: string; readonly command: string }[];
  /** Empty: the configuration names none, and it is detected at each start. */
  readonly setup: string;
}

export interface InitFile {
  /** Below the repository's top level, forward slashes. */
  readonly path: string;
  readonly text: string;
  /** `append-lines`: the lines of `text` that the file does not have yet are put at its end. */
  readonly mode: "create" | "append-lines";
}

export const roleFolder = ".execute-prd/agents";

const placeholderCommand = ["node", "path/to/your-agent.mjs"];

export function initFiles(answers: InitAnswers): readonly InitFile[] {
  return [
    create(configFileName, toConfigText(answers)),
    create(`${roleFolder}/developer.md`, developerRole),
    create(`${roleFolder}/reviewer.md`, reviewerRole),
    create(`${roleFolder}/orchestrator.md`, orchestratorRole),
    create(".claude/commands/build.md", buildCommand),
    create(".claude/skills/execute-prd/SKILL.md", skill),
    create("dev/executions/README.md", executionsReadme),
    create("dev/executions/.gitkeep", ""),
    { path: ".gitignore", text: gitignoreLines, mode: "append-lines" },
  ];
}

/** What the builder has to do after `init`, a sentence each. null: the configuration was there already. */
export function initAdvice(answers: InitAnswers | null): readonly string[] {
  const advice: string[] = [];
  if (answers?.agents === null) {
    advice.push(
      `No agent is named yet. One that is known needs its backend alone in ${configFileName}: "developer": { "backend": "claude-code" }, or codex, gemini, opencode, anthropic (docs/agents.md of execute-prd). A program of your own goes into agents.developer.command, in place of "${placeholderCommand.join(" ")}" (docs/writing-an-agent.md).`,
    );
  }
  if (answers?.gates.length === 0) {
    advice.push(
      `No gates were found. Without a gate only the reviewer stands between a mistake and the branch: add your checks as gates to ${configFileName}.`,
    );
  }
  advice.push('Run "execute-prd doctor" to see whether everything is in place.');
  return advice;
}

function create(path: string, text: string): InitFile {
  return { path, text, mode: "create" };
}

/** Roles without an agent of their own are played by the developer's, so a placeholder stands only once. */
function toConfigText({ agents, gates, setup }: InitAnswers): string {
  const toAgent = (command: readonly string[]) => ({ backend: "command", command });
  const entries =
    agents === null
      ? { developer: toAgent(placeholderCommand) }
      : { developer: toAgent(agents), reviewer: toAgent(agents), orchestrator: toAgent(agents) };
  const config = {
    $schema: "./node_modules/execute-prd/schemas/config.schema.json",
    agents: entries,
    ...(setup !== "" && { setup }),
    ...(gates.length > 0 && { gates: gates.map(({ name, command }) => ({ name, command })) }),
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
