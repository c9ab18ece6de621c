// What `npm test` says at its very end.
import { describe, expect, test } from "vitest";
import { toClosingLine } from "../../scripts/closing-line.mjs";

describe("the closing line of a test run", () => {
  test.each([
    ["all passed", { passed: 3, failed: 0, skipped: 0, flaky: [] }, 0, "3 passed, 0 failed"],
    ["one failed", { passed: 2, failed: 1, skipped: 0, flaky: [] }, 1, "2 passed, 1 failed"],
    [
      "the run failed, and no test did",
      { passed: 3, failed: 0, skipped: 0, flaky: [] },
      1,
      "3 passed, 1 failed",
    ],
    [
      "some were skipped",
      { passed: 3, failed: 0, skipped: 2, flaky: [] },
      0,
      "2 skipped\n3 passed, 0 failed",
    ],
    [
      "one passed only the second time",
      { passed: 3, failed: 0, skipped: 0, flaky: ["a.test.ts: it works"] },
      0,
      "FLAKY, passed only the second time: a.test.ts: it works\n3 passed, 0 failed",
    ],
  ])("%s", (_case, counts, exitCode, line) => {
    expect(toClosingLine(counts, exitCode)).toBe(line);
  });
});
