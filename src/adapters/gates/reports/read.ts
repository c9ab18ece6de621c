// From what a gate printed, or wrote to its report file, to the results of its tests.

import type { GatePolicy } from "../../../core/policy.ts";
import { parseCargoConsole } from "./cargo-console.ts";
import { parseGoConsole } from "./go-console.ts";
import { parseGoJson } from "./go-json.ts";
import { parseJestConsole } from "./jest-console.ts";
import { parseJestJson } from "./jest-json.ts";
import { parseJunit } from "./junit.ts";
import { parseMochaConsole } from "./mocha-console.ts";
import { parseNodeSpec } from "./node-spec.ts";
import { parsePytestConsole } from "./pytest-console.ts";
import { type ParsedTests, type TestResults, toTestResults } from "./results.ts";
import { parseTap } from "./tap.ts";
import { parseVitestConsole } from "./vitest-console.ts";

export type ReportFormat = Exclude<GatePolicy["report"], "none">;

export interface ReportText {
  /** As it was written: reports that are one text are read from it. */
  readonly text: string;
  /** The same as lines that a terminal would show, none of them empty. */
  readonly lines: readonly string[];
  /** These and the lines of standard error, as they came. */
  readonly allLines: readonly string[];
}

interface Wanted {
  readonly format: ReportFormat;
  readonly report: ReportText;
  /** Absolute paths of the folder that the tests ran in. */
  readonly roots: readonly string[];
}

/** null: there is no such report in it. `auto` looks for all of them, and takes several as one. */
export function readTestReport({ format, report, roots }: Wanted): TestResults | null {
  const parsed = parsers[format].map((parse) => parse(report)).filter((each) => each !== null);
  return parsed.length === 0 ? null : toTestResults(parsed, roots);
}

type Parse = (report: ReportText) => ParsedTests | null;

const tap: Parse = ({ lines }) => parseTap(lines);
const spec: Parse = ({ lines }) => parseNodeSpec(lines);
const junit: Parse = ({ text }) => parseJunit(text);
const jestJson: Parse = ({ text }) => parseJestJson(text);
const goJson: Parse = ({ lines }) => parseGoJson(lines);

/** Printed for people, on either stream. */
const consoles: readonly Parse[] = [
  parseVitestConsole,
  parseJestConsole,
  parsePytestConsole,
  parseCargoConsole,
  parseMochaConsole,
  parseGoConsole,
].map(
  (parse): Parse =>
    ({ allLines }) =>
      parse(allLines),
);

const parsers: Readonly<Record<ReportFormat, readonly Parse[]>> = {
  tap: [tap],
  junit: [junit],
  "vitest-json": [jestJson],
  "jest-json": [jestJson],
  node: [tap, spec],
  "go-json": [goJson],
  auto: [tap, spec, junit, jestJson, goJson, ...consoles],
};
