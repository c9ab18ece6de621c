// Whether git failed because it cannot write: it says so only in words, which may hold names that an agent chose, so
// the program tries it itself where that git would have written.

import fs from "node:fs";
import { dirname, join } from "node:path";
import type { Failure } from "../../core/failure.ts";
import { limits } from "../../core/limits.ts";
import { attemptStorage, unless } from "../storage.ts";

export function findStorageTrouble(at: {
  readonly gitDir: string;
  readonly workTree?: string | undefined;
  readonly indexFile?: string | undefined;
  readonly writesIn?: string | undefined;
}): Failure | null {
  const common = commonDirOf(at.gitDir);
  const beside = [at.workTree, at.indexFile].flatMap((path) => (path === undefined ? [] : [dirname(path)]));
  const also = at.writesIn === undefined ? [] : [at.writesIn];
  for (const folder of new Set([
    join(common, "objects"),
    join(common, "refs"),
    at.gitDir,
    ...beside,
    ...also,
  ])) {
    const tried = attemptStorage({ doing: "writing in", path: folder }, () => tryToWrite(folder));
    if (!tried.ok && tried.failure.reason === "storage-failed" && tried.failure.code !== "ENOENT")
      return tried.failure;
  }
  return null;
}

/** A name that is no ref and no object, and that `git gc` takes away if we cannot. */
function tryToWrite(folder: string): void {
  const file = join(folder, `.tmp_execute-prd_${process.pid}`);
  fs.rmSync(file, { force: true });
  try {
    fs.writeFileSync(file, Buffer.alloc(limits.storageProbeBytes), { flag: "wx" });
  } finally {
    fs.rmSync(file, { force: true });
  }
}

function commonDirOf(gitDir: string): string {
  const way = unless(["ENOENT", "ENOTDIR"], () => fs.readFileSync(join(gitDir, "commondir"), "utf8"));
  return way === undefined ? gitDir : join(gitDir, way.trim());
}
