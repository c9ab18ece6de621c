// What `cargo test` prints: a line a test and a summary for each test program. Which program it is stands on another
// stream; so tests of the same name are told apart by their order only.

import { countStatus, type ParsedTest, type ParsedTests } from "./results.ts";

const statuses: ReadonlyMap<string, ParsedTest["status"]> = new Map([
  ["ok", "passed"],
  ["FAILED", "failed"],
  ["ignored", "skipped"],
]);

/** null: no such output. */
export function parseCargoConsole(lines: readonly string[]): ParsedTests | null {
  const tests: ParsedTest[] = [];
  const counts = { passed: 0, failed: 0, skipped: 0, found: false };
  let stopped = false;
  for (const line of lines) {
    const [, name = "", told = ""] = /^test (.+?) \.\.\. (ok|FAILED|ignored)\b/.exec(line) ?? [];
    const status = statuses.get(told);
    if (status !== undefined) tests.push({ status, path: [toTitle(name)] });
    const [, passed, failed, ignored] =
      /^test result: \w+\. (\d{1,9}) passed; (\d{1,9}) failed; (\d{1,9}) ignored;/.exec(line) ?? [];
    if (passed !== undefined) {
      counts.found = true;
      counts.passed += Number(passed);
      counts.failed += Number(failed);
      counts.skipped += Number(ignored);
    }
    if (/^error: (?:doc)?test failed, to rerun pass/.test(line)) stopped = true;
    if (/^error: \d+ targets? failed:/.test(line)) stopped = false; // with --no-fail-fast the list is at the end
  }
  if (!counts.found) return null;
  const { passed, failed, skipped } = counts;
  const gap = findGap(stopped, countStatus(tests, "failed") === failed);
  return { tests, passed, failed, skipped, counted: failed + (stopped ? 1 : 0), gap };
}

function findGap(stopped: boolean, isWhole: boolean): string {
  if (stopped) return "cargo stops at the first program whose tests fail; give it --no-fail-fast";
  return isWhole ? "" : "its list of failures does not fit its summary";
}

/** Tests in documentation carry the line they stand in. */
function toTitle(name: string): string {
  return name.replace(/ \(line \d+\)/, "");
}
