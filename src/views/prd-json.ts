// prd.json of the run folder, by the strict writer: the plan's tasks and the follow-ups under their canonical
// names, with their progress as the journal has it (contract "prd.json").

import { countedAttempts } from "../core/attempts.ts";
import type { JsonObject } from "../core/json.ts";
import { type Prd, toTaskFields } from "../core/prd.ts";
import type { RunState, TaskRecord } from "../core/state.ts";
import { partLength, toJsonParts, toListItem, toListPart } from "./json-document.ts";
import { taskCounts, toStatusWord, toTaskNote } from "./task-overview.ts";
import { toIso } from "./text.ts";

export function toPrdJson(state: RunState): string {
  return toPrdJsonParts(state).join("");
}

/** The same in parts: nobody has to put megabytes together to write them. */
export function toPrdJsonParts(state: RunState): readonly string[] {
  const { prd } = state;
  const head = {
    name: prd.name === "" ? state.slug : prd.name,
    branchName: state.branch,
    goal: prd.goal,
  };
  const tail = {
    ...(prd.globalConstraints.length > 0 && { globalConstraints: prd.globalConstraints }),
    ...(prd.requiredReading.length > 0 && { requiredReading: prd.requiredReading }),
    ...prd.extra,
    metadata: toMetadata(state),
  };
  return toJsonParts(head, { name: "userStories", parts: toParts(state) }, tail);
}

interface Part {
  readonly items: readonly Item[];
  readonly text: string;
}

interface Item {
  readonly record: TaskRecord;
  readonly note: string;
  readonly text: string;
}

const partsOf = new WeakMap<Prd, readonly Part[]>();

function toParts(state: RunState): readonly string[] {
  const records = [...state.tasks];
  const before = partsOf.get(state.prd) ?? [];
  const parts: Part[] = [];
  for (let from = 0; from < records.length; from += partLength) {
    parts.push(toPart(state, records.slice(from, from + partLength), before[parts.length]));
  }
  partsOf.set(state.prd, parts);
  return parts.map(({ text }) => text);
}

function toPart(state: RunState, records: readonly TaskRecord[], before: Part | undefined): Part {
  const items = records.map((record, k) => toItem(state, record, before?.items[k]));
  const isSame = before?.items.length === items.length && items.every((item, k) => item === before.items[k]);
  return isSame ? before : { items, text: toListPart(items.map(({ text }) => text)) };
}

/**
 * A record is replaced when its task changes, so its text is made again only then, or when its note changes, which
 * for a pending task also speaks of other tasks.
 */
function toItem(state: RunState, record: TaskRecord, before: Item | undefined): Item {
  const isKnown = before?.record === record;
  if (isKnown && record.phase.kind !== "pending") return before;
  const note = toTaskNote(state, record);
  if (isKnown && before.note === note) return before;
  return { record, note, text: toListItem(toTaskJson(record, note)) };
}

function toTaskJson(record: TaskRecord, note: string): JsonObject {
  const { id, title, description, acceptanceCriteria, ...others } = toTaskFields(record.task);
  const status = toStatusWord(record);
  return {
    id: record.task.id,
    title: record.task.title,
    description: record.task.description,
    acceptanceCriteria: record.task.acceptanceCriteria,
    status,
    passes: status === "complete",
    attemptCount: countedAttempts(record),
    notes: note === "" ? (record.task.claim.notes ?? "") : note,
    commitSha: record.phase.kind === "complete" ? record.phase.commit : "",
    ...others,
  };
}

function toMetadata(state: RunState): JsonObject {
  const counts = taskCounts(state);
  const completedAtMs = state.phase.kind === "completed" ? state.endedAtMs : null;
  return {
    ...state.prd.metadataExtra,
    createdAt: state.prd.createdAt ?? toIso(state.createdAtMs),
    startedAt: state.startedAtMs === null ? "" : toIso(state.startedAtMs),
    completedAt: completedAtMs === null ? "" : toIso(completedAtMs),
    totalTasks: counts.total,
    completedTasks: counts.complete,
    failedTasks: counts.held,
  };
}
