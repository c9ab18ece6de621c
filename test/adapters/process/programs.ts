// Small real programs, temporary folders and waiting, for the tests of everything that starts processes.

import { readFileSync } from "node:fs";
import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder that is gone after the test. */
export async function makeFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "execute-prd-test-")));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes an ES module and gives the argv that runs it. */
export async function writeProgram(folder: string, name: string, source: string): Promise<readonly string[]> {
  const file = join(folder, `${name}.mjs`);
  await writeFile(file, source);
  return [process.execPath, file];
}

/** Not so an ended process that nobody has collected yet. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== "linux" || !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

/** Polls until `get` gives something other than null; fails after `withinMs`. */
export async function until<Value>(
  get: () => Promise<Value | null> | Value | null,
  withinMs = 60_000,
): Promise<Value> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await get();
    if (value !== null) return value;
    if (performance.now() > deadline) throw new Error(`nothing after ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export async function untilGone(pid: number, withinMs = 60_000): Promise<void> {
  await until(() => (isAlive(pid) ? null : true), withinMs);
}

/** The number in a file that a program writes; waits for it. */
export function readPid(file: string): Promise<number> {
  return until(async () => {
    const text = await readFile(file, "utf8").catch(() => "");
    return /^[0-9]+$/.test(text) ? Number(text) : null;
  });
}
