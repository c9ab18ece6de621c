// One session on one run: the locks, the journal, the ports, the engine; everything given back at the end.

import { randomBytes } from "node:crypto";
import { realpathSync } from "node:fs";
import { removeLeftDropFolders } from "../adapters/agents/drop-folder.ts";
import { createAgentRunner } from "../adapters/agents/runner.ts";
import { acquireBranchLock } from "../adapters/branch-lock.ts";
import { systemClock } from "../adapters/clock.ts";
import { createGateRunner } from "../adapters/gates/run.ts";
import { dispatchIdentity } from "../adapters/git/dispatch-identity.ts";
import { waitForOwnGit } from "../adapters/git/own-git.ts";
import { createRepository } from "../adapters/git/repository.ts";
import {
  createJournal,
  describeJournalRefusal,
  type JournalRefusal,
  type OpenJournal,
  openJournal,
} from "../adapters/journal-file.ts";
import { describeLockRefusal, type LockRefusal } from "../adapters/lock-refusal.ts";
import { type Metering, openMetering } from "../adapters/metering/metering.ts";
import { dispatchVariable, endLeftovers, endLeftoversNow } from "../adapters/process/leftovers.ts";
import { toRedactedJournal } from "../adapters/redaction/redacted-journal.ts";
import { createRedaction, type Redaction } from "../adapters/redaction/redaction.ts";
import { openRequests } from "../adapters/requests.ts";
import { openRunFiles } from "../adapters/run-files.ts";
import { acquireRunLock, type RunLock } from "../adapters/run-lock.ts";
import { attemptStorage, removeTemporaryFilesBelow } from "../adapters/storage.ts";
import type { Entry, RunEvent } from "../core/event.ts";
import { describe, type Failure } from "../core/failure.ts";
import { markPrefix, type RunId, type Slug } from "../core/ids.ts";
import { failed, type Result, success } from "../core/result.ts";
import type { Ports } from "../ports.ts";
import { problem, type Refusal, refuse } from "./refusal.ts";
import { createRunSetup } from "./run-setup.ts";
import { homesOf, type SandboxChoice, toSandbox } from "./sandbox.ts";
import { toolVersion } from "./version.ts";

/** What a session is about. */
export interface SessionPlace {
  readonly slug: Slug;
  readonly runId: RunId;
  readonly runFolder: string;
  /** Top level of the worktree in which the run folder lies. */
  readonly checkout: string;
  readonly gitCommonDir: string;
  readonly worktreeRoot: string;
  readonly branch: string;
  readonly taskIds: readonly string[];
}

export interface Session {
  readonly token: string;
  readonly ports: Ports;
  readonly redaction: Redaction;
  readonly entries: readonly Entry[];
  /** What the opening found and the journal must be told. */
  readonly found: readonly RunEvent[];
  close(): void;
}

export interface Locks {
  readonly token: string;
  readonly run: RunLock;
  release(): void;
}

/** Takes the run and its branch; refused with exit 5 when a live program has one of them. */
export async function takeLocks(place: SessionPlace): Promise<Result<Locks, Refusal>> {
  const token = randomBytes(9).toString("hex");
  const about = `run "${place.slug}" in ${place.checkout}`;
  const run = await acquireRunLock({ folder: place.runFolder, token, toolVersion, about });
  if (!run.ok) return failed(toRefusal(run.failure));
  const branch = await acquireBranchLock({
    commonGitDir: place.gitCommonDir,
    branch: place.branch,
    token,
    toolVersion,
    about: `branch "${place.branch}" of ${about}`,
  });
  if (!branch.ok) {
    run.value.release();
    return failed(toRefusal(branch.failure));
  }
  const release = (): void => {
    branch.value.release();
    run.value.release();
  };
  return success({ token, run: run.value, release });
}

/** Why nothing is begun while a lock is another's. */
export function toRefusal(refusal: LockRefusal): Refusal {
  const exitCode = refusal.kind === "storage" ? 3 : 5;
  return refuse(
    [problem({ expected: "a run that nobody owns", hint: describeLockRefusal(refusal) })],
    exitCode,
  );
}

export interface Opening {
  readonly isNew: boolean;
  readonly sandbox: SandboxChoice;
}

/** Opens (or, with `isNew`, starts) the journal of a run whose locks are held, and everything the engine needs. */
export async function openSession(
  place: SessionPlace,
  locks: Locks,
  { isNew, sandbox }: Opening,
): Promise<Result<Session, Refusal>> {
  const writer = { folder: place.runFolder, session: locks.token, isOwner: () => locks.run.isStillOwner() };
  const opened = isNew
    ? createJournal({ ...writer, runId: place.runId, slug: place.slug })
    : openJournal(writer);
  if (!opened.ok) return failed(journalRefusal(opened.failure));
  const leftovers = { variable: dispatchVariable, prefix: markPrefix(place.runId) };
  // What a killed session left running is ended before its lanes are used again.
  await endLeftovers(leftovers);
  await waitForOwnGit(place.gitCommonDir);
  if (locks.run.takenOverFrom !== null) sweep(place.runFolder);
  await removeLeftDropFolders({ runId: place.runId, outside: outsideOf(place) });
  // A second signal exits at once: what left its process group is known to the watchdog no more.
  const endNow = (): void => endLeftoversNow(leftovers);
  process.once("exit", endNow);
  const redaction = createRedaction(process.env, ownNamesOf(place));
  const metering = openMetering(process.env);
  return success({
    token: locks.token,
    ports: toPorts({ place, opened: opened.value, redaction, metering, choice: sandbox }),
    redaction,
    entries: opened.value.entries,
    found: whatWasFound({ locks, opened: opened.value, redaction }),
    close: () => {
      process.off("exit", endNow);
      metering.end();
      opened.value.close();
    },
  });
}

/** Half-written files of a killed session; what cannot be removed does no harm. */
function sweep(runFolder: string): void {
  attemptStorage({ doing: "tidying up", path: runFolder }, () => removeTemporaryFilesBelow(runFolder));
}

/** What a run is called must stay readable, whatever a variable holds. */
function ownNamesOf(place: SessionPlace): readonly string[] {
  const { slug, runId, branch, runFolder, gitCommonDir, worktreeRoot, taskIds } = place;
  return [slug, runId, branch, runFolder, gitCommonDir, worktreeRoot, ...taskIds];
}

function whatWasFound(at: { locks: Locks; opened: OpenJournal; redaction: Redaction }): readonly RunEvent[] {
  const { locks, opened, redaction } = at;
  const events: RunEvent[] = [];
  const { takenOverFrom } = locks.run;
  if (takenOverFrom !== null) events.push({ kind: "ownership-taken", from: takenOverFrom });
  if (opened.tornBytes > 0) events.push({ kind: "journal-repaired", droppedBytes: opened.tornBytes });
  for (const name of redaction.spared) {
    const text = `the value of ${name} is part of a name of the run (plan, branch, folder, task) and is not redacted`;
    events.push({ kind: "told", text });
  }
  return events;
}

function toPorts(at: {
  place: SessionPlace;
  opened: OpenJournal;
  redaction: Redaction;
  metering: Metering;
  choice: SandboxChoice;
}): Ports {
  const { place, opened, redaction, metering, choice } = at;
  const { runFolder, checkout, runId, worktreeRoot } = place;
  const environment = process.env;
  const sandbox = toSandbox(choice, place);
  const homes = homesOf(place);
  return {
    clock: systemClock,
    journal: toRedactedJournal(opened.journal, redaction),
    files: openRunFiles(runFolder),
    requests: openRequests(runFolder, redaction),
    repository: createRepository({
      gitCommonDir: place.gitCommonDir,
      checkout,
      worktreeRoot,
      runId,
      slug: place.slug,
      runFolder,
      runSetup: createRunSetup({ runId, checkout, environment, redaction, sandbox }),
      redact: redaction.text,
      isConfined: sandbox !== null,
    }),
    agents: createAgentRunner({
      runFolder,
      root: checkout,
      outside: outsideOf(place),
      identity: (dispatch) => dispatchIdentity(dispatch, runId),
      checkout,
      environment,
      redaction,
      metering,
      network: choice.network,
      home: null,
      homes,
      sandbox,
    }),
    gates: createGateRunner({ runId, runFolder, environment, redaction, homes, sandbox }),
  };
}

/** Folders that a dispatch's own folder must not lie in. */
function outsideOf(place: SessionPlace): readonly string[] {
  return [place.checkout, place.gitCommonDir, place.worktreeRoot].map(realOrSame);
}

function realOrSame(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // it does not exist yet
  }
}

export function journalRefusal(failure: Failure | JournalRefusal): Refusal {
  if (failure.reason === "journal-refused") {
    const { file } = failure;
    return refuse(
      [problem({ file, expected: "an undamaged journal", hint: describeJournalRefusal(failure) })],
      1,
    );
  }
  return refuse(
    [problem({ expected: "a run folder that can be read and written", hint: describe(failure) })],
    3,
  );
}
