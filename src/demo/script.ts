// The words in which the demo's scripts are written: a dispatch, what the actor does, and what it reports.

import type { JsonObject } from "../core/json.ts";
import type { AgentStage } from "../core/report.ts";

export interface Cue {
  readonly stage: AgentStage;
  /** null: a stage of the run. */
  readonly taskId: string | null;
  /** Missing: any attempt. */
  readonly attempt?: number;
  /** Missing: any try. */
  readonly try?: number;
}

/** Waits are there for people, who want to see something happen. */
const thinkMs = 150;

/** One step: thinks a moment, says a line, acts, reports. */
export function step(
  cue: Cue,
  play: { readonly say: string; readonly acts?: readonly JsonObject[]; readonly report: JsonObject },
): JsonObject {
  return {
    when: { ...cue },
    do: [{ wait: thinkMs }, { say: play.say }, ...(play.acts ?? []), { wait: thinkMs }],
    report: play.report,
  };
}
