// The memory commit: made of blobs, trees and one commit, without any working tree, so that no link in a checkout
// can lead the writing elsewhere.

import fs from "node:fs";
import { join } from "node:path";
import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import { isSha } from "../../core/ids.ts";
import type { Result } from "../../core/result.ts";
import { success } from "../../core/result.ts";
import type { Memory } from "../../ports.ts";
import { commitTree } from "./commits.ts";
import { type GitRun, gitFailure, openRunRoot } from "./git-run.ts";
import { readGit, runGit } from "./run-git.ts";

/** See Repository.makeMemoryCommit. */
export async function makeMemoryCommit(
  run: GitRun,
  at: { readonly head: Sha; readonly atMs: number; readonly memory: Memory },
): Promise<Result<Sha, Failure>> {
  const { head, memory } = at;
  const bad = [memory.entryPath, memory.indexPath].find((path) => !isPlainPath(path));
  if (bad !== undefined) return gitFailure(doing, `"${bad}" is no path below the repository`);
  const present = await readPresent(run, { head, paths: [memory.entryPath, memory.indexPath] });
  if (!present.ok) return present;
  const index = present.value.get(memory.indexPath);
  const indexText = index === undefined ? success("") : await readBlob(run, index);
  if (!indexText.ok) return indexText;
  const tree = await writeTree(run, {
    head,
    files: [
      { path: memory.entryPath, text: memory.entryText },
      { path: memory.indexPath, text: memory.toIndexText(indexText.value) },
    ],
  });
  if (!tree.ok) return tree;
  return commitTree(run, {
    tree: tree.value,
    parents: [head],
    message: memory.message,
    committedAt: Math.floor(at.atMs / 1_000),
    doing,
  });
}

const doing = "making the memory commit";

function isPlainPath(path: string): boolean {
  const isPlain = (part: string): boolean =>
    part !== "" && part !== "." && part !== ".." && part.toLowerCase() !== ".git" && !/[\\\0\n]/.test(part);
  return path.split("/").every(isPlain);
}

/** Blobs that are there under these paths; refused where a link, a submodule or a file stands in the way. */
async function readPresent(
  run: GitRun,
  at: { readonly head: Sha; readonly paths: readonly string[] },
): Promise<Result<ReadonlyMap<string, string>, Failure>> {
  const folders = new Set(at.paths.flatMap((path) => parentsOf(path)));
  const listed = await runGit({
    gitDir: run.commonDir,
    args: ["ls-tree", "-z", "-t", "--full-tree", at.head, "--", ...folders, ...at.paths],
    doing,
  });
  if (!listed.ok) return listed;
  const blobs = new Map<string, string>();
  for (const line of listed.value.stdout.toString("utf8").split("\0")) {
    const [, mode, kind, sha, path] = /^(\d+) (\w+) ([0-9a-f]+)\t([\s\S]+)$/.exec(line) ?? [];
    if (path === undefined || sha === undefined) continue;
    const isFolder = folders.has(path);
    if (isFolder ? kind === "tree" : mode === "100644" || mode === "100755") {
      if (!isFolder) blobs.set(path, sha);
      continue;
    }
    if (!isFolder && !at.paths.includes(path)) continue;
    const what = mode === "120000" ? "a symbolic link" : isFolder ? "no folder" : "no file";
    return gitFailure(doing, `"${path}" is ${what} in ${at.head}; nothing is written there`);
  }
  return success(blobs);
}

function parentsOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_part, index) => parts.slice(0, index + 1).join("/"));
}

async function readBlob(run: GitRun, sha: string): Promise<Result<string, Failure>> {
  const read = await runGit({ gitDir: run.commonDir, args: ["cat-file", "blob", sha], doing });
  return read.ok ? success(read.value.stdout.toString("utf8")) : read;
}

async function writeTree(
  run: GitRun,
  at: { readonly head: Sha; readonly files: readonly { readonly path: string; readonly text: string }[] },
): Promise<Result<Sha, Failure>> {
  const root = openRunRoot(run);
  if (!root.ok) return root;
  const indexFile = join(root.value, "memory.index");
  fs.rmSync(indexFile, { force: true });
  fs.rmSync(`${indexFile}.lock`, { force: true });
  const place = { gitDir: run.commonDir, indexFile, doing };
  const lines: string[] = [];
  for (const { path, text } of at.files) {
    const blob = await readGit({ ...place, args: ["hash-object", "-w", "--stdin"], input: text });
    if (!blob.ok) return blob;
    lines.push(`100644 ${blob.value}\t${path}\0`);
  }
  const read = await runGit({ ...place, args: ["read-tree", at.head] });
  if (!read.ok) return read;
  const updated = await runGit({
    ...place,
    args: ["update-index", "-z", "--index-info"],
    input: lines.join(""),
  });
  if (!updated.ok) return updated;
  const written = await readGit({ ...place, args: ["write-tree"] });
  fs.rmSync(indexFile, { force: true });
  if (!written.ok) return written;
  return isSha(written.value) ? success(written.value) : gitFailure(doing, "git wrote no tree");
}
