// What the gates of a candidate come to, in the state: the judgement, what it brought up, and which words on an
// earlier candidate it leaves standing.

import type { Entry, GatesJudged } from "./event.ts";
import { type EvidenceFinding, isSameFinding } from "./evidence/finding.ts";
import { describe } from "./failure.ts";
import { attemptOf, changeAttempt, changeTask } from "./fold-task.ts";
import { redFailure } from "./gates.ts";
import type { AttemptRecord, RunState } from "./state.ts";

export function judgeGates(state: RunState, event: GatesJudged, entry: Entry): RunState {
  const judged = changeTask(state, event.taskId, (record) =>
    changeAttempt(record, event.attempt, (attempt) => ({
      ...attempt,
      ...withEvidence(attempt, event.findings),
      red: event.red,
      judgements: event.gates,
    })),
  );
  const attempt = attemptOf(judged, event);
  return {
    ...judged,
    steps: judged.steps.push({
      nodeId: event.taskId,
      stage: "gates",
      attempt: event.attempt,
      startedAtMs: attempt.gatesStartedAtMs ?? entry.atMs,
      finishedAtMs: entry.atMs,
      status: event.red.length === 0 ? "success" : "retry",
      notes: `${attempt.gates.length} gate(s)`,
      failureReason: event.red.length === 0 ? "" : describe(redFailure(event)),
      score: null,
    }),
  };
}

/** A word that was given on a candidate before is none on what was found since. */
function withEvidence(attempt: AttemptRecord, findings: readonly EvidenceFinding[]): AttemptRecord {
  const evidence = [...attempt.evidence, ...findings];
  const isNew = evidence.some(
    (finding) =>
      finding.effect !== "note" && !attempt.judgedEvidence.some((judged) => isSameFinding(judged, finding)),
  );
  return isNew
    ? { ...attempt, evidence, evidenceWord: null, review: null, reviewedCommit: null }
    : { ...attempt, evidence };
}
