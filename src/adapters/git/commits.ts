// Making commits out of known parts only, and putting one commit's change on another base.

import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import { isSha } from "../../core/ids.ts";
import type { Result } from "../../core/result.ts";
import { success } from "../../core/result.ts";
import { attemptStorage } from "../storage.ts";
import { type GitRun, gitFailure, readCommit, rememberCommit } from "./git-run.ts";
import { algorithmOf, writeObject } from "./own-files.ts";
import { programIdentity, runGit } from "./run-git.ts";

/** Same input, same sha: the identity is constant and both dates are the given one, in UTC. */
export function commitTree(
  run: GitRun,
  at: {
    readonly tree: Sha;
    readonly parents: readonly Sha[];
    readonly message: string;
    /** Seconds since 1970. */
    readonly committedAt: number;
    readonly doing: string;
  },
): Result<Sha, Failure> {
  const { tree, parents, committedAt } = at;
  const { name, email } = programIdentity;
  const person = `${name} <${email}> ${committedAt} +0000`;
  const head = [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    `author ${person}`,
    `committer ${person}`,
  ];
  const content = Buffer.from(`${head.join("\n")}\n\n${at.message}`);
  const made = attemptStorage({ doing: at.doing, path: run.commonDir }, () =>
    writeObject({ commonDir: run.commonDir, algorithm: algorithmOf(tree) }, "commit", content),
  );
  if (made.ok) rememberCommit(run, made.value, { tree, parents, committedAt });
  return made;
}

export type Moved =
  | { readonly kind: "clean"; readonly tree: Sha }
  | { readonly kind: "conflict"; readonly files: readonly string[] };

/** The tree of `base` with the change that `commit` makes to its parent; on its own parent that is its own tree. */
export async function moveChange(
  run: GitRun,
  at: { readonly commit: Sha; readonly base: Sha },
): Promise<Result<Moved, Failure>> {
  const facts = await readCommit(run, at.commit);
  if (!facts.ok) return facts;
  const [parent] = facts.value.parents;
  if (at.commit === at.base || parent === at.base) return success({ kind: "clean", tree: facts.value.tree });
  const doing = `putting ${at.commit} on ${at.base}`;
  if (parent === undefined)
    return gitFailure(doing, "a commit without a parent has no change to put elsewhere");
  const base = await readCommit(run, at.base);
  if (!base.ok) return base;
  // The base's tree with the commit's own parent: then that parent is the merge base, whatever the history is.
  const ours = commitTree(run, {
    tree: base.value.tree,
    parents: [parent],
    message: `${at.base} as a sibling of ${at.commit}\n`,
    committedAt: base.value.committedAt,
    doing,
  });
  return ours.ok ? mergeTrees(run, { ours: ours.value, theirs: at.commit, doing }) : ours;
}

async function mergeTrees(
  run: GitRun,
  at: { readonly ours: Sha; readonly theirs: Sha; readonly doing: string },
): Promise<Result<Moved, Failure>> {
  const merged = await runGit({
    gitDir: run.commonDir,
    args: ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", at.ours, at.theirs],
    okCodes: [0, 1],
    doing: at.doing,
  });
  if (!merged.ok) return merged;
  const [tree = "", ...files] = merged.value.stdout.toString("utf8").split("\0");
  if (!isSha(tree)) return gitFailure(at.doing, `unexpected answer "${tree}"`);
  if (merged.value.exitCode === 0) return success({ kind: "clean", tree });
  return success({ kind: "conflict", files: files.filter((file) => file !== "") });
}
