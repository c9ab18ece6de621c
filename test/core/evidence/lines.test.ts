// Lines and offsets of texts, and the bound on matches.
import { expect, test } from "vitest";
import { Tally, withoutKeys } from "../../../src/core/evidence/collections.ts";
import { firstMatches, lineFinder, splitLines } from "../../../src/core/evidence/lines.ts";

test("lines are the same whatever ends them", () => {
  expect(["a\nb", "a\nb\n", "a\r\nb\r\n", "a\rb", "\uFEFFa\nb\n"].map(splitLines)).toEqual(
    Array.from({ length: 5 }, () => ["a", "b"]),
  );
  expect([splitLines(""), splitLines("\n")]).toEqual([[], [""]]);
});

test("an offset has the line it is in", () => {
  const lineOf = lineFinder("a\n\nbc\n");
  expect([0, 1, 2, 3, 4, 6].map(lineOf)).toEqual([1, 1, 2, 3, 3, 4]);
});

test("matches are taken up to a bound", () => {
  expect(firstMatches("a".repeat(10), /a/g)).toHaveLength(10);
  expect(firstMatches("a".repeat(10_000), /a/g)).toHaveLength(3_000);
});

test("a key uses up one item", () => {
  expect(withoutKeys(["a", "b", "a"], ["a", "c"], (item) => item)).toEqual(["b", "a"]);
  const tally = new Tally(["a", "a"]);
  expect(["a", "a", "a", "b"].map((key) => tally.take(key))).toEqual([true, true, false, false]);
});
