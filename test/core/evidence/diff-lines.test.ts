// Added and removed lines: what they must always add up to, and that no text makes them slow.
import fc from "fast-check";
import { expect, test } from "vitest";
import { diffLines } from "../../../src/core/evidence/diff-lines.ts";
import { splitLines } from "../../../src/core/evidence/lines.ts";
import { timed } from "../../support/processor-time.ts";

const cases: readonly [string, string, string, readonly string[], readonly string[]][] = [
  ["nothing", "a\nb\n", "a\nb\n", [], []],
  ["line ends and a byte order mark", "a\nb\n", "\uFEFFa\r\nb\r\n", [], []],
  ["a last line end", "a\nb", "a\nb\n", [], []],
  ["a new text", "", "a\nb\n", ["1 a", "2 b"], []],
  ["a text that is gone", "a\nb\n", "", [], ["1 a", "2 b"]],
  ["a line in the middle", "a\nb\nc\n", "a\nx\nc\n", ["2 x"], ["2 b"]],
  ["lines apart", "a\nb\nc\nd\ne\n", "x\nb\nc\ny\ne\nz\n", ["1 x", "4 y", "6 z"], ["1 a", "4 d"]],
  ["a line that moved down", "a\nb\nc\nd\n", "b\nc\na\nd\n", ["3 a"], ["1 a"]],
  [
    "lines that changed places",
    "q\na\nb\nz\nr\n",
    "s\nb\na\nz\nt\n",
    ["1 s", "3 a", "5 t"],
    ["1 q", "2 a", "5 r"],
  ],
  ["repeated lines only", "x\nx\n", "y\ny\ny\n", ["1 y", "2 y", "3 y"], ["1 x", "2 x"]],
];

test.each(cases)("of %s", (_what, before, after, added, removed) => {
  const diff = diffLines(before, after);
  expect(diff.added.map(({ line, text }) => `${line} ${text}`)).toEqual(added);
  expect(diff.removed.map(({ line, text }) => `${line} ${text}`)).toEqual(removed);
});

test("what is neither added nor removed is the same in both texts, in order", () => {
  const lines = fc.array(fc.constantFrom("a", "b", "c", "d", "e", "f", ""), { maxLength: 30 });
  fc.assert(
    fc.property(lines, lines, (old, now) => {
      const before = `${old.join("\n")}\n`;
      const after = `${now.join("\n")}\n`;
      const { added, removed } = diffLines(before, after);
      const keep = (text: string, gone: readonly { line: number }[]) => {
        const numbers = new Set(gone.map(({ line }) => line));
        return splitLines(text).filter((_line, index) => !numbers.has(index + 1));
      };
      expect(keep(after, added)).toEqual(keep(before, removed));
    }),
  );
});

test.each([
  ["the same line over and over", "x\n".repeat(200_000), "x\n".repeat(150_000)],
  ["one line of a million letters", "x".repeat(1_000_000), "y".repeat(1_000_000)],
  ["everything in reverse", numbers(50_000).join("\n"), numbers(50_000).reverse().join("\n")],
  ["pairs in another order", pairs(30_000, 1), pairs(30_000, 7)],
])("of %s is bounded work", (_what, before, after) => {
  expect(timed(() => diffLines(before, after)).ms).toBeLessThan(5_000);
});

test("parts within parts are bounded as well", () => {
  const nest = (depth: number, mark: string): string[] =>
    depth === 0
      ? [mark]
      : [`${mark}${depth}`, `same ${depth}`, `t${depth}`, ...nest(depth - 1, mark), `t${depth}`];
  const { added } = diffLines(nest(40, "a").join("\n"), nest(40, "b").join("\n"));
  expect(added.length).toBeGreaterThan(40);
});

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_value, index) => String(index));
}

function pairs(count: number, step: number): string {
  return numbers(count)
    .map((value) => String((Number(value) * step) % (count / 2)))
    .join("\n");
}
