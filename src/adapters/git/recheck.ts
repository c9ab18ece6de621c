// Looking up anew what was recorded about a commit, and the worktrees in which that is done: for `verify`.

import fs from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import type { Result } from "../../core/result.ts";
import { success } from "../../core/result.ts";
import type { CommitNow } from "../../core/verification.ts";
import { isAlive, thisProcess } from "../process-identity.ts";
import { listAdminDirs, worktreeOf } from "./admin-dirs.ts";
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

const folderPrefix = "execute-prd-verify-";

/** A temporary folder for trees and logs of this process. */
export function makeLookFolder(): string {
  return fs.mkdtempSync(join(temporaryRoot(), `${folderPrefix}${process.pid}-`));
}

/** Takes away what looks left whose program was killed: their trees are locked, so git would keep them for ever. */
export function dropDeadLooks(gitCommonDir: string): void {
  for (const adminDir of listAdminDirs(gitCommonDir)) {
    const [name = "", ...inside] = relative(temporaryRoot(), worktreeOf(adminDir) ?? "").split(sep);
    const pid = /^execute-prd-verify-(\d+)-\w+$/.exec(name)?.[1];
    if (pid === undefined || inside[0] !== "trees") continue;
    // Without a start time: a pid that is used again keeps the folder a little longer.
    if (isAlive({ ...thisProcess(), pid: Number(pid), startTime: null }) !== "dead") continue;
    fs.rmSync(adminDir, { recursive: true, force: true });
    dropFolders(`${folderPrefix}${pid}-`);
  }
}

/** The trees and logs of one look, and the drop folders of its gates. */
function dropFolders(prefix: string): void {
  const names = fs.readdirSync(temporaryRoot()).filter((name) => name.startsWith(prefix));
  for (const name of names) fs.rmSync(join(temporaryRoot(), name), { recursive: true, force: true });
}

function temporaryRoot(): string {
  return fs.realpathSync(tmpdir());
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
