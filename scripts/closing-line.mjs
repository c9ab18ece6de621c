// The last line of a test run, for people and for CI: `N passed, N failed`, and above it how many were skipped.

/**
 * @typedef {object} TestCounts
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 */

/**
 * A run that ends badly although every test passed (coverage below the threshold, an unhandled error) counts one failure.
 *
 * @param {TestCounts} counts
 * @param {number} exitCode of the test run
 * @returns {string}
 */
export function toClosingLine({ passed, failed, skipped }, exitCode) {
  const failures = exitCode === 0 ? failed : Math.max(failed, 1);
  const line = `${passed} passed, ${failures} failed`;
  return skipped > 0 ? `${skipped} skipped\n${line}` : line;
}
