// `status`, `log`, `report`: looking at runs without taking or changing anything.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inspectCheckout } from "../adapters/git/inspect.ts";
import { readJournal } from "../adapters/journal-file.ts";
import { type FoundRun, listRuns } from "../adapters/run-folder.ts";
import type { Entry } from "../core/event.ts";
import { describe } from "../core/failure.ts";
import type { JsonObject } from "../core/json.ts";
import { failed, type Result, success } from "../core/result.ts";
import { checkoutRefusal } from "./checkout-refusal.ts";
import { findRun } from "./locate.ts";
import { problem, type Refusal, refuse } from "./refusal.ts";
import { journalRefusal } from "./session.ts";

/** The stored status.json of a run, and whether a live program owns it. */
export interface RunStatus {
  readonly slug: string;
  readonly folder: string;
  readonly owner: "live" | "gone" | "none";
  /** The document as it is on disk; null where there is none that can be read. */
  readonly document: JsonObject | null;
  readonly problem: string | null;
}

export async function statusOf(at: { slug: string; cwd?: string }): Promise<Result<RunStatus, Refusal>> {
  const found = await findRunFrom(at);
  return found.ok ? success(toRunStatus(found.value)) : found;
}

export async function statusOfAll(at: { cwd?: string }): Promise<Result<readonly RunStatus[], Refusal>> {
  const checkout = await inspectCheckout(at.cwd ?? process.cwd());
  if (!checkout.ok) return failed(checkoutRefusal(checkout.failure));
  const runs = listRuns(checkout.value.topLevel);
  if (!runs.ok)
    return failed(refuse([problem({ expected: "a readable folder", hint: describe(runs.failure) })], 3));
  return success(
    runs.value.filter(({ status, hasJournal }) => hasJournal || status !== null).map(toRunStatus),
  );
}

function toRunStatus(run: FoundRun): RunStatus {
  return {
    slug: run.slug,
    folder: run.folder,
    owner: run.ownership.state,
    document: run.status?.raw ?? null,
    problem: run.problem,
  };
}

/** Every entry of a run's journal. */
export async function logOf(at: { slug: string; cwd?: string }): Promise<Result<readonly Entry[], Refusal>> {
  const found = await findRunFrom(at);
  if (!found.ok) return found;
  const read = readJournal({ folder: found.value.folder });
  return read.ok ? success(read.value.entries) : failed(journalRefusal(read.failure));
}

/** The report as it is on disk, written at each stop of a run. */
export async function reportOf(at: { slug: string; cwd?: string }): Promise<Result<string, Refusal>> {
  const found = await findRunFrom(at);
  if (!found.ok) return found;
  const file = join(found.value.folder, "report.md");
  try {
    return success(readFileSync(file, "utf8"));
  } catch {
    const hint = "a report is written when a run stops; see its status meanwhile";
    return failed(refuse([problem({ file, expected: "a report", hint })]));
  }
}

async function findRunFrom(at: { slug: string; cwd?: string }): Promise<Result<FoundRun, Refusal>> {
  const checkout = await inspectCheckout(at.cwd ?? process.cwd());
  if (!checkout.ok) return failed(checkoutRefusal(checkout.failure));
  return findRun({ checkout: checkout.value.topLevel, slug: at.slug });
}
