// The engine alone, through a run of many tasks: every port answers at once and keeps nothing, so what this process
// needs is what the engine, its state and the texts of the derived files need.
//
// With a folder its journal is written there (without flushes), and no derived files are made.
//
//   node simulated-run.mjs <tasks> [folder]     prints { status, events, writtenMb, firstMs, lastMs }

import fs from "node:fs";
import { join } from "node:path";
import { type FileText, toBytes } from "../src/adapters/storage.ts";
import type { Entry } from "../src/core/event.ts";
import type { RunId, Sha, Slug } from "../src/core/ids.ts";
import { success } from "../src/core/result.ts";
import type { RunState } from "../src/core/state.ts";
import { createEngine } from "../src/engine/engine.ts";
import type { Ports } from "../src/ports.ts";
import { encodeEntry, encodeHeader, hashLine } from "../src/schema/journal.ts";
import { keepHeapSmall } from "../src/surfaces/cli/heap.ts";
import { honest } from "../test/simulation/play.ts";
import { runCreated, sessionStarted, toPolicy, toPrd, toTask, World } from "../test/simulation/world.ts";

keepHeapSmall(); // as the commands that work on a run
const taskCount = Number(process.argv[2] ?? "10000");
const folder = process.argv[3];
const journalFile = folder === undefined ? null : fs.openSync(join(folder, "execution.log.jsonl"), "wx");
let lastLine = encodeHeader({ runId: "20260101T120000Z-abc123" as RunId, slug: "bench" as Slug }); // ids by their form
if (journalFile !== null) fs.writeSync(journalFile, lastLine);
const world = new World(honest);
let shas = 0;
let events = 0;
let written = 0;
/** When each hundredth of the tasks was done. */
const doneAtMs: number[] = [];

const state = await runAll();
const tenth = Math.max(1, Math.floor(doneAtMs.length / 10));
const at = (index: number): number => doneAtMs[index] ?? Number.NaN;
process.stdout.write(
  `${JSON.stringify({
    status: state.phase.kind,
    events,
    writtenMb: Math.round(written / 1_000_000),
    firstMs: (at(tenth) - at(0)) / tenth,
    lastMs: (at(doneAtMs.length - 1) - at(doneAtMs.length - 1 - tenth)) / tenth,
  })}\n`,
);

async function runAll(): Promise<RunState> {
  const prd = toPrd(Array.from({ length: taskCount }, (_, index) => toTask(`task-${index + 1}`)));
  const policy = toPolicy({ memory: { enabled: false, dir: "memory" } });
  const engine = createEngine({
    ports: toPorts(),
    state: null,
    opening: [runCreated(world, prd), sessionStarted(policy)],
    onEntry: ({ event }) => {
      events += 1;
      if (event.kind === "attempt-ended") doneAtMs.push(performance.now());
    },
    onOutput: () => {},
  });
  const end = await engine.run();
  if (end.kind !== "stopped") throw new Error(`the journal was lost: ${end.failure.reason}`);
  return end.state;
}

function toPorts(): Ports {
  const base = world.ports();
  const startedMs = Date.UTC(2026, 0, 1, 12);
  let seq = 0;
  return {
    ...base,
    clock: {
      nowMs: () => startedMs + seq,
      // Big derived files are written at task ends; this stands still so that they are not also written in between.
      elapsedMs: () => 0,
      after: () => () => {},
    },
    journal: {
      append: async (event, atMs) => {
        seq += 1;
        const entry: Entry = { seq, atMs, session: "bench", event };
        if (journalFile !== null) {
          lastLine = encodeEntry({ entry, prev: hashLine(lastLine) });
          fs.writeSync(journalFile, lastLine);
        }
        return success(entry);
      },
    },
    files: {
      write: async (_name, text) => encode([text]),
      writeAll: async (files) => encode(files.map(({ text }) => text)),
      extendTo: async () => success({ movedTo: null }),
      append: async () => success(undefined),
    },
    repository: {
      ...base.repository,
      prepareWork: async ({ lane }) => success({ path: `lane-${lane}/work`, conflicts: [] }),
      snapshotWork: async () => success({ tree: newSha(), agentHead: null }),
      makeCandidate: async ({ intent }) =>
        success({
          commit: newSha(),
          tree: intent.tree,
          base: intent.base,
          changes: [{ path: `src/${intent.taskId}.txt`, change: "modified" }],
          changeCount: 1,
          deletions: 0,
          diffSha256: "0".repeat(64),
          findings: [],
          baseVersions: [],
          patchId: newSha(),
        }),
      changedFiles: async () =>
        success({
          changes: [],
          changeCount: 1,
          deletions: 0,
          baseBytes: null,
          definitions: [],
          tools: [],
          knownSecrets: [],
          isComplete: true,
        }),
      integrate: async () => success(undefined),
    },
    agents: {
      run: async (request, { signal, onWait }) => {
        const outcome = await honest({ request, work: new Map(), signal, onWait });
        return { outcome, usage: null, durationMs: 1 };
      },
    },
    gates: {
      run: async ({ gate }) => ({
        kind: "ran",
        result: {
          gate: gate.name,
          command: gate.command,
          outcome: "passed",
          exitCode: 0,
          durationMs: 1,
          outputSha256: "0".repeat(64),
          outputBytes: 0,
          tail: "",
          detail: "",
          tests: null,
        },
      }),
    },
  };
}

/** What a real write needs. */
function encode(texts: readonly FileText[]) {
  if (journalFile !== null) return success(undefined);
  for (const text of texts) for (const bytes of toBytes(text)) written += bytes.length;
  return success(undefined);
}

function newSha(): Sha {
  shas += 1;
  return String(shas).padStart(40, "0") as Sha; // a sha by its form
}
