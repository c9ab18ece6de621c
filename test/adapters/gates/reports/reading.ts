// Reports of real tools, and reading them as a gate does.
import { readFileSync } from "node:fs";
import { toReportText } from "../../../../src/adapters/gates/captured.ts";
import { type ReportFormat, readTestReport } from "../../../../src/adapters/gates/reports/read.ts";
import type { TestResults } from "../../../../src/adapters/gates/reports/results.ts";

/** The folder that the tests of all fixtures ran in. */
const folder = "/project";

export function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8");
}

export function read(
  text: string | Buffer,
  format: ReportFormat = "auto",
  root = folder,
): TestResults | null {
  const report = toReportText(Buffer.from(text));
  return report && readTestReport({ format, report, roots: [root] });
}
