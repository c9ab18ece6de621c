// The candidate: one commit of the whole final tree on the base. Its sha is a function of the journalled intent and
// its time, so a crash before its record is repaired by making it again.

import type { CandidateStarted } from "../../core/event.ts";
import type { Failure } from "../../core/failure.ts";
import type { Result } from "../../core/result.ts";
import { failed, success } from "../../core/result.ts";
import type { CommittedCandidate } from "../../ports.ts";
import { commitTree, moveChange } from "./commits.ts";
import { readDiff } from "./diff.ts";
import type { GitRun } from "./git-run.ts";
import { updateRefs } from "./refs.ts";

/** See Repository.makeCandidate. */
export async function makeCandidate(
  run: GitRun,
  at: { readonly intent: CandidateStarted; readonly atMs: number; readonly refPrefix: string },
): Promise<Result<CommittedCandidate, Failure>> {
  const { intent } = at;
  const tree = await findTree(run, intent);
  if (!tree.ok) return tree;
  const commit = commitTree(run, {
    tree: tree.value,
    parents: [intent.base],
    message: intent.message,
    committedAt: Math.floor(at.atMs / 1_000),
    doing: "making the candidate",
  });
  if (!commit.ok) return commit;
  const [kept, diff] = await Promise.all([
    updateRefs(run, {
      changes: [{ ref: `${at.refPrefix}/candidate`, to: commit.value }],
      doing: "keeping the candidate",
    }),
    readDiff(run, { base: intent.base, commit: commit.value }),
  ]);
  if (!kept.ok) return kept;
  if (!diff.ok) return diff;
  return success({ commit: commit.value, tree: tree.value, base: intent.base, ...diff.value });
}

async function findTree(
  run: GitRun,
  intent: CandidateStarted,
): Promise<Result<CandidateStarted["tree"], Failure>> {
  if (intent.replayOf === null) return success(intent.tree);
  const moved = await moveChange(run, { commit: intent.replayOf, base: intent.base });
  if (!moved.ok) return moved;
  if (moved.value.kind === "conflict") {
    return failed({ reason: "replay-conflict", files: moved.value.files });
  }
  return success(moved.value.tree);
}
