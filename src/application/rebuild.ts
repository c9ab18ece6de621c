// `rebuild`: the derived files of a run, made again from its journal.

import { inspectCheckout } from "../adapters/git/inspect.ts";
import { readJournal } from "../adapters/journal-file.ts";
import { openRunFiles } from "../adapters/run-files.ts";
import { describe } from "../core/failure.ts";
import { foldAll } from "../core/fold.ts";
import { failed, type Result, success } from "../core/result.ts";
import type { RunState } from "../core/state.ts";
import { derivedFiles } from "../views/derived-files.ts";
import { progressParts } from "../views/progress-md.ts";
import { checkoutRefusal } from "./checkout-refusal.ts";
import { findRun } from "./find-run.ts";
import { problem, type Refusal, refuse } from "./refusal.ts";
import { toPlace } from "./resume.ts";
import { journalRefusal, takeLocks } from "./session.ts";

export interface Rebuilt {
  readonly files: readonly string[];
  /** Where a progress.md went that was not the beginning of what the journal says; null: it was. */
  readonly progressMovedTo: string | null;
}

export async function rebuildRun(at: { slug: string; cwd?: string }): Promise<Result<Rebuilt, Refusal>> {
  const checkout = await inspectCheckout(at.cwd ?? process.cwd());
  if (!checkout.ok) return failed(checkoutRefusal(checkout.failure));
  const run = findRun({ checkout: checkout.value.topLevel, slug: at.slug });
  if (!run.ok) return run;
  const read = readJournal({ folder: run.value.folder });
  if (!read.ok) return failed(journalRefusal(read.failure));
  const state = foldAll(read.value.entries);
  if (state === null) return failed(refuse([problem({ expected: "a journal with a first event" })], 1));
  const locks = await takeLocks(toPlace({ checkout: checkout.value, run: run.value }, state));
  if (!locks.ok) return locks;
  try {
    return await writeAll(run.value.folder, state);
  } finally {
    locks.value.release();
  }
}

async function writeAll(folder: string, state: RunState): Promise<Result<Rebuilt, Refusal>> {
  const files = openRunFiles(folder);
  const written: string[] = [];
  for (const { name, text } of derivedFiles(state)) {
    const result = await files.write(name, text);
    if (!result.ok)
      return failed(
        refuse(
          [problem({ file: name, expected: "a file that can be written", hint: describe(result.failure) })],
          3,
        ),
      );
    written.push(name);
  }
  const progress = await files.extendTo("progress.md", progressParts(state));
  if (!progress.ok) {
    const hint = describe(progress.failure);
    return failed(
      refuse([problem({ file: "progress.md", expected: "a file that can be written", hint })], 3),
    );
  }
  return success({ files: [...written, "progress.md"], progressMovedTo: progress.value.movedTo });
}
