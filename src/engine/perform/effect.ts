// What every effect is handed: its intent, the state it began in, the outside, and how it is told to stop.

import type { DispatchStarted, GateStarted, Intent } from "../../core/event.ts";
import type { Failure } from "../../core/failure.ts";
import { attemptRef, type Sha } from "../../core/ids.ts";
import type { RunState } from "../../core/state.ts";
import type { Ports } from "../../ports.ts";

export interface Effect<Kind extends Intent = Intent> {
  readonly intent: Kind;
  /** Time of the intent's journal entry: the date of the commits it makes. */
  readonly atMs: number;
  /** The state as it was when the effect began. */
  readonly state: RunState;
  readonly ports: Ports;
  readonly signal: AbortSignal;
  /** Who aborted, for the record. */
  readonly stoppedBy: () => string;
  readonly onOutput: (line: string) => void;
  /** The agent waits by itself, until the moment in the event. */
  readonly onWait: (wait: { readonly untilMs: number; readonly failure: Failure }) => void;
}

/** Below which is kept what a gate moved or took away. */
export function gateRefPrefix({ runId }: RunState, { taskId, attempt }: GateStarted): string {
  if (taskId === null) return `refs/execute-prd/${runId}/_run/baseline/${attempt}`;
  return attemptRef({ runId, taskId, attempt, name: "gates" });
}

/**
 * Whether the branch has the commit. A git that failed may have moved the branch all the same, and after a crash the
 * builder may have put commits on top: what is ours must not look like somebody else's, nor be made a second time.
 */
export async function isOnBranch({ ports, state }: Effect, commit: Sha): Promise<boolean> {
  const position = await ports.repository.compareBranch({ branch: state.branch, expected: commit });
  return position.ok && (position.value.kind === "same" || position.value.kind === "ahead");
}

/** Below which refs of the agent are moved, and a developer's work is kept. */
export function dispatchRefPrefix(state: RunState, intent: DispatchStarted): string {
  const { runId } = state;
  const { attempt, stage, taskId } = intent;
  if (taskId === null) return `refs/execute-prd/${runId}/_run/${stage}/${intent.try}`;
  const name = stage === "develop" ? "" : `${stage}-${intent.try}`;
  return attemptRef({ runId, taskId, attempt, name }).replace(/\/$/, "");
}
