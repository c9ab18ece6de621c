// receipts/<task-id>.json: the evidence for one task that this run completed, facts apart from judgement (contract
// "Receipts").

import { criteriaStates } from "../core/criteria.ts";
import type { Candidate } from "../core/event.ts";
import type { GateJudgement, GateResult } from "../core/gate-result.ts";
import type { TaskId } from "../core/ids.ts";
import { type AttemptRecord, type RunState, type TaskRecord, taskOf, type UsageSum } from "../core/state.ts";
import { toJsonDocument } from "./json-document.ts";
import { toUsage } from "./status-json.ts";
import { acceptedAttempt, judgementOf } from "./task-overview.ts";

/** null: not a task that this run completed. */
export function toReceipt(state: RunState, taskId: TaskId): string | null {
  const record = taskOf(state, taskId);
  // A task complete before this run has no attempt, and an accepted attempt completes its task.
  const attempt = record === undefined ? undefined : acceptedAttempt(record);
  if (record === undefined || attempt === undefined || attempt.candidate === null) return null;
  return toJsonDocument({
    facts: toFacts({ state, record, attempt, candidate: attempt.candidate }),
    judgement: toJudgement(record, attempt),
    usage: toReceiptUsage(record.usage),
  });
}

/** Receipts of before do not know what was written to caches: where nothing was, the bytes are as they were. */
function toReceiptUsage(sum: UsageSum): object {
  const { cacheWriteTokens, ...usage } = toUsage(sum);
  return cacheWriteTokens === 0 ? usage : { ...usage, cacheWriteTokens };
}

export function receiptName(taskId: TaskId): string {
  return `receipts/${taskId}.json`;
}

interface Completed {
  readonly state: RunState;
  readonly record: TaskRecord;
  readonly attempt: AttemptRecord;
  readonly candidate: Candidate;
}

function toFacts({ state, record, attempt, candidate }: Completed): object {
  return {
    taskId: record.task.id,
    runId: state.runId,
    attempt: attempt.number,
    base: candidate.base,
    commit: candidate.commit,
    ...(attempt.reviewedCommit !== null && { reviewedCommit: attempt.reviewedCommit }),
    tree: candidate.tree,
    diffSha256: candidate.diffSha256,
    filesChanged: candidate.changeCount,
    deletions: candidate.deletions,
    gates: attempt.gates.map((result) => toGateFacts(result, judgementOf(attempt, result))),
    tamper: attempt.evidence,
  };
}

function toGateFacts(result: GateResult, judgement: GateJudgement): object {
  const { tests } = result;
  return {
    name: result.gate,
    command: result.command,
    exitCode: result.exitCode,
    durationMs: result.durationMs,
    outputSha256: result.outputSha256,
    tests: tests && {
      passed: tests.passed,
      failed: tests.failed,
      skipped: tests.skipped,
      excused: judgement.excused,
      newFailures: judgement.newFailures,
      ...(judgement.flaky.length > 0 && { flaky: judgement.flaky }),
    },
    ...(judgement.verdict === "accepted" && { acceptedAsRed: true }),
  };
}

function toJudgement(record: TaskRecord, attempt: AttemptRecord): object {
  const { evidenceWord, review, verification } = attempt;
  return {
    review: review && {
      verdict: review.verdict,
      score: review.score,
      criteria: criteriaStates(record, attempt),
      findings: review.findings,
      justified: review.justified,
      agent: attempt.reviewAgent,
      model: attempt.reviewModel,
    },
    ...(verification?.kind === "approved" && { builder: "approved" }),
    ...(evidenceWord?.kind === "approved" && { allowedByBuilder: true }),
  };
}
