// Where a text stops being JSON, found without the words of the runtime.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { findJsonError, findTooDeep } from "../../src/schema/json-error.ts";
import { decodeJson } from "../../src/schema/json-text.ts";

describe("the place of the first error", () => {
  test.each([
    ["", 0, "a JSON value", "the file is empty"],
    [" \n", 2, "a JSON value", "the file is empty"],
    ["{", 1, 'a key in double quotes or "}"', "the text ends too early: is the file complete?"],
    ['{"a"', 4, '":" after the key', "the text ends too early: is the file complete?"],
    ['{"a":', 5, "a JSON value", "the text ends too early: is the file complete?"],
    ['{"a":1', 6, '"," or "}"', "the text ends too early: is the file complete?"],
    ['{"a":1,', 7, "a key in double quotes", "the text ends too early: is the file complete?"],
    ['{"a":1,}', 7, "a key in double quotes", "drop the last comma"],
    ["[1,\n]", 4, "a JSON value", "drop the last comma"],
    ["[1 2]", 3, '"," or "]"', ""],
    ["[1}", 2, '"," or "]"', ""],
    ["nul", 0, "a JSON value", ""],
    ['"abc', 4, "the closing double quote of the text", "the text ends too early: is the file complete?"],
    ['"a\nb"', 2, "no line break or control character inside a text", ""],
    ['"a\\x"', 2, "an escape:", ""],
    ['"\\u12G4"', 1, "an escape:", ""],
    ['{"a":1} x', 8, "nothing after the JSON value", ""],
    ["01", 1, "a number without zeros in front", ""],
    ["-", 1, "a digit", "the text ends too early: is the file complete?"],
    ["1.", 2, "a digit after the decimal point", "the text ends too early: is the file complete?"],
    ["[1e+]", 4, "a digit of the exponent", ""],
    ["{'a':1}", 1, 'a key in double quotes or "}"', "JSON wants double quotes"],
    ['{ // a\n"a":1}', 2, 'a key in double quotes or "}"', "JSON has no comments"],
    ['{"a":1,\n<<<<<<< HEAD\n}', 8, "a key in double quotes", "it has conflict markers"],
    ["\0", 0, "a JSON value", ""],
    ["NaN", 0, "a JSON value", ""],
  ])("in %j is offset %i: %s", (text, offset, expected, hint) => {
    expect(() => JSON.parse(text)).toThrow();
    const error = findJsonError(text);
    expect(error).toMatchObject({ offset, hint });
    expect(error?.expected).toContain(expected);
  });

  test("there is one exactly when the runtime cannot parse the text", () => {
    const nearlyJson = fc
      .json()
      .chain((text) =>
        fc
          .tuple(fc.nat(text.length), fc.constantFrom("", ",", "}", '"', "\\", "0", "-", ".", "e", "\n", ":"))
          .map(([at, inserted]) => text.slice(0, at) + inserted + text.slice(at + 1)),
      );
    fc.assert(
      fc.property(fc.oneof(fc.json(), nearlyJson, fc.string()), (text) => {
        expect(findJsonError(text) === null).toBe(isJson(text));
      }),
      { numRuns: 2_000 },
    );
  });

  test("a cut text is wrong exactly at its end", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(), (value, cut) => {
        const text = JSON.stringify({ ...value, end: [] });
        const start = text.slice(0, cut % text.length);
        // A literal like "tru" is no value at all, so its error is where it begins.
        const place = start.length - (/(?:[a-z]{1,4}|\\u?[0-9a-f]{0,3})$/.exec(start)?.[0].length ?? 0);
        expect(findJsonError(start)?.offset).toBeGreaterThanOrEqual(place);
      }),
    );
  });
});

test("nesting is counted outside of texts only", () => {
  expect(findTooDeep('[["]]]]]]", "\\"[[["]]', 2)).toBe(null);
  expect(findTooDeep("[[[]]]", 2)).toBe(2);
  expect(findTooDeep('{"a":{"b":[]}}', 2)).toBe(10);
  expect(findTooDeep("[],[],[]", 1)).toBe(null);
});

describe("decoding bytes", () => {
  const decode = (text: string | Uint8Array, maxBytes = 100_000) =>
    decodeJson({ text, file: "a.json" }, maxBytes);

  test("line and column count from 1, whatever the line ending", () => {
    expect(decode('{\r\n  "a": tru\r\n}')).toMatchObject({
      failure: { path: "line 2, column 8", value: '"tru"' },
    });
    expect(decode("{")).toMatchObject({ failure: { path: "line 1, column 2", value: "" } });
  });

  test("a byte order mark is no error, in bytes and in text", () => {
    expect(decode("\uFEFF{}")).toEqual({ ok: true, value: {} });
    expect(decode(Buffer.from("\uFEFF{}"))).toEqual({ ok: true, value: {} });
  });

  test.each([
    ["UTF-16", Buffer.from("\uFEFF{}", "utf16le"), "it is UTF-16"],
    ["a binary file", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff]), "no UTF-8"],
    ["half a character", Buffer.from('{"a":"é"}').subarray(0, 7), "no UTF-8"],
  ])("%s is refused as no UTF-8", (_what, bytes, hint) => {
    expect(decode(bytes)).toMatchObject({ ok: false, failure: { expected: "text in UTF-8" } });
    expect(decode(bytes)).toMatchObject({ failure: { hint: expect.stringContaining(hint) } });
  });

  test("the limit counts bytes, not characters", () => {
    expect(decode('"éé"', 6).ok).toBe(true);
    expect(decode('"éé"', 5)).toMatchObject({ failure: { hint: "it has 6 bytes" } });
    expect(decode(Buffer.from('"éé"'), 5)).toMatchObject({ ok: false });
  });

  test("a million brackets are refused at the first one that is too deep", () => {
    const column = limits.jsonDepth + 1;
    expect(decode("[".repeat(1_000_000), 2_000_000)).toMatchObject({
      failure: { path: `line 1, column ${column}` },
    });
    expect(decode("[".repeat(limits.jsonDepth) + "]".repeat(limits.jsonDepth)).ok).toBe(true);
  });

  test("a text of millions of characters is scanned without deep recursion", () => {
    const text = `{"a": "${"x\\n".repeat(1_000_000)}", "n": ${"1".repeat(1_000_000)}, }`;
    expect(decode(text, 8_000_000)).toMatchObject({ failure: { hint: "drop the last comma" } });
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
