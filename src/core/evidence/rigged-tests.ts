// Tests that pass because something was done to the library that checks, or because the product knows that it is
// being tested.

import type { ChangedFile } from "./changed-file.ts";
import { withoutKeys } from "./collections.ts";
import { type Observation, quoted } from "./finding.ts";
import { isCode, languageOf } from "./language.ts";
import { firstMatches, group, withoutSpace } from "./lines.ts";
import { linesFrom, readSource, type Source } from "./source.ts";
import { isTestName, isTestPath } from "./test-path.ts";

export function findRiggedTests(changes: readonly ChangedFile[]): Observation[] {
  const code = changes.filter(({ path }) => isCode(path));
  const known = code.flatMap((file) => riggingsOf(file, "before")).map(({ key }) => key);
  const added = withoutKeys(
    code.flatMap((file) => riggingsOf(file, "after")),
    known,
    ({ key }) => key,
  );
  return [
    ...added.map(({ path, line, what }) => ({
      kind: "test-silenced" as const,
      file: path,
      line,
      text: what,
    })),
    ...findDoubles(changes),
  ];
}

/** Below the tests something new that is taken for the changed product: a module or class of the same name. */
function findDoubles(changes: readonly ChangedFile[]): Observation[] {
  const product = changes.filter(({ path, after }) => after !== null && !isTestPath(path)).map(pathOf);
  return changes.flatMap(({ path, change, after }) => {
    const own = change === "added" && after?.trim() !== "" ? ownName.exec(path)?.[1] : undefined;
    const double = own === undefined ? undefined : product.find((other) => `/${other}`.endsWith(`/${own}`));
    if (double === undefined) return [];
    const text = `${quoted(path)} is taken for ${quoted(double)} where tests run`;
    return [{ kind: "test-silenced" as const, file: path, line: null, text }];
  });
}

const pathOf = ({ path }: ChangedFile): string => path;

/** In python and on the JVM folders of tests come first on the path. */
const ownName =
  /^(?:.*\/)?(?:tests?\/(?:java|kotlin|scala|groovy)|tests?)\/([^\n]{1,300}\.(?:py|java|kt|scala|groovy))$/;

interface Rigging {
  readonly path: string;
  readonly line: number;
  readonly what: string;
  /** What is done and the line: one that moved is not new. */
  readonly key: string;
}

function riggingsOf({ path, before, after }: ChangedFile, side: "before" | "after"): Rigging[] {
  const text = side === "before" ? before : after;
  const isRust = languageOf(path) === "rust";
  const isShared = isTestPath(path) && !isTestName(path) && languageOf(path) === "python";
  if (text === null || !(isShared || isRust || mayHave.test(text))) return [];
  const source = readSource(text, languageOf(path));
  const toRigging = (index: number, what: string): Rigging => ({
    path,
    line: source.lineOf(index),
    what,
    key: `${what}\n${withoutSpace(linesFrom(source, index)[0])}`,
  });
  const replaced = firstMatches(source.code, replacing(source)).map(({ index }) =>
    toRigging(index, `a function of the library that checks is replaced in ${quoted(path)}`),
  );
  // In a test it is the runner's own business.
  const asked = isTestPath(path) ? [] : firstMatches(source.text, askingWhetherTested);
  const aware = asked
    .filter(({ index }) => source.comments.charAt(index) === " ")
    .map(({ index }) => toRigging(index, `${quoted(path)} asks whether it is being tested`));
  const told = new Set(replaced.map(({ line }) => line));
  const patched = (isShared ? firstMatches(source.code, patching) : [])
    .map(({ index }) => toRigging(index, `${quoted(path)} replaces a part of another module for all tests`))
    .filter(({ line }) => !told.has(line));
  const own = !isRust
    ? []
    : findOwnFunctions(source).map((index) =>
        toRigging(
          index,
          `the tests in ${quoted(path)} have a function of their own by the name of the tested one`,
        ),
      );
  return [...replaced, ...aware, ...patched, ...own];
}

/** Functions in a module of tests that are called like one of the code above it. */
function findOwnFunctions({ code, closeOf }: Source): number[] {
  const module = /#\[cfg\(test\)\]\s{0,50}(?:pub\s{1,5})?mod\s{1,5}\w{1,100}\s{0,50}\{/.exec(code);
  if (module === null) return [];
  const open = module.index + module[0].length;
  const declared = /^(?:pub\b\S{0,40}\s)?(?:async\s{1,5})?fn\s{1,5}(\w{1,100})/gm;
  const tested = new Set([...code.slice(0, module.index).matchAll(declared)].map((match) => group(match, 1)));
  const inside = [...code.slice(open, closeOf(open - 1)).matchAll(/\bfn\s{1,5}(\w{1,100})/g)];
  return inside.filter((match) => tested.has(group(match, 1))).map(({ index }) => open + index);
}

/** A quick look, so that most files are not read closely. */
const mayHave =
  /assert|expect|chai|TestCase|NODE_TEST_CONTEXT|JEST_WORKER_ID|VITEST|PYTEST_CURRENT_TEST|sys\.modules|cfg!\(|testing\.Testing\(|test\.v\b/;

const askingWhetherTested =
  /\b(?:NODE_TEST_CONTEXT|JEST_WORKER_ID|VITEST_(?:WORKER|POOL)_ID|PYTEST_CURRENT_TEST)\b|\benv(?:\.|\[["'])VITEST\b|["'](?:pytest|unittest)["']\s{1,5}(?:not\s{1,5})?in\s{1,5}sys\.modules\b|\bcfg!\(\s{0,5}(?:not\(\s{0,5})?test\b|\btesting\.Testing\(|\bLookup\("test\.v"\)/g;

/** On the level of the module, so when a package of tests is loaded: `shop.prices.total = …`, `sys.modules[…] = …`. */
const patching =
  /^(?!os\.environ\b|sys\.path\b)(?:[A-Za-z_]\w{0,60}\.){1,6}\w{1,60}(?:\[[^\]\n]{0,100}\])?[ \t]{0,5}=(?!=)|^setattr\(|^(?:\w{1,20}\.){0,3}patch(?:\.\w{1,20})?\([^\n]{0,300}\.start\(/gm;

/** `assert.equal = …`, `Object.assign(assert, …)`, `mock.method(assert, …)`, by the names the library has here. */
function replacing(source: Source): RegExp {
  const imported = firstMatches(source.text, importOfLibrary).map(
    (match) => group(match, 1) + group(match, 2),
  );
  const names = ["assert", "expect", "chai", "TestCase", ...imported.slice(0, mostNames)].join("|");
  const member = String.raw`(?<![\w$.])(?:\w{1,40}\.)?(?:${names})(?:\.\w{1,40}){1,3}\s{0,5}=(?![=>])`;
  const call = String.raw`(?:\bObject\.(?:assign|define\w{1,12})|\.method|\.spyOn|\.stub|\bsetattr|\bReflect\.set)\(\s{0,5}(?:\w{1,40}\.)?(?:${names})\s{0,5},`;
  if (source.language === "rust") return /\bmacro_rules!\s{1,5}(?:debug_)?assert\w{0,20}/g;
  return new RegExp(`${member}|${call}`, "g");
}

const mostNames = 10;

const importOfLibrary =
  /\bimport\s{1,5}(?:\*\s{1,5}as\s{1,5})?(\w{1,40})\s{1,5}from\s{1,5}["'](?:node:)?(?:assert|chai)\b|\b(\w{1,40})\s{0,5}=\s{0,5}require\(["'](?:node:)?(?:assert|chai)\b/g;
