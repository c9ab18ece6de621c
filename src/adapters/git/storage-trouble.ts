// Whether git failed because it cannot write: it says so only in words, which may hold names that an agent chose, so
// the program tries it itself where that git would have written.

import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { dirname, join } from "node:path";
import type { Failure } from "../../core/failure.ts";
import { limits } from "../../core/limits.ts";
import { type Result, success } from "../../core/result.ts";
import { attemptStorage, storageError, unless } from "../storage.ts";

export function findStorageTrouble(at: {
  readonly gitDir: string;
  readonly workTree?: string | undefined;
  readonly indexFile?: string | undefined;
  readonly writesIn?: string | undefined;
}): Failure | null {
  const common = commonDirOf(at.gitDir);
  const beside = [at.workTree, at.indexFile].flatMap((path) => (path === undefined ? [] : [dirname(path)]));
  const also = at.writesIn === undefined ? [] : [at.writesIn];
  const folders = [join(common, "objects"), join(common, "refs"), at.gitDir, ...beside, ...also];
  const tried = inEach(folders, tryToWrite);
  return tried.ok ? null : tried.failure;
}

/**
 * Whether there is as much room in each of the folders as a start asks for. Asked after each dispatch, so nothing is
 * written: a program killed right there would leave it behind.
 */
export function checkRoom(folders: readonly string[]): Result<void, Failure> {
  return inEach(folders, lookForRoom);
}

function lookForRoom(folder: string): void {
  fs.accessSync(folder, fs.constants.W_OK);
  const { blocks, bavail, bsize, files, ffree } = fs.statfsSync(folder);
  // A file system that does not tell its size, or has no table of files, says 0.
  const isFull = blocks > 0 && bavail * bsize < limits.minFreeDiskBytes;
  if (isFull || (files > 0 && ffree === 0)) throw storageError("ENOSPC");
}

function inEach(folders: readonly string[], attempt: (folder: string) => void): Result<void, Failure> {
  for (const folder of new Set(folders)) {
    const at = { doing: "writing in", path: folder };
    const tried = attemptStorage(at, () => unless(["ENOENT"], () => attempt(folder)));
    if (!tried.ok) return tried;
  }
  return success(undefined);
}

/** A name that is no ref and no object, that `git gc` takes away if we cannot, and that nobody took before us. */
function tryToWrite(folder: string): void {
  const file = join(folder, `.tmp_execute-prd_${randomBytes(6).toString("hex")}`);
  const handle = fs.openSync(file, "wx");
  try {
    fs.rmSync(file); // nothing is left of it when the program is killed
    fs.writeFileSync(handle, Buffer.alloc(limits.storageProbeBytes));
  } finally {
    fs.closeSync(handle);
  }
}

function commonDirOf(gitDir: string): string {
  const way = unless(["ENOENT", "ENOTDIR"], () => fs.readFileSync(join(gitDir, "commondir"), "utf8"));
  return way === undefined ? gitDir : join(gitDir, way.trim());
}
