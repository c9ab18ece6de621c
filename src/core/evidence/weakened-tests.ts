// Tests that are still there and check less: skipped, focused, assertions removed or made so that they cannot fail,
// failures swallowed.

import type { ChangedFile } from "./changed-file.ts";
import { Tally, withoutKeys } from "./collections.ts";
import { counted, type Observation, quoted } from "./finding.ts";
import { withoutSpace } from "./lines.ts";
import { saysMore } from "./said-more.ts";
import { findLostShared, findNewShared } from "./shared-assertions.ts";
import { findMarkers, markerText } from "./test-markers.ts";
import type { PlacedTest } from "./test-matching.ts";
import { isTestPath } from "./test-path.ts";
import { isAllTest, type TestSources } from "./test-sources.ts";
import { countAssertions, measure, type Strength } from "./test-strength.ts";
import { findTrivialAssertions } from "./trivial-assertions.ts";

export function findWeakenedTests(
  sources: TestSources,
  changes: readonly ChangedFile[],
  moves: ReadonlyMap<string, ChangedFile>,
): Observation[] {
  // Lines that are new somewhere: what went there from a test is not gone.
  const added = new Tally(changes.flatMap((file) => file.added.map(({ text }) => withoutSpace(text))));
  const shared = findNewShared(sources);
  return [
    ...findNewMarkers(sources),
    ...findNewTrivial(sources),
    ...sources.matches.flatMap(({ before, after }) =>
      after === null ? [] : compareTests(before, after, { added, shared }),
    ),
    ...findNewSilence(sources),
    ...findLostShared(sources, { added, moves }),
  ];
}

function findNewMarkers({ files }: TestSources): Observation[] {
  const read = (side: "before" | "after") =>
    files.flatMap((test) => {
      const source = test[side];
      return source === null ? [] : findMarkers(source).map((marker) => ({ marker, file: test.file }));
    });
  const known = read("before").map(({ marker }) => marker.key);
  return withoutKeys(read("after"), known, ({ marker }) => marker.key).map(({ marker, file }) => ({
    kind: marker.kind,
    file: file.path,
    line: marker.line,
    text: markerText(marker),
  }));
}

function findNewTrivial({ files }: TestSources): Observation[] {
  const read = (side: "before" | "after") =>
    files
      .filter((test) => isAllTest(test) || test[side === "before" ? "testsBefore" : "testsAfter"].length > 0)
      .flatMap((test) => {
        const source = test[side];
        return source === null
          ? []
          : findTrivialAssertions(source).map((found) => ({ ...found, file: test.file }));
      });
  const known = read("before").map(({ text }) => text);
  return withoutKeys(read("after"), known, ({ text }) => text).map(({ file, line, text }) => ({
    kind: "assertion-loosened",
    file: file.path,
    line,
    text: `this assertion cannot fail: ${text}`,
  }));
}

function compareTests(before: PlacedTest, after: PlacedTest, known: Elsewhere): Observation[] {
  const old = measure(before.source, before.start, before.end);
  const now = measure(after.source, after.start, after.end);
  const at = { file: after.file.path, line: after.line };
  const found: Observation[] = [];
  const test = quoted(after.name);
  const lost = old.assertions - now.assertions - countRelocated(before, after, known.added);
  if (lost > 0 && !usesNew(known.shared, before, after)) {
    found.push(toLost(at, { test, lost, left: now.assertions }));
  } else if (isLooser(old, now)) {
    const text = `the assertions of the test ${test} are looser: ${now.exact} exact of ${old.exact} before`;
    found.push({ kind: "assertion-loosened", ...at, text });
  }
  if (before.rows > after.rows && after.rows > 0) {
    const text = `the table of the test ${test} has ${counted(before.rows - after.rows, "line")} fewer`;
    found.push({ kind: "assertion-removed", ...at, text });
  }
  const silenced = silenceText(old, now);
  if (silenced !== null) found.push({ kind: "test-silenced", ...at, text: `the test ${test} ${silenced}` });
  if (found.length === 0 && isUntried(before, after)) {
    const text = `the test ${test} is changed, and the base's cannot be tried: it lies in the file of the code`;
    found.push({ kind: "assertion-loosened", ...at, text });
  }
  return found;
}

/** Of a test in a file of its own the base's version runs against the candidate; Rust has tests beside the code. */
function isUntried(before: PlacedTest, after: PlacedTest): boolean {
  return !isTestPath(before.file.path) && !saysMore(before, after);
}

/** Where assertions of a test may have gone. */
interface Elsewhere {
  readonly added: Tally;
  /** Names of new functions that tests share and that check something. */
  readonly shared: ReadonlySet<string>;
}

function usesNew(shared: ReadonlySet<string>, before: PlacedTest, after: PlacedTest): boolean {
  const wordsOf = ({ source, start, end }: PlacedTest): Set<string> =>
    new Set(source.code.slice(start, end).split(/\W+/));
  const old = wordsOf(before);
  return [...wordsOf(after)].some((word) => shared.has(word) && !old.has(word));
}

function toLost(
  at: { file: string; line: number },
  { test, lost, left }: { test: string; lost: number; left: number },
): Observation {
  if (left === 0) return { kind: "test-emptied", ...at, text: `no assertion is left in the test ${test}` };
  const text = `the test ${test} has ${counted(lost, "assertion")} fewer, ${left} left`;
  return { kind: "assertion-removed", ...at, text };
}

/** Exact checks have become partial or weak ones, or partial ones weak. */
function isLooser(old: Strength, now: Strength): boolean {
  const isLessExact = now.exact < old.exact && now.partial + now.weak > old.partial + old.weak;
  return isLessExact || (now.partial < old.partial && now.weak > old.weak);
}

function silenceText(old: Strength | null, now: Strength): string | null {
  if (now.swallows > (old?.swallows ?? 0)) return "swallows the failure of an assertion";
  if (now.exits > (old?.exits ?? 0)) return "can end before its assertions";
  return null;
}

/** Assertions of the old test that stand, word for word, in lines that are new elsewhere. */
function countRelocated(before: PlacedTest, after: PlacedTest, added: Tally): number {
  const kept = new Tally(after.body);
  const { language } = before.source;
  return before.body.filter(
    (line) => !kept.take(line) && countAssertions(line, language) > 0 && added.take(line),
  ).length;
}

/** New tests that swallow or end early; those of the base are compared one by one. */
function findNewSilence({ files, matches }: TestSources): Observation[] {
  const known = new Set(matches.map(({ after }) => after));
  return files
    .flatMap(({ testsAfter }) => testsAfter)
    .filter((test) => !known.has(test))
    .flatMap((test) => {
      const silenced = silenceText(null, measure(test.source, test.start, test.end));
      const text = `the new test ${quoted(test.name)} ${silenced}`;
      return silenced === null
        ? []
        : [{ kind: "test-silenced", file: test.file.path, line: test.line, text }];
    });
}
