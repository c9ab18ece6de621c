// The plan as a whole, as parts of the lead's prompts.

import { criteriaStates } from "../core/criteria.ts";
import type { DispatchRequest } from "../core/request.ts";
import type { TaskRecord } from "../core/state.ts";
import type { Part } from "./fit.ts";
import { toBlockQuote, toCell, toCode, toLine } from "./quote.ts";
import { bullets, filesPart, listPart, numbered, quotePart, toTitle } from "./task-parts.ts";

export function planParts(request: DispatchRequest): readonly Part[] {
  return [
    quotePart("goal", request.goal, "goal"),
    listPart("constraints", bullets(request.constraints), "constraints"),
    filesPart(request.files),
  ];
}

/** The tasks that are still to be done, each with all that the builder wrote about it. */
export function openTasksPart({ tasks }: DispatchRequest): Part {
  const open = tasks.filter(({ phase }) => phase.kind !== "complete" && phase.kind !== "skipped");
  return { name: "tasks", items: open.map(toTaskBlock), show: (kept) => kept.join("\n\n"), whole: "tasks" };
}

export function closedTasksPart({ tasks }: DispatchRequest): Part {
  const closed = tasks.filter(({ phase }) => phase.kind === "complete" || phase.kind === "skipped");
  const items = closed.map(
    (record) => `- \`${record.task.id}\`: ${toTitle(record.task.title)} (${stateOf(record)})`,
  );
  return listPart("closedTasks", items, "tasks");
}

export function taskTablePart({ tasks }: DispatchRequest): Part {
  const head = ["| task | state | commit | title |", "| --- | --- | --- | --- |"];
  return {
    name: "taskTable",
    items: tasks.map(toRow),
    show: (rows) => [...head, ...rows].join("\n"),
    whole: "tasks",
  };
}

export function allCriteriaPart({ tasks }: DispatchRequest): Part {
  const items = tasks
    .filter(({ phase }) => phase.kind !== "skipped")
    .map((record) =>
      [`\`${record.task.id}\`${commitOf(record)}:`, "", ...numbered(proofs(record))].join("\n"),
    );
  return { name: "allCriteria", items, show: (kept) => kept.join("\n\n"), whole: "tasks" };
}

function commitOf({ phase }: TaskRecord): string {
  return phase.kind === "complete" ? `, commit \`${phase.commit}\`` : "";
}

/** Each criterion with what its task's review said of it; a task of before this run was not reviewed here. */
function proofs(record: TaskRecord): readonly string[] {
  const accepted = record.attempts.findLast(({ outcome }) => outcome?.kind === "accepted");
  if (accepted === undefined)
    return record.task.acceptanceCriteria.map((text) => `${text} (nobody proved it)`);
  return criteriaStates(record, accepted).map(({ criterion, verdict, where }) => {
    const proof = where === "" ? "" : `: ${toLine(where)}`;
    return `${criterion} (${verdict === "unproven" ? "nobody proved it" : `the review says: ${verdict}`}${proof})`;
  });
}

function toTaskBlock({ task }: TaskRecord): string {
  const lines = [`### \`${task.id}\`: ${toTitle(task.title)}`, "", toBlockQuote(task.description), ""];
  if (task.dependsOn.length > 0) lines.push(`After: ${codes(task.dependsOn)}`);
  if (task.filesToRead.length > 0) lines.push(`Reads: ${codes(task.filesToRead)}`);
  if (task.filesTouched.length > 0) lines.push(`Changes: ${codes(task.filesTouched)}`);
  if (lines.at(-1) !== "") lines.push("");
  return [...lines, "Acceptance criteria:", "", ...numbered(task.acceptanceCriteria)].join("\n");
}

function codes(texts: readonly string[]): string {
  return texts.map(toCode).join(", ");
}

function toRow(record: TaskRecord): string {
  const { task, phase } = record;
  const commit = phase.kind === "complete" ? `\`${phase.commit}\`` : "";
  return `| \`${task.id}\` | ${stateOf(record)} | ${commit} | ${toCell(toTitle(task.title))} |`;
}

function stateOf({ phase }: TaskRecord): string {
  if (phase.kind === "complete") return phase.before ? "complete before this run" : "complete";
  return phase.kind === "skipped" ? "skipped by the builder" : phase.kind;
}
