// Assertions outside of tests: in functions that tests share, or in tests that were not recognised.

import type { ChangedFile } from "./changed-file.ts";
import type { Tally } from "./collections.ts";
import { counted, type Observation, quoted } from "./finding.ts";
import { group, withoutSpace } from "./lines.ts";
import type { Source } from "./source.ts";
import type { PlacedTest } from "./test-matching.ts";
import { isAllTest, type TestFile, type TestSources } from "./test-sources.ts";
import { countAssertions } from "./test-strength.ts";

/** Where such assertions are fewer than before, and did not go elsewhere. */
export function findLostShared(sources: TestSources, around: Around): Observation[] {
  return sources.files.filter(isAllTest).flatMap((file) => compareOutside(file, sources, around));
}

/** Names that are new in test files of which more is checked outside of tests than before. */
export function findNewShared({ files }: TestSources): ReadonlySet<string> {
  const named = files.filter(isAllTest).flatMap((file) => {
    const { before, after, testsBefore, testsAfter } = file;
    if (after === null) return [];
    const old = before === null ? 0 : countOutside(before, testsBefore);
    if (countOutside(after, testsAfter) <= old) return [];
    const known = new Set(before === null ? [] : namesIn(before));
    return namesIn(after).filter((name) => !known.has(name));
  });
  return new Set(named);
}

function namesIn({ code }: Source): string[] {
  const declared =
    /\b(?:const|let|var|function|def|func|fn|void|fun)\s{1,5}(?:\([^)\n]{0,100}\)\s{0,5})?(\w{1,100})/g;
  return [...code.matchAll(declared)].map((match) => group(match, 1));
}

export interface Around {
  readonly added: Tally;
  readonly moves: ReadonlyMap<string, ChangedFile>;
}

/** Assertions in no test: in what tests share, or in tests that were not recognised. */
function compareOutside(file: TestFile, { files }: TestSources, { added, moves }: Around): Observation[] {
  if (file.before === null) return [];
  const target = moves.get(file.file.path);
  const now = target === undefined ? file : files.find((other) => other.file === target);
  if (now === undefined || now.after === null) return [];
  const { language } = file.before;
  const old = countOutside(file.before, file.testsBefore);
  const deficit = old - countOutside(now.after, now.testsAfter);
  if (deficit <= 0) return [];
  const removed =
    now === file ? file.file.removed.filter(({ text }) => countAssertions(text, language) > 0) : [];
  const lost = deficit - removed.filter(({ text }) => added.take(withoutSpace(text))).length;
  if (lost <= 0) return [];
  const text = `${counted(lost, "assertion")} fewer in what the tests of ${quoted(now.file.path)} share`;
  const [line = null] = removed.map((gone) => gone.line);
  return [{ kind: "assertion-removed", file: now.file.path, line, text }];
}

function countOutside({ code, language }: Source, tests: readonly PlacedTest[]): number {
  const inside = tests.reduce(
    (sum, { start, end }) => sum + countAssertions(code.slice(start, end), language),
    0,
  );
  return countAssertions(code, language) - inside;
}
