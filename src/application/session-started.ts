// The event that begins a session, and the flags it carries from one session to the next.

import type { RunEvent, SessionStarted } from "../core/event.ts";
import type { JsonObject } from "../core/json.ts";
import type { Policy } from "../core/policy.ts";
import type { PolicyFlags } from "../schema/config.ts";
import { toolVersion } from "./version.ts";

/** Said once a run: what a start looks at before it takes the locks was as it should be. */
export const preflightEnded: RunEvent = {
  kind: "stage-ended",
  stage: "preflight",
  outcome: "done",
  notes: "",
};

export function toSessionStarted(at: {
  token: string;
  policy: Policy;
  flags: PolicyFlags;
  extraAttempts: number;
  told: readonly string[];
}): SessionStarted {
  const { token: session, policy, extraAttempts, told } = at;
  const flags = toFlagsRecord(at.flags);
  return { kind: "session-started", session, policy, flags, toolVersion, extraAttempts, told };
}

/** The flags as plain data for the journal; `only` stands in the policy. */
function toFlagsRecord(flags: PolicyFlags): JsonObject {
  const record: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(flags)) {
    if (name !== "only" && value !== undefined && !Array.isArray(value)) record[name] = value;
  }
  return record;
}

export function fromFlagsRecord(record: JsonObject): PolicyFlags {
  return record as PolicyFlags; // written by toFlagsRecord, kept by the journal's checksums
}
