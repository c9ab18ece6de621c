// Runs one git command, so that nothing an agent or the builder's shell left behind changes what it means:
// recorded git directory and work tree, private index, no GIT_* of the outside, no hooks, no replace objects, no
// file system monitor, fixed locale, no prompts, bounded time, everything flushed.
//
// A git child runs in its own process group and is not ended with the program: a killed git leaves lock files
// behind. Exit codes are matched exactly; a code that was not expected is a failure, never an answer.

import { type ChildProcess, spawn } from "node:child_process";
import type { Failure } from "../../core/failure.ts";
import { limits } from "../../core/limits.ts";
import type { Result } from "../../core/result.ts";
import { failed, success } from "../../core/result.ts";
import { serviceKeys } from "../process/environment.ts";
import { findStorageTrouble } from "./storage-trouble.ts";

export interface GitCall {
  /** Recorded git directory; null: the one git finds from `cwd` (only before a run, for preflight). */
  readonly gitDir: string | null;
  readonly workTree?: string;
  /** Default: the work tree, else the git directory. */
  readonly cwd?: string;
  readonly indexFile?: string;
  /** A folder beside these in which the command writes: looked at when it fails. */
  readonly writesIn?: string;
  readonly args: readonly string[];
  readonly input?: string | Uint8Array;
  /** Set over the scrubbed environment: dates and the like. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the failure says was being done: "storing the candidate". */
  readonly doing: string;
  /** Exit codes that are answers; default: only 0. */
  readonly okCodes?: readonly number[];
  readonly timeoutMs?: number;
  /** Gets the output piece by piece instead of having it collected. */
  readonly onOutput?: (chunk: Buffer) => void;
  /** Settings beside the fixed ones, as `name=value`. */
  readonly config?: readonly string[];
}

export interface GitAnswer {
  readonly exitCode: number;
  /** Empty with `onOutput`. */
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Says in a child's environment that it is a git of a program with this id, which the next start waits for. */
export const ownGitMark = "EXECUTE_PRD_GIT";

/** The program's own name in commits and reflogs; constant, because candidates' shas depend on it. */
export const programIdentity = { name: "execute-prd", email: "execute-prd@localhost.invalid" } as const;

export async function runGit(call: GitCall): Promise<Result<GitAnswer, Failure>> {
  for (const waitMs of [...contentionWaitsMs, null]) {
    const end = await start(call);
    if (waitMs !== null && isContention(end)) {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      continue;
    }
    return judge(call, end);
  }
  return failed({ reason: "git-failed", doing: call.doing, exitCode: null, detail: "no try was made" });
}

/** The output as text, without its last line end. */
export async function readGit(call: GitCall): Promise<Result<string, Failure>> {
  const answer = await runGit(call);
  if (!answer.ok) return answer;
  return success(answer.value.stdout.toString("utf8").replace(/\n$/, ""));
}

/** A git that is asked more than once; the caller listens to it, feeds it and ends it. */
export function startGit(call: Omit<GitCall, "input" | "onOutput" | "timeoutMs" | "okCodes">): ChildProcess {
  return spawnGit({ ...call, input: "" });
}

const contentionWaitsMs = [50, 100, 200, 400, 800, 1_600, 3_200];
const outputBytesKept = 512 * 1024 * 1024;
const errorBytesKept = 64 * 1024;

// Every setting here takes a way of changing our commands' meaning out of the hands of a lane, or makes the
// result of a command independent of the builder's taste. Filters (LFS) and line ending rules stay as configured.
const fixedConfig: readonly string[] = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.fsync=all",
  "core.untrackedCache=false",
  "core.splitIndex=false",
  "core.sparseCheckout=false",
  "core.commitGraph=false",
  "core.quotePath=true",
  "core.safecrlf=false",
  "core.trustctime=true",
  "core.checkStat=default",
  "index.sparse=false",
  "gc.auto=0",
  "maintenance.auto=false",
  "submodule.recurse=false",
  "i18n.commitEncoding=UTF-8",
  "diff.suppressBlankEmpty=false",
  "merge.renames=true",
  "merge.directoryRenames=false",
].flatMap((setting) => ["-c", setting]);

// An index of ours that a power cut spoils is made again: it is believed only by its digest.
const flushNoIndex = "core.fsync=objects,derived-metadata,reference";

interface GitEnd {
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** Why there is no exit code to judge: could not start, took too long, said too much. */
  readonly trouble: string | null;
}

function start(call: GitCall): Promise<GitEnd> {
  const child = spawnGit(call);
  const ended = collect(child, call);
  child.stdin?.on("error", ignoreBrokenPipe);
  if (call.input !== undefined) child.stdin?.end(call.input);
  return ended;
}

function spawnGit(call: GitCall): ChildProcess {
  const where = [
    ...(call.gitDir === null ? [] : [`--git-dir=${call.gitDir}`]),
    ...(call.workTree === undefined ? [] : [`--work-tree=${call.workTree}`]),
  ];
  const config = [...(call.indexFile === undefined ? [] : [flushNoIndex]), ...(call.config ?? [])].flatMap(
    (setting) => ["-c", setting],
  );
  return spawn("git", ["--no-pager", ...fixedConfig, ...config, ...where, ...call.args], {
    cwd: call.cwd ?? call.workTree ?? call.gitDir ?? ".",
    env: toEnvironment(call),
    stdio: [call.input !== undefined ? "pipe" : "ignore", "pipe", "pipe"],
    detached: true,
    windowsHide: true,
  });
}

/** Of the shell, for its credentials and filters; the keys of agents are nobody's but theirs. */
function toEnvironment(call: GitCall): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    const isKept = !/^(?:GIT|EXECUTE_PRD)_/i.test(name) && !serviceKeys.includes(name);
    if (value !== undefined && isKept) environment[name] = value;
  }
  return {
    ...environment,
    LC_ALL: "C",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_EDITOR: ":",
    GIT_AUTHOR_NAME: programIdentity.name,
    GIT_AUTHOR_EMAIL: programIdentity.email,
    GIT_COMMITTER_NAME: programIdentity.name,
    GIT_COMMITTER_EMAIL: programIdentity.email,
    [ownGitMark]: String(process.pid),
    ...(call.indexFile === undefined ? {} : { GIT_INDEX_FILE: call.indexFile }),
    ...call.env,
  };
}

function collect(child: ChildProcess, call: GitCall): Promise<GitEnd> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let stderr = "";
  let trouble: string | null = null;
  const giveUp = (why: string): void => {
    trouble ??= why;
    // SIGTERM lets git take its lock files away; SIGKILL is for one that does not listen.
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), limits.killGraceMs).unref();
  };
  const timeoutMs = call.timeoutMs ?? limits.gitTimeoutMs;
  const timer = setTimeout(() => giveUp(`still running after ${timeoutMs} ms`), timeoutMs);
  child.stdout?.on("data", (chunk: Buffer) => {
    if (call.onOutput !== undefined) return call.onOutput(chunk);
    bytes += chunk.length;
    if (bytes > outputBytesKept) return giveUp(`more than ${outputBytesKept} bytes of output`);
    chunks.push(chunk);
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    if (stderr.length < errorBytesKept) stderr += chunk.toString("utf8");
  });
  return new Promise((resolve) => {
    const settle = (exitCode: number | null): void => {
      clearTimeout(timer);
      resolve({ exitCode, stdout: Buffer.concat(chunks), stderr, trouble });
    };
    child.on("error", (cause) => {
      trouble ??= `git could not be started in "${call.cwd ?? call.workTree ?? call.gitDir}": ${cause.message}`;
      settle(null);
    });
    child.on("close", settle);
  });
}

function judge(call: GitCall, end: GitEnd): Result<GitAnswer, Failure> {
  const { exitCode, stdout, stderr } = end;
  if (end.trouble === null && exitCode !== null && (call.okCodes ?? [0]).includes(exitCode)) {
    return success({ exitCode, stdout, stderr });
  }
  const cause = call.gitDir === null ? null : findStorageTrouble({ ...call, gitDir: call.gitDir });
  if (cause !== null) return failed(cause);
  const said = stderr.trim().slice(-2_000);
  const detail = [end.trouble, said].filter((part) => part !== null && part !== "").join(": ");
  return failed({
    reason: "git-failed",
    doing: call.doing,
    exitCode,
    detail: detail === "" ? "no message" : detail,
  });
}

/** Another git holds a lock file: nothing was done, and it is worth another try. */
function isContention(end: GitEnd): boolean {
  return end.exitCode !== 0 && /\.lock': File exists/.test(end.stderr);
}

function ignoreBrokenPipe(): void {
  // git may end without reading its input; its exit code says why.
}
