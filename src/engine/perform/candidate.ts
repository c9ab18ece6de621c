// The candidate: one commit of the developer's final tree, the same however often it is made.

import type { CandidateMade, CandidateStarted, RunEvent } from "../../core/event.ts";
import { attemptRef } from "../../core/ids.ts";
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
  return written.ok
    ? ended({
        kind: "made",
        candidate: { ...made.value, findings: [], baseVersions: [] },
        replayOf: intent.replayOf,
      })
    : ended({ kind: "refused", failure: written.failure });
}
