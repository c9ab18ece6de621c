// What the review said of each acceptance criterion of a task.

import type { CriterionVerdict } from "./report.ts";
import type { AttemptRecord, TaskRecord } from "./state.ts";

export interface CriterionState {
  /** From 0, in the order of the task's acceptanceCriteria. */
  readonly index: number;
  readonly criterion: string;
  readonly verdict: CriterionVerdict | "unproven";
  readonly where: string;
}

/** Every acceptance criterion with what the review said of it; the worse word where it said two. */
export function criteriaStates(record: TaskRecord, attempt: AttemptRecord): readonly CriterionState[] {
  const worstFirst: readonly CriterionVerdict[] = ["not met", "cannot tell", "met"];
  return record.task.acceptanceCriteria.map((criterion, index) => {
    const lines = (attempt.review?.criteria ?? []).filter((line) => line.index === index);
    const verdict = worstFirst.find((word) => lines.some((line) => line.verdict === word));
    const where = lines.find((line) => line.verdict === verdict)?.where ?? "";
    return { index, criterion, verdict: verdict ?? "unproven", where };
  });
}
