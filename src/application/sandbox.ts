// Which sandbox a session has, by its policy and by what works on this machine.

import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Sandbox } from "../adapters/process/confinement.ts";
import { findSandbox } from "../adapters/process/sandbox.ts";
import { toConfinementNote } from "../core/confinement.ts";
import type { Policy } from "../core/policy.ts";

export interface SandboxChoice {
  /** null: none. */
  readonly tool: Pick<Sandbox, "kind" | "program"> | null;
  /** Whether processes may use it; without a sandbox nobody can keep them from it. */
  readonly network: boolean;
  /** Why there is none; null: there is one. */
  readonly why: string | null;
  /** Whether there is none because nobody wants one. */
  readonly isOff: boolean;
}

/** For what starts no process. */
export const noSandbox: SandboxChoice = {
  tool: null,
  network: true,
  why: "nothing is started",
  isOff: true,
};

export async function chooseSandbox(policy: Pick<Policy, "sandbox" | "network">): Promise<SandboxChoice> {
  const { network, sandbox } = policy;
  if (sandbox === "off") {
    return { tool: null, network, why: 'the configuration says "sandbox": "off"', isOff: true };
  }
  const found = await findSandbox({ environment: process.env, network });
  return found.ok
    ? { tool: found.value, network, why: null, isOff: false }
    : { tool: null, network, why: found.failure, isOff: false };
}

export const sandboxFix =
  process.platform === "linux"
    ? 'install the package "bubblewrap", and let users make namespaces'
    : "use Linux with bubblewrap, or macOS";

/** The session's line about it. */
export function tellSandbox({ tool, network, why, isOff }: SandboxChoice): string {
  const kind = `${tool?.kind ?? ""}${network ? "" : ", without network"}`;
  if (why === null) return toConfinementNote({ kind, why });
  const fix = isOff ? "" : `; ${sandboxFix}`;
  const unmet = network ? "" : '; nothing keeps them from the network, although "network" is false';
  return toConfinementNote({ kind, why: `${why}${fix}${unmet}` });
}

export interface SandboxPlace {
  readonly slug: string;
  readonly runId: string;
  readonly runFolder: string;
  readonly checkout: string;
  readonly gitCommonDir: string;
  readonly worktreeRoot: string;
}

export function toSandbox({ tool, network }: SandboxChoice, place: SandboxPlace): Sandbox | null {
  if (tool === null) return null;
  const homes = homesOf(place);
  return {
    ...tool,
    network,
    home: homedir(),
    gitCommonDir: realOrSame(place.gitCommonDir),
    visible: [place.checkout, place.runFolder, join(homes, "..")],
    hidden: [homes],
  };
}

/** Folder with the homes of the run's agents and gates. */
export function homesOf({ slug, runId, worktreeRoot }: SandboxPlace): string {
  return join(realOrSame(worktreeRoot), `${slug}-${runId}`, "home");
}

function realOrSame(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // it does not exist yet
  }
}
