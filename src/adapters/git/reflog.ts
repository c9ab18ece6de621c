// Reflogs, read as plain files: they say who moved a ref.
//
// Lines are `<old> <new> <name> <<email>> <time> <zone>\t<message>`, oldest first.

import fs from "node:fs";
import { join } from "node:path";
import { unless } from "../storage.ts";
import { isDispatchEmail } from "./dispatch-identity.ts";
import type { GitRun } from "./git-run.ts";

export function readLog(run: GitRun, ref: string): string[] {
  return readLogAt(join(run.commonDir, "logs", ref), 0);
}

/** Lines behind the first `bytes` bytes. */
export function readLogAt(path: string, bytes: number): string[] {
  const text = unless(["ENOENT", "ENOTDIR", "EISDIR"], () => fs.readFileSync(path));
  return (text?.subarray(bytes).toString("utf8") ?? "").split("\n").filter((line) => line !== "");
}

/** Whether the dispatch wrote the line; without an id, any dispatch of the run. */
export function isLineOf(run: GitRun, line: string, dispatch: string | null): boolean {
  const email = /<([^>]*)> \d+ [+-]\d+(?:\t|$)/.exec(line)?.[1];
  return email !== undefined && isDispatchEmail(email, { runId: run.runId, dispatch });
}
