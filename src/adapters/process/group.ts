// Process groups: every child leads its own, and a group is ended as a whole.

import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

export const hasGroups = process.platform !== "win32";

/** Sends a signal to the group that `leader` leads. A group that is gone is no trouble. */
export function signalGroup(leader: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  const { pid } = leader;
  if (pid === undefined) return;
  if (!hasGroups) {
    endTreeOnWindows(pid);
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: all have ended. EPERM: what is left is not ours, and nobody could end it.
  }
}

/** Waits until no process of the group is left, at most `withinMs`. */
export async function groupEnd(leader: ChildProcess, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (isGroupAlive(leader) && performance.now() < deadline) await delay(10);
}

function isGroupAlive({ pid }: ChildProcess): boolean {
  if (pid === undefined || !hasGroups) return false;
  try {
    process.kill(-pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  return process.platform !== "linux" || hasRunningMember(pid);
}

// In a container whose first process does not collect its orphans, the ended members of a group stay listed.
export function hasRunningMember(group: number, besides: readonly number[] = []): boolean {
  try {
    return readdirSync("/proc").some(
      (name) => /^[0-9]+$/.test(name) && !besides.includes(Number(name)) && isRunningIn(group, name),
    );
  } catch {
    return true; // without a free file handle nobody can tell
  }
}

function isRunningIn(group: number, pid: string): boolean {
  const [state = "X", , memberOf] = readStat(pid);
  return Number(memberOf) === group && state !== "Z" && state !== "X";
}

/** Linux: not so an ended process that nobody has collected yet. */
export function isProcessRunning(pid: number): boolean {
  const [state = "X"] = readStat(String(pid));
  return state !== "Z" && state !== "X";
}

/** Linux: tells a process from a later one with the same id; null: there is none. */
export function processStart(pid: number): string | null {
  return readStat(String(pid))[19] ?? null;
}

/** `pid (name) state parent group …`: the name may hold spaces and brackets, nothing after it does. */
function readStat(pid: string): readonly string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return []; // gone meanwhile
  }
}

function endTreeOnWindows(pid: number): void {
  const killer = spawn("taskkill", ["/pid", String(pid), "/t", "/f"], { stdio: "ignore", windowsHide: true });
  killer.on("error", () => {}); // without taskkill there is nothing more that could be done
  killer.unref();
}
