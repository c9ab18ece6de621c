// Tests that are gone: deleted with their file, out of it, or with nothing left in them.

import type { ChangedFile } from "./changed-file.ts";
import { isUnread } from "./changed-file.ts";
import { groupBy } from "./collections.ts";
import { counted, listed, type Observation, quoted } from "./finding.ts";
import { isCode, languageOf } from "./language.ts";
import type { PlacedTest } from "./test-matching.ts";
import { canHoldTests, isHidden, isTestName, isTestPath } from "./test-path.ts";
import { isAllTest, type TestFile, type TestSources } from "./test-sources.ts";
import { countAssertions } from "./test-strength.ts";

export function findDeletedTests(
  sources: TestSources,
  moves: ReadonlyMap<string, ChangedFile>,
): Observation[] {
  const lost = sources.matches.filter(
    ({ before, after }) => after === null || isHidden(before.file.path, after.file.path),
  );
  const gone = groupBy(
    lost.map(({ before }) => before),
    ({ file }) => file.path,
  );
  return sources.files.flatMap((file) => {
    const tests = gone.get(file.file.path) ?? [];
    if (tests.length > 0) return tellGone(file, tests);
    const target = moves.get(file.file.path);
    return target !== undefined && canHoldTests(target.path) ? [] : tellUnrecognised(file);
  });
}

/** Test files, of which a rule would have to know the text, and does not. */
export function findUnreadTests(changes: readonly ChangedFile[]): Observation[] {
  return changes
    .filter((file) => isTestPath(file.path) && isCode(file.path) && isUnread(file))
    .map(({ path }) => ({
      kind: "not-examined",
      file: path,
      line: null,
      text: `the test file ${quoted(path)} is binary or too large to be compared`,
    }));
}

/** More tests than this that are gone from one file are told in one finding. */
const toldOneByOne = 5;

function tellGone(file: TestFile, tests: readonly PlacedTest[]): Observation[] {
  const { path, change } = file.file;
  const names = listed(tests.map(({ name }) => name));
  const isAll = tests.length === file.testsBefore.length && file.testsAfter.length === 0;
  if (isAll && change === "deleted") {
    const text = `the test file ${quoted(path)} is deleted with ${counted(tests.length, "test")}: ${names}`;
    return [{ kind: "test-deleted", file: path, line: null, text }];
  }
  if (isAll) {
    const text = `no test is left in ${quoted(path)}, which had ${counted(tests.length, "test")}: ${names}`;
    return [{ kind: "test-emptied", file: path, line: null, text }];
  }
  if (tests.length > toldOneByOne) {
    const text = `${counted(tests.length, "test")} deleted from ${quoted(path)}: ${names}`;
    return [{ kind: "test-deleted", file: path, line: null, text }];
  }
  return tests.map(({ name, line }) => ({
    kind: "test-deleted",
    file: path,
    line,
    text: `the test ${quoted(name)} is deleted`,
  }));
}

/** Files in which no test was recognised, by what a runner or a reader would take them for. */
function tellUnrecognised(file: TestFile): Observation[] {
  const { path, change } = file.file;
  if (file.before === null || file.testsBefore.length > 0 || !isAllTest(file)) return [];
  const wasTest = isTestName(path) || countAssertions(file.before.code, languageOf(path)) > 0;
  if (!wasTest || file.before.code.trim() === "") return [];
  if (change === "deleted") {
    return [
      { kind: "test-deleted", file: path, line: null, text: `the test file ${quoted(path)} is deleted` },
    ];
  }
  if (file.after?.code.trim() !== "") return [];
  return [
    {
      kind: "test-emptied",
      file: path,
      line: null,
      text: `nothing is left in the test file ${quoted(path)}`,
    },
  ];
}
