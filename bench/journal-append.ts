// One append to the journal beside a bare flushed append of the same bytes, in turns on the same disk.
//
//   node journal-append.mjs <empty folder> <appends>     prints { journalMs, bareMs }: medians for one append

import fs from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createJournal } from "../src/adapters/journal-file.ts";
import type { RunEvent } from "../src/core/event.ts";
import type { RunId, Slug } from "../src/core/ids.ts";

const [folder = "", count = "3000"] = process.argv.slice(2);
const event: RunEvent = {
  kind: "gate-ended",
  taskId: null,
  attempt: 1,
  trial: "candidate",
  gate: "tests",
  commit: "0123456789012345678901234567890123456789" as never, // a sha by its form
  result: {
    kind: "ran",
    result: {
      gate: "tests",
      command: "npm test",
      outcome: "passed",
      exitCode: 0,
      durationMs: 1_234,
      outputSha256: "0".repeat(64),
      outputBytes: 4_000,
      tail: "a line of output\n".repeat(20),
      detail: "",
      tests: null,
    },
  },
};

// A disk answers a flush that comes right after another one sooner: what is measured first would look dearer.
const pauseMs = 2;

const journal = openNewJournal();
const bare = fs.openSync(join(folder, "bare.log"), "a");
await journal.append(event, Date.now());
const bytes = lastLine(join(folder, "execution.log.jsonl"));
const journalMs: number[] = [];
const bareMs: number[] = [];
for (let done = 0; done < Number(count); done += 1) {
  await pause(pauseMs);
  journalMs.push(await timeJournal());
  await pause(pauseMs);
  bareMs.push(timeBare());
}
process.stdout.write(`${JSON.stringify({ journalMs: middle(journalMs), bareMs: middle(bareMs) })}\n`);

function openNewJournal() {
  const made = createJournal({
    folder,
    session: "bench",
    isOwner: () => fs.existsSync(folder) && fs.existsSync(folder), // the lock's check is two such look-ups
    runId: "20260101T120000Z-abc123" as RunId, // ids by their form
    slug: "bench" as Slug,
  });
  if (!made.ok) throw new Error(`no journal: ${made.failure.reason}`);
  return made.value.journal;
}

async function timeJournal(): Promise<number> {
  const startedMs = performance.now();
  const appended = await journal.append(event, Date.now());
  const ms = performance.now() - startedMs;
  if (!appended.ok) throw new Error(`the append failed: ${appended.failure.reason}`);
  return ms;
}

function timeBare(): number {
  const startedMs = performance.now();
  fs.writeSync(bare, bytes);
  fs.fdatasyncSync(bare);
  return performance.now() - startedMs;
}

function lastLine(file: string): Buffer {
  const text = fs.readFileSync(file);
  return text.subarray(text.lastIndexOf("\n", text.length - 2) + 1);
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
