// Drives the built program as a process of its own: start it, wait for what it does, look at what it leaves.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export const programPath = fileURLToPath(new URL("../../../dist/main.js", import.meta.url));

export interface Ended {
  /** null: it was ended by a signal. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Live {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  signal(name: NodeJS.Signals): void;
  /** What it has said so far. */
  said(): { readonly stdout: string; readonly stderr: string };
}

export interface Start {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Program and arguments before ours, which becomes it in the same process. */
  readonly through?: readonly string[];
}

/** Starts the program; it is killed at the end of the test if it still runs. */
export function start(args: readonly string[], { cwd, env = {}, through = [] }: Start): Live {
  if (!existsSync(programPath)) {
    throw new Error(`"${programPath}" is missing: run "npm run build" before the end-to-end tests`);
  }
  const [first = "", ...rest] = [...through, process.execPath, programPath, ...args];
  const child: ChildProcess = spawn(first, rest, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }));
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return {
    pid: child.pid ?? 0,
    ended,
    signal: (name) => void child.kill(name),
    said: () => ({ stdout, stderr }),
  };
}

/** Runs the program to its end. */
export function execute(args: readonly string[], at: Start): Promise<Ended> {
  return start(args, at).ended;
}

const pollMs = 15;

/** Waits until `probe` gives something other than false, null and undefined; fails after `withinMs`. */
export async function until<Value>(
  what: string,
  probe: () => Value | false | null | undefined,
  withinMs = 60_000,
): Promise<Value> {
  const begun = performance.now();
  for (;;) {
    const value = probe();
    if (value !== false && value !== null && value !== undefined) return value;
    if (performance.now() - begun > withinMs) throw new Error(`waited ${withinMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** Every document of a stream with one JSON document a line; fails where a line is none. */
export function toJsonLines(text: string): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>); // checked by what the tests expect of them
}

/** Ids of the processes in whose environment the text occurs, but for those that are ending already. */
export function processesWith(text: string): number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      try {
        return readFileSync(join("/proc", name, "environ"), "latin1").includes(text);
      } catch {
        return false; // gone meanwhile, or of another user
      }
    })
    .map(Number);
}
