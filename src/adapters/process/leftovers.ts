// Ends processes that escaped their group, found by a variable that every child of ours carries in its environment.

import { execFile } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";

/** The variable that every child carries; its value is `<run id>/<dispatch>`. */
export const dispatchVariable = "EXECUTE_PRD_DISPATCH";

export interface LeftoversWanted {
  readonly variable: string;
  /** Processes in whose environment the variable has exactly one of these values … */
  readonly values?: readonly string[];
  /** … or a value that begins so. */
  readonly prefix?: string;
  /** Only what this program started: what was there before it is not looked into again and again. */
  readonly isOwn?: boolean;
}

export interface LeftoversEnded {
  /** Ids of the processes that were killed. */
  readonly ended: readonly number[];
  /** Processes of which the environment could not be read: those of other users. */
  readonly unreadable: number;
}

// A process that forks while we look may be missed in one round; each round kills what it sees.
const maxRounds = 5;

/** Kills them all with SIGKILL, never this program itself. Never fails; where nothing can be seen nothing is ended. */
export async function endLeftovers(wanted: LeftoversWanted): Promise<LeftoversEnded> {
  const ended: number[] = [];
  let unreadable = 0;
  for (let round = 0; round < maxRounds; round += 1) {
    const found = await findProcesses(wanted);
    unreadable = found.unreadable;
    const fresh = found.pids.filter((pid) => !ended.includes(pid) && kill(pid));
    ended.push(...fresh);
    if (fresh.length === 0) break;
  }
  return { ended, unreadable };
}

/** The same without waiting, for a program that is about to exit; on Linux alone can that be done. */
export function endLeftoversNow(wanted: LeftoversWanted): void {
  if (process.platform !== "linux") return;
  const ended = new Set<number>();
  for (let round = 0; round < maxRounds; round += 1) {
    const fresh = findInProc(wanted).pids.filter((pid) => !ended.has(pid) && kill(pid));
    for (const pid of fresh) ended.add(pid);
    if (fresh.length === 0) return;
  }
}

export interface Found {
  readonly pids: readonly number[];
  readonly unreadable: number;
}

/** Those that there are now; where nothing can be seen there are none. */
export async function findProcesses(wanted: LeftoversWanted): Promise<Found> {
  if (process.platform === "linux") return findInProc(wanted);
  if (process.platform === "darwin") return findWithPs(wanted);
  return { pids: [], unreadable: 0 };
}

// Synchronous on purpose: a few dozen microseconds a process, and no time for an id to be used again before the kill.
function findInProc(wanted: LeftoversWanted): Found {
  const pids: number[] = [];
  let unreadable = 0;
  for (const name of processNames()) {
    if (!/^[0-9]+$/.test(name) || Number(name) === process.pid) continue;
    if (wanted.isOwn === true && isElder(name)) continue;
    const environment = readEnvironment(name);
    if (environment === null) unreadable += 1;
    else if (environment.split("\0").some((entry) => isWanted(entry, wanted))) pids.push(Number(name));
  }
  return { pids, unreadable };
}

function processNames(): readonly string[] {
  try {
    return readdirSync("/proc");
  } catch {
    return []; // without a free file handle nothing can be seen; the next start looks again
  }
}

/** Processes that were there before this program, by what tells them from a later one with the same id. */
const elders = new Map<string, string>();
let ownStart: number | null = null;

/** A process that was there before this program is no child of its children. One that is gone needs no look either. */
function isElder(pid: string): boolean {
  const found = statSync(`/proc/${pid}`, { throwIfNoEntry: false });
  if (found === undefined) return true;
  const mark = `${found.ino} ${found.ctimeMs}`;
  if (elders.get(pid) === mark) return true;
  ownStart ??= readStart("self") ?? 0;
  const start = readStart(pid);
  if (start === null || start >= ownStart) return false;
  if (elders.size > maxElders) elders.clear();
  elders.set(pid, mark);
  return true;
}

const maxElders = 10_000;

/** proc(5): after the name in brackets, which may hold any character, field 22 is the start in ticks since the boot. */
function readStart(pid: string): number | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[19]);
  } catch {
    return null; // gone meanwhile
  }
}

/** Empty for a process that is gone meanwhile, null for one that we may not look into. */
function readEnvironment(pid: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1");
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EACCES" ? null : "";
  }
}

function isWanted(entry: string, { variable, values = [], prefix }: LeftoversWanted): boolean {
  if (!entry.startsWith(`${variable}=`)) return false;
  const value = entry.slice(variable.length + 1);
  return values.includes(value) || (prefix !== undefined && prefix !== "" && value.startsWith(prefix));
}

function findWithPs(wanted: LeftoversWanted): Promise<Found> {
  return new Promise((resolve) => {
    const options = { maxBuffer: 64 * 1024 * 1024, timeout: 10_000 };
    execFile("ps", ["eww", "-axo", "pid=,command="], options, (_error, stdout) => {
      resolve({ pids: stdout.split("\n").flatMap((line) => toPid(line, wanted)), unreadable: 0 });
    });
  });
}

function toPid(line: string, wanted: LeftoversWanted): number[] {
  const [pid, ...words] = line.trim().split(/\s+/);
  if (pid === undefined || Number(pid) === process.pid) return [];
  return words.some((word) => isWanted(word, wanted)) ? [Number(pid)] : [];
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false; // gone meanwhile
  }
}
