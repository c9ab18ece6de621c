// The test sources of a candidate, read once: each changed file that holds tests, before and after.

import { type ChangedFile, isUnread } from "./changed-file.ts";
import { languageOf } from "./language.ts";
import { readSource, type Source } from "./source.ts";
import { findTests } from "./test-cases.ts";
import { matchTests, type PlacedTest, type TestMatch } from "./test-matching.ts";
import { canHoldTests, isTestPath } from "./test-path.ts";

export interface TestFile {
  readonly file: ChangedFile;
  readonly before: Source | null;
  readonly after: Source | null;
  readonly testsBefore: readonly PlacedTest[];
  readonly testsAfter: readonly PlacedTest[];
}

export interface TestSources {
  readonly files: readonly TestFile[];
  readonly matches: readonly TestMatch[];
}

export function readTestSources(changes: readonly ChangedFile[]): TestSources {
  const files = changes.filter((file) => canHoldTests(file.path) && !isUnread(file)).map(readTestFile);
  const matches = matchTests(
    files.flatMap(({ testsBefore }) => testsBefore),
    files.flatMap(({ testsAfter }) => testsAfter),
  );
  return { files, matches };
}

/** Whether all of a source is test code; of a Rust file with tests in it only those are. */
export function isAllTest({ file }: TestFile): boolean {
  return isTestPath(file.path);
}

function readTestFile(file: ChangedFile): TestFile {
  const language = languageOf(file.path);
  const read = (text: string | null): Source | null => (text === null ? null : readSource(text, language));
  const place = (source: Source | null): PlacedTest[] =>
    source === null ? [] : findTests(source).map((test) => ({ ...test, file, source }));
  const before = read(file.before);
  const after = read(file.after);
  return { file, before, after, testsBefore: place(before), testsAfter: place(after) };
}
