// What the runner of agent programs knows of one of them: how to ask it, and how to read what it says.

import type { JsonObject } from "../../core/json.ts";
import type { AgentRequest } from "../../ports.ts";
import type { Environment } from "../process/environment.ts";
import type { AgentEvent } from "./agent-event.ts";

/** One question to a program: the first one of a dispatch, or one more in the same session. */
export interface CliTurn {
  readonly request: AgentRequest;
  /** Absolute path of the dispatch's own folder, for files that the program is told of. */
  readonly folder: string;
  readonly prompt: string;
  /** The session to go on with; null: a new one. */
  readonly session: string | null;
  readonly auth: "login" | "key";
  /** The builder's environment. */
  readonly environment: Environment;
  /** Absolute path of the folder that is the program's home in this run; null: its usual place. */
  readonly home: string | null;
  readonly network: boolean;
  /** Whether the whole program runs in the sandbox of the run. */
  readonly isConfined: boolean;
}

export interface CliCommand {
  /** Arguments after the program. */
  readonly args: readonly string[];
  /** Text for stdin. */
  readonly input: string;
  /** Names of the builder's variables that it gets. */
  readonly names: readonly string[];
  readonly given: Readonly<Record<string, string>>;
  /** Written before it starts; absolute paths. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

/** What a line is read with. */
export interface CliContext {
  /** Key of the agent, for failures. */
  readonly agent: string;
  /** The agent's message so far: whole messages, or the pieces of one that is under way. */
  readonly text: string;
}

export interface CliRead {
  readonly events: readonly AgentEvent[];
  readonly text: string;
}

export interface CliProgram {
  /** Its usual name on PATH. */
  readonly program: string;
  /** It has a sandbox for its commands, which cannot be made inside of another one. */
  readonly hasOwnSandbox?: boolean;
  /** Pure. */
  build(turn: CliTurn): CliCommand;
  /** Pure; of a line of stdout. Unknown kinds of lines are no events. */
  read(line: JsonObject, context: CliContext): CliRead;
  /** Pure; of a line of stderr. */
  readLog?(line: string): AgentEvent | null;
  /** Pure; of the exit code of a program that said nothing better. */
  readExit?(exitCode: number, context: { agent: string; tail: string }): AgentEvent | null;
  /** What the program wrote down elsewhere, once it has ended. Never fails. */
  readLeft?(at: { turn: CliTurn; session: string; agent: string }): Promise<readonly AgentEvent[]>;
}

/** Whether a role may change files. */
export function mayWrite({ role }: AgentRequest): boolean {
  return role === "developer";
}
