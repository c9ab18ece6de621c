// How many tests passed and failed, from the closing lines of common test runners. For people and reports only:
// whether a gate passed is decided by its exit code.

import type { TestCounts } from "../../core/gate-result.ts";

/** Null where no line says anything about tests. Closing lines of several runners, or several runs, are added up. */
export function countTests(lines: readonly string[]): TestCounts | null {
  const counted = lines.map(countsOfRunner).filter((counts) => counts !== null);
  if (counted.length > 0) return counted.reduce(add);
  // A project's own summary often repeats what its runners said: it counts only where they are silent.
  return lines.map(countsOfSummary).findLast((counts) => counts !== null) ?? null;
}

/** Whether a line is worth keeping for `countTests`. */
export function isClosingLine(line: string): boolean {
  return countsOfRunner(line) !== null || countsOfSummary(line) !== null;
}

const longestClosingLine = 300;

function countsOfRunner(line: string): TestCounts | null {
  if (line.length > longestClosingLine) return null;
  for (const read of runners) {
    const counts = read(line);
    if (counts !== null) return counts;
  }
  return null;
}

const runners: readonly ((line: string) => TestCounts | null)[] = [
  //       Tests  1 failed | 12 passed | 1 skipped (14)            vitest
  (line) => (/^ *Tests {2,}.*\(\d+\)\s*$/.test(line) ? listed(line) : null),
  // Tests:       1 failed, 2 skipped, 12 passed, 15 total          jest
  (line) => (/^Tests: .*\d+ total\s*$/.test(line) ? listed(line) : null),
  // # pass 3          ℹ fail 0                                     node:test
  (line) => single(/^(?:#|ℹ) (?<passed>pass|fail) (?<count>\d+)$/, line),
  //   12 passing (34ms)          2 failing                         mocha
  (line) => single(/^ *(?<count>\d+) (?<passed>passing|failing)(?: \(.*\))?$/, line),
  // === 3 failed, 12 passed, 1 skipped, 1 error in 0.12s ===       pytest
  (line) =>
    /^(?:=+ )?\d+ (?:passed|failed|errors?|skipped)\b.* in [\d.]+s/.test(line) ? listed(line) : null,
  // test result: ok. 12 passed; 0 failed; 0 ignored; …             cargo
  (line) => (/^test result: \w+\. \d+ passed; \d+ failed;/.test(line) ? listed(line) : null),
];

/** `12 passed, 0 failed`, in either order, with or without more after it. */
function countsOfSummary(line: string): TestCounts | null {
  if (line.length > longestClosingLine) return null;
  return /\b\d+ passed\b.*\b\d+ failed\b|\b\d+ failed\b.*\b\d+ passed\b/.test(line) ? listed(line) : null;
}

function listed(line: string): TestCounts {
  const numberBefore = (word: string) => Number(new RegExp(`(\\d+) ${word}\\b`).exec(line)?.[1] ?? 0);
  return toCounts(numberBefore("passed"), numberBefore("failed") + numberBefore("errors?"));
}

function single(pattern: RegExp, line: string): TestCounts | null {
  const found = pattern.exec(line.trimEnd())?.groups;
  if (found === undefined) return null;
  const count = Number(found["count"]);
  return found["passed"]?.startsWith("pass") ? toCounts(count, 0) : toCounts(0, count);
}

function add(left: TestCounts, right: TestCounts): TestCounts {
  return toCounts(left.passed + right.passed, left.failed + right.failed);
}

/** Numbers alone name no failing test. */
function toCounts(passed: number, failed: number): TestCounts {
  return { passed, failed, skipped: 0, failures: [], isNamed: failed === 0 };
}
