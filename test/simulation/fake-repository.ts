// The Repository port over the in-memory git model.

import { failed, success } from "../../src/core/result.ts";
import type { Repository } from "../../src/ports.ts";
import { type GitModel, mergeTrees, type Tree, toChanges } from "./git-model.ts";

export function createFakeRepository(git: GitModel): Omit<Repository, "checkRoom"> {
  const branchRef = (branch: string): string => `refs/heads/${branch}`;
  return {
    async compareBranch({ branch, expected }) {
      const head = git.refs.get(branchRef(branch));
      if (head === undefined) return success({ kind: "missing" });
      if (head === expected) return success({ kind: "same" });
      return git.isAncestor(expected, head)
        ? success({ kind: "ahead", head, count: git.distance(expected, head) })
        : success({ kind: "elsewhere", head });
    },
    async holdBranch({ branch, head, create }) {
      if (!git.refs.has(branchRef(branch)) && create) git.refs.set(branchRef(branch), head);
      git.held = branch;
      return success(undefined);
    },
    async releaseBranch() {
      git.held = null;
    },
    async prepareWork({ lane: number, base, start, refPrefix }) {
      const lane = git.lane(number);
      const parent = git.commits.get(start)?.parent ?? null;
      const baseTree = git.treeOf(base);
      let tree: Tree = git.treeOf(start);
      let conflicts: readonly string[] = [];
      if (start !== base && parent !== base && parent !== null) {
        const merged = mergeTrees({ from: git.treeOf(parent), change: tree, onto: baseTree });
        conflicts = merged.conflicts;
        tree = conflicts.length > 0 ? baseTree : merged.tree;
      }
      lane.work = new Map(tree);
      lane.ready = tree;
      lane.readyFor = refPrefix ?? "";
      return success({ path: `lane-${number}/work`, conflicts });
    },
    async prepareCheck({ lane, commit }) {
      git.lane(lane).check = commit;
      return success({ path: `lane-${lane}/check` });
    },
    async changedFiles({ base, commit }) {
      const changes = toChanges(git.treeOf(base), git.treeOf(commit));
      const deletions = changes.filter(({ change }) => change === "deleted").length;
      return success({
        changes: [],
        changeCount: changes.length,
        deletions,
        baseBytes: null,
        definitions: [],
        tools: [],
        knownSecrets: [],
        isComplete: true,
      });
    },
    async lookFor() {
      return success({ files: [], names: [] });
    },
    async restoreCheck() {
      return success([]);
    },
    async beforeDispatch() {
      return success(undefined);
    },
    async afterDispatch() {
      return success({ violations: [], notes: [], doubts: [] });
    },
    async snapshotWork({ lane }) {
      return success({ tree: git.storeTree(git.lane(lane).work), agentHead: null });
    },
    async salvageWork({ lane, base, start, refPrefix }) {
      const { work, readyFor } = git.lane(lane);
      if (readyFor !== refPrefix) return success(null); // what another task left
      const isSame = toChanges(git.treeOf(start), work).length === 0;
      if (isSame || work.size === 0) return success(null);
      const commit = git.commit({ tree: work, parent: base, message: "salvage", atMs: 0 });
      let k = 1;
      while (git.refs.has(`${refPrefix}/salvage-${k}`)) k += 1;
      git.refs.set(`${refPrefix}/salvage-${k}`, commit);
      return success(commit);
    },
    async makeCandidate({ intent, atMs, refPrefix }) {
      let tree = git.trees.get(intent.tree) ?? new Map<string, string>();
      if (intent.replayOf !== null) {
        const parent = git.commits.get(intent.replayOf)?.parent ?? intent.base;
        const merged = mergeTrees({
          from: git.treeOf(parent),
          change: git.treeOf(intent.replayOf),
          onto: git.treeOf(intent.base),
        });
        if (merged.conflicts.length > 0)
          return failed({ reason: "replay-conflict", files: merged.conflicts });
        tree = merged.tree;
      }
      const candidate = git.candidate(intent, atMs, tree);
      git.refs.set(`${refPrefix}/candidate`, candidate.commit);
      return success(candidate);
    },
    async writePatch() {
      return success(undefined);
    },
    async integrate({ branch, from, to }) {
      const found = git.refs.get(branchRef(branch)) ?? null;
      if (found === to) return success(undefined);
      if (found !== from) return failed({ reason: "branch-moved", branch, expected: from, found });
      git.refs.set(branchRef(branch), to);
      return success(undefined);
    },
    async makeMemoryCommit({ head, atMs, memory }) {
      const tree = new Map(git.treeOf(head));
      tree.set(memory.entryPath, memory.entryText);
      tree.set(memory.indexPath, memory.toIndexText(tree.get(memory.indexPath) ?? ""));
      return success(git.commit({ tree, parent: head, message: memory.message, atMs }));
    },
    async countSince() {
      return success(0);
    },
    async keep({ ref, commit }) {
      git.refs.set(ref, commit);
      return success(undefined);
    },
  };
}
