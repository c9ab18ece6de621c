// `verify`: whether the receipts of a run still hold. It takes no lock and changes nothing but a temporary folder.

import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import type { RepositoryOptions } from "../adapters/git/git-run.ts";
import { inspectCheckout } from "../adapters/git/inspect.ts";
import { dropDeadLooks, dropLane, makeLookFolder, recheckCommit } from "../adapters/git/recheck.ts";
import type { Sandbox } from "../adapters/process/confinement.ts";
import { readRegularFile } from "../adapters/storage.ts";
import { describe, type Failure } from "../core/failure.ts";
import type { RunId, TaskId } from "../core/ids.ts";
import { limits } from "../core/limits.ts";
import { gateLogPlace } from "../core/request.ts";
import { failed, type Result, success } from "../core/result.ts";
import type { RunState, TaskRecord } from "../core/state.ts";
import { commitMismatches, logMismatches } from "../core/verification.ts";
import { receiptName, toReceipt } from "../views/receipt.ts";
import { acceptedAttempt } from "../views/task-overview.ts";
import { checkoutRefusal } from "./checkout-refusal.ts";
import { findRun } from "./find-run.ts";
import { readRunState } from "./read-run.ts";
import { programRedaction } from "./redaction.ts";
import { problem, type Refusal, refuse } from "./refusal.ts";
import { toPlace } from "./resume.ts";
import { createRunSetup } from "./run-setup.ts";
import { chooseSandbox, noSandbox, toSandbox } from "./sandbox.ts";
import { rerunGates } from "./verify-rerun.ts";

export interface VerifiedTask {
  readonly taskId: string;
  /** null: complete before this run, so there is no receipt. */
  readonly commit: string | null;
  /** What does not hold; empty: everything does. */
  readonly mismatches: readonly string[];
}

export interface Verified {
  readonly slug: string;
  readonly ok: boolean;
  readonly rerun: boolean;
  readonly tasks: readonly VerifiedTask[];
  /** Completed before this run: believed because the commit is on the base, and counted apart. */
  readonly before: readonly string[];
}

export interface VerifyOptions {
  readonly slug: string;
  /** Only this task; without it every task that the run completed. */
  readonly task?: string;
  /** Runs the gates again on each commit, in a fresh tree. */
  readonly rerun?: boolean;
  readonly cwd?: string;
  readonly onProgress?: (text: string) => void;
}

export async function verifyRun(options: VerifyOptions): Promise<Result<Verified, Refusal>> {
  const checkout = await inspectCheckout(options.cwd ?? process.cwd());
  if (!checkout.ok) return failed(checkoutRefusal(checkout.failure));
  const run = findRun({ checkout: checkout.value.topLevel, slug: options.slug });
  if (!run.ok) return run;
  // Before the journal: what a live run completes meanwhile is no stray receipt.
  const receipts = listReceipts(run.value.folder);
  const state = readRunState(run.value.folder);
  if (!state.ok) return state;
  const records = selectTasks(state.value, options);
  if (!records.ok) return records;
  const place = toPlace({ checkout: checkout.value, run: run.value }, state.value);
  dropDeadLooks(place.gitCommonDir);
  const folder = makeLookFolder();
  // An id of its own: a live run must not take the trees of a look for an agent's, nor end its gates as leftovers.
  const runId = `verify-${process.pid}` as RunId; // it names folders and processes, nothing else
  const { policy } = state.value;
  const trees = { ...place, runId, worktreeRoot: join(folder, "trees"), runFolder: join(folder, "logs") };
  const isRerun = options.rerun === true && policy !== null;
  const sandbox = toSandbox(isRerun ? await chooseSandbox(policy) : noSandbox, trees);
  const runSetup = createRunSetup({
    ...place,
    runId,
    sandbox,
    environment: process.env,
    redaction: programRedaction(),
  });
  const repository = { ...trees, runSetup, isConfined: sandbox !== null };
  mkdirSync(repository.runFolder);
  try {
    const at = { options, repository, sandbox, state: state.value, runFolder: run.value.folder, receipts };
    return success(await verifyAll(at, records.value));
  } finally {
    dropLane(repository);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What one look at a run needs. */
interface Looking {
  readonly options: VerifyOptions;
  /** The folder of the run, of which nothing is changed. */
  readonly runFolder: string;
  /** Names of the files in the folder of receipts. */
  readonly receipts: ReadonlySet<string>;
  /** Trees and logs of this look lie in a temporary folder. */
  readonly repository: RepositoryOptions;
  readonly sandbox: Sandbox | null;
  readonly state: RunState;
}

async function verifyAll(at: Looking, records: readonly TaskRecord[]): Promise<Verified> {
  const tasks: VerifiedTask[] = [];
  for (const record of records) {
    at.options.onProgress?.(`looking at ${record.task.id}`);
    const task = await verifyTask(at, record);
    tasks.push(task.ok ? task.value : cannotLook(record, task.failure));
  }
  const before = [...at.state.tasks].flatMap(({ task, phase }) =>
    phase.kind === "complete" && phase.before ? [task.id] : [],
  );
  const stray = at.options.task === undefined ? strayReceipts(at) : [];
  const all = [...tasks, ...stray];
  const ok = all.every(({ mismatches }) => mismatches.length === 0);
  return { slug: at.state.slug, ok, rerun: at.options.rerun === true, tasks: all, before };
}

function selectTasks(state: RunState, { task }: VerifyOptions): Result<readonly TaskRecord[], Refusal> {
  const completed = [...state.tasks].filter((record) => acceptedAttempt(record) !== undefined);
  if (task === undefined) return success(completed);
  const record = [...state.tasks].find(({ task: { id } }) => id === task);
  if (record !== undefined) return success([record]);
  const hint = `tasks of this run: ${[...state.tasks].map(({ task: { id } }) => id).join(", ")}`;
  return failed(refuse([problem({ value: task, expected: "the id of a task of the run", hint })]));
}

async function verifyTask(at: Looking, record: TaskRecord): Promise<Result<VerifiedTask, Failure>> {
  const { state, repository } = at;
  const taskId = record.task.id;
  const attempt = acceptedAttempt(record);
  const candidate = attempt?.candidate ?? null;
  if (attempt === undefined || candidate === null) {
    const mismatches = [`task ${taskId} was not completed by this run: there is nothing that shows it`];
    return success({ taskId, commit: null, mismatches });
  }
  const now = await recheckCommit(repository, { branch: state.branch, ...candidate });
  if (!now.ok) return now;
  const mismatches = [
    ...receiptMismatches(at, taskId),
    ...commitMismatches(candidate, state.branch, now.value),
    ...attempt.gates.flatMap((result) => {
      const place = gateLogPlace({ taskId, attempt: attempt.number, gate: result.gate, trial: "candidate" });
      return logMismatches(result, sha256Of(join(at.runFolder, place)));
    }),
  ];
  if (at.options.rerun !== true || now.value === null) {
    return success({ taskId, commit: candidate.commit, mismatches });
  }
  const again = await rerunGates({ ...at, onProgress: at.options.onProgress ?? (() => {}) }, attempt);
  if (!again.ok) return again;
  return success({ taskId, commit: candidate.commit, mismatches: [...mismatches, ...again.value] });
}

function receiptMismatches({ runFolder, state }: Looking, taskId: TaskId): readonly string[] {
  const name = receiptName(taskId);
  const found = readFile(join(runFolder, name));
  if (found === null) return [`${name} is missing`];
  return found.toString("utf8") === toReceipt(state, taskId) ? [] : [`${name} is not what the journal says`];
}

/** Receipts of what the run did not complete: nobody but a forger writes one. */
function strayReceipts({ receipts, state }: Looking): readonly VerifiedTask[] {
  const completed = [...state.tasks].filter((record) => acceptedAttempt(record) !== undefined);
  const known = new Set(completed.map(({ task }) => basename(receiptName(task.id))));
  return [...receipts].sort().flatMap((name) => {
    if (known.has(name) || !name.endsWith(".json")) return [];
    const mismatches = [`receipts/${name} is there, but the run did not complete the task`];
    return [{ taskId: name.slice(0, -".json".length), commit: null, mismatches }];
  });
}

function listReceipts(runFolder: string): ReadonlySet<string> {
  try {
    return new Set(readdirSync(join(runFolder, "receipts")));
  } catch {
    return new Set(); // there is no such folder: every receipt is missing
  }
}

function sha256Of(file: string): string | null {
  const bytes = readFile(file);
  return bytes === null ? null : createHash("sha256").update(bytes).digest("hex");
}

/** null: there is no regular file that can be read. */
function readFile(file: string): Buffer | null {
  try {
    return readRegularFile(file, 2 * limits.outputBytes);
  } catch {
    return null;
  }
}

/** What cannot be looked at does not hold. */
function cannotLook({ task }: TaskRecord, failure: Failure): VerifiedTask {
  return { taskId: task.id, commit: null, mismatches: [`it cannot be looked at: ${describe(failure)}`] };
}
