// Judging the evidence: is a review an approval, does an attempt repeat an earlier one, does a task get anywhere.

import { toWords } from "./evidence/finding.ts";
import { describe, type Failure } from "./failure.ts";
import { limits } from "./limits.ts";
import type { Policy } from "./policy.ts";
import type { ReviewReport } from "./report.ts";
import { assert } from "./result.ts";
import type { AttemptRecord, TaskRecord } from "./state.ts";
import { rowLimit } from "./waits.ts";

/**
 * null: approved. An approval under the pass score, with a criterion not met, or without a word on a finding that
 * has to be justified, is none; one of a candidate without changes says of every criterion where it is met already.
 */
export function reviewFailure(at: {
  readonly review: ReviewReport;
  readonly policy: Policy;
  readonly record: TaskRecord;
  readonly attempt: AttemptRecord;
}): Failure | null {
  const { review, policy, record, attempt } = at;
  const { passScore } = policy.review;
  const unmet = review.criteria
    .filter(({ verdict }) => verdict === "not met")
    .map(({ index }) => `criterion ${index} is not met`);
  const unproven = attempt.candidate?.changeCount === 0 ? unprovenCriteria(record, review) : [];
  if (review.verdict !== "approved" || review.score < passScore || unmet.length + unproven.length > 0) {
    const problems = review.findings
      .filter(({ severity }) => severity !== "note")
      .map(({ problem }) => problem);
    return {
      reason: "review-rejected",
      score: review.score,
      passScore,
      problems: [...unmet, ...unproven, ...problems],
    };
  }
  return unjustified(review, attempt);
}

/** Findings on which the review says nothing although it has to; null: none. */
export function unjustified(review: ReviewReport, { evidence }: AttemptRecord): Failure | null {
  const left = evidence.filter(({ id, effect }) => effect === "justify" && !isJustified(review, id));
  return left.length === 0 ? null : { reason: "evidence-unjustified", problems: left.map(toWords) };
}

function isJustified(review: ReviewReport, id: string): boolean {
  return review.justified.some(({ finding, why }) => finding === id && isReason(why));
}

/** "ok" and "fine" give no reason. A letter of Chinese, Japanese or Korean is a syllable or a word. */
function isReason(why: string): boolean {
  const weight = [...why.matchAll(/\p{L}/gu)].reduce((sum, [letter]) => sum + (letter > "\u2e80" ? 4 : 1), 0);
  return weight >= limits.justificationLetters;
}

/** Where nothing was changed, only the reviewer's word on each criterion says that there was nothing to do. */
function unprovenCriteria({ task }: TaskRecord, review: ReviewReport): readonly string[] {
  return task.acceptanceCriteria.flatMap((_, index) => {
    const isShown = review.criteria.some(
      (line) => line.index === index && line.verdict === "met" && line.where.trim() !== "",
    );
    return isShown
      ? []
      : [`nothing was changed, and the review does not say where criterion ${index} is met`];
  });
}

/** Why a fresh candidate needs no gates: it changes nothing, or it is what was rejected before. */
export function repetition(record: TaskRecord, attempt: AttemptRecord): Failure | null {
  const { candidate } = attempt;
  assert(candidate !== null, "what is compared with earlier attempts is a candidate");
  if (candidate.changeCount === 0) return record.task.allowNoChanges ? null : { reason: "no-change" };
  const same = record.attempts.find(
    (earlier) =>
      earlier.number < attempt.number &&
      earlier.outcome?.kind === "rejected" &&
      earlier.candidate?.tree === candidate.tree &&
      earlier.candidate.base === candidate.base,
  );
  return same === undefined ? null : { reason: "same-as-rejected", attempt: same.number };
}

/** Failures outside the work, too many in a row to go on without the builder (I14). */
export function troubleInARow(policy: Policy, record: TaskRecord): Failure | null {
  const row = record.infrastructure;
  if (row === null || row.times < rowLimit(policy, row.last)) return null;
  return {
    reason: "infrastructure-in-a-row",
    stage: row.stage,
    taskId: record.task.id,
    times: row.times,
    last: describe(row.last),
  };
}

/** Why more attempts would only repeat themselves, or null. */
export function stall(record: TaskRecord): string | null {
  const answered = record.attempts.filter(
    ({ outcome }) => outcome !== null && outcome.kind !== "interrupted",
  );
  const latest = answered.slice(-limits.noChangeInARow);
  const unchanged = latest.filter(
    ({ outcome }) => outcome?.kind === "rejected" && isRepetition(outcome.failure),
  );
  if (unchanged.length === limits.noChangeInARow) {
    return `${limits.noChangeInARow} attempts in a row brought no change`;
  }
  const reviewed = answered.slice(-(limits.noProgressInARow + 1));
  return isWithoutProgress(reviewed)
    ? `the review's score was not better ${limits.noProgressInARow} times in a row with the same findings`
    : null;
}

function isRepetition(failure: Failure): boolean {
  return failure.reason === "no-change" || failure.reason === "same-as-rejected";
}

function isWithoutProgress(attempts: readonly AttemptRecord[]): boolean {
  if (attempts.length <= limits.noProgressInARow) return false;
  const reviews = attempts.flatMap(({ review, outcome }) =>
    review !== null && outcome?.kind === "rejected" && outcome.failure.reason === "review-rejected"
      ? [review]
      : [],
  );
  return (
    reviews.length === attempts.length &&
    !reviews.some((review, index) => isBetter(review, reviews[index - 1]))
  );
}

function isBetter(review: ReviewReport, before: ReviewReport | undefined): boolean {
  if (before === undefined) return false;
  return review.score > before.score || fingerprint(review) !== fingerprint(before);
}

/** What a review complains about, without the order and the wording of fixes. */
function fingerprint(review: ReviewReport): string {
  return review.findings
    .filter(({ severity }) => severity !== "note")
    .map(({ file, problem }) => `${file ?? ""}\n${problem}`)
    .sort()
    .join("\n\n");
}
