// Reads a status.json of any origin for people: an old one, another program's, one with half its fields. What can
// be shown is shown; nothing in it is ever believed by the engine.
//
// By hand and without the schema library: `status` would wait longer for that to load than for everything else.

import type { JsonObject } from "../core/json.ts";
import { failed, type Result, success } from "../core/result.ts";

/** null where the file says nothing usable. */
interface ShownStatus {
  readonly planSlug: string | null;
  readonly status: string | null;
  readonly startedAt: string | null;
  readonly updatedAt: string | null;
  readonly currentTaskId: string | null;
  readonly completedTasks: number | null;
  readonly totalTasks: number | null;
  readonly worktree: { readonly path: string | null; readonly branch: string | null } | null;
  readonly runId: string | null;
  readonly reason: string | null;
}

export interface StoredStatus {
  readonly shown: ShownStatus;
  /** The whole file, fields of others included. */
  readonly raw: JsonObject;
}

/** The failure says what is wrong with the text. */
export function decodeStoredStatus(json: string): Result<StoredStatus, string> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return failed("it is not JSON");
  }
  return isObject(value) ? success({ shown: toShown(value), raw: value }) : failed("it is not a JSON object");
}

function toShown(raw: JsonObject): ShownStatus {
  const worktree = raw["worktree"];
  return {
    planSlug: textOf(raw["planSlug"]),
    status: toKnownWord(textOf(raw["status"])),
    startedAt: textOf(raw["startedAt"]),
    updatedAt: textOf(raw["updatedAt"]),
    currentTaskId: textOf(raw["currentTaskId"]),
    completedTasks: countOf(raw["completedTasks"]),
    totalTasks: countOf(raw["totalTasks"]),
    worktree: isObject(worktree)
      ? { path: textOf(worktree["path"]), branch: textOf(worktree["branch"]) }
      : null,
    runId: textOf(raw["runId"]),
    reason: textOf(raw["reason"]),
  };
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function countOf(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** JSON.parse, where all such values come from, makes nothing else of an object in JSON. */
function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function toKnownWord(status: string | null): string | null {
  return status === "complete" || status === "done" ? "completed" : status;
}
