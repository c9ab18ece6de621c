// Derived files follow the state: which is due when. All of them can be deleted and made again (I7).

import type { Failure } from "../core/failure.ts";
import { limits } from "../core/limits.ts";
import { type Result, success } from "../core/result.ts";
import type { RunState } from "../core/state.ts";
import type { Clock, RunFile, RunFiles } from "../ports.ts";
import { toExecutionLogParts } from "../views/execution-log.ts";
import { toFatal } from "../views/fatal.ts";
import { toPrdJsonParts } from "../views/prd-json.ts";
import { progressEntry, progressHeader } from "../views/progress-md.ts";
import { toReceipt } from "../views/receipt.ts";
import { toReport } from "../views/report.ts";
import { toStatusJson } from "../views/status-json.ts";

type Written = Result<void, Failure>;

export class Derivation {
  readonly #files: RunFiles;
  readonly #clock: Clock;
  #last: RunState | null = null;
  #bigAtMs = Number.NEGATIVE_INFINITY;
  /** What the big files tell; behind `#last` while one is put off. */
  #lastBig: RunState | null = null;

  constructor(files: RunFiles, clock: Clock) {
    this.#files = files;
    this.#clock = clock;
  }

  /** Brings the files up to `state`: small ones always, big ones at task ends, run state changes and once a second. */
  async update(state: RunState): Promise<Written> {
    const last = this.#last;
    if (last?.seq === state.seq && this.dueInMs(state) !== 0) return success(undefined);
    const progress =
      last === null ? await this.#makeProgress(state) : await this.#extendProgress(last, state);
    if (!progress.ok) return progress;
    const isBigDue = this.#isBigDue(last, state);
    const status = { name: "status.json", text: toStatusJson(state) };
    const written = await this.#files.writeAll([status, ...(isBigDue ? bigFiles(last, state) : [])]);
    if (!written.ok) return written;
    if (isBigDue) {
      this.#bigAtMs = this.#clock.elapsedMs();
      this.#lastBig = state;
    }
    this.#last = state;
    return success(undefined);
  }

  /** In how many milliseconds a big file that was put off has to follow `state`; null: none was. */
  dueInMs(state: RunState): number | null {
    if (this.#lastBig?.seq === state.seq) return null;
    return Math.max(0, limits.viewThrottleMs - (this.#clock.elapsedMs() - this.#bigAtMs));
  }

  #isBigDue(last: RunState | null, state: RunState): boolean {
    if (last === null || last.phase.kind !== state.phase.kind) return true;
    if (last.progress.length !== state.progress.length) return true;
    return this.dueInMs(state) === 0;
  }

  async #makeProgress(state: RunState): Promise<Written> {
    const parts = function* (): Generator<string> {
      yield progressHeader(state);
      for (const item of state.progress) yield progressEntry(state, item);
    };
    const made = await this.#files.extendTo("progress.md", parts());
    return made.ok ? success(undefined) : made;
  }

  async #extendProgress(last: RunState, state: RunState): Promise<Written> {
    for (let index = last.progress.length; index < state.progress.length; index += 1) {
      const item = state.progress.at(index);
      if (item === undefined) continue;
      const appended = await this.#files.append("progress.md", progressEntry(state, item));
      if (!appended.ok) return appended;
    }
    return success(undefined);
  }
}

function bigFiles(last: RunState | null, state: RunState): readonly RunFile[] {
  return [
    { name: "prd.json", text: toPrdJsonParts(state) },
    { name: "execution.log.json", text: toExecutionLogParts(state) },
    ...newReceipts(last, state),
    ...(state.phase.kind === "running" || state.phase.kind === "queued" ? [] : endFiles(state)),
  ];
}

function newReceipts(last: RunState | null, state: RunState): { name: string; text: string }[] {
  const receipts: { name: string; text: string }[] = [];
  for (let index = last?.progress.length ?? 0; index < state.progress.length; index += 1) {
    const item = state.progress.at(index);
    if (item?.status !== "complete") continue;
    const text = toReceipt(state, item.taskId);
    if (text !== null) receipts.push({ name: `receipts/${item.taskId}.json`, text });
  }
  return receipts;
}

function endFiles(state: RunState): { name: string; text: string }[] {
  const fatal = toFatal(state);
  const report = { name: "report.md", text: toReport(state) };
  return fatal === null ? [report] : [report, fatal];
}
