// Which process this is, and whether another one still lives: a pid alone does not say, because pids are reused,
// die with a boot, and mean nothing on another machine.

import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import type { ProcessIdentity } from "../schema/owner.ts";
import { errorCode, unless } from "./storage.ts";

/**
 * `dead` is proved: no such process, a zombie, another start time, another boot. `unknown` is a process that cannot
 * be seen from here (another host or pid namespace) and has to be treated as alive.
 */
export type Liveness = "alive" | "dead" | "unknown";

let known: ProcessIdentity | null = null;

export function thisProcess(): ProcessIdentity {
  known ??= {
    pid: process.pid,
    startTime: look(process.pid).startTime,
    bootId: bootId(),
    host: hostname(),
    pidNamespace: pidNamespace(),
  };
  return known;
}

export function isAlive(identity: ProcessIdentity): Liveness {
  const here = thisProcess();
  if (identity.host !== here.host) return "unknown";
  if (differ(identity.bootId, here.bootId)) return "dead";
  if (differ(identity.pidNamespace, here.pidNamespace)) return "unknown";
  if (!exists(identity.pid)) return "dead";
  const seen = look(identity.pid);
  return seen.hasEnded || differ(seen.startTime, identity.startTime) ? "dead" : "alive";
}

function differ(one: string | null, other: string | null): boolean {
  return one !== null && other !== null && one !== other;
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) !== "ESRCH"; // EPERM: it is there and belongs to someone else
  }
}

interface Seen {
  readonly hasEnded: boolean;
  readonly startTime: string | null;
}

const unseen: Seen = { hasEnded: false, startTime: null };

function look(pid: number): Seen {
  if (process.platform === "linux") return lookInProc(pid);
  return process.platform === "win32" ? unseen : lookWithPs(pid);
}

/** proc(5): after the name in brackets, which may hold any character, field 3 is the state and 22 the start time. */
function lookInProc(pid: number): Seen {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch (error) {
    // ENOENT alone proves nothing where /proc hides other users' processes.
    return { hasEnded: errorCode(error) === "ESRCH" || !exists(pid), startTime: null };
  }
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { hasEnded: ["Z", "X", "x"].includes(fields[0] ?? ""), startTime: fields[19] ?? null };
}

function lookWithPs(pid: number): Seen {
  const line = ask("ps", ["-o", "stat=,lstart=", "-p", String(pid)]);
  const [, state, startTime] = line === null ? [] : (/^(\S+)\s+(.+)$/.exec(line) ?? []);
  if (state === undefined || startTime === undefined) return unseen;
  return { hasEnded: state.startsWith("Z"), startTime };
}

/** One name per start of the machine. macOS moves `kern.boottime` with the wall clock, its session id never. */
function bootId(): string | null {
  if (process.platform === "darwin") return ask("sysctl", ["-n", "kern.bootsessionuuid"]);
  if (process.platform !== "linux") return null;
  const text = unless(["ENOENT", "EACCES"], () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8"));
  return text?.trim() ?? null;
}

function pidNamespace(): string | null {
  if (process.platform !== "linux") return null;
  return unless(["ENOENT", "EACCES"], () => readlinkSync("/proc/self/ns/pid")) ?? null;
}

function ask(program: string, options: readonly string[]): string | null {
  try {
    const env = { PATH: process.env["PATH"] ?? "", LC_ALL: "C", TZ: "UTC" };
    const stdio = ["ignore", "pipe", "ignore"] as const;
    const text = execFileSync(program, options, { encoding: "utf8", env, timeout: 5_000, stdio: [...stdio] });
    return text.trim() === "" ? null : text.trim();
  } catch {
    return null; // not there, or no such process: nothing is proved
  }
}
