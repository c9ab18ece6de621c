// report.md: what a person wants to know when a run has stopped: how it stands and why, what came out, on which
// evidence, what is open, and what to type next.

import { countedAttempts } from "../core/attempts.ts";
import { confinementOf, isConfinementNote } from "../core/confinement.ts";
import { describe } from "../core/failure.ts";
import { shortSha } from "../core/ids.ts";
import type { RunState, TaskRecord } from "../core/state.ts";
import { toBlock, toCell, toInline, toItem, toTable } from "./markdown.ts";
import { answersTo, nextCommands } from "./next-commands.ts";
import { notedItems, sentBackItems } from "./report-attempts.ts";
import { criterionItems, criterionTable, evidenceItems, gateItems, reviewItems } from "./report-evidence.ts";
import { usageTables } from "./report-usage.ts";
import { followUpsOf, runMetrics, taskStateWord, usageInWords } from "./run-metrics.ts";
import { acceptedAttempt, toTaskNote } from "./task-overview.ts";
import { toCount, toDuration, toIso } from "./text.ts";

export function toReport(state: RunState): string {
  const sections = [
    `# ${state.slug}: ${state.phase.kind}`,
    toHeadline(state),
    section("Run", toRunItems(state)),
    section("Tasks", [toTaskTable(state)]),
    section("Notes on tasks", toNoteItems(state)),
    section("Recon", toReconItems(state)),
    section("Attempts sent back", sentBackItems(state)),
    section("Beside the work", notedItems(state)),
    section("Gates", gateItems(state)),
    section("Criteria", criterionTable(state)),
    section("Unproven criteria", criterionItems(state)),
    section("Findings of the program", evidenceItems(state)),
    section("Reviews", reviewItems(state)),
    section("Usage", usageTables(state)),
    section("Holistic review", toHolisticItems(state)),
    section("Follow-ups", toFollowUpItems(state)),
    section("Questions for the builder", toQuestionItems(state)),
    section("Told during the run", state.told.filter((text) => !isConfinementNote(text)).map(toItem)),
    section("What next", [toCode(nextCommands(state))]),
  ];
  return `${sections.filter((text) => text !== "").join("\n\n")}\n`;
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : `## ${title}\n\n${lines.join("\n").trimEnd()}`;
}

function toHeadline(state: RunState): string {
  const { complete, tasks, skipped, completeBefore } = runMetrics(state);
  const details = [
    ...(completeBefore > 0 ? [`${completeBefore} before this run`] : []),
    ...(skipped > 0 ? [`${skipped} skipped by the builder`] : []),
  ];
  const extra = details.length === 0 ? "" : ` (${details.join(", ")})`;
  const count = `${complete} of ${toCount(tasks, "task")} complete${extra}.`;
  return "failure" in state.phase ? `${count} Reason:\n\n${toBlock(describe(state.phase.failure))}` : count;
}

function toRunItems(state: RunState): readonly string[] {
  const metrics = runMetrics(state);
  return [
    `- Goal: ${toInline(state.prd.goal, 1_000)}`,
    `- Run: ${state.runId}`,
    `- Branch: \`${state.branch}\` at ${shortSha(state.head)}, from \`${state.baseName}\` at ${shortSha(state.base)}`,
    ...toBaseMove(state),
    `- Started: ${state.startedAtMs === null ? "not yet" : toIso(state.startedAtMs)}`,
    `- Ended: ${state.endedAtMs === null ? "not yet" : toIso(state.endedAtMs)}`,
    `- Time at work: ${toDuration(timeAtWork(state))} in ${toCount(state.sessions, "session")}`,
    `- Attempts: ${metrics.attempts}, sent back: ${metrics.sentBack}; gate runs: ${metrics.gateRuns}`,
    `- Usage: ${usageInWords(metrics.usage)}`,
    ...toConfinementItem(state),
    ...(state.memory === null ? [] : [`- Memory: ${toInline(state.memory.entry ?? state.memory.note)}`]),
  ];
}

function toConfinementItem({ told }: RunState): readonly string[] {
  const said = confinementOf(told);
  return said === null ? [] : [`- Confinement: ${toInline(said, 500)}`];
}

function toBaseMove({ baseMovedBy }: RunState): readonly string[] {
  if (baseMovedBy === null) return [];
  const moved = baseMovedBy === 0 ? "not moved" : `moved by ${toCount(baseMovedBy, "commit")}`;
  return [`- The base has ${moved} since the run was made`];
}

function timeAtWork(state: RunState): number {
  const since = state.sessionStartedAtMs;
  return state.activeMs + (since === null ? 0 : Math.max(0, state.updatedAtMs - since));
}

function toTaskTable(state: RunState): string {
  const rows = [...state.tasks].map((record) => {
    const { phase, task, attempts } = record;
    const commit = phase.kind === "complete" ? shortSha(phase.commit) : "";
    const score = (acceptedAttempt(record) ?? attempts.at(-1))?.review?.score;
    const count = String(countedAttempts(record));
    const cells = [task.id, toCell(task.title, 120), taskStateWord(record), count, commit];
    return [...cells, score === undefined ? "" : String(score)];
  });
  return toTable(["Task", "Title", "State", "Attempts", "Commit", "Score"], rows);
}

function toNoteItems(state: RunState): readonly string[] {
  return [...state.tasks].flatMap((record) => {
    const note = needsNote(record) ? toTaskNote(state, record) : "";
    return note === "" ? [] : [`- ${record.task.id}: ${toInline(note)}`];
  });
}

/** What recon did not confirm, and the plan's tasks on which it said nothing. */
function toReconItems({ recon, tasks, prd }: RunState): readonly string[] {
  if (recon === null) return [];
  return [...tasks].slice(0, prd.tasks.length).flatMap(({ recon: line, task: { id }, phase }) => {
    if (line !== null) {
      return line.verdict === "confirmed" ? [] : [toItem(`${id}: ${line.verdict}: ${line.evidence}`)];
    }
    const isOver = phase.kind === "complete" && phase.before;
    return isOver ? [] : [`- ${id}: unverified: recon says nothing about it`];
  });
}

function needsNote({ phase }: TaskRecord): boolean {
  return phase.kind !== "complete";
}

function toHolisticItems(state: RunState): readonly string[] {
  const last = state.holistic.at(-1);
  if (last === undefined) return [];
  const accepted = state.gapsAccepted && last.verdict === "gaps" ? ", accepted by the builder" : "";
  return [`Verdict: ${last.verdict}${accepted} (round ${state.holistic.length})`, "", toBlock(last.summary)];
}

function toFollowUpItems(state: RunState): readonly string[] {
  return followUpsOf(state).map(
    (record) => `- ${record.task.id}: ${toInline(record.task.title)} (${taskStateWord(record)})`,
  );
}

function toQuestionItems(state: RunState): readonly string[] {
  return state.questions.flatMap((question) => [
    toItem(`${question.id}: ${question.text}`),
    ...question.options.map(({ id, label }) => `  - ${toInline(id, 200)}: ${toInline(label)}`),
    "",
    toCode(answersTo(state.slug, question)),
    "",
  ]);
}

/** Commands, one a line: they hold no line ends, and a line of backticks cannot be among them. */
function toCode(commands: readonly string[]): string {
  return ["```sh", ...commands, "```"].join("\n");
}
