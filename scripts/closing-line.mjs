// The last line of a test run, for people and for CI: `N passed, N failed`, and above it how many were skipped and which
// passed only when they were run once more.

/**
 * @typedef {object} TestCounts
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {readonly string[]} flaky names; they count as passed
 */

/**
 * A run that ends badly although every test passed (coverage below the threshold, an unhandled error) counts one failure.
 *
 * @param {TestCounts} counts
 * @param {number} exitCode of the test run
 * @returns {string}
 */
export function toClosingLine({ passed, failed, skipped, flaky }, exitCode) {
  const failures = exitCode === 0 ? failed : Math.max(failed, 1);
  return [
    ...flaky.map((name) => `FLAKY, passed only the second time: ${name}`),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    `${passed} passed, ${failures} failed`,
  ].join("\n");
}
