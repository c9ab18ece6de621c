// What the agent programs really said, recorded from them, and read as the runner reads it.

import { readFileSync } from "node:fs";
import type { AgentEvent } from "../../../src/adapters/agents/agent-event.ts";
import type { CliProgram, CliTurn } from "../../../src/adapters/agents/cli-program.ts";
import { readJsonLines } from "../../../src/adapters/agents/json-lines.ts";
import type { EventsEnd } from "../../../src/adapters/agents/judge-events.ts";
import type { Ended } from "../../../src/adapters/process/launch.ts";
import type { AgentPolicy } from "../../../src/core/policy.ts";
import type { AgentRequest } from "../../../src/ports.ts";
import { commandPolicy, toRequest } from "./requests.ts";

const place = { root: "/place", lane: "/lane", runFolder: "/run", evidence: "/run/attempts/task-1/1" };

export function fixtureText(name: string): string {
  return readFileSync(new URL(`fixtures/${name}.jsonl`, import.meta.url), "utf8");
}

export function eventsOf(program: CliProgram, name: string, exitCode = 0): readonly AgentEvent[] {
  const events: AgentEvent[] = [];
  let text = "";
  const lines = readJsonLines(1_000_000, (line) => {
    const read = program.read(line, { agent: "developer", text });
    text = read.text;
    events.push(...read.events);
  });
  lines.take(Buffer.from(fixtureText(name)));
  lines.end();
  const exit =
    exitCode === 0 ? null : (program.readExit?.(exitCode, { agent: "developer", tail: "" }) ?? null);
  return exit === null ? events : [...events, exit];
}

export function requestWith(agent: Partial<AgentPolicy>, change: Partial<AgentRequest> = {}): AgentRequest {
  return toRequest(place, { ...change, agent: { ...commandPolicy, ...agent } });
}

export function turnWith(request: AgentRequest, change: Partial<CliTurn> = {}): CliTurn {
  return {
    request,
    folder: "/drop",
    prompt: "Do the task.\n",
    session: null,
    auth: "key",
    environment: {},
    home: null,
    network: true,
    isConfined: false,
    ...change,
  };
}

export function endWith(change: Partial<Extract<Ended, { kind: "ended" }>> = {}): EventsEnd {
  const ended: Ended = {
    kind: "ended",
    exitCode: 0,
    signal: null,
    timedOut: null,
    interrupted: false,
    durationMs: 1,
    tail: "",
    outputBytes: 0,
    droppedBytes: 0,
    outputSha256: "",
    ...change,
  };
  return { ended, stop: null, command: "program", found: { kind: "missing" } };
}

/** The value after a flag. */
export function flagValue(args: readonly string[], flag: string): string | undefined {
  const at = args.indexOf(flag);
  return at < 0 ? undefined : args[at + 1];
}

/** All values after a flag until the next one. */
export function flagValues(args: readonly string[], flag: string): readonly string[] {
  const rest = args.slice(args.indexOf(flag) + 1);
  const end = rest.findIndex((each) => each.startsWith("--"));
  return args.includes(flag) ? rest.slice(0, end < 0 ? undefined : end) : [];
}
