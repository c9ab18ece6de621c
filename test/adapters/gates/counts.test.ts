// Closing lines of test runners, as they print them.

import { expect, test } from "vitest";
import { countTests, isClosingLine } from "../../../src/adapters/gates/counts.ts";

const cases: readonly [string, string, { passed: number; failed: number } | null][] = [
  [
    "vitest",
    " Test Files  1 failed | 2 passed (3)\n      Tests  1 failed | 12 passed | 1 skipped (14)\n   Duration  1.2s",
    { passed: 12, failed: 1 },
  ],
  ["vitest, all green", " Test Files  2 passed (2)\n      Tests  7 passed (7)", { passed: 7, failed: 0 }],
  [
    "jest",
    "Test Suites: 1 failed, 2 passed, 3 total\nTests:       1 failed, 2 skipped, 12 passed, 15 total",
    { passed: 12, failed: 1 },
  ],
  ["node:test, spec", "ℹ tests 4\nℹ suites 0\nℹ pass 3\nℹ fail 1\nℹ cancelled 0", { passed: 3, failed: 1 }],
  ["node:test, TAP", "# tests 4\n# pass 3\n# fail 1", { passed: 3, failed: 1 }],
  ["mocha", "  12 passing (34ms)\n  1 pending\n  2 failing", { passed: 12, failed: 2 }],
  ["pytest", "==== 3 failed, 12 passed, 1 skipped, 2 errors in 0.12s ====", { passed: 12, failed: 5 }],
  ["pytest -q", "12 passed in 0.10s", { passed: 12, failed: 0 }],
  ["pytest, long", "=== 1200 passed, 3 warnings in 75.00s (0:01:15) ===", { passed: 1200, failed: 0 }],
  [
    "cargo, summed over its programs",
    "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured\ntest result: FAILED. 3 passed; 2 failed; 0 ignored",
    { passed: 15, failed: 2 },
  ],
  ["a project's own line", "built\n40 passed, 2 failed", { passed: 40, failed: 2 }],
  ["a project's own line, the other way round", "2 failed, 40 passed", { passed: 40, failed: 2 }],
  [
    "a project's own line after its runner's",
    "      Tests  7 passed (7)\n\n7 passed, 0 failed",
    { passed: 7, failed: 0 },
  ],
  ["two runners", "      Tests  7 passed (7)\n=== 1 failed, 2 passed in 0.1s ===", { passed: 9, failed: 1 }],
  ["go", "ok  \texample.com/a\t0.01s\nFAIL\texample.com/b", null],
  ["a linter", "All files pass linting.\n12 files checked", null],
  ["nothing", "", null],
  ["words in a sentence", "the 3 passed arguments are fine", null],
  ["a line of any length", `${"9".repeat(10_000)} passed, 0 failed`, null],
];

test.each(cases)("%s", (_runner, text, counts) => {
  const lines = text.split("\n");
  expect(countTests(lines)).toEqual(counts);
  expect(countTests(lines.filter(isClosingLine))).toEqual(counts);
});
