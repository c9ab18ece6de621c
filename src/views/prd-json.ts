// prd.json of the run folder, by the strict writer: the plan's tasks and the follow-ups under their canonical
// names, with their progress as the journal has it (contract "prd.json").

import { countedAttempts } from "../core/attempts.ts";
import type { JsonObject } from "../core/json.ts";
import { type Prd, toTaskFields } from "../core/prd.ts";
import type { RunState, TaskRecord } from "../core/state.ts";
import { toJsonParts, toListItem, toListPart } from "./json-document.ts";
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

/** The text of a part of the list of tasks, and what else than the tasks in it made it so. */
interface Part extends Pick<RunState, "policy" | "prd"> {
  readonly text: string;
  /** Whether the note of a task in it speaks of other tasks. */
  readonly looksAround: boolean;
}

interface Item {
  readonly record: TaskRecord;
  readonly note: string;
  readonly text: string;
}

const partOf = new WeakMap<readonly TaskRecord[], Part>();
/** The tasks of a part as they were last, by its number: of those that changed alone the text is made again. */
const itemsOf = new WeakMap<Prd, Map<number, readonly Item[]>>();

// A part of the list is the same as long as no task in it has changed.
function toParts(state: RunState): readonly string[] {
  const itemsBefore = itemsOf.get(state.prd) ?? new Map<number, readonly Item[]>();
  itemsOf.set(state.prd, itemsBefore);
  return state.tasks.parts().map((records, k) => {
    const known = partOf.get(records);
    const isSame = known?.policy === state.policy && known.prd === state.prd && !known.looksAround;
    if (isSame) return known.text;
    const items = records.map((record, n) => toItem(state, record, itemsBefore.get(k)?.[n]));
    const text = toListPart(items.map((item) => item.text));
    const looksAround = records.some(
      ({ phase, task }) => phase.kind === "pending" && task.dependsOn.length > 0,
    );
    // Of a part in which all is done the whole text is enough.
    if (records.some(isOpen)) itemsBefore.set(k, items);
    else itemsBefore.delete(k);
    partOf.set(records, { policy: state.policy, prd: state.prd, text, looksAround });
    return text;
  });
}

function isOpen({ phase }: TaskRecord): boolean {
  return phase.kind !== "complete" && phase.kind !== "skipped";
}

/** A record is replaced when its task changes, so its text is made again only then, or when its note changes. */
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
