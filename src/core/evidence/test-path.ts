// Which paths hold tests, and what belongs to tests, by the customs of each language.

import { isCode, type Language, languageOf } from "./language.ts";

/** A file that a test runner takes for tests, by its name. */
export function isTestName(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (!isCode(path)) return false;
  return testNames.some((pattern) => pattern.test(name)) || /(?:^|\/)tests\/[^/]+\.rs$/.test(path);
}

/** Whether a test that moved is where the runner that found it by its file's name does not look any more. */
export function isHidden(from: string, to: string): boolean {
  if (!foundByName.has(languageOf(from)) || !isTestName(from) || /(?:^|\/)__tests__\//.test(to)) return false;
  return !isTestName(to) || (notHere.test(to) && !notHere.test(from));
}

const foundByName: ReadonlySet<Language> = new Set(["js", "python", "go", "jvm", "php", "ruby"]);

/**
 * What go passes over: folders and files of these names, and the systems that are not this one. Builds for the JVM look
 * for tests in no folder of the product.
 */
const notHere =
  /(?:^|\/)(?:testdata\/|[_.][^/]*)[^\n]*\.go$|_(?:windows|plan9|aix|solaris|js|wasip1)(?:_\w+)?_test\.go$|(?:^|\/)src\/main\//;

/** A test, or code and data below a folder of tests. */
export function isTestPath(path: string): boolean {
  return isTestName(path) || isSnapshot(path) || testFolder.test(path);
}

/** Expected output that a command writes by itself. */
export function isSnapshot(path: string): boolean {
  return (
    /(?:^|\/)(?:__snapshots__|__image_snapshots__|snapshots|golden|goldens|__golden__|approved)\//i.test(
      path,
    ) || /\.(?:snap|snapshot|golden|ambr|approved\.[a-z]+|received\.[a-z]+)$/i.test(path)
  );
}

/** Whether a changed file can hold tests: Rust has them in any file. */
export function canHoldTests(path: string): boolean {
  return isCode(path) && (isTestPath(path) || languageOf(path) === "rust");
}

const testFolder =
  /(?:^|\/)(?:tests?|__tests__|specs?|e2e|testdata|test-data|fixtures|__fixtures__|__mocks__|testing|integration-tests?|cypress|testsuite)\//i;

const testNames: readonly RegExp[] = [
  /[._-](?:tests?|spec|e2e|cy|e2e-spec)\.[cm]?[jt]sx?$/i,
  /^(?:tests?|spec)\.[cm]?[jt]sx?$/i,
  /_test\.dart$/,
  /^test_.*\.py$|_tests?\.py$|^tests?\.py$/,
  /_test\.go$/,
  /(?:^tests?|_tests?)\.rs$/,
  /(?:Tests?|IT|Spec|TestCase)\.(?:java|kt|kts|groovy|scala|cs|fs|vb|swift|php)$/,
  /(?:_spec|_test)\.(?:rb|cr|exs)$|^test_.*\.rb$/,
  /\.t$|_(?:test|spec)\.(?:lua|clj[cs]?|erl|zig|jl|nim|ml)$|Spec\.hs$|^test[_-].*\.(?:r|lua|jl)$/i,
  /\.bats$|(?:^|[._-])tests?\.(?:sh|bash|zsh)$|^test[._-].*\.(?:sh|bash|zsh)$/,
  /_(?:unit)?test\.(?:c|cc|cpp|cxx)$|^test_.*\.(?:c|cc|cpp|cxx)$/,
];
