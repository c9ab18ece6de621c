import fc from "fast-check";
import { expect, it, test } from "vitest";
import { toUtcDay } from "../../src/core/time.ts";

test("the UTC day of any moment of four-digit years is the one that Date gives", () => {
  const from = Date.UTC(0, 0, 1) - 1_900 * 365.2425 * 86_400_000;
  const to = Date.UTC(9_999, 11, 31, 23, 59, 59, 999);
  fc.assert(
    fc.property(fc.integer({ min: Math.ceil(from), max: to }), (atMs) => {
      const text = new Date(atMs).toISOString();
      fc.pre(/^\d{4}-/.test(text));
      expect(toUtcDay(atMs)).toBe(text.slice(0, 10));
    }),
    { numRuns: 2_000 },
  );
});

it.each([
  ["1970-01-01", 0],
  ["1969-12-31", -1],
  ["2000-02-29", Date.UTC(2000, 1, 29, 23, 59)],
  ["1900-03-01", Date.UTC(1900, 2, 1)],
  ["2024-12-31", Date.UTC(2024, 11, 31)],
  ["2026-01-31", Date.UTC(2026, 0, 31, 12)],
])("knows %s", (day, atMs) => expect(toUtcDay(atMs)).toBe(day));
