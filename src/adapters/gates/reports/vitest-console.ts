// What vitest prints for people: `FAIL` lines below a heading each for suites and for tests, then the counts.

import { countBefore } from "./count-before.ts";
import type { ParsedTest, ParsedTests } from "./results.ts";

/** null: no such output. */
export function parseVitestConsole(lines: readonly string[]): ParsedTests | null {
  const read = { tests: 0, headed: 0, passed: 0, skipped: 0, errors: 0, hasCounts: false };
  const failures: ParsedTest[] = [];
  for (const line of lines) {
    const heading = /^⎯+ Failed (?:Suites|Tests) (\d{1,9}) ⎯+$/.exec(line.trim());
    if (heading !== null) read.headed += Number(heading[1]);
    else if (line.startsWith(" FAIL  ")) failures.push({ status: "failed", path: [toName(line)] });
    else if (/^ *Tests {2}.*\(\d+\)\s*$/.test(line)) {
      read.hasCounts = true;
      read.tests += countBefore(line, "failed");
      read.passed += countBefore(line, "passed");
      read.skipped += countBefore(line, "skipped") + countBefore(line, "todo");
    } else read.errors += Number(/^ *Errors {2}(\d{1,9}) errors?\s*$/.exec(line)?.[1] ?? 0);
  }
  if (!read.hasCounts) return null;
  return {
    tests: failures,
    passed: read.passed,
    skipped: read.skipped,
    failed: Math.max(read.headed, read.tests),
    counted: Math.max(read.headed, read.tests) + read.errors,
    gap: findGap(read, failures.length),
  };
}

function findGap(read: { headed: number; tests: number; errors: number }, named: number): string {
  if (read.errors > 0) return "errors outside of any test were not handled";
  if (read.headed !== named || read.tests > named) return "its list of failures does not fit its summary";
  return "";
}

/** ` FAIL  |project| a.test.ts > suite > title`, ` FAIL  a.test.ts [ a.test.ts ]` for a file that fails as a whole. */
function toName(line: string): string {
  const told = line.slice(" FAIL  ".length).trim();
  const whole = told.indexOf(" [ ");
  return whole !== -1 && told.endsWith(" ]") ? told.slice(0, whole) : told;
}
