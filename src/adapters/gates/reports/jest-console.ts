// What jest prints for people: for each file that failed its name and a "●" with each failing test, then the counts.

import { countBefore } from "./count-before.ts";
import type { ParsedTest, ParsedTests } from "./results.ts";

const suiteFailed = "Test suite failed to run";

/** null: no such output. */
export function parseJestConsole(lines: readonly string[]): ParsedTests | null {
  const counts = { tests: 0, suites: 0, passed: 0, skipped: 0, found: false };
  // Many failures are listed a second time at the end: a set keeps each once.
  const failed = new Map<string, Set<string>>();
  let file: Set<string> | null = null;
  for (const line of lines) {
    const name = /^(?:FAIL|PASS) (.+)$/.exec(line)?.[1];
    if (name !== undefined) file = line.startsWith("FAIL ") ? titlesOf(failed, toFile(name)) : null;
    else if (line.startsWith("  ● ") && file !== null) file.add(line.slice("  ● ".length).trim());
    else if (/^Test Suites: .*\d total\s*$/.test(line)) counts.suites += countBefore(line, "failed");
    else if (/^Tests: .*\d total\s*$/.test(line)) {
      counts.found = true;
      counts.tests += countBefore(line, "failed");
      counts.passed += countBefore(line, "passed");
      counts.skipped += countBefore(line, "skipped") + countBefore(line, "todo");
      file = null;
    }
  }
  if (!counts.found) return null;
  const tests = [...failed].flatMap(([path, titles]) => toTests(path, titles));
  const titled = tests.filter(({ path }) => path.length > 1).length;
  const isWhole = titled === counts.tests && failed.size === counts.suites;
  const other = findOther(lines);
  return {
    tests,
    passed: counts.passed,
    skipped: counts.skipped,
    failed: counts.tests,
    counted: tests.length + (other === "" ? 0 : 1),
    gap: isWhole ? other : "its list of failures does not fit its summary",
  };
}

function titlesOf(failed: Map<string, Set<string>>, file: string): Set<string> {
  const known = failed.get(file) ?? new Set<string>();
  failed.set(file, known);
  return known;
}

/** `./a.test.js (5.2 s)` */
function toFile(name: string): string {
  return name
    .trim()
    .replace(/ \([\d.]+ m?s\)$/, "")
    .replace(/^\.\//, "");
}

function toTests(file: string, titles: ReadonlySet<string>): readonly ParsedTest[] {
  const told = [...titles].filter((title) => title !== "Console" && title !== suiteFailed);
  const tests = told.map((title): ParsedTest => ({ status: "failed", path: [file, title] }));
  const isWhole = titles.has(suiteFailed) || tests.length === 0;
  return isWhole ? [...tests, { status: "failed", path: [file] }] : tests;
}

function findOther(lines: readonly string[]): string {
  const isBelow = lines.some((line) => line.startsWith("Jest: ") && line.includes(" threshold "));
  return isBelow ? "the coverage is below its threshold" : "";
}
