// `status`: what is on the disk about one run, or all. Asked for often and by other programs, so it loads and runs as
// little as it can: one git command, and neither the engine nor what reads plans; the journal where nobody owns the run.

import { findRepository } from "../adapters/git/inspect.ts";
import { describeJournalRefusal, readJournal } from "../adapters/journal-file.ts";
import { type FoundRun, listRuns } from "../adapters/run-folder.ts";
import { describe } from "../core/failure.ts";
import type { JsonObject } from "../core/json.ts";
import { failed, type Result, success } from "../core/result.ts";
import { checkoutRefusal } from "./checkout-refusal.ts";
import { findRun } from "./find-run.ts";
import { problem, type Refusal, refuse } from "./refusal.ts";

/** The stored status.json of a run, and whether a live program owns it. */
export interface RunStatus {
  readonly slug: string;
  readonly folder: string;
  readonly owner: "live" | "gone" | "none";
  /** The document as it is on disk; null where there is none that can be read. */
  readonly document: JsonObject | null;
  readonly problem: string | null;
  /** What is wrong with the journal; not looked for when all runs are listed. */
  readonly damage: string | null;
}

export async function statusOf(at: { slug: string; cwd?: string }): Promise<Result<RunStatus, Refusal>> {
  const repository = await findRepository(at.cwd ?? process.cwd());
  if (!repository.ok) return failed(checkoutRefusal(repository.failure));
  const found = findRun({ checkout: repository.value.topLevel, slug: at.slug });
  if (!found.ok) return found;
  const status = toRunStatus(found.value);
  return success({ ...status, damage: findDamage(status) });
}

/** Why the run cannot go on, whatever its status.json says; a live owner has read its journal itself. */
function findDamage({ folder, owner }: RunStatus): string | null {
  if (owner === "live") return null;
  const journal = readJournal({ folder });
  if (journal.ok) return null;
  const { failure } = journal;
  return failure.reason === "journal-refused" ? describeJournalRefusal(failure) : describe(failure);
}

export async function statusOfAll(at: { cwd?: string }): Promise<Result<readonly RunStatus[], Refusal>> {
  const repository = await findRepository(at.cwd ?? process.cwd());
  if (!repository.ok) return failed(checkoutRefusal(repository.failure));
  const runs = listRuns(repository.value.topLevel);
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
    damage: null,
  };
}
