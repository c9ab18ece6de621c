// What mocha prints at its end: counts, and for each failure its suites and title, each further in than the one before.
//
//   1 failing
//
//   1) suite
//        inner suite
//          title:
//      Error: …

import type { ParsedTest, ParsedTests } from "./results.ts";

/** null: no such output. */
export function parseMochaConsole(lines: readonly string[]): ParsedTests | null {
  const counts = { passing: 0, pending: 0, failing: 0, found: false };
  const tests: ParsedTest[] = [];
  let next = 0;
  let path: string[] | null = null;
  let indent = 0;
  for (const line of lines) {
    const [, count, word] = /^ {2}(\d{1,9}) (passing|pending|failing)(?: \(.*\))?\s*$/.exec(line) ?? [];
    if (word === "passing") counts.found = true;
    if (word === "passing" || word === "pending" || word === "failing") counts[word] += Number(count);
    if (word === "failing") next = 1;
    const entry = next > 0 && line.startsWith(`  ${next}) `);
    if (entry) {
      next += 1;
      path = [];
      indent = 0;
    }
    if (path === null) continue;
    const told = entry ? line.slice(line.indexOf(")") + 1).trim() : line.trim();
    const depth = entry ? 2 : line.length - line.trimStart().length;
    const isDeeper = entry || depth > Math.max(indent, 6);
    indent = depth;
    if (isDeeper) path.push(told.replace(/:$/, ""));
    if (isDeeper && !told.endsWith(":")) continue;
    if (isDeeper) tests.push({ status: "failed", path });
    path = null;
  }
  if (!counts.found) return null;
  return {
    tests,
    passed: counts.passing,
    skipped: counts.pending,
    failed: counts.failing,
    gap: tests.length === counts.failing ? "" : "its list of failures does not fit its summary",
  };
}
