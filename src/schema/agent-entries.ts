// The agents of a configuration: what each entry lacks, and the agents of a run.

import { taskIdProblem } from "../core/ids.ts";
import { limits } from "../core/limits.ts";
import type { AgentPolicy, Backend, Policy } from "../core/policy.ts";
import { type AgentEntry, availableBackends, type ConfigFile } from "./config-shape.ts";
import { didYouMean, type InputProblem, type ProblemList, toExcerpt } from "./problem.ts";
import { isRole } from "./role-file.ts";
import { valueAt } from "./value-at.ts";

/**
 * With `--agent` that agent is also the developer; a fallback to the one it replaces leads nowhere. A role's entry
 * without a backend is the developer's agent but for what it says.
 */
export function toAgents({ agents = {} }: ConfigFile, flag: string | undefined): Policy["agents"] {
  const made = new Map<string, AgentPolicy>();
  for (const [key, { backend, ...entry }] of Object.entries(agents)) {
    if (backend !== undefined) made.set(key, toAgent(backend, entry));
  }
  const chosen = flag === undefined ? undefined : made.get(flag);
  if (chosen !== undefined) {
    const fallback = chosen.fallback === "developer" ? null : chosen.fallback;
    const instructions = chosen.instructions || (agents["developer"]?.instructions ?? "");
    made.set("developer", { ...chosen, fallback, instructions });
  }
  const developer = made.get("developer");
  for (const [key, entry] of Object.entries(agents)) {
    if (made.has(key) || developer === undefined) continue;
    made.set(key, toAgent(developer.backend, { ...withoutText(developer), ...withoutUndefined(entry) }));
  }
  return Object.fromEntries(made);
}

function toAgent(backend: Backend, entry: Partial<Nullable<Omit<AgentEntry, "backend">>>): AgentPolicy {
  return {
    backend,
    command: takesCommand(backend) ? (entry.command ?? []) : [],
    script: backend === "scripted" ? (entry.script ?? null) : null,
    timeoutMs: entry.timeoutMs ?? limits.agentTimeoutMs,
    idleTimeoutMs: entry.idleTimeoutMs ?? (isTalkative(backend) ? limits.agentIdleMs : 0),
    env: entry.env ?? [],
    auth: entry.auth ?? null,
    fallback: entry.fallback ?? null,
    model: entry.model ?? "",
    effort: entry.effort ?? null,
    tools: entry.tools ?? null,
    instructions: entry.instructions ?? "",
    maxTurns: entry.maxTurns ?? 0,
  };
}

type Nullable<Source> = {
  readonly [Key in keyof Source]:
    | (Source[Key] extends readonly (infer Item)[] | undefined ? readonly Item[] : Source[Key])
    | null
    | undefined;
};

/** Another role's words are not this one's. */
function withoutText({ backend: _, instructions: __, ...agent }: AgentPolicy) {
  return agent;
}

function withoutUndefined<Source extends object>(source: Source): Partial<Source> {
  const entries = Object.entries(source).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<Source>; // the same keys, only fewer
}

/** Its protocol says what it is doing, so that silence means something. */
function isTalkative(backend: Backend): boolean {
  return backend !== "command" && backend !== "scripted";
}

function takesCommand(backend: Backend): boolean {
  return backend !== "scripted" && backend !== "anthropic";
}

/**
 * What an agent's shape cannot say: its name, what its backend needs, and the agent it falls back to. A developer
 * without backend is no trouble where it is only the text of a role file, and another agent is chosen by a flag.
 */
export function checkAgents(
  agents: unknown,
  isWritten: (name: string) => boolean,
  problems: ProblemList,
): void {
  if (typeof agents !== "object" || agents === null || Array.isArray(agents)) return;
  const names = Object.keys(agents);
  for (const name of names) {
    const at = ["agents", name];
    const nameProblem = taskIdProblem(name);
    if (nameProblem !== null) problems.add(at, () => ({ value: name, expected: `a name: ${nameProblem}` }));
    const isPlayed = isRole(name) && !(name === "developer" && isWritten(name));
    checkBackend({ at, isPlayed, agent: valueAt(agents, [name]), problems });
    const fallback = valueAt(agents, [name, "fallback"]);
    if (typeof fallback !== "string" || (fallback !== name && names.includes(fallback))) continue;
    const expected = "the key of another agent";
    const others = names.filter((other) => other !== name);
    const hint =
      didYouMean(fallback, others) || (others.length === 0 ? "" : `there are: ${others.join(", ")}`);
    problems.add([...at, "fallback"], () => ({ value: fallback, expected, hint }));
  }
}

function checkBackend(to: {
  at: readonly string[];
  /** By the developer's agent, where it has no backend. */
  isPlayed: boolean;
  agent: unknown;
  problems: ProblemList;
}): void {
  const { at, isPlayed, agent, problems } = to;
  if (typeof agent !== "object" || agent === null) return;
  const [backend, command, script] = ["backend", "command", "script"].map((key) => valueAt(agent, [key]));
  if (backend === undefined && !isPlayed) {
    const expected = `one of ${availableBackends.join(", ")}`;
    problems.add([...at, "backend"], () => ({ value: backend, expected }));
  }
  const program: unknown = Array.isArray(command) ? command[0] : command;
  const hasNoProgram = program === undefined || (typeof program === "string" && program.trim() === "");
  const needsProgram = backend === "command" || backend === "acp";
  if (needsProgram && hasNoProgram && (command === undefined || Array.isArray(command))) {
    const hint = 'for example ["node", "agent.mjs"]';
    const expected = "program and arguments, in a list";
    problems.add([...at, "command"], () => ({ value: command, expected, hint }));
  }
  if (backend === "scripted" && script === undefined) {
    problems.add([...at, "script"], () => ({ value: script, expected: "the path of a script" }));
  }
}

/** `flag`: the key given with `--agent`. */
export function checkDeveloper(
  { agents = {} }: ConfigFile,
  flag: string | undefined,
  file: string,
): readonly InputProblem[] {
  const names = Object.keys(agents).filter((name) => name === "developer" || agents[name] !== undefined);
  if (flag !== undefined) {
    if (agents[flag]?.backend !== undefined) return [];
    const known = names.length === 0 ? "no agents are configured" : `there are: ${names.join(", ")}`;
    const hint = didYouMean(flag, names) || known;
    const expected = "the key of a configured agent";
    return [{ file: "", path: "--agent", value: toExcerpt(flag), expected, hint }];
  }
  const developer = agents["developer"];
  if (developer?.backend !== undefined) return [];
  const path = developer === undefined ? "agents.developer" : "agents.developer.backend";
  const expected =
    developer === undefined ? "an agent that develops" : `one of ${availableBackends.join(", ")}`;
  const hint = `"execute-prd init" writes a configuration to start from; a role file may name the backend too`;
  return [{ file, path, value: "", expected, hint }];
}
