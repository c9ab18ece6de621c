// Looking up anew what was recorded about a commit, and the worktrees in which that is done: for `verify`.

import fs from "node:fs";
import { join } from "node:path";
import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import type { Result } from "../../core/result.ts";
import { success } from "../../core/result.ts";
import type { CommitNow } from "../../core/verification.ts";
import { readDiff } from "./diff.ts";
import { openGitRun, type RepositoryOptions, readCommit } from "./git-run.ts";
import { branchHead, isAncestor, resolveCommit } from "./inspect.ts";
import { forgetWorktree } from "./lanes.ts";

/** null: the repository does not have the commit or its base. */
export async function recheckCommit(
  options: RepositoryOptions,
  at: { readonly branch: string; readonly base: Sha; readonly commit: Sha },
): Promise<Result<CommitNow | null, Failure>> {
  for (const name of [at.commit, at.base]) {
    const found = await resolveCommit(options, name);
    if (!found.ok) return found;
    if (found.value === null) return success(null);
  }
  const run = openGitRun(options);
  const facts = await readCommit(run, at.commit);
  if (!facts.ok) return facts;
  const diff = await readDiff(run, at);
  if (!diff.ok) return diff;
  const onBranch = await isOnBranch(options, at);
  if (!onBranch.ok) return onBranch;
  const { tree, parents } = facts.value;
  const { diffSha256, changeCount, deletions } = diff.value;
  return success({ tree, parents, isOnBranch: onBranch.value, diffSha256, changeCount, deletions });
}

async function isOnBranch(
  options: RepositoryOptions,
  at: { readonly branch: string; readonly commit: Sha },
): Promise<Result<boolean, Failure>> {
  const head = await branchHead(options, at.branch);
  if (!head.ok) return head;
  return head.value === null ? success(false) : isAncestor(options, { ancestor: at.commit, of: head.value });
}

/** The one lane that looking needs. */
export const checkLane = 1;

/** Removes the lane of a worktree root that was made for looking only: nothing in it is anybody's work. */
export function dropLane(options: RepositoryOptions): void {
  const run = openGitRun(options);
  const root = fs.existsSync(run.worktreeRoot) ? fs.realpathSync(run.worktreeRoot) : run.worktreeRoot;
  for (const kind of ["work", "check"]) {
    forgetWorktree(run, join(root, `${run.slug}-${run.runId}`, `lane-${checkLane}`, kind));
  }
  fs.rmSync(root, { recursive: true, force: true });
}
