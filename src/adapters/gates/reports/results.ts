// What a test report comes to, whatever its format: counts, and names of failing tests that are the same in every run
// of the same tests.
//
// A name is the way to a test (file, suites, title) without what changes from run to run or from place to place:
// colours, control characters, the folder that the tests ran in. Where several tests have the same way, the second
// one gets " (2)", by their order in the report and whether they fail or not: so a test that begins to fail never
// hides behind another one of its name.

import { createHash } from "node:crypto";
import { stripVTControlCharacters } from "node:util";
import { limits } from "../../../core/limits.ts";

export interface ParsedTest {
  readonly status: "passed" | "failed" | "skipped";
  /** From the outside to the inside: file, suites, title, as far as they are known. */
  readonly path: readonly string[];
}

/** One report as read. */
export interface ParsedTests {
  /** In the order of the report. Only the failing ones where the report names no others. */
  readonly tests: readonly ParsedTest[];
  readonly passed: number;
  readonly skipped: number;
  /** Failures that should have a name in `tests`, as the report counts them; 0 where it does not say. */
  readonly failed: number;
  /**
   * Failures as the runner counts them: a test and those within it each, and one more for what is no test's failure.
   * Missing: the same.
   */
  readonly counted?: number;
  /** Why a failure may be missing among `tests`; empty: the report names them all. */
  readonly gap: string;
}

export interface TestResults {
  readonly passed: number;
  readonly skipped: number;
  /** Names of failing tests: stable, unique, bounded, sorted. */
  readonly failed: readonly string[];
  readonly failedCount: number;
  /** The same as the runner's own summary counts. */
  readonly counted: number;
  /** Each of the failures has a name in `failed`. */
  readonly isNamed: boolean;
  /** Why not; empty when they are named. */
  readonly gap: string;
}

/** Several reports of one run are one. `roots`: absolute paths of the folder that the tests ran in. */
export function toTestResults(parsed: readonly ParsedTests[], roots: readonly string[]): TestResults {
  const failed: string[] = [];
  const seen = new Map<string, number>();
  let failedCount = 0;
  let counted = 0;
  for (const { tests, failed: expected, counted: told = 0 } of parsed) {
    const before = failed.length;
    for (const { status, path } of tests) {
      const name = toTestName(path, roots);
      const occurrence = (seen.get(name) ?? 0) + 1;
      seen.set(name, occurrence);
      if (status === "failed") failed.push(occurrence === 1 ? name : `${name} (${occurrence})`);
    }
    const found = Math.max(expected, failed.length - before);
    failedCount += found;
    counted += Math.max(told, found);
  }
  const names = [...new Set(failed)];
  const gap = parsed.find((each) => each.gap !== "")?.gap ?? countGap(names.length, failedCount);
  return {
    passed: sum(parsed.map(({ passed }) => passed)),
    skipped: sum(parsed.map(({ skipped }) => skipped)),
    failed: names.sort().slice(0, limits.failingTestsKept),
    failedCount,
    counted,
    isNamed: gap === "",
    gap,
  };
}

/** `passed` and `skipped` of a report that lists all its tests. */
export function countStatus(tests: readonly ParsedTest[], status: ParsedTest["status"]): number {
  return tests.reduce((count, test) => (test.status === status ? count + 1 : count), 0);
}

export function toTestName(path: readonly string[], roots: readonly string[]): string {
  const parts = path.map((part) => toPart(part, roots)).filter((part) => part !== "");
  const name = parts.filter((part, index) => part !== parts[index - 1]).join(" > ");
  if (name === "") return "(a test without a name)";
  if (name.length <= limits.testNameChars) return name;
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 8);
  const ending = `… ${hash}`;
  return `${withoutHalves(name.slice(0, limits.testNameChars - ending.length))}${ending}`;
}

function countGap(named: number, failedCount: number): string {
  if (failedCount > named) return `${failedCount} tests failed, ${named} of them are named`;
  if (named > limits.failingTestsKept) return `more than ${limits.failingTestsKept} tests failed`;
  return "";
}

const longestPart = 4_000;
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu;

function toPart(part: string, roots: readonly string[]): string {
  const visible = stripVTControlCharacters(part.slice(0, longestPart));
  return withoutHalves(withoutRoots(visible, roots)).replace(invisible, " ").trim();
}

function withoutRoots(text: string, roots: readonly string[]): string {
  return roots
    .filter((root) => root.length > 1)
    .reduce((left, root) => left.replaceAll(`file://${root}/`, "").replaceAll(`${root}/`, ""), text);
}

/** Halves of surrogate pairs are no characters. */
function withoutHalves(text: string): string {
  return text.replace(/\p{Cs}/gu, "\ufffd");
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
