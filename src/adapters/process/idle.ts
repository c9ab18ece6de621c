// Ends what shows no sign of work for too long. Output is one; processor time of the processes of a dispatch and
// changed files in its folder are others, for programs that say nothing while they think or build.
//
//   output ──> │ half │ half │ ──> a second half without processor time and changed files: idle
//
// A look is taken at the middle and at the end of each period, never while there is output.

import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { limits } from "../../core/limits.ts";
import { dispatchVariable, findProcesses } from "./leftovers.ts";

export interface IdleWatched {
  /** 0: silence is no reason. */
  readonly idleMs: number;
  /** Value of EXECUTE_PRD_DISPATCH of the processes. */
  readonly dispatch: string;
  /** Absolute path of the folder in which they work. */
  readonly folder: string;
  /** How many times as long a silence may be now; missing: 1. */
  readonly patience?: () => number;
  readonly onIdle: () => void;
}

export interface IdleWatch {
  /** There was output. */
  touch(): void;
  end(): void;
}

export function watchIdle(watched: IdleWatched): IdleWatch {
  if (watched.idleMs <= 0) return { touch: () => {}, end: () => {} };
  let timer: NodeJS.Timeout | undefined;
  let turn = 0;
  const halfMs = (): number =>
    Math.min((watched.idleMs * (watched.patience?.() ?? 1)) / 2, limits.longestTimerMs);
  const begin = (): void => {
    turn += 1;
    clearTimeout(timer);
    timer = setTimeout(() => void look(turn), halfMs());
  };
  const look = async (mine: number): Promise<void> => {
    const middle = await readSigns(watched);
    if (mine !== turn) return;
    const lastedMs = halfMs();
    timer = setTimeout(() => void judge(mine, middle, lastedMs), lastedMs);
  };
  const judge = async (mine: number, middle: Signs, lastedMs: number): Promise<void> => {
    const now = await readSigns(watched);
    if (mine !== turn) return;
    if (isWork(middle, now, lastedMs)) begin();
    else watched.onIdle();
  };
  begin();
  return {
    touch: begin,
    end: () => {
      turn += 1;
      clearTimeout(timer);
    },
  };
}

interface Signs {
  /** Processor time of all processes, children that have ended included; null: it cannot be seen here. */
  readonly cpuMs: number | null;
  /** Latest change of a file or folder; 0: none was found. */
  readonly changedMs: number;
}

/** A program that hangs still wakes up now and then: a hundredth of the time is no work. */
function isWork(before: Signs, now: Signs, lastedMs: number): boolean {
  if (now.changedMs > before.changedMs) return true;
  return before.cpuMs !== null && now.cpuMs !== null && Math.abs(now.cpuMs - before.cpuMs) > lastedMs / 100;
}

async function readSigns({ dispatch, folder }: IdleWatched): Promise<Signs> {
  return { cpuMs: await readCpuMs(dispatch), changedMs: readLatestChange(folder) };
}

async function readCpuMs(dispatch: string): Promise<number | null> {
  if (process.platform !== "linux") return null;
  const { pids } = await findProcesses({ variable: dispatchVariable, values: [dispatch], isOwn: true });
  return pids.reduce((sum, pid) => sum + readTicks(pid) * tickMs, 0);
}

// sysconf(_SC_CLK_TCK) is 100 on every Linux that Node runs on.
const tickMs = 10;

/** proc(5): fields 14 to 17 of stat, counted behind the name in brackets, which may hold any character. */
function readTicks(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  } catch {
    return 0; // gone meanwhile
  }
}

/** Bounded: of a tree with very many files only a part is seen. Links are not followed. */
function readLatestChange(folder: string): number {
  let latest = 0;
  let left: number = limits.idleLookFiles;
  const waiting = [folder];
  for (let at = waiting.pop(); at !== undefined && left > 0; at = waiting.pop()) {
    for (const entry of entriesOf(at)) {
      left -= 1;
      if (left < 0) break;
      const path = join(at, entry.name);
      if (entry.isDirectory() && entry.name !== ".git") waiting.push(path);
      latest = Math.max(latest, lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    }
  }
  return latest;
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // gone meanwhile, or not ours to look into
  }
}
