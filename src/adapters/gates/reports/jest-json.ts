// The JSON of jest (`--json`) and vitest (`--reporter=json`), which have the same shape. It may stand among other lines.
// https://jestjs.io/docs/cli#--json, https://vitest.dev/guide/reporters.html#json-reporter

import { countStatus, type ParsedTest, type ParsedTests } from "./results.ts";

const linesTried = 20;
const textsTried = 3;

/** Several reports, as a script that runs several runners prints them, are one. null: no such report. */
export function parseJestJson(text: string): ParsedTests | null {
  const reports = findReports(text).map(readReport);
  if (reports.length === 0) return null;
  return {
    tests: reports.flatMap(({ tests }) => tests),
    passed: reports.reduce((sum, { passed }) => sum + passed, 0),
    skipped: reports.reduce((sum, { skipped }) => sum + skipped, 0),
    failed: reports.reduce((sum, { failed }) => sum + failed, 0),
    gap: reports.find(({ gap }) => gap !== "")?.gap ?? "",
  };
}

type Json = Readonly<Record<string, unknown>>;

/** A report is one line, or the lines from one that begins with a brace to the last one that ends with it. */
function findReports(text: string): readonly Json[] {
  const found: Json[] = [];
  let at = text.startsWith("{") ? 0 : nextLine(text, 0);
  for (let tries = 0; at !== -1 && tries < linesTried; tries += 1) {
    const end = text.indexOf("\n", at);
    const line = toReport(text.slice(at, end === -1 ? undefined : end));
    const hasMore = end !== -1 && tries < textsTried;
    const whole = line ?? (hasMore ? toReport(text.slice(at, text.lastIndexOf("}") + 1)) : null);
    if (whole !== null) found.push(whole);
    if (whole !== null && line === null) break; // it took the rest of the text
    at = nextLine(text, at);
  }
  return found;
}

function nextLine(text: string, from: number): number {
  const found = text.indexOf("\n{", from);
  return found === -1 ? -1 : found + 1;
}

function toReport(text: string): Json | null {
  if (!text.includes('"testResults"')) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isJson(value) && Array.isArray(value["testResults"]) && isCount(value["numTotalTests"])
      ? value
      : null;
  } catch {
    return null;
  }
}

function readReport(report: Json): ParsedTests {
  const isJest = report["numRuntimeErrorTestSuites"] !== undefined;
  const files = listOf(report, "testResults").map((file) => readFile(file, isJest));
  const tests = files.flatMap((file) => file.tests);
  return {
    tests,
    passed: countStatus(tests, "passed"),
    skipped: countStatus(tests, "skipped"),
    failed: 0,
    gap: findGap({ report, isJest, files }),
  };
}

interface FileRead {
  readonly tests: readonly ParsedTest[];
  readonly failedTests: number;
  /** The file and its suites in which something failed. */
  readonly failedSuites: number;
  readonly isUnclear: boolean;
}

function readFile(file: Json, isJest: boolean): FileRead {
  const name = textOf(file, "name");
  const tests = listOf(file, "assertionResults").map((result): ParsedTest | null => {
    const status = statuses.get(textOf(result, "status"));
    const titles = textsOf(result, "ancestorTitles");
    return status === undefined ? null : { status, path: [name, ...titles, textOf(result, "title")] };
  });
  const known = tests.filter((test) => test !== null);
  const failed = known.filter(({ status }) => status === "failed");
  const isFailed = textOf(file, "status") === "failed";
  const failsItself = isFailed && (failed.length === 0 || saysSo(textOf(file, "message"), isJest));
  return {
    tests: failsItself ? [...known, { status: "failed", path: [name] }] : known,
    failedTests: failed.length,
    failedSuites: (isFailed ? 1 : 0) + countSuites(failed),
    isUnclear: known.length < tests.length,
  };
}

const statuses: ReadonlyMap<string, ParsedTest["status"]> = new Map([
  ["passed", "passed"],
  ["failed", "failed"],
  ["skipped", "skipped"],
  ["pending", "skipped"],
  ["todo", "skipped"],
  ["disabled", "skipped"],
]);

// jest puts all failures of a file into its message, vitest only what no test is to blame for.
function saysSo(message: string, isJest: boolean): boolean {
  return isJest ? message.includes("● Test suite failed to run") : message !== "";
}

function countSuites(failed: readonly ParsedTest[]): number {
  const suites = new Set<string>();
  for (const { path } of failed) {
    for (let length = 2; length < path.length; length += 1) suites.add(JSON.stringify(path.slice(0, length)));
  }
  return suites.size;
}

function findGap(read: { report: Json; isJest: boolean; files: readonly FileRead[] }): string {
  const { report, isJest, files } = read;
  const failedTests = files.reduce((sum, file) => sum + file.failedTests, 0);
  const failedSuites = files.reduce((sum, file) => sum + file.failedSuites, 0);
  const [tests, suites] = [countOf(report, "numFailedTests"), countOf(report, "numFailedTestSuites")];
  if (report["wasInterrupted"] === true) return "the tests were interrupted";
  if (files.some(({ isUnclear }) => isUnclear)) return "the report has tests of an unknown status";
  if (tests !== failedTests) return `the report counts ${tests} failed tests and lists ${failedTests}`;
  if (isJest && countOf(report, "numTotalTestSuites") > files.length) return "not all test files were run";
  // vitest counts suites inside of files, too: one that failed by a hook has no test that says so.
  return !isJest && suites > failedSuites ? "a suite failed that the report does not name" : "";
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function countOf(json: Json, key: string): number {
  const value = json[key];
  return isCount(value) ? value : 0;
}

function textOf(json: Json, key: string): string {
  const value = json[key];
  return typeof value === "string" ? value : "";
}

function textsOf(json: Json, key: string): readonly string[] {
  const value = json[key];
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

function listOf(json: Json, key: string): readonly Json[] {
  const value = json[key];
  return Array.isArray(value) ? value.filter(isJson) : [];
}
