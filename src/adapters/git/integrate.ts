// The run's branch: where it is, holding it while a run is live, and moving it by compare-and-swap.
//
// The branch is held by a locked worktree without files: git then refuses to switch to it, to force it, to fetch
// into it or to delete it. What git does not refuse is moving a branch that is checked out elsewhere; therefore the
// look at all worktrees before each integration.

import fs from "node:fs";
import { join } from "node:path";
import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import type { Result } from "../../core/result.ts";
import { failed, success } from "../../core/result.ts";
import type { BranchPosition } from "../../ports.ts";
import { unless } from "../storage.ts";
import { listAdminDirs, readLine, worktreeOf } from "./admin-dirs.ts";
import { attemptFiles, type GitRun, openRunRoot } from "./git-run.ts";
import { isAncestor } from "./inspect.ts";
import { addWorktree, forgetWorktree, isFormerPlace } from "./lanes.ts";
import { findCheckout, packRefs, readRef, toRef, updateRefs } from "./refs.ts";
import { readGit } from "./run-git.ts";

/** See Repository.compareBranch. */
export async function compareBranch(
  run: GitRun,
  at: { readonly branch: string; readonly expected: Sha },
): Promise<Result<BranchPosition, Failure>> {
  const found = await readRef(run, toRef(at.branch));
  if (!found.ok) return found;
  const head = found.value;
  if (head === null) return success({ kind: "missing" });
  if (head === at.expected) return success({ kind: "same" });
  const isAhead = await isAncestor({ gitCommonDir: run.commonDir }, { ancestor: at.expected, of: head });
  if (!isAhead.ok) return isAhead;
  if (!isAhead.value) return success({ kind: "elsewhere", head });
  const counted = await countCommits(run, { from: at.expected, to: head });
  return counted.ok ? success({ kind: "ahead", head, count: counted.value }) : counted;
}

/** See Repository.countSince. */
export async function countSince(
  run: GitRun,
  at: { readonly branch: string; readonly base: Sha },
): Promise<Result<number | null, Failure>> {
  const head = await readRef(run, toRef(at.branch));
  if (!head.ok || head.value === null) return head.ok ? success(null) : head;
  return head.value === at.base ? success(0) : countCommits(run, { from: at.base, to: head.value });
}

/** See Repository.holdBranch. */
export function holdBranch(
  run: GitRun,
  at: { readonly branch: string; readonly head: Sha; readonly create: boolean },
): Promise<Result<void, Failure>> {
  const holder = placeHolder(run);
  if (!holder.ok) return Promise.resolve(holder);
  return attemptFiles({ doing: "holding the branch in", path: holder.value }, async () => {
    const elsewhere = findCheckout(run.commonDir, { branch: at.branch, except: holder.value });
    if (elsewhere !== null && !isFormerPlace(run, { found: elsewhere, path: holder.value })) {
      return failed({ reason: "branch-checked-out", branch: at.branch, path: elsewhere });
    }
    const placed = await placeBranch(run, at);
    if (!placed.ok) return placed;
    run.held.add(at.branch);
    if (isHeld(run, holder.value, at.branch)) return success(undefined);
    dropHolder(run, holder.value);
    const doing = `holding branch "${at.branch}"`;
    const added = await addWorktree(run, { path: holder.value, what: [], commit: at.branch, doing });
    return added.ok ? success(undefined) : added;
  });
}

/** See Repository.releaseBranch. */
export function releaseBranch(run: GitRun, branch: string): void {
  const holder = placeHolder(run);
  run.held.delete(branch);
  try {
    if (holder.ok && isHeld(run, holder.value, branch)) dropHolder(run, holder.value);
  } catch {
    // A holder that stays is harmless: the next start of the run uses it again.
  }
}

/** Branches of the run that are held as they should be. */
export function heldBranches(run: GitRun): readonly string[] {
  const holder = placeHolder(run);
  return holder.ok ? [...run.held].filter((branch) => isHeld(run, holder.value, branch)) : [];
}

/** Holds branches again that were held and are not any more; says which. */
export async function holdAgain(
  run: GitRun,
  branches: readonly string[],
): Promise<Result<readonly string[], Failure>> {
  const held = heldBranches(run);
  const told: string[] = [];
  for (const branch of branches.filter((each) => run.held.has(each) && !held.includes(each))) {
    const found = await readRef(run, toRef(branch));
    if (!found.ok) return found;
    const again =
      found.value !== null && (await holdBranch(run, { branch, head: found.value, create: false })).ok;
    told.push(`the worktree that holds branch "${branch}" was changed${again ? " and put back" : ""}`);
  }
  return success(told);
}

/** See Repository.integrate. Repeating one that succeeded is a success. */
export async function integrate(
  run: GitRun,
  at: { readonly branch: string; readonly from: Sha; readonly to: Sha },
): Promise<Result<void, Failure>> {
  const holder = placeHolder(run);
  if (!holder.ok) return holder;
  const elsewhere = findCheckout(run.commonDir, { branch: at.branch, except: holder.value });
  if (elsewhere !== null) {
    return failed({ reason: "branch-checked-out", branch: at.branch, path: elsewhere });
  }
  const swapped = await updateRefs(run, {
    changes: [{ ref: toRef(at.branch), from: at.from, to: at.to }],
    doing: `moving branch "${at.branch}"`,
  });
  if (!swapped.ok) return explain(run, { ...at, failure: swapped.failure });
  await packRefs(run);
  return success(undefined);
}

async function placeBranch(
  run: GitRun,
  at: { readonly branch: string; readonly head: Sha; readonly create: boolean },
): Promise<Result<void, Failure>> {
  if (!at.create) {
    const found = await readRef(run, toRef(at.branch));
    if (!found.ok) return found;
    return found.value === at.head ? success(undefined) : movedAway(at, found.value);
  }
  const created = await updateRefs(run, {
    changes: [{ ref: toRef(at.branch), from: null, to: at.head }],
    doing: `making branch "${at.branch}"`,
  });
  if (created.ok) return success(undefined);
  return explain(run, { branch: at.branch, from: at.head, to: at.head, failure: created.failure });
}

async function countCommits(
  run: GitRun,
  at: { readonly from: Sha; readonly to: Sha },
): Promise<Result<number, Failure>> {
  const counted = await readGit({
    gitDir: run.commonDir,
    args: ["rev-list", "--count", `${at.from}..${at.to}`],
    doing: `counting the commits from ${at.from} to ${at.to}`,
  });
  return counted.ok ? success(Number(counted.value)) : counted;
}

/** Why a swap was refused: the branch is there already, it was moved, or git has trouble. */
async function explain(
  run: GitRun,
  at: { readonly branch: string; readonly from: Sha; readonly to: Sha; readonly failure: Failure },
): Promise<Result<void, Failure>> {
  const found = await readRef(run, toRef(at.branch));
  if (!found.ok) return found;
  if (found.value === at.to) return success(undefined);
  if (found.value === at.from) return failed(at.failure);
  return movedAway({ branch: at.branch, head: at.from }, found.value);
}

function movedAway(
  at: { readonly branch: string; readonly head: Sha },
  found: Sha | null,
): Result<never, Failure> {
  return failed({ reason: "branch-moved", branch: at.branch, expected: at.head, found });
}

function placeHolder(run: GitRun): Result<string, Failure> {
  const root = openRunRoot(run);
  return root.ok ? success(join(root.value, "holder")) : root;
}

function isHeld(run: GitRun, holder: string, branch: string): boolean {
  const gitFile = readLine(join(holder, ".git"));
  return listAdminDirs(run.commonDir).some(
    (admin) =>
      worktreeOf(admin) === holder &&
      gitFile === `gitdir: ${admin}` &&
      readLine(join(admin, "HEAD")) === `ref: ${toRef(branch)}` &&
      fs.existsSync(join(admin, "locked")),
  );
}

function dropHolder(run: GitRun, holder: string): void {
  forgetWorktree(run, holder);
  fs.rmSync(join(holder, ".git"), { force: true });
  // With files of somebody in it, it stays.
  unless(["ENOENT", "ENOTEMPTY", "EEXIST"], () => fs.rmdirSync(holder));
}
