// prd.json of the run folder, by the strict writer: the plan's tasks and the follow-ups under their canonical
// names, with their progress as the journal has it (contract "prd.json").

import { countedAttempts } from "../core/attempts.ts";
import type { JsonObject } from "../core/json.ts";
import { toTaskFields } from "../core/prd.ts";
import type { RunState, TaskRecord } from "../core/state.ts";
import { toJsonDocumentWithList, toJsonItem } from "./json-document.ts";
import { taskCounts, toStatusWord, toTaskNote } from "./task-overview.ts";
import { toIso } from "./text.ts";

export function toPrdJson(state: RunState): string {
  const { prd } = state;
  const head = {
    name: prd.name === "" ? state.slug : prd.name,
    branchName: state.branch,
    goal: prd.goal,
  };
  const items = [...state.tasks].map((record) => toTaskText(record, toTaskNote(state, record)));
  const tail = {
    ...(prd.globalConstraints.length > 0 && { globalConstraints: prd.globalConstraints }),
    ...(prd.requiredReading.length > 0 && { requiredReading: prd.requiredReading }),
    ...prd.extra,
    metadata: toMetadata(state),
  };
  return toJsonDocumentWithList(head, { name: "userStories", items }, tail);
}

// A record is replaced when its task changes, so its text is made again only then, or when its note changes,
// which also speaks of other tasks.
const textOf = new WeakMap<TaskRecord, { readonly note: string; readonly text: string }>();

function toTaskText(record: TaskRecord, note: string): string {
  const known = textOf.get(record);
  if (known?.note === note) return known.text;
  const text = toJsonItem(toTaskJson(record, note));
  textOf.set(record, { note, text });
  return text;
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
