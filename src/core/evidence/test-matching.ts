// Which test of the candidate each test of the base has become, over the whole diff: a test that was renamed or moved
// to another file is the same test.

import type { ChangedFile } from "./changed-file.ts";
import { groupBy } from "./collections.ts";
import type { Source } from "./source.ts";
import type { TestCase } from "./test-cases.ts";

export interface PlacedTest extends TestCase {
  readonly file: ChangedFile;
  readonly source: Source;
}

export interface TestMatch {
  readonly before: PlacedTest;
  /** null: nothing in the candidate is this test. */
  readonly after: PlacedTest | null;
}

/** In the order of `before`; a test of the candidate is taken once. */
export function matchTests(
  before: readonly PlacedTest[],
  after: readonly PlacedTest[],
): readonly TestMatch[] {
  const found = new Map<PlacedTest, PlacedTest>();
  let left = new Set(after);
  for (const keyOf of [placeAndBody, bodyOf, placeOf]) {
    const open = before.filter((test) => !found.has(test));
    for (const [test, match] of pairByKey(open, left, keyOf)) found.set(test, match);
    left = new Set(after);
    for (const taken of found.values()) left.delete(taken);
  }
  pairSimilar(before, left, found);
  return before.map((test) => ({ before: test, after: found.get(test) ?? null }));
}

function placeOf(test: PlacedTest): string {
  return `${test.file.path}\0${test.name}`;
}

function bodyOf(test: PlacedTest): string {
  return test.body.join("\n");
}

function placeAndBody(test: PlacedTest): string {
  return `${placeOf(test)}\0${bodyOf(test)}`;
}

function pairByKey(
  before: readonly PlacedTest[],
  after: Iterable<PlacedTest>,
  keyOf: (test: PlacedTest) => string,
): [PlacedTest, PlacedTest][] {
  const byKey = groupBy([...after].reverse(), keyOf);
  return before.flatMap((test) => {
    const match = byKey.get(keyOf(test))?.pop();
    return match === undefined ? [] : [[test, match] as [PlacedTest, PlacedTest]];
  });
}

/** A line in more tests than this says nothing about which test it is. */
const commonLine = 20;

/** What was renamed or moved and changed too: most of its lines are those of one test that is new. */
function pairSimilar(
  before: readonly PlacedTest[],
  left: Set<PlacedTest>,
  found: Map<PlacedTest, PlacedTest>,
): void {
  const byLine = new Map<string, PlacedTest[]>();
  for (const test of left) {
    for (const line of new Set(telling(test))) {
      const tests = byLine.get(line) ?? [];
      if (tests.length <= commonLine) byLine.set(line, [...tests, test]);
    }
  }
  for (const test of before) {
    if (found.has(test)) continue;
    const match = mostSimilar(test, byLine, left);
    if (match === null) continue;
    found.set(test, match);
    left.delete(match);
  }
}

function mostSimilar(
  test: PlacedTest,
  byLine: ReadonlyMap<string, readonly PlacedTest[]>,
  left: ReadonlySet<PlacedTest>,
): PlacedTest | null {
  const lines = new Set(telling(test));
  const shared = new Map<PlacedTest, number>();
  for (const line of lines) {
    for (const other of byLine.get(line) ?? []) {
      if (left.has(other)) shared.set(other, (shared.get(other) ?? 0) + 1);
    }
  }
  let best: PlacedTest | null = null;
  let bestShare = 0;
  for (const [other, count] of shared) {
    const share = count / lines.size + (other.name === test.name ? sameNameShare : 0);
    if (share > bestShare) [best, bestShare] = [other, share];
  }
  return bestShare >= wantedShare ? best : null;
}

const wantedShare = 0.5;
const sameNameShare = 0.25;

/** Lines with something in them: not `});` alone, nor the head that every test has. */
function telling(test: PlacedTest): string[] {
  return test.body.filter(
    (line) => /\w\W*\w\W*\w\W*\w\W*\w/.test(line) && !/^[,)]*(?:async)?\(\w*\)=>\{$/.test(line),
  );
}
