// The one launcher of agents, setup, gates and hooks.
//
// Each child leads its own process group, sees only an allow-list of the environment, reads its prompt from stdin or
// nothing at all (or is talked with, over a stdin that stays open), writes to a bounded log, and is ended in time:
//
//   started ── ends by itself ───────────────────────────┐
//      └── time-out, silence or abort: SIGTERM to the    ├── SIGKILL to the group, then to what escaped it,
//          group, killGraceMs ───────────────────────────┘   then the pipes are drained, at most drainGraceMs
//
// Every wait has a bound (I11): a process that even SIGKILL does not end is given up after the two graces.

import { type ChildProcess, spawn } from "node:child_process";
import { statSync } from "node:fs";
import type { Writable } from "node:stream";
import { limits } from "../../core/limits.ts";
import { failed, type Result, success } from "../../core/result.ts";
import { afterAwake } from "../awake-timer.ts";
import type { Redaction } from "../redaction/redaction.ts";
import { type Invocation, isOnPath, toInvocation } from "./command-line.ts";
import type { Confinement } from "./confinement.ts";
import { type Enclosure, type Exit, watchEnclosure } from "./enclosure.ts";
import { type Environment, toEnvironment } from "./environment.ts";
import { groupEnd, hasGroups, signalGroup } from "./group.ts";
import { watchIdle } from "./idle.ts";
import { dispatchVariable, endLeftovers } from "./leftovers.ts";
import {
  codeOf,
  type Output,
  type OutputSummary,
  type OutputWanted,
  openOutput,
  type StreamName,
} from "./output.ts";
import { enclose } from "./sandbox.ts";
import { programWatchdog } from "./watchdog.ts";

export interface Command {
  /** Program and arguments, run without a shell; or a command line as the builder configured it. */
  readonly run: readonly string[] | string;
  readonly cwd: string;
  /** Value of EXECUTE_PRD_DISPATCH: what still carries it after the end is killed, so it must be this command's alone. */
  readonly dispatch: string;
  /** Names of variables handed on beside the allow-list. */
  readonly names?: readonly string[];
  /** Variables that are set, whatever the builder's environment says. */
  readonly given?: Readonly<Record<string, string>>;
  /** The builder's environment; missing: that of this program. */
  readonly from?: Environment;
  /** Text on stdin; null or missing: nothing to read. */
  readonly input?: string | null;
  /** Called once it runs, for a talk over its stdin, which then stays open; instead of `input`. */
  readonly onStarted?: (talk: Talk) => void;
  /** Absolute path of the log; null or missing: nothing is stored. */
  readonly log?: string | null;
  readonly logFormat?: OutputWanted["format"];
  readonly timeoutMs: number;
  /** Time without a sign of work after which it is ended (idle.ts); 0 or missing: off. */
  readonly idleTimeoutMs?: number;
  /** Gets each line as a terminal would show it, in parts when it is very long. */
  readonly onLine?: (line: string, stream: StreamName) => void;
  /** Gets the bytes as they come. */
  readonly onChunk?: (chunk: Buffer, stream: StreamName) => void;
  /** Takes secrets out of all output; null or missing: nothing is taken out. */
  readonly redaction?: Redaction | null;
  /** The sandbox it runs in; null or missing: none. */
  readonly confinement?: Confinement | null;
}

/** A child that is talked with. */
export interface Talk {
  readonly stdin: Writable;
  /** Nothing more is wanted of it: its stdin is closed, and after a grace its group is ended. */
  finish(): void;
}

export type Ended =
  | ({
      readonly kind: "ended";
      readonly exitCode: number | null;
      readonly signal: string | null;
      /** Which time-out ended it; it may have exited with 0 when told to stop. */
      readonly timedOut: null | "total" | "idle";
      readonly interrupted: boolean;
      readonly durationMs: number;
    } & OutputSummary)
  /** `inSandbox`: the sandbox is what could not be made. */
  | { readonly kind: "cannot start"; readonly detail: string; readonly inSandbox?: boolean };

/** Resolves after the whole process group has ended. Never rejects. */
export async function launch(command: Command, signal: AbortSignal): Promise<Ended> {
  const { log = null, logFormat: format = "raw", onLine = () => {}, redaction = null } = command;
  const opened = openOutput({ log, format, onLine, redaction });
  if (!opened.ok)
    return { kind: "cannot start", detail: `its log "${log}" cannot be written: ${opened.failure}` };
  const output = opened.value;
  const startedMs = performance.now();
  const missing = await findMissing(command);
  if (signal.aborted) return toEnded({ exit: unknownExit, stop: "interrupted", startedMs, output });
  const started = missing === null ? start(command) : failed(missing);
  if (!started.ok) {
    output.end();
    return { kind: "cannot start", detail: started.failure };
  }
  const { child, enclosure } = started.value;
  const watched = await watchOver({ ...started.value, command, output, signal });
  if (watched.kind === "not started") {
    output.end();
    return { kind: "cannot start", detail: toStartProblem(watched.error, command) };
  }
  await endAll({ ...started.value, dispatch: command.dispatch, graceMs: watched.graceLeftMs });
  await drain(child, watched.closed);
  const exit = enclosure.exitOf(watched.exit);
  const ended = toEnded({ exit, stop: watched.stop, startedMs, output });
  return enclosure.hasFailed() ? toSandboxProblem(ended) : ended;
}

type StopReason = "interrupted" | "total" | "idle" | "finished";

const unknownExit: Exit = { exitCode: null, signal: null };

interface Started {
  readonly child: ChildProcess;
  readonly enclosure: Enclosure;
}

/** In a sandbox nobody could tell a missing program from one that exits with 1. */
async function findMissing(command: Command): Promise<string | null> {
  const { program } = toInvocation(command.run);
  if ((command.confinement ?? null) === null || program === "") return null;
  const isThere =
    isFolder(command.cwd) && (await isOnPath(program, toWholeEnvironment(command), command.cwd));
  return isThere ? null : toStartProblem("ENOENT", command);
}

function toWholeEnvironment(command: Command): Record<string, string> {
  const { names = [], given = {}, from = process.env } = command;
  return toEnvironment({ from, names, given: { ...given, [dispatchVariable]: command.dispatch } });
}

function start(command: Command): Result<Started, string> {
  const { run, cwd, confinement = null, names = [], given = {} } = command;
  const invocation = toInvocation(run);
  if (invocation.program === "") return failed("the command is empty");
  const env = toWholeEnvironment(command);
  if (confinement === null) return spawnIn(command, { ...invocation, env, statusFile: null });
  const handed = [...names.map((name) => env[name] ?? ""), ...Object.values(given)];
  const enclosed = enclose(invocation, { confinement, cwd, env, handed });
  return spawnIn(command, { ...enclosed, env: { ...env, ...enclosed.given, ...given } });
}

interface Spawning extends Invocation {
  readonly env: Readonly<Record<string, string>>;
  /** Number of one more pipe, on which a sandbox tells; null: none. */
  readonly statusFile: number | null;
}

function spawnIn(command: Command, { statusFile, ...invocation }: Spawning): Result<Started, string> {
  const { env } = invocation;
  const stdin = isWrittenTo(command) ? "pipe" : "ignore";
  const arrived = programWatchdog().expect(command.dispatch);
  try {
    const child = spawn(invocation.program, invocation.args, {
      cwd: command.cwd,
      env,
      detached: hasGroups,
      windowsHide: true,
      windowsVerbatimArguments: invocation.shell,
      stdio: statusFile === null ? [stdin, "pipe", "pipe"] : [stdin, "pipe", "pipe", "pipe"],
    });
    arrived(child.pid);
    return success({ child, enclosure: watchEnclosure(child, statusFile) });
  } catch (error) {
    arrived(undefined);
    return failed(toStartProblem(error, command));
  }
}

function isWrittenTo({ input, onStarted }: Command): boolean {
  return typeof input === "string" || onStarted !== undefined;
}

type Watched =
  | { readonly kind: "not started"; readonly error: unknown }
  | {
      readonly kind: "exited";
      readonly exit: Exit;
      readonly stop: StopReason | null;
      /** What a group that was told to stop has left of its grace. */
      readonly graceLeftMs: number;
      readonly closed: Promise<unknown>;
    };

interface Watching extends Started {
  readonly command: Command;
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** Until the main process has ended. Everything is attached before the first await: no event can be missed. */
function watchOver({ child, enclosure, command, output, signal }: Watching): Promise<Watched> {
  const closed = new Promise((resolve) => child.once("close", resolve));
  return new Promise((resolve) => {
    const stopper = createStopper({ child, enclosure }, () => onExit(unknownExit));
    const onAbort = () => stopper.stop("interrupted");
    const endTotal = afterAwake(command.timeoutMs, () => stopper.stop("total"));
    const idle = watchIdle({
      idleMs: command.idleTimeoutMs ?? 0,
      dispatch: command.dispatch,
      folder: command.cwd,
      onIdle: () => stopper.stop("idle"),
    });
    function clear(): void {
      signal.removeEventListener("abort", onAbort);
      endTotal();
      idle.end();
      stopper.end();
    }
    function onExit(exit: Exit): void {
      clear();
      resolve({ kind: "exited", exit, stop: stopper.reason(), graceLeftMs: stopper.graceLeftMs(), closed });
    }
    signal.addEventListener("abort", onAbort, { once: true });
    child.once("exit", (exitCode, exitSignal) => onExit({ exitCode, signal: exitSignal }));
    child.once("error", (error) => {
      if (child.pid !== undefined) return; // a signal that could not be sent is no end
      clear();
      resolve({ kind: "not started", error });
    });
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream]?.on("data", (chunk: Buffer) => {
        idle.touch();
        output.take(stream, chunk);
        command.onChunk?.(chunk, stream);
      });
      child[stream]?.on("error", () => {}); // a broken pipe ends the stream, and "exit" tells the rest
    }
    child.stdin?.on("error", () => {}); // a program may end without reading its prompt
    if (command.onStarted === undefined) child.stdin?.end(command.input ?? "");
    else beginTalk(child, command.onStarted, () => stopper.stop("finished"));
  });
}

/** A child that could not be started has no stdin to talk over; "error" tells. */
function beginTalk(child: ChildProcess, onStarted: (talk: Talk) => void, stop: () => void): void {
  const { stdin } = child;
  if (stdin === null) return;
  const finish = (): void => {
    stdin.end();
    if (child.exitCode !== null || child.signalCode !== null) return; // it was faster, and its number may be another's
    const cancel = after(limits.doneGraceMs, stop);
    child.once("exit", cancel);
  };
  child.once("spawn", () => onStarted({ stdin, finish }));
}

/** SIGTERM to the group, SIGKILL after the grace, and `giveUp` when even that did not end the main process. */
function createStopper({ child, enclosure }: Started, giveUp: () => void) {
  let reason: StopReason | null = null;
  let isOver = false;
  let deadlineMs = 0;
  const timers: (() => void)[] = [];
  return {
    stop: (why: StopReason): void => {
      if (reason !== null || isOver) return;
      reason = why;
      deadlineMs = performance.now() + limits.killGraceMs;
      enclosure.terminate();
      timers.push(after(limits.killGraceMs, () => signalGroup(child, "SIGKILL")));
      timers.push(after(limits.killGraceMs + limits.drainGraceMs, giveUp));
    },
    end: (): void => {
      isOver = true;
      for (const end of timers) end();
    },
    reason: (): StopReason | null => reason,
    graceLeftMs: (): number => (reason === null ? 0 : Math.max(0, deadlineMs - performance.now())),
  };
}

function after(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, Math.min(delayMs, limits.longestTimerMs));
  return () => clearTimeout(timer);
}

/** What the main process left behind in its group, and what left the group; then nothing has to be guarded. */
async function endAll(end: Started & { dispatch: string; graceMs: number }): Promise<void> {
  await groupEnd(end.child, end.graceMs);
  signalGroup(end.child, "SIGKILL");
  await end.enclosure.allEnded(limits.drainGraceMs);
  await endLeftovers({ variable: dispatchVariable, values: [end.dispatch], isOwn: true });
  await groupEnd(end.child, limits.drainGraceMs);
  if (end.child.pid !== undefined) programWatchdog().release(end.child.pid);
}

async function drain(child: ChildProcess, closed: Promise<unknown>): Promise<void> {
  let cancel = () => {};
  const timeUp = new Promise((resolve) => {
    cancel = after(limits.drainGraceMs, () => resolve(undefined));
  });
  await Promise.race([closed, timeUp]);
  cancel();
  // A process that nobody could find may still hold the pipes: they must not keep this program alive.
  for (const stream of child.stdio) stream?.destroy();
  child.unref();
}

function toEnded(end: { exit: Exit; stop: StopReason | null; startedMs: number; output: Output }): Ended {
  const { exit, stop } = end;
  return {
    kind: "ended",
    ...exit,
    timedOut: stop === "total" || stop === "idle" ? stop : null,
    interrupted: stop === "interrupted",
    durationMs: Math.round(performance.now() - end.startedMs),
    ...end.output.end(),
  };
}

/** The sandbox's own words are all that it wrote. */
function toSandboxProblem(ended: Ended): Ended {
  const detail = ended.kind === "ended" ? ended.tail.trim() : ended.detail;
  return { kind: "cannot start", detail: `the sandbox could not be set up: ${detail}`, inSandbox: true };
}

function toStartProblem(error: unknown, { run, cwd }: Command): string {
  const { program }: Invocation = toInvocation(run);
  const code = codeOf(error);
  if (!isFolder(cwd)) return `the working directory "${cwd}" does not exist`;
  if (code === "ENOENT") return `the program "${program}" was not found`;
  if (code === "EACCES") return `the program "${program}" may not be executed (EACCES)`;
  return `the program "${program}" could not be started: ${code}`;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
