// `doctor --agents`: are the agents' programs here, which version, can they log in, and do they answer (`--live`)?
// Credentials and keys are only ever said to be there, never shown.

import { findCredentials, keysHanded, knownProgramOf, knownPrograms } from "../adapters/agents/logins.ts";
import { inspectCheckout } from "../adapters/git/inspect.ts";
import { findOnPath } from "../adapters/process/command-line.ts";
import { launch } from "../adapters/process/launch.ts";
import type { AgentPolicy, Policy } from "../core/policy.ts";
import { checkoutRefusal } from "./checkout-refusal.ts";
import type { Diagnosis } from "./doctor.ts";
import { type CommandCheck, ok, toChecks } from "./doctor-check.ts";
import { callAgent } from "./doctor-live.ts";
import { checkSandbox } from "./doctor-sandbox.ts";
import { findPolicy } from "./policy.ts";

export interface AgentDiagnosisOptions {
  readonly cwd?: string;
  /** Also asks each agent for one line; this costs what the agent takes for it. */
  readonly live?: boolean;
}

export async function diagnoseAgents(options: AgentDiagnosisOptions): Promise<Diagnosis> {
  const checkout = await inspectCheckout(options.cwd ?? process.cwd());
  if (!checkout.ok) return toDiagnosis(toChecks("git", checkoutRefusal(checkout.failure)));
  const { topLevel } = checkout.value;
  const found = await findPolicy(topLevel, {});
  const checks: CommandCheck[] = [];
  const versionOf = askVersions();
  if (found.ok) {
    const { policy } = found.value;
    // Side by side: services that cannot be reached take their time to say so.
    const each = Object.entries(policy.agents).map(async ([key, agent]) => {
      const here = await checkAgent({ key, agent, checkout: topLevel, versionOf });
      const isReady = here.every(({ state }) => state === "ok");
      if (options.live !== true || !isReady) return here;
      return [...here, await callAgent({ key, policy, checkout: topLevel })];
    });
    checks.push(...(await Promise.all(each)).flat());
  } else checks.push(...toChecks("configuration", found.failure));
  const policy: Pick<Policy, "sandbox" | "network"> = found.ok
    ? found.value.policy
    : { sandbox: "auto", network: true };
  return toDiagnosis([...checks, ...(await checkPrograms(versionOf)), await checkSandbox(policy)]);
}

function toDiagnosis(checks: readonly CommandCheck[]): Diagnosis {
  return { checks, isHealthy: checks.every(({ state }) => state === "ok") };
}

function problem(name: string, detail: string, fix: string): CommandCheck {
  return { name, state: "problem", detail, fix };
}

async function checkAgent(at: {
  key: string;
  agent: AgentPolicy;
  checkout: string;
  versionOf: VersionOf;
}): Promise<readonly CommandCheck[]> {
  const { key, agent, checkout, versionOf } = at;
  const name = `agent ${key}`;
  if (agent.backend === "scripted") return [ok(name, `scripted: ${agent.script ?? ""}`)];
  if (agent.backend === "anthropic") return [checkKey(name, agent)];
  const known = knownProgramOf(agent);
  const program = agent.command[0] ?? known?.program ?? "";
  const path = await findOnPath(program, process.env, checkout);
  if (path === null) {
    const fix = `install "${program}", or correct agents.${key}.command`;
    return [problem(name, `${agent.backend}: "${program}" is not on PATH`, fix)];
  }
  const version = agent.backend === "command" ? "" : `, version ${await versionOf(path)}`;
  const found = ok(name, `${agent.backend}: ${path}${version}`);
  return known === null ? [found] : [found, checkLogin(key, agent)];
}

function checkKey(name: string, agent: AgentPolicy): CommandCheck {
  const keys = ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"].filter(
    (variable) => (process.env[variable] ?? "") !== "",
  );
  return keys.length > 0
    ? ok(name, `${agent.backend}: ${keys.join(" and ")} set`)
    : problem(name, `${agent.backend}: no key`, "set ANTHROPIC_API_KEY");
}

function checkLogin(key: string, agent: AgentPolicy): CommandCheck {
  const name = `login of ${key}`;
  const known = knownProgramOf(agent);
  if (known === null) return ok(name, "none is needed");
  const keys = keysHanded(known, agent, process.env);
  const files = findCredentials(known, process.env).map(({ from }) => from);
  const fix = `log in with "${known.program}", or name one of ${known.keys.join(", ")} in agents.${key}.env and set it`;
  if (agent.auth !== "login" && keys.length > 0) return ok(name, `key in ${keys.join(", ")}`);
  if (agent.auth === "key") return problem(name, 'auth is "key", and no key is handed to it', fix);
  if (files.length > 0) return ok(name, `logged in (${files.join(", ")})`);
  if (process.platform === "darwin")
    return ok(name, `no credential file; a login in the keychain cannot be lent. Where it fails: ${fix}`);
  return problem(name, "neither a login nor a key", fix);
}

/** The programs that are known by name, whether an agent is played by them or not. */
async function checkPrograms(versionOf: VersionOf): Promise<readonly CommandCheck[]> {
  return Promise.all(
    knownPrograms.map(async (known): Promise<CommandCheck> => {
      const name = `program ${known.program}`;
      const path = await findOnPath(known.program, process.env, "/");
      if (path === null) return ok(name, "not installed");
      const version = await versionOf(path);
      const isLoggedIn = findCredentials(known, process.env).length > 0;
      const keys = known.keys.filter((variable) => (process.env[variable] ?? "") !== "");
      const login = isLoggedIn ? "logged in" : keys.length > 0 ? `${keys.join(", ")} set` : "not logged in";
      return ok(name, `${path}, version ${version}, ${login}`);
    }),
  );
}

const versionMs = 10_000;

type VersionOf = (path: string) => Promise<string>;

/** Each program is asked once, also where several agents are played by it. */
function askVersions(): VersionOf {
  const versions = new Map<string, Promise<string>>();
  return (path) => {
    const asked = versions.get(path) ?? askVersion(path, versions.size);
    versions.set(path, asked);
    return asked;
  };
}

/** First line of what it says. */
async function askVersion(path: string, number: number): Promise<string> {
  let said = "";
  const onLine = (line: string, stream: string) => {
    if (stream === "stdout" && said === "") said = line.trim();
  };
  // The launcher ends all that the program started, also where it does not listen.
  const ended = await launch(
    {
      run: [path, "--version"],
      cwd: process.cwd(),
      dispatch: `doctor-${process.pid}/version-${number}`,
      timeoutMs: versionMs,
      onLine,
    },
    new AbortController().signal,
  );
  if (ended.kind === "ended" && ended.timedOut !== null)
    return `unknown: no answer to --version in ${versionMs / 1_000} s`;
  const isAnswer = ended.kind === "ended" && ended.exitCode === 0 && said !== "";
  return isAnswer ? said.slice(0, 100) : "unknown: it does not answer --version";
}
