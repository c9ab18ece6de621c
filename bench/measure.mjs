// Measuring: a program's wall time and peak memory, medians, and numbers as people read them.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const reporter = fileURLToPath(new URL("./report-usage.mjs", import.meta.url));

/**
 * @typedef {object} Measured
 * @property {number} ms wall time from start to end of the process
 * @property {number} peakMb largest resident memory of the process itself, without its children
 * @property {number} cpuMs processor time of the process and its children; NaN where the system does not tell
 */

/**
 * Runs a program of Node and waits for its end; anything but exit code 0 is an error.
 *
 * @param {readonly string[]} args
 * @param {{ cwd?: string, nodeArgs?: readonly string[] }} [options]
 * @returns {Promise<Measured>}
 */
export async function measureNode(args, { cwd = process.cwd(), nodeArgs = [] } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "bench-usage-"));
  try {
    const usageFile = join(folder, "usage.json");
    const env = { ...process.env, BENCH_USAGE_FILE: usageFile };
    const ms = await timeNode([...nodeArgs, "--import", reporter, ...args], { cwd, env });
    /** @type {{ peakBytes: number, cpuMs: number | null }} */
    const { peakBytes, cpuMs } = JSON.parse(readFileSync(usageFile, "utf8"));
    return { ms, peakMb: peakBytes / 1_000_000, cpuMs: cpuMs ?? Number.NaN };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Wall time in milliseconds of a program of Node without anything added to it.
 *
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>}
 */
export function timeNode(args, { cwd = process.cwd(), env = process.env } = {}) {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const child = spawn(process.execPath, args, { cwd, env, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      said = (said + text).slice(-4_000);
    });
    child.on("error", reject);
    child.on("close", (exitCode) => {
      if (exitCode === 0) resolve(performance.now() - startedMs);
      else reject(new Error(`"node ${args.join(" ")}" ended with ${exitCode}: ${said}`));
    });
  });
}

/**
 * @param {readonly number[]} values at least one
 * @returns {number}
 */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** @type {(values: readonly number[], unit: string, digits?: number) => string} */
export function toSpread(values, unit, digits = 0) {
  const text = (/** @type {number} */ value) => value.toFixed(digits);
  if (values.length === 1) return `${text(values[0] ?? Number.NaN)} ${unit}`;
  return `${text(median(values))} ${unit} (${text(Math.min(...values))} to ${text(Math.max(...values))})`;
}
