// A candidate's tree with some paths as they are in the base: for running gates with the base's version of the
// tests, or of what gates depend on, that the candidate changed.

import fs from "node:fs";
import { join } from "node:path";
import type { Failure } from "../../core/failure.ts";
import { isSha, type Sha } from "../../core/ids.ts";
import type { Result } from "../../core/result.ts";
import { success } from "../../core/result.ts";
import { type GitRun, gitFailure, openRunRoot } from "./git-run.ts";
import { runGit } from "./run-git.ts";

const doing = "putting the base's version of changed files into a candidate";

/** The tree; a path that the base does not have is left out of it. */
export async function mixTree(
  run: GitRun,
  at: { readonly lane: number; readonly commit: Sha; readonly base: Sha; readonly paths: readonly string[] },
): Promise<Result<Sha, Failure>> {
  const root = openRunRoot(run);
  if (!root.ok) return root;
  const indexFile = join(root.value, `mixed-${at.lane}.index`);
  remove(indexFile);
  const place = { gitDir: run.commonDir, indexFile, doing };
  const read = await runGit({ ...place, args: ["read-tree", at.commit] });
  if (!read.ok) return read;
  const listed = await runGit({
    ...place,
    args: ["--literal-pathspecs", "ls-tree", "-r", "-z", "--full-tree", at.base, "--", ...at.paths],
  });
  if (!listed.ok) return listed;
  const removals = at.paths.map((path) => `0 ${"0".repeat(at.base.length)}\t${path}\0`).join("");
  const input = Buffer.concat([Buffer.from(removals), listed.value.stdout]);
  const updated = await runGit({ ...place, args: ["update-index", "-z", "--index-info"], input });
  if (!updated.ok) return updated;
  const written = await runGit({ ...place, args: ["write-tree"] });
  remove(indexFile);
  if (!written.ok) return written;
  const tree = written.value.stdout.toString("utf8").trim();
  return isSha(tree) ? success(tree) : gitFailure(doing, `unexpected answer "${tree}"`);
}

function remove(indexFile: string): void {
  fs.rmSync(indexFile, { force: true });
  fs.rmSync(`${indexFile}.lock`, { force: true });
}
