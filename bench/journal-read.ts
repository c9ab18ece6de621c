// Reads, checks and folds a journal once, as every start does.
//
//   node journal-read.mjs <folder>     prints { events, bytes, readMs, foldMs }

import fs from "node:fs";
import { join } from "node:path";
import { readJournal } from "../src/adapters/journal-file.ts";
import { foldAll } from "../src/core/fold.ts";

const [folder = ""] = process.argv.slice(2);
const startedMs = performance.now();
const read = readJournal({ folder });
if (!read.ok) throw new Error(`the journal was refused: ${JSON.stringify(read.failure)}`);
const readMs = performance.now() - startedMs;
const state = foldAll(read.value.entries);
const foldMs = performance.now() - startedMs - readMs;
if (state?.phase.kind !== "completed") throw new Error("the run in the journal is not complete");
const events = read.value.entries.length;
const bytes = fs.statSync(join(folder, "execution.log.jsonl")).size;
process.stdout.write(`${JSON.stringify({ events, bytes, readMs, foldMs })}\n`);
