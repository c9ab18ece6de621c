// How many tests passed and failed, from the closing lines of common test runners: for people where no report was
// found, and to see whether a report that was found is whole.

export interface ClosingCounts {
  readonly passed: number;
  readonly failed: number;
}

/** Null where no line says anything about tests. Closing lines of several runners, or several runs, are added up. */
export function countTests(lines: readonly string[]): ClosingCounts | null {
  const counted = countRunnerTests(lines);
  if (counted !== null) return counted;
  // A project's own summary often repeats what its runners said: it counts only where they are silent.
  return lines.map(countsOfSummary).findLast((counts) => counts !== null) ?? null;
}

/** The same from lines of known runners alone. */
export function countRunnerTests(lines: readonly string[]): ClosingCounts | null {
  const counted = lines.map(countsOfRunner).filter((counts) => counts !== null);
  return counted.length > 0 ? counted.reduce(add) : null;
}

/** Whether a line is worth keeping for `countTests`. */
export function isClosingLine(line: string): boolean {
  return countsOfRunner(line) !== null || countsOfSummary(line) !== null;
}

const longestClosingLine = 300;

function countsOfRunner(line: string): ClosingCounts | null {
  if (line.length > longestClosingLine) return null;
  for (const read of runners) {
    const counts = read(line);
    if (counts !== null) return counts;
  }
  return null;
}

const runners: readonly ((line: string) => ClosingCounts | null)[] = [
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
function countsOfSummary(line: string): ClosingCounts | null {
  if (line.length > longestClosingLine) return null;
  return /\b\d+ passed\b.*\b\d+ failed\b|\b\d+ failed\b.*\b\d+ passed\b/.test(line) ? listed(line) : null;
}

function listed(line: string): ClosingCounts {
  const numberBefore = (word: string) => Number(new RegExp(`(\\d+) ${word}\\b`).exec(line)?.[1] ?? 0);
  return { passed: numberBefore("passed"), failed: numberBefore("failed") + numberBefore("errors?") };
}

function single(pattern: RegExp, line: string): ClosingCounts | null {
  const found = pattern.exec(line.trimEnd())?.groups;
  if (found === undefined) return null;
  const count = Number(found["count"]);
  return found["passed"]?.startsWith("pass") ? { passed: count, failed: 0 } : { passed: 0, failed: count };
}

function add(left: ClosingCounts, right: ClosingCounts): ClosingCounts {
  return { passed: left.passed + right.passed, failed: left.failed + right.failed };
}
