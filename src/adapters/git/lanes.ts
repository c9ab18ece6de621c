// The worktrees of lanes: making one, seeing whether it still is as we left it, setting it aside, taking it away.
//
// Worktrees are taken out of git's books by removing their own folder below `<common>/worktrees`, never by
// `git worktree prune`: that would also forget worktrees of the builder whose disk is not there just now.

import fs from "node:fs";
import { dirname, join, sep } from "node:path";
import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import { isSha } from "../../core/ids.ts";
import type { Result } from "../../core/result.ts";
import { success } from "../../core/result.ts";
import { attemptStorage, removeTemporaryFiles, replaceUnflushed, unless } from "../storage.ts";
import { listAdminDirs, readLine, worktreeOf } from "./admin-dirs.ts";
import type { GitRun } from "./git-run.ts";
import { digestIndex, inTree, saveState, type TreePlace, type TreeState } from "./lane-state.ts";
import { readRef } from "./refs.ts";
import { runGit } from "./run-git.ts";
import { moveAside } from "./tree-changes.ts";

/** Makes the worktree, still empty, detached at `head`; what is left of an earlier one is set aside. */
export async function makeTree(
  run: GitRun,
  place: TreePlace,
  at: { readonly head: Sha; readonly tree: Sha },
): Promise<Result<TreeState, Failure>> {
  const cleared = attemptStorage({ doing: "clearing", path: place.path }, () => setAside(run, place));
  if (!cleared.ok) return cleared;
  const added = await addWorktree(run, {
    path: place.path,
    what: ["--detach"],
    commit: at.head,
    doing: `making the tree "${place.path}"`,
  });
  if (!added.ok) return added;
  return saveState(place, {
    ...added.value,
    head: at.head,
    tree: at.tree,
    ready: false,
    attempt: null,
    setupKey: null,
    dirty: {},
    made: {},
    ignored: [],
    indexSha256: "",
  });
}

/** `git worktree add` without checkout, locked so that nobody's `prune` takes it. */
export async function addWorktree(
  run: GitRun,
  at: { path: string; what: readonly string[]; commit: string; doing: string },
): Promise<Result<{ adminDir: string; gitFile: string }, Failure>> {
  const reason = `execute-prd run ${run.slug} (${run.runId})`;
  const added = await runGit({
    gitDir: run.commonDir,
    writesIn: dirname(at.path),
    args: ["worktree", "add", "--no-checkout", "--lock", "--reason", reason, ...at.what, at.path, at.commit],
    doing: at.doing,
  });
  if (!added.ok) return added;
  return attemptStorage({ doing: "reading", path: join(at.path, ".git") }, () => {
    const gitFile = fs.readFileSync(join(at.path, ".git"), "utf8");
    return { gitFile, adminDir: fs.realpathSync(gitFile.replace(/^gitdir: /, "").trim()) };
  });
}

/** Why the tree is not as we left it, or null when it is. Plain reads only. */
export function findDisorder(run: GitRun, place: TreePlace, state: TreeState): string | null {
  if (!isFolderItself(place.path)) return "the folder is gone or something else";
  const gitFile = join(place.path, ".git");
  if (!isRegular(gitFile) || fs.readFileSync(gitFile, "utf8") !== state.gitFile) {
    return "its .git file is another";
  }
  if (!isAdminDirIntact(run, place, state)) return "git no longer knows it";
  const operation = operationNames.find((name) => fs.existsSync(join(state.adminDir, name)));
  return operation === undefined ? null : `it is in the middle of an operation (${operation})`;
}

/** Whether git's folder for the tree can be used as the git directory. */
export function isAdminDirIntact(run: GitRun, place: TreePlace, state: TreeState): boolean {
  return (
    dirname(state.adminDir) === join(run.commonDir, "worktrees") &&
    isFolderItself(state.adminDir) &&
    worktreeOf(state.adminDir) === place.path &&
    readLine(join(state.adminDir, "commondir")) === "../.." &&
    isRegular(join(state.adminDir, "HEAD"))
  );
}

export function isFolderItself(path: string): boolean {
  const found = unless(["ENOENT", "ENOTDIR"], () => fs.lstatSync(path));
  return found?.isDirectory() === true && fs.realpathSync(path) === path;
}

/** Moves the tree out of the way and makes git forget it. Only what we put there ourselves is removed. */
function setAside(run: GitRun, place: TreePlace): void {
  forgetWorktree(run, place.path);
  const found = unless(["ENOENT"], () => fs.lstatSync(place.path));
  if (found !== undefined) {
    const isBare = found.isDirectory() && fs.readdirSync(place.path).every((name) => name === ".git");
    if (isBare && !isFolderItself(join(place.path, ".git"))) fs.rmSync(place.path, { recursive: true });
    else moveAside(place, place.path, place.kind);
  }
  fs.rmSync(place.indexFile, { force: true });
  fs.rmSync(place.stateFile, { force: true });
}

/** Removes git's folders that stand for this path. The worktree's own files stay. */
export function forgetWorktree(run: GitRun, path: string): void {
  for (const adminDir of listAdminDirs(run.commonDir)) {
    const found = worktreeOf(adminDir) ?? "";
    if (found === path || isFormerPlace(run, { found, path }))
      fs.rmSync(adminDir, { recursive: true, force: true });
  }
}

/** Whether the tree was there before the run's trees were moved: the name of their folder is this run's alone. */
export function isFormerPlace(run: GitRun, { found, path }: { found: string; path: string }): boolean {
  const [, tail] = found.split(`${sep}${run.slug}-${run.runId}${sep}`);
  return tail !== undefined && path.endsWith(`${sep}${tail}`) && !fs.existsSync(found);
}

/** The commit that HEAD of the tree stands at; null when there is none. */
export async function readHead(run: GitRun, state: TreeState): Promise<Result<Sha | null, Failure>> {
  const line = readLine(join(state.adminDir, "HEAD")) ?? "";
  if (isSha(line)) return success(line);
  const ref = /^ref: (refs\/.+)$/.exec(line)?.[1];
  return ref === undefined ? success(null) : readRef(run, ref);
}

/**
 * Makes what the tree's user sees right: HEAD detached at the recorded commit, the index equal to ours, nothing of
 * an operation left over.
 */
export function finishTree(place: TreePlace, state: TreeState): Result<TreeState, Failure> {
  return attemptStorage({ doing: "preparing", path: state.adminDir }, () => {
    for (const name of leftoverNames) fs.rmSync(join(state.adminDir, name), { force: true });
    removeTemporaryFiles(state.adminDir);
    detachHead(state);
    copyIndex(place, state);
    return state;
  });
}

/** Puts HEAD at the recorded commit. */
export function detachHead(state: TreeState): void {
  const file = join(state.adminDir, "HEAD");
  const wanted = `${state.head}\n`;
  if (unless(["ENOENT", "EISDIR"], () => fs.readFileSync(file, "utf8")) === wanted) return;
  fs.rmSync(`${file}.lock`, { force: true });
  replaceUnflushed(file, wanted);
}

/** Puts tree and private index at `tree`, over whatever is there: only for what is nobody's work. */
export async function resetTree(
  place: TreePlace,
  state: TreeState,
  tree: Sha,
): Promise<Result<TreeState, Failure>> {
  const marked = saveState(place, { ...state, ready: false });
  if (!marked.ok) return marked;
  const read = await runGit({
    ...inTree(place, state),
    args: ["read-tree", "--reset", "-u", tree],
    doing: `putting "${place.path}" at tree ${tree}`,
  });
  if (!read.ok) return read;
  return saveState(place, { ...marked.value, tree, dirty: {}, indexSha256: digestIndex(place) });
}

const operationNames = [
  "rebase-merge",
  "rebase-apply",
  "sequencer",
  "MERGE_HEAD",
  "CHERRY_PICK_HEAD",
  "REVERT_HEAD",
  "BISECT_LOG",
] as const;

const leftoverNames = [
  "index.lock",
  "HEAD.lock",
  "ORIG_HEAD",
  "MERGE_MSG",
  "SQUASH_MSG",
  "AUTO_MERGE",
] as const;

/**
 * git tells files changed right after an index was written by that index's own time, so the copy must not look
 * younger than its original.
 */
export function copyIndex(place: TreePlace, state: TreeState): void {
  const target = join(state.adminDir, "index");
  const { mtimeMs } = fs.statSync(place.indexFile);
  const temporary = `${target}.execute-prd`;
  fs.copyFileSync(place.indexFile, temporary);
  const writtenAt = Math.floor(mtimeMs / 1_000);
  fs.utimesSync(temporary, writtenAt, writtenAt);
  fs.renameSync(temporary, target);
}

function isRegular(path: string): boolean {
  const found = unless(["ENOENT", "ENOTDIR"], () => fs.lstatSync(path));
  return found?.isFile() === true;
}
