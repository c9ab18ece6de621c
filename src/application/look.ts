// `log`, `report`: looking at a run without taking or changing anything.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inspectCheckout } from "../adapters/git/inspect.ts";
import { readJournal } from "../adapters/journal-file.ts";
import type { FoundRun } from "../adapters/run-folder.ts";
import type { Entry } from "../core/event.ts";
import { failed, type Result, success } from "../core/result.ts";
import { checkoutRefusal } from "./checkout-refusal.ts";
import { findRun } from "./find-run.ts";
import { problem, type Refusal, refuse } from "./refusal.ts";
import { journalRefusal } from "./session.ts";

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
