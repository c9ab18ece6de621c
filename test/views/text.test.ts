// Untrusted text on its way to terminals, lines, shells and calendars.
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  toDuration,
  toIso,
  toLine,
  toNumber,
  toSafeText,
  toShellWord,
  toShownPath,
  toUsd,
} from "../../src/views/text.ts";

describe("several lines", () => {
  test.each([
    ["colours", "\u001b[31mred\u001b[0m", "red"],
    ["a title set in the terminal", "a\u001b]0;title\u0007b", "ab"],
    ["a link of a terminal", "\u001b]8;;http://x\u001b\\text\u001b]8;;\u001b\\", "text"],
    ["an unended terminal command", "a\u001b]0;rest\nb", "a]0;rest\nb"],
    ["the one-byte forms", "a\u009b2Jb\u009d0;t\u009cc", "abc"],
    ["cursor keys", "a\u001b[2A\u001b[2Kb", "ab"],
    ["backspaces and nulls", "a\u0008b\u0000c", "abc"],
    ["a carriage return that would overwrite", "good\rbad", "good\nbad"],
    ["line ends of other systems", "a\r\nb\u2028c\u0085d", "a\nb\nc\nd"],
    ["turned writing direction", "a\u202eb\u2066c\u200f", "abc"],
    ["hidden letters", "a\u200b\ufeff\u{e0041}b", "ab"],
    ["half a character", "a\ud83db", "ab"],
    ["emoji and scripts", "👩‍💻 می‌خواهم", "👩‍💻 می‌خواهم"],
    ["tabs", "a\tb", "a\tb"],
  ])("%s", (_what, text, expected) => {
    expect(toSafeText(text)).toBe(expected);
  });

  test("time grows with the length only, whatever the text", () => {
    for (const part of ["\u001b[", "\u001b]0;", "\u001b[0;0;", "\u009b1", "\r"]) {
      expect(toSafeText(part.repeat(50_000)).length).toBeLessThan(400_000);
    }
  });
});

describe("one line", () => {
  test("any text becomes one line that shows everything it has, of bounded length", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 2_000 }),
        fc.integer({ min: 5, max: 300 }),
        (text, chars) => {
          const line = toLine(text, chars);
          expect(line.length).toBeLessThanOrEqual(chars);
          expect(line).not.toMatch(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u);
          expect(line.trim()).toBe(line);
          expect(toLine(line, chars)).toBe(line);
        },
      ),
    );
  });

  test("what is cut off is said to be cut off", () => {
    expect(toLine("one two three", 8)).toBe("one two…");
    expect(toLine("abc👩def", 5)).toBe("abc…");
  });
});

test.each([
  ["src/a.ts", "src/a.ts"],
  ["app/[id]/page.tsx", "app/[id]/page.tsx"],
  ["a\nb.ts", '"a\\u{a}b.ts"'],
  ["a\u202etxt.exe", '"a\\u{202e}txt.exe"'],
  [" a", '" a"'],
])("the path %j is shown as %j", (path, expected) => {
  expect(toShownPath(path)).toBe(expected);
});

test("a word for the shell reaches a program as it is", () => {
  const words = ["plain", "a b", "it's", "$(id)", "`id`", "a;b", "ä", "a\\b", '"', "", "*", "~"];
  const line = `printf '%s\\n' ${words.map(toShellWord).join(" ")}`;
  expect(spawnSync("sh", ["-c", line], { encoding: "utf8" }).stdout).toBe(`${words.join("\n")}\n`);
});

test("times are RFC 3339 in UTC, and no number breaks them", () => {
  expect(toIso(1_769_850_001_250)).toBe("2026-01-31T09:00:01.250Z");
  for (const atMs of [Number.NaN, Number.POSITIVE_INFINITY, -1e300, 8.64e15]) {
    expect(Number.isNaN(Date.parse(toIso(atMs)))).toBe(false);
  }
});

test.each([
  [0, "0 s"],
  [999, "under 1 s"],
  [-5, "0 s"],
  [59_400, "59 s"],
  [60_000, "1 min 0 s"],
  [3_600_000, "1 h 0 min"],
  [8_100_000, "2 h 15 min"],
])("%d ms are %s", (durationMs, expected) => {
  expect(toDuration(durationMs)).toBe(expected);
});

test.each([
  [0, "0"],
  [999, "999"],
  [1_000, "1,000"],
  [1_234_567, "1,234,567"],
])("%d is written %s", (count, expected) => {
  expect(toNumber(count)).toBe(expected);
});

test.each([
  [0, "$0.00"],
  [0.000_1, "under $0.01"],
  [0.01, "$0.01"],
  [1_234.5, "$1234.50"],
])("%d dollars are %s, and the least amount is not nothing", (amount, expected) => {
  expect(toUsd(amount)).toBe(expected);
});
