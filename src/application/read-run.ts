// The state of a run from its journal, without taking anything: for commands that only look.

import { readJournal } from "../adapters/journal-file.ts";
import type { Entry } from "../core/event.ts";
import { foldAll } from "../core/fold.ts";
import { failed, InvariantBroken, type Result, success } from "../core/result.ts";
import type { RunState } from "../core/state.ts";
import { problem, type Refusal, refuse } from "./refusal.ts";
import { journalRefusal } from "./session.ts";

export function readRunState(folder: string): Result<RunState, Refusal> {
  const read = readJournal({ folder });
  if (!read.ok) return failed(journalRefusal(read.failure));
  const state = foldOrWhy(read.value.entries);
  if (typeof state === "string") {
    const hint = `${state}; the journal is whole, but no program of this version wrote it so: put back a copy, or start again with "run --fresh"`;
    return failed(refuse([problem({ file: folder, expected: "a journal that folds", hint })], 1));
  }
  if (state !== null) return success(state);
  const hint = "the program was killed while it began; nothing was done yet: start again";
  return failed(refuse([problem({ file: folder, expected: "a journal with a first event", hint })], 1));
}

/** A journal with events that cannot follow one another is damaged data here, not a bug of this program. */
function foldOrWhy(entries: readonly Entry[]): RunState | string | null {
  try {
    return foldAll(entries);
  } catch (error) {
    if (error instanceof InvariantBroken) return error.message;
    throw error;
  }
}
