// The effective policy of a start: configuration file, flags and what the project's own files tell.

import { readFileSync, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { detectGates } from "../adapters/gates/detect.ts";
import type { AgentPolicy, GatePolicy, Policy } from "../core/policy.ts";
import { failed, type Result, success } from "../core/result.ts";
import { configFileName, type PolicyFlags, readConfig, toPolicy } from "../schema/config.ts";
import type { ConfigFile } from "../schema/config-shape.ts";
import { overruled } from "../schema/role-agents.ts";
import { codeOf } from "./locate.ts";
import { problem, type Refusal, refuse } from "./refusal.ts";
import { findRoles } from "./roles.ts";

export interface PolicyFound {
  readonly policy: Policy;
  readonly told: readonly string[];
  /** Whether the builder named the gates, also with an empty list. */
  readonly hasNamedGates: boolean;
}

interface Loaded {
  readonly config: ConfigFile;
  readonly told: readonly string[];
}

/** With what the role files say; null: there is no configuration file. */
async function loadConfig(checkout: string): Promise<Result<Loaded | null, Refusal>> {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(join(checkout, configFileName));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return success(null);
    return failed(
      refuse([problem({ file: configFileName, expected: "a readable file", hint: codeOf(error) })]),
    );
  }
  const roles = await findRoles(checkout);
  if (!roles.ok) return roles;
  const read = readConfig({ text: bytes, file: configFileName }, roles.value);
  if (!read.ok) return failed(refuse(read.failure));
  const told = overruled(read.value, roles.value).map(
    (file) => `the settings of ${file} are left out: ${configFileName} names another backend`,
  );
  return success({ config: read.value, told });
}

/** The policy of a new run. */
export async function findPolicy(
  checkout: string,
  flags: PolicyFlags,
): Promise<Result<PolicyFound, Refusal>> {
  const loaded = await loadConfig(checkout);
  if (!loaded.ok) return loaded;
  if (loaded.value === null) return failed(refuse([noConfiguration()]));
  const { config, told } = loaded.value;
  const detected = await detectGates(checkout);
  return merge(checkout, {
    config,
    flags,
    gates: detected.gates,
    setup: detected.setup,
    told: [...told, ...(config.gates === undefined ? detected.told : [])],
  });
}

/**
 * The policy of a resumed run: the configuration as it is now where there is one, else the recorded policy; gates
 * and setup that were detected stay as they were recorded. `flags` are the recorded ones with those given now.
 */
export async function findResumedPolicy(
  checkout: string,
  recorded: Policy,
  flags: PolicyFlags,
): Promise<Result<PolicyFound, Refusal>> {
  const loaded = await loadConfig(checkout);
  if (!loaded.ok) return loaded;
  if (loaded.value !== null) {
    const { config, told } = loaded.value;
    return merge(checkout, { config, flags, gates: recorded.gates, setup: recorded.setup, told });
  }
  const policy: Policy = {
    ...recorded,
    only: flags.only ?? null,
    yes: flags.yes ?? false,
    concurrency: flags.concurrency ?? recorded.concurrency,
    maxAttempts: flags.maxAttempts ?? recorded.maxAttempts,
    budget: { ...recorded.budget, usd: flags.budgetUsd ?? recorded.budget.usd },
  };
  return success({
    policy,
    told: [`${configFileName} is gone; the recorded policy holds`],
    hasNamedGates: true,
  });
}

interface Parts {
  readonly config: ConfigFile;
  readonly flags: PolicyFlags;
  readonly gates: readonly GatePolicy[];
  readonly setup: string;
  readonly told: readonly string[];
}

function merge(checkout: string, parts: Parts): Result<PolicyFound, Refusal> {
  const { config, flags } = parts;
  const merged = toPolicy({ config, flags, detectedGates: parts.gates, detectedSetup: parts.setup });
  if (!merged.ok) return failed(refuse(merged.failure));
  const { agents } = merged.value;
  const policy = {
    ...merged.value,
    agents: Object.fromEntries(Object.entries(agents).map(([key, agent]) => [key, anchor(checkout, agent)])),
  };
  return success({ policy, told: parts.told, hasNamedGates: config.gates !== undefined });
}

function noConfiguration() {
  return problem({
    file: configFileName,
    expected: 'a configuration that names at least the agent "developer"',
    hint: 'run "execute-prd init" and fill in agents.developer',
  });
}

/**
 * Programs of agents that lie in the checkout are run from there: a lane holds what a developer may have written,
 * so a relative path in it would let the developer replace the reviewer.
 */
function anchor(checkout: string, agent: AgentPolicy): AgentPolicy {
  const command = agent.command.map((part, index) =>
    isOwnFile(checkout, part, index) ? resolve(checkout, part) : part,
  );
  const script =
    agent.script === null || isAbsolute(agent.script) ? agent.script : resolve(checkout, agent.script);
  return { ...agent, command, script };
}

function isOwnFile(checkout: string, part: string, index: number): boolean {
  const isPathLike = /^\.{1,2}[/\\]/.test(part) || /\.(m?js|cjs|m?ts|py|sh|rb|pl)$/.test(part);
  const isProgramName = index === 0 && !/[/\\]/.test(part);
  if (!isPathLike || isProgramName || isAbsolute(part) || part.startsWith("-")) return false;
  return statSync(resolve(checkout, part), { throwIfNoEntry: false })?.isFile() === true;
}
