// Git as the engine's Repository: one run's branch, lanes, candidates and refs in one real repository.

import fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import type { Result } from "../../core/result.ts";
import { failed, success } from "../../core/result.ts";
import type { Repository, WorkReady } from "../../ports.ts";
import { attemptStorage } from "../storage.ts";
import { makeCandidate } from "./candidate.ts";
import { collectChanges } from "./changed-files.ts";
import { salvageUncollected, salvageWork, snapshotWork } from "./collect.ts";
import { moveChange } from "./commits.ts";
import { writePatchFile } from "./diff.ts";
import { afterDispatch, beforeDispatch, type PendingDispatches, settleMetadata } from "./dispatch-guard.ts";
import { attemptFiles, type GitRun, openGitRun, type RepositoryOptions, readCommit } from "./git-run.ts";
import { compareBranch, countSince, holdBranch, integrate, releaseBranch } from "./integrate.ts";
import { placeTree, type TreePlace, type TreeState } from "./lane-state.ts";
import { makeMemoryCommit } from "./memory-commit.ts";
import { mixTree } from "./mixed-tree.ts";
import { lookFor } from "./own-look.ts";
import { isPrepared, prepareTree, restoreTree } from "./prepare.ts";
import { updateRefs } from "./refs.ts";
import { checkRoom } from "./storage-trouble.ts";

export interface GitRepository extends Repository {
  /** `dispatch`: the id given to `dispatchIdentity`; without it any dispatch of the run is taken for the lane's. */
  beforeDispatch(at: {
    lane: number;
    dispatch?: string;
    isCheckIdle?: boolean;
  }): ReturnType<Repository["beforeDispatch"]>;
}

export function createRepository(options: RepositoryOptions): GitRepository {
  const run = openGitRun(options);
  const pending: PendingDispatches = new Map();
  /** No git command for a lane before what a dispatch did to the metadata is put back. */
  const settled = async <Value>(
    lane: number,
    operation: () => Promise<Result<Value, Failure>>,
  ): Promise<Result<Value, Failure>> => {
    const settling = settleMetadata(run, pending, lane);
    return settling.ok ? operation() : settling;
  };
  const tried: Tried = (operation) => attemptFiles({ doing: "using", path: run.worktreeRoot }, operation);
  return {
    compareBranch: (at) => tried(() => compareBranch(run, at)),
    holdBranch: (at) => tried(() => holdBranch(run, at)),
    releaseBranch: async (branch) => {
      run.objects.close();
      attemptStorage({ doing: "using", path: run.worktreeRoot }, () => releaseBranch(run, branch));
    },
    prepareWork: (at, signal) => tried(() => settled(at.lane, () => prepareWork(run, at, signal))),
    prepareCheck: (at, signal) => tried(() => settled(at.lane, () => prepareCheck(run, at, signal))),
    restoreCheck: (at) => tried(() => settled(at.lane, () => restoreCheck(run, at))),
    beforeDispatch: (at) => tried(() => settled(at.lane, () => beforeDispatch(run, pending, at))),
    afterDispatch: (at) => tried(() => afterDispatch(run, pending, at)),
    snapshotWork: (at) => tried(() => settled(at.lane, () => snapshotWork(run, at))),
    salvageWork: (at) => tried(() => settled(at.lane, () => salvageWork(run, at))),
    changedFiles: (at) => tried(() => collectChanges(run, at)),
    lookFor: (at) => tried(() => lookFor(run, at)),
    makeCandidate: (at) => tried(() => makeCandidate(run, at)),
    writePatch: (at) => tried(() => writePatchFile(run, at)),
    integrate: (at) => tried(() => integrate(run, at)),
    makeMemoryCommit: (at) => tried(() => makeMemoryCommit(run, at)),
    checkRoom: async () => checkRoom([run.worktreeRoot, tmpdir()]),
    countSince: (at) => tried(() => countSince(run, at)),
    keep: ({ ref, commit }) =>
      tried(() => updateRefs(run, { changes: [{ ref, to: commit }], doing: `keeping ${commit} as ${ref}` })),
  };
}

/** An error of the system (no file handles, no permission) is trouble outside the work wherever it happens, no bug. */
type Tried = <Value>(operation: () => Promise<Result<Value, Failure>>) => Promise<Result<Value, Failure>>;

type WorkWanted = Parameters<Repository["prepareWork"]>[0];
type CheckWanted = Parameters<Repository["prepareCheck"]>[0];

async function prepareWork(
  run: GitRun,
  at: WorkWanted,
  signal: AbortSignal,
): Promise<Result<WorkReady, Failure>> {
  const place = placeTree(run, at.lane, "work");
  if (!place.ok) return place;
  const base = await readCommit(run, at.base);
  if (!base.ok) return base;
  const moved = await moveChange(run, { commit: at.start, base: at.base });
  if (!moved.ok) return moved;
  const kept = await salvageUncollected(run, at.lane);
  if (!kept.ok) return kept;
  const conflicts = moved.value.kind === "conflict" ? moved.value.files : [];
  const tree = moved.value.kind === "conflict" ? base.value.tree : moved.value.tree;
  const wanted = { head: at.base, tree, setup: at.setup, attempt: at.refPrefix };
  const state = await prepareTree(run, { place: place.value, wanted, seen: kept.value }, signal);
  if (!state.ok) return state;
  if (tree === base.value.tree) keepIndexOf(run, place.value, state.value);
  return success({ path: place.value.path, conflicts });
}

async function prepareCheck(
  run: GitRun,
  at: CheckWanted,
  signal: AbortSignal,
): Promise<Result<{ readonly path: string }, Failure>> {
  const place = placeTree(run, at.lane, "check");
  if (!place.ok) return place;
  const commit = await readCommit(run, at.commit);
  if (!commit.ok) return commit;
  const tree = await treeFor(run, at, commit.value.tree);
  if (!tree.ok) return tree;
  const wanted = { head: at.commit, tree: tree.value, setup: at.setup };
  if (at.keep) {
    const isThere = await isPrepared(run, { place: place.value, wanted });
    if (!isThere.ok) return isThere;
    if (isThere.value) return success({ path: place.value.path });
  }
  const state = await prepareTree(run, { place: place.value, wanted, seen: null }, signal);
  return state.ok ? success({ path: place.value.path }) : state;
}

async function restoreCheck(
  run: GitRun,
  at: Pick<CheckWanted, "lane" | "commit" | "baseVersions">,
): Promise<Result<readonly string[], Failure>> {
  const place = placeTree(run, at.lane, "check");
  if (!place.ok) return place;
  const commit = await readCommit(run, at.commit);
  if (!commit.ok) return commit;
  if (!fs.existsSync(place.value.stateFile)) {
    const detail = "it was never prepared";
    return failed({ reason: "lane-unusable", path: place.value.path, detail });
  }
  const tree = await treeFor(run, at, commit.value.tree);
  if (!tree.ok) return tree;
  const wanted = { head: at.commit, tree: tree.value, setup: null };
  return restoreTree(run, { place: place.value, wanted }, new AbortController().signal);
}

/** The commit's own tree, or that with some files as they are in the base. */
function treeFor(
  run: GitRun,
  at: Pick<CheckWanted, "lane" | "commit" | "baseVersions">,
  own: Sha,
): Promise<Result<Sha, Failure>> | Result<Sha, Failure> {
  return at.baseVersions === null ? success(own) : mixTree(run, { ...at, ...at.baseVersions });
}

/** The base's index is what a diff against it takes its attributes from; a copy saves a git command. */
function keepIndexOf(run: GitRun, place: TreePlace, state: TreeState): void {
  const copy = join(dirname(place.indexFile), "base.index");
  if (run.indexes.get(state.tree) === copy) return;
  for (const [tree, path] of run.indexes) if (path === copy) run.indexes.delete(tree);
  fs.copyFileSync(place.indexFile, copy);
  run.indexes.set(state.tree, copy);
}
