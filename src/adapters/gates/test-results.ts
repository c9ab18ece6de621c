// What a gate says of its tests, as a fact of the journal: counts, and the names of those that fail.
//
// `isNamed` is a promise: whatever made this gate red has a name in `failures`. So it is withheld where the gate's
// report is not whole, disagrees with its own summary or with the closing lines of the output, where the gate was cut
// short, and where it is red without a failing test.

import { realpath } from "node:fs/promises";
import type { TestCounts } from "../../core/gate-result.ts";
import type { GatePolicy } from "../../core/policy.ts";
import type { PlainFileFound } from "../plain-file.ts";
import { type Captured, toReportText } from "./captured.ts";
import { countRunnerTests, countTests } from "./counts.ts";
import { type ReportFormat, type ReportText, readTestReport } from "./reports/read.ts";
import type { TestResults } from "./reports/results.ts";

export interface GateTests {
  readonly tests: TestCounts | null;
  /** What to tell of them; empty: nothing. */
  readonly detail: string;
}

interface Wanted {
  readonly policy: GatePolicy;
  readonly cwd: string;
  readonly captured: Captured;
  /** The report file that the gate was offered. */
  readonly file: PlainFileFound;
  /** How the gate ended: it was not cut short and exited with 0, or not. */
  readonly ended: "green" | "red" | "cut short";
}

export async function readGateTests(wanted: Wanted): Promise<GateTests> {
  const format = wanted.policy.report;
  if (format === "none") return { tests: null, detail: "" };
  const roots = await rootsOf(wanted.cwd);
  const source = findReport(wanted);
  const read = source.report && readTestReport({ format, report: source.report, roots });
  if (read === null) return countOnly(wanted, format, source.problem);
  const gap = wanted.ended === "green" ? read.gap : findGap(read, wanted) || findContradiction(read, wanted);
  const { passed, failedCount: failed, skipped, failed: failures } = read;
  const detail =
    gap === "" || failed === 0 || wanted.ended === "green" ? "" : `its failures are not all named: ${gap}`;
  return { tests: { passed, failed, skipped, failures, isNamed: gap === "" }, detail };
}

interface Source {
  readonly report: ReportText | null;
  readonly problem: string;
}

/** A report file that was written is read instead of the output. */
function findReport({ file, captured }: Wanted): Source {
  if (file.kind === "unusable")
    return { report: null, problem: `its report file cannot be read: ${file.problem}` };
  const report = file.kind === "read" ? toReportText(file.bytes) : captured.report();
  return { report, problem: report === null ? "it wrote too much to look for results of tests in it" : "" };
}

/** No names, but in `auto` at least what its closing lines say. */
function countOnly({ captured, ended }: Wanted, format: ReportFormat, problem: string): GateTests {
  if (format !== "auto") {
    return {
      tests: null,
      detail: problem || `there is no report of its tests as "report": "${format}" expects it`,
    };
  }
  const counts = countTests(captured.closingLines());
  const tests = counts && {
    ...counts,
    skipped: 0,
    failures: [],
    isNamed: ended === "green" && counts.failed === 0,
  };
  return { tests, detail: problem };
}

function findGap(read: TestResults, { ended }: Wanted): string {
  if (ended === "cut short") return "it was cut short";
  return read.gap === "" && read.failedCount === 0 ? "it is red although no test failed" : read.gap;
}

// What the builder configured is trusted to be the report; what was found by looking has to agree with the rest.
function findContradiction(read: TestResults, { policy, captured, file }: Wanted): string {
  if (policy.report !== "auto") return "";
  const closing = countRunnerTests(captured.closingLines())?.failed ?? 0;
  const output = file.kind === "read" ? captured.report() : null;
  const printed = output && readTestReport({ format: "auto", report: output, roots: [] });
  const counted = Math.max(closing, printed?.counted ?? 0);
  return counted > read.counted ? `its output counts ${counted} failures, its report ${read.counted}` : "";
}

async function rootsOf(cwd: string): Promise<readonly string[]> {
  return [...new Set([cwd, await realpath(cwd).catch(() => cwd)])];
}
