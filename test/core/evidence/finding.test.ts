// Findings: strongest first, numbered the same every time, bounded, in one clean line.
import { expect, test } from "vitest";
import {
  counted,
  type EvidenceFinding,
  isSameFinding,
  listed,
  type Observation,
  quoted,
  toFindings,
  toWords,
} from "../../../src/core/evidence/finding.ts";
import { limits } from "../../../src/core/limits.ts";

const at = (
  kind: Observation["kind"],
  file: string | null,
  line: number | null,
  text = "t",
): Observation => ({
  kind,
  file,
  line,
  text,
});

test("the strongest are first, then by file, line and kind, whatever the order of rules", () => {
  const observations = [
    at("large-file", "b", null),
    at("large-file", "a", 2),
    at("test-skipped", "a", 1),
    at("test-focused", "a", 1, "u"),
    at("test-focused", "a", 1, "t"),
    at("many-deletions", null, null),
    at("secret-added", "z", 9),
    at("large-file", "a", 2),
  ];
  const findings = toFindings(observations);
  expect(findings.map(({ id, kind, file, text }) => `${id} ${kind} ${file} ${text}`)).toEqual([
    "e1 many-deletions null t",
    "e2 secret-added z t",
    "e3 test-focused a t",
    "e4 test-focused a u",
    "e5 test-skipped a t",
    "e6 large-file a t",
    "e7 large-file a t",
    "e8 large-file b t",
  ]);
  expect(toFindings([...observations].reverse())).toEqual(findings);
});

test("an observation may have another effect than its kind", () => {
  expect(toFindings([{ ...at("not-examined", null, null), effect: "hold" }])[0]).toMatchObject({
    effect: "hold",
    severity: "major",
  });
});

test("what goes beyond the bound is one finding with the strongest effect left out", () => {
  const many = Array.from({ length: limits.findingsKept + 5 }, (_value, index) =>
    at("test-skipped", "a", index),
  );
  const findings = toFindings([...many, at("large-file", "a", 1)]);
  expect(findings).toHaveLength(limits.findingsKept);
  expect(findings.at(-1)).toMatchObject({
    id: `e${limits.findingsKept}`,
    kind: "more-findings",
    effect: "justify",
    text: "7 more findings of this candidate not listed here",
  });
  expect(toFindings(many.slice(0, limits.findingsKept)).map(({ kind }) => kind)).not.toContain(
    "more-findings",
  );
});

test("a sentence has no control characters, none that turn its direction, and an end", () => {
  const [finding] = toFindings([
    at("test-skipped", "a", 1, `a\u001b[31m\nb\u202Ec\u2028d\ud800${"x".repeat(1_000)}`),
  ]);
  expect(finding?.text).toMatch(/^a \[31m b c d x+…$/);
  expect(finding?.text).toHaveLength(limits.findingChars);
});

test("names in sentences are quoted, cut and counted", () => {
  expect(quoted("a")).toBe('"a"');
  expect(quoted("x".repeat(500))).toHaveLength(123);
  expect(listed(["a", "b"])).toBe('"a", "b"');
  expect(listed(["a", "b", "c", "d", "e", "f", "g"])).toBe('"a", "b", "c", "d", "e" and 2 more');
  expect([counted(1, "test"), counted(2, "test")]).toEqual(["1 test", "2 tests"]);
});

const skipped: EvidenceFinding = {
  id: "e1",
  kind: "test-skipped",
  effect: "justify",
  severity: "major",
  file: "a.test.ts",
  line: 3,
  text: "a test is skipped",
};

test.each<[string, Partial<EvidenceFinding>, string]>([
  ["its file and line", {}, "e1: a test is skipped in a.test.ts:3"],
  ["its file", { line: null }, "e1: a test is skipped in a.test.ts"],
  ["no place", { file: null, line: null }, "e1: a test is skipped"],
])("a finding in words has its id and %s", (_what, over, words) => {
  expect(toWords({ ...skipped, ...over })).toBe(words);
});

test.each<[string, Partial<EvidenceFinding>, boolean]>([
  ["the same in another line", { line: 9 }, true],
  ["another with another id, by which a reviewer justifies it", { id: "e2" }, false],
  ["another in another file", { file: "b.test.ts" }, false],
  ["another when it says something else", { text: "two tests are skipped" }, false],
  ["another when it is of another kind", { kind: "test-focused" }, false],
])("a finding of the same change on another head is %s", (_what, over, expected) => {
  expect(isSameFinding(skipped, { ...skipped, ...over })).toBe(expected);
});
