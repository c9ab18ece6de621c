// The part of the report that says on which evidence tasks are complete: gates, criteria, reviews.

import { criteriaStates } from "../core/criteria.ts";
import type { GateJudgement, GateResult } from "../core/gate-result.ts";
import { failingTwice, hasNamedFailures } from "../core/gates.ts";
import { shortSha } from "../core/ids.ts";
import type { AttemptRecord, RunState, TaskRecord } from "../core/state.ts";
import { toCell, toInline, toTable } from "./markdown.ts";
import { toCheckWords } from "./progress-md.ts";
import { acceptedAttempt, judgementOf } from "./task-overview.ts";

/** The gates on the base, and those of each task's accepted or latest judged attempt. */
export function gateItems(state: RunState): readonly string[] {
  const { results, dropped } = state.baseline;
  const onBase = results.map(
    (result) => `${toInline(result.gate)} ${toCheckWords(result, judgementOnBase(state, result))}`,
  );
  return [
    ...(onBase.length === 0 ? [] : [`- on the base: ${onBase.join("; ")}`]),
    ...dropped.map((gate) => `- ${toInline(gate)}: dropped by the builder for this run`),
    ...[...state.tasks].flatMap(toTaskGates),
  ];
}

/** What failed on the base, and what of it failed in both runs. */
function judgementOnBase({ baseline }: RunState, result: GateResult): GateJudgement | null {
  if (result.outcome === "passed") return null;
  const none = { gate: result.gate, newFailures: [], excused: [], flaky: [] };
  if (baseline.accepted.includes(result.gate)) return { ...none, verdict: "accepted" };
  if (!hasNamedFailures(result)) return null;
  const again = baseline.again.find(({ gate }) => gate === result.gate);
  const excused = failingTwice(result, again);
  const flaky = (result.tests?.failures ?? []).filter((name) => !excused.includes(name));
  return { ...none, verdict: excused.length > 0 ? "excused" : "flaky", excused, flaky };
}

function toTaskGates(record: TaskRecord): readonly string[] {
  const attempt = acceptedAttempt(record) ?? record.attempts.findLast(({ gates }) => gates.length > 0);
  if (attempt === undefined) return [];
  const words = attempt.gates.map(
    (result) => `${toInline(result.gate)} ${toCheckWords(result, judgementOf(attempt, result))}`,
  );
  const gates = words.length === 0 ? "no gates ran" : words.join("; ");
  return [`- ${record.task.id} (attempt ${attempt.number}): ${gates}`];
}

/** Criteria of completed tasks without a word of the review that they are met. */
export function criterionItems(state: RunState): readonly string[] {
  return completedHere(state).flatMap(({ record, attempt }) =>
    criteriaStates(record, attempt)
      .filter(({ verdict }) => verdict !== "met")
      .map(({ index, criterion, verdict }) => {
        const word = verdict === "unproven" ? "no line in the review" : verdict;
        return `- ${record.task.id}, criterion ${index + 1} (${word}): ${toInline(criterion)}`;
      }),
  );
}

/** What the program found in the commits that are on the branch, and who let it pass. */
export function evidenceItems(state: RunState): readonly string[] {
  return completedHere(state).flatMap(({ record, attempt }) =>
    attempt.evidence.map((finding) => {
      const { effect, file, id, kind, line, text } = finding;
      const place = file === null ? "" : ` in ${toInline(file, 200)}${line === null ? "" : `:${line}`}`;
      const why = attempt.review?.justified.find((entry) => entry.finding === id)?.why;
      const word =
        effect === "hold"
          ? "; allowed by the builder"
          : why === undefined
            ? ""
            : `; reviewer: ${toInline(why)}`;
      return `- ${record.task.id}, ${effect} ${kind}${place}: ${toInline(text)}${word}`;
    }),
  );
}

/** Every criterion of the plan: by which task and commit it is met, and on whose word; last what nobody proved. */
export function criterionTable(state: RunState): readonly string[] {
  const rows = [...state.tasks].flatMap((record) => {
    const attempt = acceptedAttempt(record);
    const commit = record.phase.kind === "complete" ? shortSha(record.phase.commit) : "";
    const states = attempt === undefined ? null : criteriaStates(record, attempt);
    return record.task.acceptanceCriteria.map((criterion, index) => {
      const proof = states?.[index];
      const word = proof === undefined ? unfinishedWord(record) : proof.verdict;
      const where = proof === undefined ? "" : toCell(proof.where, 200);
      return [record.task.id, String(index + 1), toCell(criterion, 200), commit, word, where];
    });
  });
  if (rows.length === 0) return [];
  return [toTable(["Task", "No.", "Criterion", "Commit", "Review says", "Evidence"], rows)];
}

function unfinishedWord({ phase }: TaskRecord): string {
  if (phase.kind === "complete") return "complete before this run";
  return phase.kind === "skipped" ? "skipped by the builder" : "not done";
}

/** Who reviewed, said plainly where the reviewer is the developer, and what was noted without being in the way. */
export function reviewItems(state: RunState): readonly string[] {
  const completed = completedHere(state);
  return [...whoReviewed(completed), ...replayed(completed), ...completed.flatMap(toFindingItems)];
}

interface Completed {
  readonly record: TaskRecord;
  readonly attempt: AttemptRecord;
}

function completedHere(state: RunState): readonly Completed[] {
  return [...state.tasks].flatMap((record) => {
    const attempt = acceptedAttempt(record);
    return attempt === undefined ? [] : [{ record, attempt }];
  });
}

function whoReviewed(completed: readonly Completed[]): readonly string[] {
  const same = completed.filter(
    ({ attempt }) => attempt.review !== null && attempt.reviewAgent === attempt.agent,
  );
  const other = completed.filter(
    ({ attempt }) => attempt.review !== null && attempt.reviewAgent !== attempt.agent,
  );
  const none = completed.filter(({ attempt }) => attempt.review === null);
  return [
    ...(same.length === 0
      ? []
      : [`- The reviewer is the same agent as the developer (${agentsOf(same)}) for: ${idsOf(same)}`]),
    ...(other.length === 0 ? [] : [`- Reviewed by another agent (${agentsOf(other)}): ${idsOf(other)}`]),
    ...(none.length === 0 ? [] : [`- Not reviewed, the review is switched off: ${idsOf(none)}`]),
  ];
}

function replayed(completed: readonly Completed[]): readonly string[] {
  return completed.flatMap(({ record, attempt }) =>
    attempt.reviewedCommit === null
      ? []
      : [
          `- ${record.task.id}: reviewed as ${attempt.reviewedCommit}, put on a moved branch with the same change`,
        ],
  );
}

function toFindingItems({ record, attempt }: Completed): readonly string[] {
  return (attempt.review?.findings ?? []).map(({ severity, file, line, problem }) => {
    const place = file === null ? "" : ` in ${toInline(file, 200)}${line === null ? "" : `:${line}`}`;
    return `- ${record.task.id}, ${severity}${place}: ${toInline(problem)}`;
  });
}

function idsOf(completed: readonly Completed[]): string {
  return completed.map(({ record }) => record.task.id).join(", ");
}

function agentsOf(completed: readonly Completed[]): string {
  return [...new Set(completed.map(({ attempt }) => attempt.reviewAgent ?? ""))]
    .map((key) => toInline(key))
    .join(", ");
}
