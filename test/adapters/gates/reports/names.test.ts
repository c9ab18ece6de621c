// Names of failing tests: stable, unique, bounded, and nothing of the run or the machine in them.
import { describe, expect, test } from "vitest";
import {
  type ParsedTest,
  toTestName,
  toTestResults,
} from "../../../../src/adapters/gates/reports/results.ts";
import { limits } from "../../../../src/core/limits.ts";

const roots = ["/home/me/tree", "/private/tree"];

test.each([
  ["parts of the way", ["a.test.ts", "sums", "adds"], "a.test.ts > sums > adds"],
  ["the folder that the tests ran in", ["/home/me/tree/test/a.ts", "adds"], "test/a.ts > adds"],
  ["its real path", ["file:///private/tree/a.ts", "reads /home/me/tree/x"], "a.ts > reads x"],
  ["a file that is its own test", ["/home/me/tree/a.ts", "a.ts"], "a.ts"],
  ["colours", ["\u001b[31ma.ts\u001b[39m", "adds"], "a.ts > adds"],
  ["control characters and line breaks", ["a\u0000\u0007b\n  c\u2028\u202ed"], "a b c d"],
  ["half a character", ["a\ud800b"], "a\ufffdb"],
  ["empty parts", ["", "a.ts", " "], "a.ts"],
  ["nothing", ["", "\u0000"], "(a test without a name)"],
])("%s", (_what, path, name) => {
  expect(toTestName(path, roots)).toBe(name);
});

test("a long name is bounded, and differs from another one with the same beginning", () => {
  const [one, two] = ["1", "2"].map((end) => toTestName([`${"😀x".repeat(400)}${end}`], roots));
  expect(one).toHaveLength(limits.testNameChars);
  expect(one).not.toMatch(/\p{Surrogate}/u);
  expect(one).not.toBe(two);
  expect(toTestName([`${"😀x".repeat(400)}1`], roots)).toBe(one);
});

describe("results", () => {
  const toTest = (status: ParsedTest["status"], name: string): ParsedTest => ({ status, path: [name] });
  const resultsOf = (tests: readonly ParsedTest[], failed = 0) =>
    toTestResults([{ tests, passed: 0, skipped: 0, failed, gap: "" }], roots);

  test("are sorted", () => {
    expect(resultsOf(["b", "a", "c"].map((name) => toTest("failed", name))).failed).toEqual(["a", "b", "c"]);
  });

  test("tell tests of the same name apart by their order, whichever of them fails", () => {
    expect(resultsOf([toTest("failed", "same"), toTest("passed", "same")]).failed).toEqual(["same"]);
    expect(resultsOf([toTest("passed", "same"), toTest("failed", "same")]).failed).toEqual(["same (2)"]);
    expect(resultsOf([toTest("failed", "same"), toTest("failed", "same")])).toMatchObject({
      failed: ["same", "same (2)"],
      isNamed: true,
    });
  });

  test("that name fewer failures than were counted do not name them", () => {
    expect(resultsOf([toTest("failed", "a")], 2)).toMatchObject({
      failed: ["a"],
      failedCount: 2,
      isNamed: false,
      gap: "2 tests failed, 1 of them are named",
    });
  });

  test("with more names than are kept do not name them all", () => {
    const many = Array.from({ length: limits.failingTestsKept + 1 }, (_, index) =>
      toTest("failed", `${index}`),
    );
    expect(resultsOf(many.slice(1))).toMatchObject({ isNamed: true, failedCount: limits.failingTestsKept });
    const over = resultsOf(many);
    expect(over).toMatchObject({ isNamed: false, failedCount: limits.failingTestsKept + 1 });
    expect(over.failed).toHaveLength(limits.failingTestsKept);
  });

  test("of a test that carries another one's number are not named", () => {
    const tests = ["a", "a", "a (2)"].map((name) => toTest("failed", name));
    expect(resultsOf(tests)).toMatchObject({ failedCount: 3, isNamed: false });
  });
});
