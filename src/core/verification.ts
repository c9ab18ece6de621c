// Whether what a receipt says of a completed task still holds: recorded facts against facts looked up anew. Each
// mismatch is a sentence part with both values.

import type { Candidate } from "./event.ts";
import type { GateJudgement, GateResult } from "./gate-result.ts";
import type { Sha } from "./ids.ts";
import { limits } from "./limits.ts";

/** What the repository says now. */
export interface CommitNow {
  readonly tree: Sha;
  readonly parents: readonly Sha[];
  readonly isOnBranch: boolean;
  readonly diffSha256: string;
  readonly changeCount: number;
  readonly deletions: number;
}

/** null: the repository does not have the commit. */
export function commitMismatches(
  candidate: Candidate,
  branch: string,
  now: CommitNow | null,
): readonly string[] {
  if (now === null) return [`commit ${candidate.commit} is not in the repository`];
  const [parent = "none"] = now.parents;
  return [
    ...(now.isOnBranch ? [] : [`commit ${candidate.commit} is not on branch "${branch}"`]),
    ...differs("the tree of the commit", candidate.tree, now.tree),
    ...differs("the parent of the commit", candidate.base, parent),
    ...differs("diffSha256", candidate.diffSha256, now.diffSha256),
    ...differs("filesChanged", String(candidate.changeCount), String(now.changeCount)),
    ...differs("deletions", String(candidate.deletions), String(now.deletions)),
  ];
}

/** `sha256` of the stored log; null: there is none. */
export function logMismatches(result: GateResult, sha256: string | null): readonly string[] {
  const what = `the stored log of gate "${result.gate}"`;
  return sha256 === null
    ? [`${what} is missing`]
    : differs(`outputSha256 of ${what}`, result.outputSha256, sha256);
}

/**
 * A gate that is run again must end as it did, with the same failing tests. One that was flaky may also pass now,
 * or fail by tests that were seen flaky alone.
 */
export function rerunMismatches(at: {
  readonly recorded: GateResult;
  readonly judgement: GateJudgement;
  readonly now: GateResult;
}): readonly string[] {
  const { recorded, judgement, now } = at;
  const flaky = new Set(judgement.flaky);
  const failing = (result: GateResult): readonly string[] =>
    (result.tests?.failures ?? []).filter((name) => !flaky.has(name)).sort();
  const [before, after] = [failing(recorded), failing(now)];
  const newly = after.filter((name) => !before.includes(name));
  const gone = before.filter((name) => !after.includes(name));
  const isSameEnd = recorded.outcome === now.outcome && recorded.exitCode === now.exitCode;
  const mayDiffer = flaky.size > 0 && newly.length + gone.length === 0;
  return [
    ...(isSameEnd || mayDiffer
      ? []
      : [
          `gate "${recorded.gate}" ended with ${endOf(recorded)}, and with ${endOf(now)} when it was run again`,
        ]),
    ...(newly.length === 0 ? [] : [`gate "${recorded.gate}" fails anew: ${listed(newly)}`]),
    ...(gone.length === 0 ? [] : [`gate "${recorded.gate}" no longer fails: ${listed(gone)}`]),
  ];
}

function endOf({ outcome, exitCode }: GateResult): string {
  return exitCode === null ? outcome : `exit code ${exitCode}`;
}

function listed(names: readonly string[]): string {
  const more = names.length - limits.namesInSentence;
  return `${names.slice(0, limits.namesInSentence).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function differs(what: string, recorded: string, now: string): readonly string[] {
  return recorded === now ? [] : [`${what} is ${now}, but was ${recorded} when the task was completed`];
}
