// What a plan says about progress is a claim: only a commit that the base contains makes a task complete.

import { type Checkout, isAncestor, resolveCommit } from "../adapters/git/inspect.ts";
import type { RunCreated } from "../core/event.ts";
import type { Sha } from "../core/ids.ts";
import type { Prd, Task } from "../core/prd.ts";

export interface Claims {
  readonly completed: RunCreated["completedBefore"];
  readonly told: readonly string[];
}

export async function judgeClaims(
  checkout: Checkout,
  at: { prd: Prd; base: Sha; redo: boolean },
): Promise<Claims> {
  const claimed = at.prd.tasks.filter(({ claim }) => claim.status === "complete");
  if (at.redo) {
    const told =
      claimed.length === 0
        ? []
        : [`--redo: ${claimed.length} task(s) that the plan calls complete start afresh`];
    return { completed: [], told };
  }
  const completed: { taskId: Task["id"]; commit: Sha }[] = [];
  const told: string[] = [];
  for (const { id, claim } of claimed) {
    const commit = await provenCommit(checkout, claim.commitSha, at.base);
    if (commit === null) {
      const sha =
        claim.commitSha === null
          ? "no commit"
          : `commit ${JSON.stringify(claim.commitSha)}, which is not in the base`;
      told.push(`task ${id} is called complete with ${sha}; it starts as pending`);
    } else {
      completed.push({ taskId: id, commit });
      told.push(`task ${id} was complete before this run (${commit.slice(0, 7)})`);
    }
  }
  return { completed, told };
}

async function provenCommit(checkout: Checkout, claimed: string | null, base: Sha): Promise<Sha | null> {
  if (claimed === null || !/^[0-9a-f]{4,64}$/.test(claimed)) return null;
  const commit = await resolveCommit(checkout, claimed);
  if (!commit.ok || commit.value === null) return null;
  const isIn = await isAncestor(checkout, { ancestor: commit.value, of: base });
  return isIn.ok && isIn.value ? commit.value : null;
}
