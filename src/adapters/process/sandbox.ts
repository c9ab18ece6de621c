// The sandbox around agents, `setup` and gates: which one this machine has, whether it works, and a command in it.
//
// Linux: bubblewrap. macOS: sandbox-exec, which has no pid namespace and no file system of its own. What is confined
// and what is not: docs/sandbox.md.

import { execFile } from "node:child_process";
import { failed, type Result, success } from "../../core/result.ts";
import { findOnPath, type Invocation } from "./command-line.ts";
import type { Confinement, Sandbox } from "./confinement.ts";
import type { Environment } from "./environment.ts";
import { statusFile, toBubblewrapArgs, toProbeArgs } from "./sandbox-bubblewrap.ts";
import { toMacProfile } from "./sandbox-macos.ts";
import { toProfile } from "./sandbox-profile.ts";

/** The tool that works here, or why there is none. Asked once for each program and setting of the network. */
export function findSandbox(at: {
  readonly environment: Environment;
  readonly network: boolean;
  readonly platform?: NodeJS.Platform;
}): Promise<Result<Pick<Sandbox, "kind" | "program">, string>> {
  const { environment, network, platform = process.platform } = at;
  const key = JSON.stringify([environment["PATH"], network, platform]);
  const known = found.get(key);
  if (known !== undefined) return known;
  const asked = probe(environment, { network, platform });
  found.set(key, asked);
  return asked;
}

const found = new Map<string, ReturnType<typeof findSandbox>>();

async function probe(
  environment: Environment,
  { network, platform }: { network: boolean; platform: NodeJS.Platform },
): ReturnType<typeof findSandbox> {
  if (platform === "linux") {
    const program = await findOnPath("bwrap", environment, "/");
    if (program === null) return failed("bubblewrap (bwrap) is not installed");
    const problem = await tryOut(program, toProbeArgs({ network }));
    return problem === null ? success({ kind: "bubblewrap", program }) : failed(`bwrap fails: ${problem}`);
  }
  if (platform === "darwin") {
    const program = "/usr/bin/sandbox-exec";
    const problem = await tryOut(program, ["-p", "(version 1)(allow default)", "/usr/bin/true"]);
    return problem === null
      ? success({ kind: "sandbox-exec", program })
      : failed(`sandbox-exec fails: ${problem}`);
  }
  return failed(`there is no sandbox for ${platform}`);
}

const probeMs = 10_000;

/** null: it works. */
function tryOut(program: string, args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, [...args], { timeout: probeMs, cwd: "/" }, (error, _stdout, stderr) => {
      const [line = ""] = stderr.trim().split("\n");
      resolve(error === null ? null : line.replace(/^bwrap: /, "") || error.message);
    });
  });
}

export interface Enclosed extends Invocation {
  /** Number of the file on which the tool says what became of the command; null: it does not. */
  readonly statusFile: number | null;
  /** Variables that must be other inside. */
  readonly given: Readonly<Record<string, string>>;
}

/** The same command in the sandbox. */
export function enclose(
  invocation: Invocation,
  at: {
    readonly confinement: Confinement;
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    /** Values of variables that may name paths which have to be seen. */
    readonly handed: readonly string[];
  },
): Enclosed {
  const { confinement, cwd, env, handed } = at;
  const command = [invocation.program, ...invocation.args];
  const profile = toProfile({ confinement, cwd, command, path: env["PATH"] ?? "", handed });
  const { kind, program } = confinement.sandbox;
  if (kind === "sandbox-exec") {
    const args = ["-p", toMacProfile(profile), ...command];
    return { program, args, shell: false, statusFile: null, given: {} };
  }
  const args = [...toBubblewrapArgs(profile), "--", ...command];
  return { program, args, shell: false, statusFile, given: { TMPDIR: "/tmp" } };
}
