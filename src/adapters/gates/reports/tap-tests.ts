// From the points of a TAP report to its tests: which of them count, and whether the report's summary agrees.

import { countStatus, type ParsedTest, type ParsedTests } from "./results.ts";
import type { TapPoint } from "./tap-line.ts";

interface Read {
  readonly summary: ReadonlyMap<string, number>;
  readonly gap: string;
}

export function readTapTests(points: readonly TapPoint[], { summary, gap }: Read): ParsedTests {
  const tests = points.flatMap((point) => testsOf(point, []));
  return {
    tests,
    passed: summary.get("pass") ?? countStatus(tests, "passed"),
    skipped: countStatus(tests, "skipped"),
    failed: 0,
    counted: failedBySummary(summary) ?? 0,
    gap: gap === "" ? summaryGap(points, summary) : gap,
  };
}

function testsOf(point: TapPoint, path: readonly string[]): readonly ParsedTest[] {
  const own = [...path, point.title];
  const inner = point.children.flatMap((child) => testsOf(child, own));
  const status = statusOf(point);
  const isImplied =
    point.children.length > 0 && (status !== "failed" || (hasFailure(point) && isOnlyOfItsSubtests(point)));
  if (isImplied) return inner;
  return [...inner, { status, path: own }].map((test) => withFile(test, point.file));
}

function statusOf({ isOk, directive }: TapPoint): ParsedTest["status"] {
  if (directive === "todo") return "skipped";
  if (!isOk) return "failed"; // also with "skip": what was skipped cannot fail
  return directive === "skip" ? "skipped" : "passed";
}

function hasFailure(point: TapPoint): boolean {
  return point.children.some((child) => statusOf(child) === "failed" || hasFailure(child));
}

// node:test says why a point failed. Elsewhere a point with failing subtests is taken to fail by them.
function isOnlyOfItsSubtests({ failureType }: TapPoint): boolean {
  return failureType === "" || failureType === "subtestsFailed";
}

function withFile(test: ParsedTest, file: string): ParsedTest {
  return file === "" || test.status !== "failed" || test.path[0] === file
    ? test
    : { ...test, path: [file, ...test.path] };
}

/** Tools differ in whether they count points with subtests. */
function summaryGap(points: readonly TapPoint[], summary: ReadonlyMap<string, number>): string {
  const counted = failedBySummary(summary);
  if (counted === null) return "";
  const { all, inmost } = countFailed(points);
  if (inmost <= counted && counted <= all) return "";
  return `the report's summary says that ${counted} tests failed, and it lists ${inmost}`;
}

function failedBySummary(summary: ReadonlyMap<string, number>): number | null {
  const fail = summary.get("fail");
  return fail === undefined ? null : fail + (summary.get("cancelled") ?? 0);
}

function countFailed(points: readonly TapPoint[]): { readonly all: number; readonly inmost: number } {
  let all = 0;
  let inmost = 0;
  for (const point of points) {
    const below = countFailed(point.children);
    const isFailed = statusOf(point) === "failed";
    all += below.all + (isFailed ? 1 : 0);
    inmost += isFailed && point.children.length === 0 ? 1 : below.inmost;
  }
  return { all, inmost };
}
