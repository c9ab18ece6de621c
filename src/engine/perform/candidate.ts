// The candidate: one commit of the developer's final tree, the same however often it is made.

import type { Candidate, CandidateMade, CandidateStarted, RunEvent } from "../../core/event.ts";
import { baseVersionsToTry } from "../../core/evidence/base-versions.ts";
import type { CollectedChanges } from "../../core/evidence/context.ts";
import { examine } from "../../core/evidence/examine.ts";
import { attemptRef } from "../../core/ids.ts";
import { gatesOf } from "../../core/plan-judged.ts";
import { knownTask, policyOf } from "../../core/state.ts";
import type { Effect } from "./effect.ts";

export async function performCandidate(effect: Effect<CandidateStarted>): Promise<readonly RunEvent[]> {
  const { intent, ports, state } = effect;
  const { taskId, attempt } = intent;
  const refPrefix = attemptRef({ runId: state.runId, taskId, attempt, name: "" }).slice(0, -1);
  const made = await ports.repository.makeCandidate({ intent, atMs: effect.atMs, refPrefix });
  const ended = (result: CandidateMade["result"]): readonly RunEvent[] => [
    { kind: "candidate-made", taskId, attempt, result },
  ];
  if (!made.ok) return ended({ kind: "refused", failure: made.failure });
  const { base, commit } = made.value;
  const file = `attempts/${taskId}/${attempt}/candidate.patch`;
  const written = await ports.repository.writePatch({ base, commit, file });
  if (!written.ok) return ended({ kind: "refused", failure: written.failure });
  const changes = await ports.repository.changedFiles({ base, commit });
  if (!changes.ok) return ended({ kind: "refused", failure: changes.failure });
  const evidence = examineCandidate(effect, changes.value);
  return ended({ kind: "made", candidate: { ...made.value, ...evidence }, replayOf: intent.replayOf });
}

/** What the rules find in the candidate, and whose version of the base has to be tried. */
function examineCandidate(
  { intent, state }: Effect<CandidateStarted>,
  { changes, ...collected }: CollectedChanges,
): Pick<Candidate, "findings" | "baseVersions"> {
  const { gates, maxDeletedFiles, protectedPaths } = policyOf(state);
  const { allowDeletions, filesTouched } = knownTask(state, intent.taskId).task;
  const context = {
    ...collected,
    allowDeletions,
    filesTouched,
    gates: gates.filter(({ name }) => gatesOf(state, null).includes(name)),
    maxDeletedFiles,
    protectedPaths,
  };
  return { findings: examine({ changes, context }), baseVersions: baseVersionsToTry(changes, context) };
}
