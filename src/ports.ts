// The contracts between the engine and the world, in words. Adapters implement them, the simulation replaces
// them; the engine sees nothing else of the outside.
//
// For every method: expected trouble is a Result, never an exception; an exception is a bug (exit 70). A method
// that takes an AbortSignal ends soon after it fires (bounded by limits.killGraceMs) and says "interrupted".

import type { Candidate, CandidateStarted, Entry, LeftTree, RunEvent } from "./core/event.ts";
import type { CollectedChanges } from "./core/evidence/context.ts";
import type { Failure } from "./core/failure.ts";
import type { GateResult } from "./core/gate-result.ts";
import type { DispatchId, RunId, Sha, TaskId } from "./core/ids.ts";
import type { JsonObject } from "./core/json.ts";
import type { OwnLook } from "./core/own-look.ts";
import type { AgentPolicy, GatePolicy, Policy } from "./core/policy.ts";
import type { AgentStage, Role, StageReport, Usage } from "./core/report.ts";
import type { Result } from "./core/result.ts";

export interface Clock {
  /** Wall clock, milliseconds since 1970: for records. */
  nowMs(): number;
  /** Monotonic milliseconds: for durations and time-outs. */
  elapsedMs(): number;
  /** Calls back once after `delayMs`; the returned function cancels. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The append-only truth of one run. Opened, checked and repaired before the engine sees it. */
export interface Journal {
  /**
   * Writes one line and flushes it to the disk before it resolves. Fails with "storage-failed" when the line
   * could not be made durable, when another program has written to the journal, or when this program no longer
   * owns the run; after a failure every later append fails too.
   */
  append(event: RunEvent, atMs: number): Promise<Result<Entry, Failure>>;
}

/** A long text may come in parts. */
export interface RunFile {
  readonly name: string;
  readonly text: string | readonly string[];
}

/** The run folder's derived files. Names are relative to the run folder, with forward slashes. */
export interface RunFiles {
  /** Replaces a file atomically: temporary file, flush, rename, folder flush. Makes folders as needed. */
  write(name: string, text: RunFile["text"]): Promise<Result<void, Failure>>;
  /** The same for several files, in this order; each folder is flushed once, after all of them. */
  writeAll(files: readonly RunFile[]): Promise<Result<void, Failure>>;
  /**
   * Makes `name` hold exactly the parts one after another, by appending only. Bytes that are there already must
   * be their beginning; a file that is something else is moved to `salvage/` first and told in the result.
   */
  extendTo(
    name: string,
    parts: Iterable<string>,
  ): Promise<Result<{ readonly movedTo: string | null }, Failure>>;
  /** Appends; the caller has made the file current with `extendTo` before. */
  append(name: string, text: string): Promise<Result<void, Failure>>;
}

/** A request of another command to the live program: one small file in `requests/`, claimed by rename. */
export type BuilderRequest = (
  | { readonly kind: "pause"; readonly now: boolean; readonly by: string }
  | { readonly kind: "answer"; readonly question: string; readonly text: string; readonly by: string }
  | { readonly kind: "retry"; readonly taskId: TaskId; readonly note: string; readonly by: string }
  | { readonly kind: "skip"; readonly taskId: TaskId; readonly why: string; readonly by: string }
  | { readonly kind: "cancel"; readonly by: string }
) & {
  /** Given by the claim: unique, journalled with what the request did, so that nothing is done twice. */
  readonly id?: string;
};

export interface Requests {
  /** Requests not claimed before, oldest first. Unreadable files are set aside, not returned. */
  claim(): Promise<readonly BuilderRequest[]>;
  /** Everything ever claimed, oldest first: a start looks here for what was claimed and never recorded. */
  claimedBefore(): Promise<readonly BuilderRequest[]>;
  /** Calls back soon (at most 250 ms) after a request arrived; the returned function stops watching. */
  watch(callback: () => void): () => void;
}

export type BranchPosition =
  | { readonly kind: "same" }
  | { readonly kind: "missing" }
  /** The expected commit is an ancestor: `count` commits were put on top. */
  | { readonly kind: "ahead"; readonly head: Sha; readonly count: number }
  | { readonly kind: "elsewhere"; readonly head: Sha };

/** Files of a commit. */
export interface BaseFiles {
  readonly base: Sha;
  readonly paths: readonly string[];
}

export interface WorkReady {
  /** Absolute path, links resolved. */
  readonly path: string;
  /** Files in which the earlier work could not be put on the base; the tree then is the base's. */
  readonly conflicts: readonly string[];
}

/** A candidate as git knows it, before the program looks for evidence in it. */
export type CommittedCandidate = Omit<Candidate, "findings" | "baseVersions">;

/** What a dispatch did to the repository beside the lane, found without trusting the repository's configuration. */
export interface Aftermath {
  /** Changes that fail the attempt: each a sentence part, already put back where that could be proved safe. */
  readonly violations: readonly string[];
  /** Harmless things that were put right or moved: new branches, tags and stash entries of the agent. */
  readonly notes: readonly string[];
  /** Changes that the dispatch may have made as well as the builder beside it: left as they are, bounded. */
  readonly doubts: readonly string[];
}

export interface Memory {
  /** Path below the repository, forward slashes, e.g. `memory/entries/2026-01-31_slug-learnings.md`. */
  readonly entryPath: string;
  readonly entryText: string;
  readonly indexPath: string;
  /** Pure: the index's present text (empty when there is none) to its new one. */
  readonly toIndexText: (present: string) => string;
  readonly message: string;
}

/** Everything the engine asks of git. A command that failed is a failure, never an answer. */
export interface Repository {
  compareBranch(at: { branch: string; expected: Sha }): Promise<Result<BranchPosition, Failure>>;
  /**
   * Makes the branch at `head` when `create`, and holds it so that nobody switches to it, forces or deletes it by
   * accident. Fails with "branch-checked-out" when another worktree has it. Repeating it is harmless.
   */
  holdBranch(at: { branch: string; head: Sha; create: boolean }): Promise<Result<void, Failure>>;
  /** Never fails; what is not held is not touched. */
  releaseBranch(branch: string): Promise<void>;

  /**
   * Makes the lane's work tree ready for a developer: made when missing, salvaged and replaced when it is not as
   * we left it, put at `start`'s tree (moved onto `base` when its own base was another), `setup` run where needed.
   * `refPrefix` is the attempt's: from then on what is in the tree is its work, and nobody else's.
   */
  prepareWork(
    at: { lane: number; base: Sha; start: Sha; setup: string; refPrefix?: string },
    signal: AbortSignal,
  ): Promise<Result<WorkReady, Failure>>;
  /**
   * Puts the lane's check tree at `commit`, cleaned of everything but what its own `setup` made. With `keep`, a
   * tree that is there already is left as it is, so that one gate finds what the gate before it built. With
   * `baseVersions` the named paths are as in that base; one that the base does not have is left out.
   */
  prepareCheck(
    at: { lane: number; commit: Sha; setup: string; keep: boolean; baseVersions: BaseFiles | null },
    signal: AbortSignal,
  ): Promise<Result<{ readonly path: string }, Failure>>;
  /** Whether the check tree still is as it was prepared; if not, it is put back and the changed paths are returned. */
  restoreCheck(at: {
    lane: number;
    commit: Sha;
    baseVersions: BaseFiles | null;
  }): Promise<Result<readonly string[], Failure>>;

  /** What the candidate changed, file by file, and what the rules of core/evidence have to know of the base. */
  changedFiles(at: { base: Sha; commit: Sha }): Promise<Result<CollectedChanges, Failure>>;

  /** Which of the files and names a commit has, for the prompts of a task. */
  lookFor(at: {
    commit: Sha;
    paths: readonly string[];
    names: readonly string[];
  }): Promise<Result<OwnLook, Failure>>;

  /**
   * Remembers what the repository and the builder's checkout are like before a dispatch or a gate; the lane's check
   * tree too where nobody is at work in it (`isCheckIdle`).
   */
  beforeDispatch(at: {
    lane: number;
    dispatch: string;
    isCheckIdle?: boolean;
  }): Promise<Result<void, Failure>>;
  /**
   * Compares and puts right, before any other git command; moves new refs of the agent below the attempt's ref.
   * The builder's checkout is only looked at. Tells also what was seen around the lane's set-ups since the last one.
   */
  afterDispatch(at: { lane: number; refPrefix: string }): Promise<Result<Aftermath, Failure>>;

  /**
   * The work tree's whole content as a tree object, without what was dirty when it became ready and is unchanged.
   * Keeps commits of the agent as `<refPrefix>/agent`. Fails with "nested-repository".
   */
  snapshotWork(at: { lane: number; refPrefix: string }): Promise<Result<LeftTree, Failure>>;
  /**
   * Keeps the work tree's content as commit `<refPrefix>/salvage-<k>` on `base`, with a readable patch in
   * `salvage/`; null when the tree equals `start`'s, or was made ready for another attempt and not for this one.
   */
  salvageWork(at: {
    lane: number;
    base: Sha;
    start: Sha;
    refPrefix: string;
  }): Promise<Result<Sha | null, Failure>>;

  /**
   * The commit of an intent: same intent and time, same sha, however often. Stored as `<refPrefix>/candidate`.
   * With `replayOf` the tree is that commit's change put on `base`; fails with "replay-conflict".
   */
  makeCandidate(at: {
    intent: CandidateStarted;
    atMs: number;
    refPrefix: string;
  }): Promise<Result<CommittedCandidate, Failure>>;
  /** Writes the candidate's diff, readable, bounded, to a file of the run folder. */
  writePatch(at: { base: Sha; commit: Sha; file: string }): Promise<Result<void, Failure>>;

  /** Compare-and-swap of the branch; "branch-moved" or "branch-checked-out" when it must not be. */
  integrate(at: { branch: string; from: Sha; to: Sha }): Promise<Result<void, Failure>>;

  /** The memory commit on `head`, made without a working tree: same input, same sha. Refused where `memory` is a link. */
  makeMemoryCommit(at: { head: Sha; atMs: number; memory: Memory }): Promise<Result<Sha, Failure>>;
  /** Commits on `branch` that are not in `base`; null when there is no such branch. */
  countSince(at: { branch: string; base: Sha }): Promise<Result<number | null, Failure>>;
  /**
   * Fails with "storage-failed" where agents and gates have no room left to write: what they came to then is the
   * machine's doing, not theirs (I14).
   */
  checkRoom(): Promise<Result<void, Failure>>;
  /** Keeps a commit under a ref of the run. */
  keep(at: { ref: string; commit: Sha }): Promise<Result<void, Failure>>;
}

/** One question to an agent program. Plain data but for nothing: another machine could answer it. */
export interface AgentRequest {
  readonly runId: RunId;
  readonly slug: string;
  readonly dispatch: DispatchId;
  readonly stage: AgentStage;
  readonly role: Role;
  readonly taskId: TaskId | null;
  readonly attempt: number;
  /** How often this stage was asked before for this attempt, plus 1. */
  readonly try: number;
  readonly agentKey: string;
  readonly agent: AgentPolicy;
  /** For a backend that asks a service itself, within one dispatch; between dispatches the engine retries. */
  readonly retry?: Policy["retry"];
  /** The same for limits; missing: they are waited for. */
  readonly onRateLimit?: Policy["onRateLimit"];
  /** The lane's tree in which the agent works or looks. */
  readonly cwd: string;
  readonly prompt: string;
  /** Contract 10, without `reportSchema`, which the runner adds. */
  readonly request: JsonObject;
  /** Files the plan names, for the runner to hand over where they exist only in the main checkout. */
  readonly files: readonly string[];
  /** For decoding the report: how many acceptance criteria there are, and which tasks. */
  readonly criteriaCount: number;
  readonly taskIds: readonly TaskId[];
  /** Where prompt, request, report and transcript are kept: a folder of the run folder and a file name prefix. */
  readonly evidence: { readonly folder: string; readonly prefix: string };
  /** What the metering proxy has to know; null or missing: the agent asks its service without it. */
  readonly metering?: MeteringWanted | null;
}

/** What a dispatch may cost, and by which prices that is known. */
export interface MeteringWanted {
  readonly prices: Policy["prices"];
  /** Of the run when the dispatch began, dispatches under way not counted. */
  readonly usedUsd: number;
  /** 0: none, here and for the task. */
  readonly limitUsd: number;
  readonly task: { readonly id: TaskId; readonly usedUsd: number; readonly limitUsd: number } | null;
}

export type AgentOutcome =
  | { readonly kind: "answered"; readonly report: StageReport }
  | { readonly kind: "failed"; readonly failure: Failure }
  | { readonly kind: "interrupted" };

export interface AgentAnswer {
  readonly outcome: AgentOutcome;
  readonly usage: Usage | null;
  readonly durationMs: number;
  /** It worked with a login: what it says of its cost is no money that was spent. */
  readonly isByLogin?: boolean;
}

/** How an agent under way is listened to and ended. */
export interface AgentContact {
  /** Ends it soon; also while it waits. */
  readonly signal: AbortSignal;
  /** Gets whole lines, bounded. */
  readonly onOutput: (line: string) => void;
  /** The agent waits for its service until `untilMs` (wall clock) and then goes on by itself. */
  readonly onWait: (wait: { readonly untilMs: number; readonly failure: Failure }) => void;
}

export interface AgentRunner {
  /** Returns after the agent's whole process group has ended. */
  run(request: AgentRequest, contact: AgentContact): Promise<AgentAnswer>;
}

export type GateAnswer =
  | { readonly kind: "ran"; readonly result: GateResult }
  | { readonly kind: "interrupted" };

export interface GateRunner {
  /** Runs a gate in `cwd`; the whole output goes to `log` (a file of the run folder). */
  run(
    at: { gate: GatePolicy; cwd: string; log: string; dispatch: string },
    signal: AbortSignal,
    onOutput: (line: string) => void,
  ): Promise<GateAnswer>;
}

/** Everything the engine needs of the outside. */
export interface Ports {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly files: RunFiles;
  readonly requests: Requests;
  readonly repository: Repository;
  readonly agents: AgentRunner;
  readonly gates: GateRunner;
}
