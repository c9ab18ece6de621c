// The state of a run from its journal, without taking anything: for commands that only look.

import { readJournal } from "../adapters/journal-file.ts";
import { foldAll } from "../core/fold.ts";
import { failed, type Result, success } from "../core/result.ts";
import type { RunState } from "../core/state.ts";
import { problem, type Refusal, refuse } from "./refusal.ts";
import { journalRefusal } from "./session.ts";

export function readRunState(folder: string): Result<RunState, Refusal> {
  const read = readJournal({ folder });
  if (!read.ok) return failed(journalRefusal(read.failure));
  const state = foldAll(read.value.entries);
  if (state !== null) return success(state);
  const hint = "the program was killed while it began; nothing was done yet: start again";
  return failed(refuse([problem({ file: folder, expected: "a journal with a first event", hint })], 1));
}
