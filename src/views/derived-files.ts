// Every file of a run folder that is a function of the state, but for progress.md, which is only ever extended
// (progress-md.ts).

import type { RunState } from "../core/state.ts";
import { toExecutionLog } from "./execution-log.ts";
import { toFatal } from "./fatal.ts";
import { toPrdJson } from "./prd-json.ts";
import { receiptName, toReceipt } from "./receipt.ts";
import { toReport } from "./report.ts";
import { toStatusJson } from "./status-json.ts";

export interface DerivedFile {
  /** Relative to the run folder, forward slashes. */
  readonly name: string;
  readonly text: string;
}

export function derivedFiles(state: RunState): readonly DerivedFile[] {
  const fatal = toFatal(state);
  return [
    { name: "prd.json", text: toPrdJson(state) },
    { name: "status.json", text: toStatusJson(state) },
    { name: "execution.log.json", text: toExecutionLog(state) },
    ...receipts(state),
    // As in a live run: a report is written when the run stops.
    ...(isStopped(state) ? [{ name: "report.md", text: toReport(state) }] : []),
    ...(fatal === null ? [] : [fatal]),
  ];
}

function isStopped({ phase }: RunState): boolean {
  return phase.kind !== "queued" && phase.kind !== "running";
}

function receipts(state: RunState): readonly DerivedFile[] {
  return [...state.tasks].flatMap(({ task }) => {
    const text = toReceipt(state, task.id);
    return text === null ? [] : [{ name: receiptName(task.id), text }];
  });
}
