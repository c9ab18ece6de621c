import { expect, test } from "vitest";
import { type Fitting, fitTemplate, type Part, toChunks } from "../../src/prompts/fit.ts";

const template = "first:\n{{a}}\nsecond:\n{{b}}\nend";
const notice = (whole: string) =>
  `[Cut here to keep the prompt within its limit. All of it is in \`${whole}\` of the request.]`;

function lines(name: string, count: number): Part {
  const items = Array.from({ length: count }, (_, index) => `${name}${String(index).padStart(9, "0")}`);
  return { name, items, show: (kept) => kept.join("\n"), whole: `field.${name}` };
}

function fill(maxChars: number, parts: readonly Part[]): string {
  const fitting: Fitting = { template, values: {}, parts, maxChars };
  return fitTemplate(fitting);
}

test("what fits is whole and without a notice", () => {
  const whole = fill(10_000, [lines("a", 50), lines("b", 50)]);
  expect(whole).not.toContain("[Cut here");
  expect(whole).toContain("a000000049\nsecond:\nb000000000");
  expect(fill(whole.length, [lines("a", 50), lines("b", 50)])).toBe(whole);
});

test("what does not fit is cut between two items, the last part first, and says where the whole is", () => {
  const parts = [lines("a", 50), lines("b", 50)];
  const whole = fill(10_000, parts);
  const cut = fill(whole.length - 1, parts);
  expect(cut).toContain("a000000049\nsecond:\nb000000000");
  expect(cut).toContain(`\n\n${notice("field.b")}\nend`);
  expect(cut).not.toContain(notice("field.a"));
  expect(cut.length).toBeLessThan(whole.length);
});

test("a more important part is cut only when the others are down to their notices", () => {
  const cut = fill(500, [lines("a", 50), lines("b", 50)]);
  expect(cut).toContain(notice("field.a"));
  expect(cut).toContain(`second:\n${notice("field.b")}\nend`);
  expect(cut).toContain("a000000000");
});

test.each(Array.from({ length: 60 }, (_, index) => 250 + index * 20))(
  "the bound of %i characters holds",
  (maxChars) => {
    const cut = fill(maxChars, [lines("a", 50), lines("b", 50)]);
    expect(cut.length).toBeLessThanOrEqual(maxChars);
    if (cut.includes(notice("field.b"))) expect(cut.length).toBeGreaterThan(maxChars - 12);
  },
);

test("an empty part is empty, and a part shorter than its notice is never cut", () => {
  expect(fill(200, [lines("a", 0), lines("b", 1)])).toBe("first:\n\nsecond:\nb000000000\nend");
});

test("chunks make up the text and cut no character in two", () => {
  const text = `${"x".repeat(1_999)}😀${"y".repeat(4_500)}`;
  const chunks = toChunks(text);
  expect(chunks.join("")).toBe(text);
  expect(chunks.length).toBe(4);
  for (const chunk of chunks) expect(chunk).not.toMatch(/\p{Surrogate}/u);
  expect(toChunks("")).toEqual([]);
});
