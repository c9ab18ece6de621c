// The lock on a branch, in the git directory that all worktrees share: two runs in different worktrees, or under
// different slugs, never work on one branch.

import { createHash } from "node:crypto";
import { rmdirSync } from "node:fs";
import { failed, type Result, success } from "../core/result.ts";
import type { LockRefusal } from "./lock-refusal.ts";
import { acquireRunLock, type LockRequest, type RunLock } from "./run-lock.ts";
import { attemptStorage, errorCode, makeFolderBelow } from "./storage.ts";

export type BranchLockRequest = Omit<LockRequest, "folder"> & {
  readonly commonGitDir: string;
  readonly branch: string;
};

export async function acquireBranchLock(request: BranchLockRequest): Promise<Result<RunLock, LockRefusal>> {
  const { branch, commonGitDir, ...rest } = request;
  const at = { doing: "making a folder for the branch's lock in", path: commonGitDir };
  for (let tries = 1; ; tries += 1) {
    const folder = attemptStorage(at, () => makeFolderBelow(commonGitDir, branchLockName(branch)));
    if (!folder.ok) return failed({ kind: "storage", failure: folder.failure });
    const lock = await acquireRunLock({ ...rest, folder: folder.value });
    if (lock.ok) return success(withFolderRemoved(lock.value, folder.value));
    if (tries >= triesForFolder || !isFolderGone(lock.failure)) return lock;
  }
}

/** Path of a branch's lock folder below the common git directory. */
export function branchLockName(branch: string): string {
  return `execute-prd/branches/${toFileName(branch)}`;
}

/** An owner that releases removes the folder; it can do so under a starter that has just made sure of it. */
const triesForFolder = 20;
const longestPlainName = 150;

function isFolderGone(refusal: LockRefusal): boolean {
  return (
    refusal.kind === "storage" &&
    refusal.failure.reason === "storage-failed" &&
    refusal.failure.code === "ENOENT"
  );
}

/** Different branches get different names, also where file names ignore case; long ones end in a hash. */
function toFileName(branch: string): string {
  const plain = [...Buffer.from(branch)].map(toPlainCharacters).join("");
  if (plain.length <= longestPlainName) return plain;
  const hash = createHash("sha256").update(branch).digest("hex").slice(0, 32);
  return `${plain.slice(0, longestPlainName)}~${hash}`;
}

function toPlainCharacters(byte: number): string {
  const character = String.fromCharCode(byte);
  return /[a-z0-9_-]/.test(character) ? character : `%${byte.toString(16).padStart(2, "0")}`;
}

function withFolderRemoved(lock: RunLock, folder: string): RunLock {
  const release = (): void => {
    lock.release();
    try {
      rmdirSync(folder);
    } catch (error) {
      if (errorCode(error) === null) throw error; // not empty: a starter is at work in it
    }
  };
  return { ...lock, release };
}
