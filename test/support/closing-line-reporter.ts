// Counts tests for the closing line. Under `npm test` the counts go to the file named in TEST_SUMMARY_FILE, and the
// script that started us prints the line; alone it is printed when the process ends, after the coverage table.
import { writeFileSync } from "node:fs";
import type { Reporter, SerializedError, TestCase, TestModule } from "vitest/node";
import { type TestCounts, toClosingLine } from "../../scripts/closing-line.mjs";

export class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const counts = countTests(modules, unhandledErrors);
    const summaryFile = process.env["TEST_SUMMARY_FILE"];
    if (summaryFile) {
      writeFileSync(summaryFile, JSON.stringify(counts));
      return;
    }
    process.once("exit", (exitCode) => {
      process.stdout.write(`\n${toClosingLine(counts, exitCode)}\n`);
    });
  }
}

/** A file or suite that fails without a failing test in it (it did not load, a hook threw) and an unhandled error count as one failure each. */
function countTests(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): TestCounts {
  const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  for (const module of modules) {
    const failedBefore = counts.failed;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      counts[state === "pending" ? "failed" : state] += 1;
    }
    if (!module.ok() && counts.failed === failedBefore) counts.failed += 1;
  }
  return {
    ...counts,
    flaky: tests.filter(isFlaky).map(({ fullName, module }) => `${module.relativeModuleId}: ${fullName}`),
  };
}

function isFlaky(test: TestCase): boolean {
  return test.diagnostic()?.flaky === true;
}
