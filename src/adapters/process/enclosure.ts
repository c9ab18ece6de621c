// A child of the launcher as far as a sandbox changes it. What bubblewrap starts is in a session and a pid namespace
// of its own, so that signals to our child's group do not reach it:
//
//   execute-prd ── bwrap (our child; says the exit code) ── first process of the namespace ── the command ── …
//                  dies with us                             dies with bwrap, and takes all with it
//
// The first process ignores SIGTERM; SIGKILL to it, or to bwrap, ends the namespace at once and whole.

import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { hasRunningMember, isProcessRunning, processStart, signalGroup } from "./group.ts";

export interface Exit {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

export interface Enclosure {
  /** SIGTERM to the command and its group. */
  terminate(): void;
  /** Waits until nothing of it is left; what will not end is killed. */
  allEnded(withinMs: number): Promise<void>;
  /** How the command itself ended. */
  exitOf(child: Exit): Exit;
  /** To be asked after the end: whether the sandbox was never ready, so that the command was not run. */
  hasFailed(): boolean;
}

/** `statusFile`: where bubblewrap tells; null: the child is the command. */
export function watchEnclosure(child: ChildProcess, statusFile: number | null): Enclosure {
  if (statusFile === null) {
    return {
      terminate: () => signalGroup(child, "SIGTERM"),
      allEnded: async () => {},
      exitOf: (exit) => exit,
      hasFailed: () => false,
    };
  }
  return watchNamespace(child, statusFile);
}

interface Namespace {
  /** Of its first process, as we see it, and when that was started; null: not told yet. */
  first: { readonly pid: number; readonly start: string | null } | null;
  hasExitCode: boolean;
  wasStopped: boolean;
}

function watchNamespace(child: ChildProcess, statusFile: number): Enclosure {
  const namespace: Namespace = { first: null, hasExitCode: false, wasStopped: false };
  listen(child, statusFile, (pid, hasExitCode) => {
    if (pid !== null) namespace.first = { pid, start: processStart(pid) };
    namespace.hasExitCode ||= hasExitCode;
  });
  return {
    terminate: () => {
      namespace.wasStopped = true;
      terminate(child, namespace);
    },
    allEnded: async (withinMs) => {
      const deadline = performance.now() + withinMs;
      while (isAlive(namespace) && performance.now() < deadline) {
        await delay(5);
        if (isAlive(namespace)) kill(namespace);
      }
    },
    exitOf: (exit) => (exit.exitCode === null ? exit : toCommandExit(exit.exitCode)),
    hasFailed: () => !namespace.hasExitCode && !namespace.wasStopped && child.exitCode !== null,
  };
}

/** One JSON document a line: `{ "child-pid": … }` at the beginning, `{ "exit-code": … }` at the end. */
function listen(
  child: ChildProcess,
  statusFile: number,
  onStatus: (pid: number | null, hasExitCode: boolean) => void,
): void {
  const stream = child.stdio[statusFile];
  if (stream === null || stream === undefined || !("read" in stream)) return;
  let text = "";
  stream.on("error", () => {}); // its end is told by "exit"
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    const pid = /"child-pid": *(\d+)/.exec(text)?.[1];
    onStatus(pid === undefined ? null : Number(pid), text.includes('"exit-code"'));
  });
}

const settleMs = 100;
const lookMs = 10;

// bwrap would leave as soon as the command does, and with it everything that has its grace still: it is stopped until
// the whole group has ended. Where the group is not there yet, there is nobody to be told, and bwrap is ended.
function terminate(child: ChildProcess, namespace: Namespace, beganMs = performance.now()): void {
  const { first } = namespace;
  if (isOver(child) || child.pid === undefined) return;
  // What the command has written may be read before what bwrap has said of it.
  if (first === null && performance.now() - beganMs < settleMs) {
    setTimeout(() => terminate(child, namespace, beganMs), lookMs);
    return;
  }
  // First of all: between two signals of ours there is time enough for the command to end.
  signal(child.pid, "SIGSTOP");
  if (first === null || !signal(-first.pid, "SIGTERM")) {
    signal(child.pid, "SIGCONT");
    signalGroup(child, "SIGTERM");
    return;
  }
  const group = first.pid;
  const goOn = setInterval(() => {
    if (!isOver(child) && hasRunningMember(group, [group])) return;
    clearInterval(goOn);
    if (isOver(child)) return;
    signal(child.pid ?? 0, "SIGCONT");
    // A command that began at this very moment has not heard of it.
    setTimeout(() => isOver(child) || signalGroup(child, "SIGTERM"), settleMs).unref();
  }, lookMs);
}

function isOver({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function isAlive({ first }: Namespace): boolean {
  return first !== null && processStart(first.pid) === first.start && isProcessRunning(first.pid);
}

function kill(namespace: Namespace): void {
  if (namespace.first !== null && isAlive(namespace)) signal(namespace.first.pid, "SIGKILL");
}

function signal(target: number, name: NodeJS.Signals): boolean {
  if (target === 0) return false;
  try {
    return process.kill(target, name);
  } catch {
    return false; // gone meanwhile
  }
}

// bwrap ends with 128 and the number of the signal that ended the command, as shells do. Only signals that end a
// program count: a program may well exit with another number above 128.
const endingSignals = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGILL",
  "SIGTRAP",
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGKILL",
  "SIGSEGV",
  "SIGPIPE",
  "SIGALRM",
  "SIGTERM",
  "SIGXCPU",
  "SIGXFSZ",
  "SIGSYS",
] as const;

function toCommandExit(exitCode: number): Exit {
  const signal = endingSignals.find((name) => constants.signals[name] === exitCode - 128);
  return signal === undefined ? { exitCode, signal: null } : { exitCode: null, signal };
}
