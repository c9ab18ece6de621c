// What `go test` prints: a line for each failing test, then one for its package. Passing tests are told with -v only.

import type { ParsedTest, ParsedTests } from "./results.ts";

/** null: no such output. */
export function parseGoConsole(lines: readonly string[]): ParsedTests | null {
  const tests: ParsedTest[] = [];
  let pending: ParsedTest[] = [];
  let hasPackage = false;
  for (const line of lines) {
    const [, told, title = ""] = /^ *--- (PASS|FAIL|SKIP): (\S+) \([\d.]+s\)\s*$/.exec(line) ?? [];
    if (told !== undefined) pending.push({ status: statusOf(told), path: [title] });
    const [, ended, name = ""] = /^(ok {2}|FAIL)\t(\S+)(?:\s.*)?$/.exec(line) ?? [];
    if (ended === undefined) continue;
    hasPackage = true;
    const own = pending.map(({ status, path }) => ({ status, path: [name, ...path] }));
    for (const test of own) tests.push(test);
    if (ended === "FAIL" && !own.some(({ status }) => status === "failed")) {
      tests.push({ status: "failed", path: [name] });
    }
    pending = [];
  }
  if (!hasPackage || tests.length === 0) return null;
  const count = (wanted: ParsedTest["status"]) => tests.filter(({ status }) => status === wanted).length;
  const gap = pending.length > 0 ? "the output is cut short" : "";
  return { tests, passed: count("passed"), skipped: count("skipped"), failed: 0, gap };
}

function statusOf(told: string): ParsedTest["status"] {
  if (told === "FAIL") return "failed";
  return told === "SKIP" ? "skipped" : "passed";
}
