// `npm test`: lint, types, build, unused code and the package's shape, thousands of simulated runs, the agent programs
// where EXECUTE_PRD_AGENT_PROGRAMS names a folder with them, then every test with coverage. Stops at the first step that
// fails.
// The last line of its output is the closing line, whatever happened before it.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toClosingLine } from "./closing-line.mjs";

const STEPS_BEFORE_TESTS = ["lint", "types", "build", "hygiene", "test:simulation", "test:agents:if-there"];
const NOTHING_RAN = { passed: 0, failed: 0, skipped: 0, flaky: [] };

process.exitCode = runAll();

/** @returns {number} the exit code */
function runAll() {
  for (const step of STEPS_BEFORE_TESTS) {
    const exitCode = runScript(step, {});
    if (exitCode !== 0) return close(step, NOTHING_RAN, exitCode);
  }
  const folder = mkdtempSync(join(tmpdir(), "closing-line-"));
  try {
    const summaryFile = join(folder, "counts.json");
    const exitCode = runScript("coverage", { TEST_SUMMARY_FILE: summaryFile });
    return close("coverage", readCounts(summaryFile), exitCode);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} name of a script in package.json
 * @param {Record<string, string>} environment added to ours
 * @returns {number} its exit code; 1 when it was ended by a signal or did not start
 */
function runScript(name, environment) {
  console.log(`\n> ${name}`);
  const { status, error } = spawnSync("npm", ["run", "--silent", name], {
    stdio: "inherit",
    shell: process.platform === "win32",
    env: { ...process.env, ...environment },
  });
  if (error) console.error(`"npm run ${name}" did not start: ${error.message}`);
  return status ?? 1;
}

/**
 * The counts that the reporter wrote; without them (the run crashed, or found no test) there is one failure.
 *
 * @param {string} file
 * @returns {import("./closing-line.mjs").TestCounts}
 */
function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return { ...NOTHING_RAN, failed: 1 };
  }
}

/**
 * @param {string} step
 * @param {import("./closing-line.mjs").TestCounts} counts
 * @param {number} exitCode
 * @returns {number} the exit code of the whole run
 */
function close(step, counts, exitCode) {
  const isBad = exitCode !== 0 || counts.failed > 0;
  if (isBad) console.log(`\nThe step "${step}" failed with exit code ${exitCode}.`);
  console.log(`\n${toClosingLine(counts, exitCode)}`);
  return isBad ? 1 : 0;
}
