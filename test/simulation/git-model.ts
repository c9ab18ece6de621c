// A git repository in memory, as much of it as the Repository port needs: commits are content-addressed, trees
// are maps of paths to texts. What lives here survives a simulated crash, like a disk.

import { createHash } from "node:crypto";
import type { CandidateStarted, FileChange } from "../../src/core/event.ts";
import type { Sha } from "../../src/core/ids.ts";

export type Tree = ReadonlyMap<string, string>;

export interface Commit {
  readonly sha: Sha;
  readonly tree: Tree;
  readonly parent: Sha | null;
  readonly message: string;
}

export interface LaneModel {
  work: Map<string, string>;
  /** The tree the work tree was made ready with. */
  ready: Tree;
  /** The refs of the attempt for which that was. */
  readyFor: string;
  check: Sha | null;
}

export class GitModel {
  readonly commits = new Map<Sha, Commit>();
  readonly trees = new Map<Sha, Tree>();
  readonly refs = new Map<string, Sha>();
  readonly lanes = new Map<number, LaneModel>();
  held: string | null = null;

  commit(at: { tree: Tree; parent: Sha | null; message: string; atMs: number }): Sha {
    const sha = hash(
      JSON.stringify([[...at.tree].sort(), at.parent, at.message, Math.floor(at.atMs / 1000)]),
    );
    this.commits.set(sha, { sha, tree: new Map(at.tree), parent: at.parent, message: at.message });
    return sha;
  }

  storeTree(tree: Tree): Sha {
    const sha = hash(JSON.stringify([...tree].sort()));
    this.trees.set(sha, new Map(tree));
    return sha;
  }

  treeOf(commit: Sha): Tree {
    const found = this.commits.get(commit);
    if (found === undefined) throw new Error(`no commit ${commit}`);
    return found.tree;
  }

  isAncestor(ancestor: Sha, of: Sha): boolean {
    for (let at: Sha | null = of; at !== null; at = this.commits.get(at)?.parent ?? null) {
      if (at === ancestor) return true;
    }
    return false;
  }

  distance(ancestor: Sha, of: Sha): number {
    let count = 0;
    for (let at: Sha | null = of; at !== null && at !== ancestor; at = this.commits.get(at)?.parent ?? null)
      count += 1;
    return count;
  }

  lane(number: number): LaneModel {
    const lane = this.lanes.get(number) ?? { work: new Map(), ready: new Map(), readyFor: "", check: null };
    this.lanes.set(number, lane);
    return lane;
  }

  /** The candidate of an intent: same intent and time, same sha. */
  candidate(intent: CandidateStarted, atMs: number, tree: Tree) {
    const commit = this.commit({ tree, parent: intent.base, message: intent.message, atMs });
    const changes = toChanges(this.treeOf(intent.base), tree);
    const diff = JSON.stringify(changes.map(({ path }) => [path, tree.get(path) ?? null]));
    return {
      commit,
      tree: this.storeTree(tree),
      base: intent.base,
      changes,
      changeCount: changes.length,
      deletions: changes.filter(({ change }) => change === "deleted").length,
      diffSha256: createHash("sha256").update(diff).digest("hex"),
      patchId: changes.length === 0 ? "" : hash(diff),
    };
  }
}

export function toChanges(before: Tree, after: Tree): FileChange[] {
  const changes: FileChange[] = [];
  for (const [path, text] of after) {
    if (!before.has(path)) changes.push({ path, change: "added" });
    else if (before.get(path) !== text) changes.push({ path, change: "modified" });
  }
  for (const path of before.keys()) if (!after.has(path)) changes.push({ path, change: "deleted" });
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Three-way by whole files: `change` relative to `from`, put on `onto`; paths in conflict when both changed. */
export function mergeTrees(at: { from: Tree; change: Tree; onto: Tree }): {
  tree: Tree;
  conflicts: string[];
} {
  const tree = new Map(at.onto);
  const conflicts: string[] = [];
  for (const { path, change } of toChanges(at.from, at.change)) {
    if (at.onto.get(path) !== at.from.get(path) && at.onto.get(path) !== at.change.get(path))
      conflicts.push(path);
    else if (change === "deleted") tree.delete(path);
    else tree.set(path, at.change.get(path) ?? "");
  }
  return { tree, conflicts };
}

export function hash(text: string): Sha {
  return createHash("sha1").update(text).digest("hex") as Sha; // 40 hex digits, as isSha wants
}
