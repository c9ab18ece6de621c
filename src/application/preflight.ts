// Everything that can be known to be wrong before a run begins, looked at without changing anything; each problem
// with the way out of it.

import { existsSync, mkdtempSync, realpathSync, rmdirSync, statfsSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { knownProgramOf } from "../adapters/agents/logins.ts";
import { decodeScript } from "../adapters/agents/scripted-file.ts";
import { isOnPath, programOf } from "../adapters/process/command-line.ts";
import { readRegularFile } from "../adapters/storage.ts";
import { limits } from "../core/limits.ts";
import { type AgentPolicy, agentKeyFor, agentOf, type Policy } from "../core/policy.ts";
import type { Prd } from "../core/prd.ts";
import { configFileName } from "../schema/config.ts";
import { didYouMean, type InputProblem } from "../schema/problem.ts";
import { codeOf, isInside } from "./locate.ts";
import { findSecretPlaces } from "./redaction.ts";
import { problem, type Refusal, refuse } from "./refusal.ts";
import { chooseSandbox, sandboxFix } from "./sandbox.ts";

export interface PreflightAt {
  readonly checkout: string;
  readonly mainWorktree: string;
  readonly worktreeRoot: string;
  readonly policy: Policy;
  readonly hasNamedGates: boolean;
  readonly prd: Prd;
  /** The prd.json as it is shown to people. */
  readonly planFile: string;
}

/** Problems of agents, gates, selection and places; branches are looked at by branch.ts. */
export async function findProblems(at: PreflightAt): Promise<readonly InputProblem[]> {
  return [
    ...(await checkAgents(at)),
    ...(await checkGates(at)),
    ...findUnknownNames(at),
    ...checkSecrets(at),
    ...checkTasks(at),
    ...checkWorktreeRoot(at),
    ...checkDisk(at),
    ...(await checkSandbox(at)),
  ];
}

/** A full disk is no mistake of the builder's: as in the middle of a run it is exit 3, and the same command goes on. */
export function refuseFor(problems: readonly InputProblem[]): Refusal {
  return refuse(problems, problems.every(({ path }) => path === diskPath) ? 3 : 2);
}

/** Absolute folder for the working trees: configured, or `<repo>.worktrees` beside the main worktree. */
export function worktreeRootOf(mainWorktree: string, policy: Pick<Policy, "worktreeRoot">): string {
  if (policy.worktreeRoot === "") return join(dirname(mainWorktree), `${basename(mainWorktree)}.worktrees`);
  return isAbsolute(policy.worktreeRoot) ? policy.worktreeRoot : resolve(mainWorktree, policy.worktreeRoot);
}

async function checkAgents({ policy, prd, checkout }: PreflightAt): Promise<readonly InputProblem[]> {
  const problems: InputProblem[] = [];
  const told = new Set<string>();
  for (const key of neededAgents(policy, prd)) {
    const agent = agentOf(policy, key);
    const path = `agents.${key}`;
    if (agent === undefined) {
      if (prd.tasks.some((task) => task.agent === key)) continue; // said where the plan names it
      problems.push(unknownAgent(policy, { file: configFileName, path, value: key }));
    } else {
      const trouble =
        agent.backend === "scripted" ? scriptTrouble(agent) : await commandTrouble(agent, checkout);
      // The developer's agent plays the roles that have none: its trouble is told once.
      if (trouble === null || told.has(trouble.value)) continue;
      told.add(trouble.value);
      problems.push(problem({ file: configFileName, path, ...trouble }));
    }
  }
  return problems;
}

/** Agents and gates that the plan names and the configuration does not have. */
export function findUnknownNames(at: Pick<PreflightAt, "policy" | "prd" | "planFile">): InputProblem[] {
  const { policy, prd, planFile: file } = at;
  const names = policy.gates.map(({ name }) => name);
  return prd.tasks.flatMap(({ agent, gates }, index) => {
    const task = `userStories[${index}]`;
    const isKnown = agent === null || agentOf(policy, agent) !== undefined;
    const unknown = (gates ?? []).filter((name) => !names.includes(name));
    return [
      ...(isKnown ? [] : [unknownAgent(policy, { file, path: `${task}.agent`, value: agent })]),
      ...unknown.map((value) => {
        const hint = didYouMean(value, names) || `gates: ${names.join(", ") || "none"}`;
        return problem({ file, path: `${task}.gates`, value, expected: "the name of a gate", hint });
      }),
    ];
  });
}

function unknownAgent(policy: Policy, at: { file: string; path: string; value: string }): InputProblem {
  const hint =
    didYouMean(at.value, Object.keys(policy.agents)) || `add agents.${at.value} to ${configFileName}`;
  return problem({ ...at, expected: "a configured agent", hint });
}

function neededAgents(policy: Policy, prd: Prd): ReadonlySet<string> {
  // Without a plan every agent may be needed.
  const asked =
    prd.tasks.length > 0 ? prd.tasks.map(({ agent }) => agent) : [null, ...Object.keys(policy.agents)];
  const keys = new Set(asked.map((agent) => agentKeyFor(policy, "developer", agent)));
  if (policy.review.enabled) keys.add(agentKeyFor(policy, "reviewer", null));
  keys.add(agentKeyFor(policy, "orchestrator", null));
  for (const key of [...keys]) {
    const fallback = agentOf(policy, key)?.fallback ?? null;
    if (fallback !== null) keys.add(fallback);
  }
  return keys;
}

type Trouble = { value: string; expected: string; hint: string } | null;

function scriptTrouble(agent: AgentPolicy): Trouble {
  const file = agent.script ?? "";
  const expected = "a readable file of steps";
  try {
    const decoded = decodeScript(readRegularFile(file), file);
    return decoded.ok ? null : { value: file, expected, hint: decoded.failure.join("; ") };
  } catch (error) {
    return { value: file, expected, hint: codeOf(error) };
  }
}

async function commandTrouble(agent: AgentPolicy, checkout: string): Promise<Trouble> {
  if (agent.backend === "anthropic") return null; // part of this program
  const [program = knownProgramOf(agent)?.program ?? "", script = ""] = agent.command;
  if (!(await isOnPath(program, process.env, checkout))) {
    const hint = "install the program, or correct the command";
    return { value: program, expected: "a program on PATH or an executable file", hint };
  }
  if (!interpreters.test(program) || !scriptName.test(script) || existsSync(resolve(checkout, script))) {
    return null;
  }
  const hint = "correct the path; it is read from the top level of the repository";
  return { value: script, expected: `a script for "${program}" that is there`, hint };
}

const interpreters = /(?:^|[/\\])(?:node|python3?|ruby|perl|bash|sh|bun)(?:\.exe)?$/;
const scriptName = /^[^-].*\.(?:m?js|cjs|m?ts|py|rb|pl|sh)$/;

async function checkGates({
  policy,
  hasNamedGates,
  checkout,
}: PreflightAt): Promise<readonly InputProblem[]> {
  if (policy.gates.length === 0 && !hasNamedGates) {
    const hint = `name them in ${configFileName}: "gates": [{ "name": "tests", "command": "npm test" }]; an empty list runs without gates`;
    return [problem({ file: configFileName, path: "gates", expected: "at least one gate", hint })];
  }
  const problems: InputProblem[] = [];
  for (const [index, gate] of policy.gates.entries()) {
    const program = programOf(gate.command);
    if (program === null || (await isOnPath(program, process.env, checkout)) || /[/\\]/.test(program))
      continue;
    const at = { file: configFileName, path: `gates[${index}].command`, value: gate.command };
    const hint = `"${program}" is not on PATH; install it, or correct the command`;
    problems.push(problem({ ...at, expected: "a command that can start", hint }));
  }
  return problems;
}

/** It would be recorded, and a command line can be read by every program of the machine. */
function checkSecrets({ policy }: PreflightAt): readonly InputProblem[] {
  const hint = 'name the variable in "env" of the agent or gate, and let its program read it there';
  return findSecretPlaces(policy).map(({ path, text }) =>
    problem({ file: configFileName, path, value: text, expected: "a setting without a secret in it", hint }),
  );
}

function checkTasks({ policy, prd }: PreflightAt): readonly InputProblem[] {
  const ids = prd.tasks.map(({ id }) => String(id));
  return (policy.only ?? [])
    .filter((id) => !ids.includes(id) && !id.startsWith("follow-up-"))
    .map((id) =>
      problem({
        path: "--only",
        value: id,
        expected: "the id of a task",
        hint: didYouMean(id, ids) || `tasks: ${ids.slice(0, 10).join(", ")}${ids.length > 10 ? ", …" : ""}`,
      }),
    );
}

function checkWorktreeRoot({ worktreeRoot, checkout, mainWorktree }: PreflightAt): readonly InputProblem[] {
  const at = { file: configFileName, path: "worktreeRoot", value: worktreeRoot };
  const hint = "set worktreeRoot to a folder outside of the checkout that can be written";
  const existing = nearestExisting(worktreeRoot);
  const real = join(realpathSync(existing), relative(existing, worktreeRoot));
  for (const folder of [checkout, mainWorktree]) {
    if (real === folder || isInside(folder, real))
      return [problem({ ...at, expected: `a folder outside of "${folder}"`, hint })];
  }
  if (!statSync(existing).isDirectory())
    return [problem({ ...at, expected: "a folder, but it is a file", hint })];
  try {
    rmdirSync(mkdtempSync(join(existing, ".execute-prd-"))); // permissions do not say it all: of root, of /proc
    return [];
  } catch (error) {
    if (/^(?:ENOSPC|EDQUOT)$/.test(codeOf(error))) return []; // told by what looks at the disk
    return [problem({ ...at, expected: `a writable folder ("${existing}": ${codeOf(error)})`, hint })];
  }
}

async function checkSandbox({ policy }: PreflightAt): Promise<readonly InputProblem[]> {
  if (policy.sandbox !== "required") return [];
  const { tool, why } = await chooseSandbox(policy);
  if (tool !== null) return [];
  const at = { file: configFileName, path: "sandbox", value: "required" };
  const hint = `${sandboxFix}; or set "sandbox" to "auto" to run without`;
  return [problem({ ...at, expected: `a sandbox that works here: ${why}`, hint })];
}

function nearestExisting(path: string): string {
  let at = path;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  return at;
}

const diskPath = "disk";

function checkDisk({ checkout, worktreeRoot }: PreflightAt): readonly InputProblem[] {
  const problems: InputProblem[] = [];
  for (const folder of [checkout, nearestExisting(worktreeRoot)]) {
    const { blocks, bavail, bsize } = statfsSync(folder);
    const freeBytes = bavail * bsize;
    if (blocks === 0) continue; // a file system that does not tell its size
    if (freeBytes >= limits.minFreeDiskBytes) continue;
    const expected = `at least ${limits.minFreeDiskBytes / 1024 / 1024} MiB free, there are ${Math.floor(freeBytes / 1024 / 1024)}`;
    problems.push(problem({ file: folder, path: diskPath, expected, hint: "make room and start again" }));
  }
  return problems;
}
