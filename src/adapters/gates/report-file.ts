// The file that a gate's command may write its test report to: EXECUTE_PRD_TEST_REPORT names it. It is fresh for each
// run of each gate, in a folder of its own outside of the tree, so that no report is left over from anything.

import { join } from "node:path";
import { limits } from "../../core/limits.ts";
import type { GatePolicy } from "../../core/policy.ts";
import { openDropFolder } from "../agents/drop-folder.ts";
import { type PlainFileFound, readPlainFile } from "../plain-file.ts";

const testReportVariable = "EXECUTE_PRD_TEST_REPORT";

export interface OfferedReport {
  /** Variables for the gate's environment. */
  readonly given: Readonly<Record<string, string>>;
  /** Folders that the gate may write for it. */
  readonly folders: readonly string[];
  /** To be called once, after the gate's process group has ended. */
  read(): Promise<PlainFileFound>;
  remove(): Promise<void>;
}

const nothingOffered: OfferedReport = {
  given: {},
  folders: [],
  read: async () => ({ kind: "missing" }),
  remove: async () => {},
};

/** Nothing is offered where nobody would read it, and where there is no place for it. */
export async function offerReport(
  at: { readonly gate: GatePolicy; readonly cwd: string },
  options: { readonly runId: string; readonly runFolder: string },
): Promise<OfferedReport> {
  if (at.gate.report === "none") return nothingOffered;
  const folder = await openDropFolder({ runId: options.runId, outside: [at.cwd, options.runFolder] });
  if (!folder.ok) return nothingOffered;
  const path = join(folder.value.path, "test-report");
  return {
    given: { [testReportVariable]: path },
    folders: [folder.value.path],
    read: async () => readReport(path),
    remove: () => folder.value.remove(),
  };
}

/** An empty file says as little as none: some tools make it before they know what to write. */
async function readReport(path: string): Promise<PlainFileFound> {
  const found = await readPlainFile(path, limits.testReportBytes);
  return found.kind === "read" && found.bytes.length === 0 ? { kind: "missing" } : found;
}
