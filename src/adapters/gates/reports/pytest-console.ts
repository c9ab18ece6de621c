// What pytest prints at its end: a line for each failure ("short test summary info") and the counts.

import { countBefore } from "./count-before.ts";
import type { ParsedTest, ParsedTests } from "./results.ts";

/** null: no such output. */
export function parsePytestConsole(lines: readonly string[]): ParsedTests | null {
  const counts = { passed: 0, failed: 0, skipped: 0, found: false };
  let tests: ParsedTest[] = [];
  let listed: ParsedTest[] = [];
  let stop = "";
  for (const line of lines) {
    if (/^=+ short test summary info =+$/.test(line)) listed = [];
    const test = toTest(line);
    if (test !== null) listed.push(test);
    if (/^!+ (?:stopping after|Interrupted:|xdist\.dsession\.Interrupted)/.test(line)) stop ||= stopped;
    if (
      !/^(?:=+ )?\d+ (?:passed|failed|errors?|skipped|xfailed|xpassed|deselected)\b.* in [\d.]+s/.test(line)
    ) {
      continue;
    }
    counts.found = true;
    counts.passed += countBefore(line, "passed");
    counts.failed += countBefore(line, "failed") + countBefore(line, "errors?");
    counts.skipped += countBefore(line, "skipped");
    tests = tests.concat(listed);
    listed = [];
  }
  if (!counts.found) return null;
  const isWhole = tests.length === counts.failed;
  const { passed, skipped, failed } = counts;
  const counted = failed + (stop === "" ? 0 : 1);
  return { tests, passed, skipped, failed, counted, gap: stop || (isWhole ? "" : unlisted) };
}

const stopped = "pytest stopped before it had run all tests";
const unlisted = "its list of failures does not fit its summary";

function toTest(line: string): ParsedTest | null {
  const [, kind = "", told = ""] = /^(FAILED|ERROR|SUBFAILED)(?: |(?=[[(]))(.+)$/.exec(line) ?? [];
  if (kind === "FAILED") return failed(toId(told));
  if (kind === "ERROR") return failed(`${toId(told)} (error)`);
  // `[message] (i=1) tests/test_a.py::test_b`
  const [, what, id] = /^(.*?) ?([^\s:]+::.*)$/.exec(told) ?? [];
  return kind === "" || id === undefined ? null : failed(`${toId(id)} ${what}`);
}

function failed(name: string): ParsedTest {
  return { status: "failed", path: [name] };
}

/** Up to the " - " before the message; one between the brackets of a parameter is part of the name. */
function toId(told: string): string {
  const text = told.trimEnd();
  const plain = text.indexOf(" - ");
  const bracket = text.indexOf("[");
  if (plain === -1) return text;
  if (bracket === -1 || plain < bracket) return text.slice(0, plain);
  const closed = text.indexOf("] - ", bracket);
  return closed === -1 ? text : text.slice(0, closed + 1);
}
