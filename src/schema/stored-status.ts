// Reads a status.json of any origin for people: an old one, another program's, one with half its fields. What can
// be shown is shown; nothing in it is ever believed by the engine.

import { z } from "zod";
import type { JsonObject } from "../core/json.ts";
import { failed, type Result, success } from "../core/result.ts";

const text = z.string().nullable().catch(null);
const count = z.int().nonnegative().nullable().catch(null);

const storedStatus = z.object({
  planSlug: text,
  status: text.transform(toKnownWord),
  startedAt: text,
  updatedAt: text,
  currentTaskId: text,
  completedTasks: count,
  totalTasks: count,
  worktree: z.object({ path: text, branch: text }).nullable().catch(null),
  runId: text,
  reason: text,
});

/** null where the file says nothing usable. */
export type ShownStatus = Readonly<z.infer<typeof storedStatus>>;

export interface StoredStatus {
  readonly shown: ShownStatus;
  /** The whole file, fields of others included. */
  readonly raw: JsonObject;
}

/** The failure says what is wrong with the text. */
export function decodeStoredStatus(json: string): Result<StoredStatus, string> {
  let raw: unknown;
  try {
    raw = JSON.parse(json);
  } catch {
    return failed("it is not JSON");
  }
  const object = z.record(z.string(), z.json()).safeParse(raw);
  const shown = storedStatus.safeParse(raw);
  if (!object.success || !shown.success) return failed("it is not a JSON object");
  return success({ shown: shown.data, raw: object.data });
}

function toKnownWord(status: string | null): string | null {
  return status === "complete" || status === "done" ? "completed" : status;
}
