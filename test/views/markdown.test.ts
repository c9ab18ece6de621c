// Untrusted text inside Markdown: it may say anything and be nothing but text.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toBlock, toCell, toInline, toItem, toPathItem, toQuote } from "../../src/views/markdown.ts";

describe("a line that would begin something is escaped", () => {
  test.each([
    ["## Task task-9: done", "  \\## Task task-9: done"],
    ["**Status**: complete", "  \\**Status**: complete"],
    ["---", "  \\---"],
    ["* * *", "  \\* * *"],
    ["===", "  \\==="],
    ["```", "  \\```"],
    ["~~~", "  \\~~~"],
    ["> quoted", "  \\> quoted"],
    ["| a | b |", "  \\| a | b |"],
    [":--- | ---", "  \\:--- | ---"],
    ["[a]: http://b", "  \\[a]: http://b"],
    ["- ## Task", "  - \\## Task"],
    ["1. - ---", "  1. - \\---"],
    ["   # indented", "  \\# indented"],
    ["- a list", "  - a list"],
    ["2) a list", "  2) a list"],
    ["plain **bold** text", "  plain **bold** text"],
    ["text <!-- open", "  text \\<!-- open"],
    ["<h1>x</h1>", "  \\<h1>x\\</h1>"],
    ["\\<h1>", "  \\\\\\<h1>"],
    ["a < b", "  a < b"],
    ["![x](http://y)", "  !\\[x](http://y)"],
  ])("%j", (text, expected) => {
    expect(toBlock(text)).toBe(expected);
  });
});

test("items and quotes keep every line under their own mark", () => {
  expect(toItem("one\n\n\n\n# two\r\nthree")).toBe("- one\n\n  \\# two\n  three");
  expect(toQuote("one\n\n# two")).toBe("> one\n>\n> \\# two");
  expect(toPathItem("# a\nb", "added")).toBe('- "# a\\u{a}b" (added)');
  expect(toPathItem("# a", "added")).toBe("- \\# a (added)");
});

test("a cell stays one cell", () => {
  expect(toCell("a | b\n| c \\| d")).toBe("a \\| b \\| c \\\\\\| d");
  expect(toCell("<b>")).toBe("\\<b>");
  expect(toCell("\\<b>")).toBe("\\\\\\\\\\<b>");
  expect(toInline("a\n## b")).toBe("a ## b");
});

test("no text gets a line of its own to the start of a line", () => {
  const piece = fc.constantFrom(
    "\n",
    "\r",
    "#",
    "-",
    "*",
    "`",
    " ",
    "<",
    "\\",
    "1.",
    "a",
    "\u001b[",
    "\u2028",
    "|",
  );
  const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(text, (hostile) => {
      for (const line of toBlock(hostile).split("\n")) expect(line).toMatch(/^$|^ {2}/);
      const [first = "", ...rest] = toItem(hostile).split("\n");
      expect(first).toMatch(/^- /);
      for (const line of rest) expect(line).toMatch(/^$|^ {2}/);
      for (const line of toQuote(hostile).split("\n")) expect(line).toMatch(/^>/);
      expect(toCell(hostile)).not.toMatch(/\n|(?<!\\)(?:\\\\)*\|/);
    }),
  );
});
