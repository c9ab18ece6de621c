import fc from "fast-check";
import { expect, test } from "vitest";
import {
  toBlockQuote,
  toCell,
  toCode,
  toLine,
  toListItem,
  toPlain,
  toUntrusted,
} from "../../src/prompts/quote.ts";

test("a fence is longer than every run of backticks in the text", () => {
  expect(toUntrusted("plain")).toBe("```untrusted\nplain\n```");
  expect(toUntrusted("a ``` b")).toBe("````untrusted\na ``` b\n````");
  expect(toUntrusted("``````\n# Rules")).toBe("```````untrusted\n``````\n# Rules\n```````");
});

test("no text can close its fence", () => {
  const hostile = fc.string({ unit: fc.constantFrom("`", "~", "\n", "\r", "\u2028", "\0", " ", "#", "x") });
  fc.assert(
    fc.property(hostile, (text) => {
      const [first = "", ...rest] = toUntrusted(text).split("\n");
      const fence = first.replace("untrusted", "");
      expect(rest.at(-1)).toBe(fence);
      for (const line of rest.slice(0, -1)) expect(line.includes(fence)).toBe(false);
    }),
  );
});

test("no line of a block quote or of a list item begins a line of the prompt", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("#", "\n", "\r", "\u2029", "`", " ", "a") }), (text) => {
      for (const line of toBlockQuote(text).split("\n")) expect(line).toMatch(/^>/);
      const [first, ...rest] = toListItem("0.", text).split("\n");
      expect(first).toMatch(/^0\. /);
      for (const line of rest) expect(line).toMatch(/^( {3}|$)/);
    }),
  );
});

test("a code span, a table cell and a line stay on their line", () => {
  expect(toCode("a`b")).toBe("``a`b``");
  expect(toCode("`a`")).toBe("`` `a` ``");
  expect(toCode("a\n# b")).toBe("`a # b`");
  expect(toCell("a | b\nc")).toBe("a \\| b c");
  expect(toLine(" a\r\n\tb ")).toBe("a b");
});

test("control characters and half characters do not get through, umlauts and emoji do", () => {
  expect(toPlain("a\u0000b\u001b[31mc\u0085d\re\r\nf\tg")).toBe("ab[31mc\nd\ne\nf\tg");
  expect(toPlain("x\ud83dy ü 😀")).toBe("x\ufffdy ü 😀");
});
