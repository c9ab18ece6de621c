// execute-prd as a library: start, resume and look at runs from a program of your own. The command line is its
// first user.
//
//   import { run } from "execute-prd";
//   const handle = run({ plan: "my-plan" });
//   for await (const { entry, state } of handle) console.log(entry.seq, entry.event.kind, state.phase.kind);
//   const ended = await handle.ended;
//
// Nothing here throws for expected trouble: what went wrong is in the result, as data and in words (`describe`).

import { type ResumeOptions, resumeRun } from "./application/resume.ts";
import {
  type RunEnded,
  type RunHandle,
  type RunListener,
  type StartListener,
  UpdateStream,
} from "./application/run-handle.ts";
import { type StartOptions, startRun } from "./application/start.ts";

export type { Cleaned } from "./application/clean.ts";
export { cleanUp as clean } from "./application/clean.ts";
export type { Diagnosis } from "./application/doctor.ts";
export { diagnose } from "./application/doctor.ts";
export { diagnoseAgents } from "./application/doctor-agents.ts";
export type { CommandCheck } from "./application/doctor-check.ts";
export type { InitResult } from "./application/init.ts";
export { initialise } from "./application/init.ts";
export { logOf as log, reportOf as report } from "./application/look.ts";
export type { DryRun, Validated } from "./application/plan.ts";
export { planRun as plan, validatePlan as validate } from "./application/plan.ts";
export type { Rebuilt } from "./application/rebuild.ts";
export { rebuildRun as rebuild } from "./application/rebuild.ts";
export type { Refusal } from "./application/refusal.ts";
export type { ResumeOptions } from "./application/resume.ts";
export type { RunEnded, RunHandle, RunListener, RunUpdate } from "./application/run-handle.ts";
export { exitCodeOf } from "./application/run-handle.ts";
export type { StartOptions } from "./application/start.ts";
export type { RunStatus } from "./application/status.ts";
export { statusOf as status, statusOfAll as statuses } from "./application/status.ts";
export type { Steered, Wish } from "./application/steer.ts";
export { steer } from "./application/steer.ts";
export type { Verified, VerifiedTask, VerifyOptions } from "./application/verify.ts";
export { verifyRun as verify } from "./application/verify.ts";
export type { Entry, Intent, RunEvent } from "./core/event.ts";
export type { Failure } from "./core/failure.ts";
export { describe } from "./core/failure.ts";
export type { Result } from "./core/result.ts";
export type { RunState } from "./core/state.ts";
export { toJsonSchemas, toSchemaText } from "./schema/json-schema.ts";
export type { InputProblem } from "./schema/problem.ts";

/** Starts a run of a plan, or continues the one that there is; of a completed one it says so and changes nothing. */
export function run(options: StartOptions & RunListener): RunHandle {
  return toHandle(options, (listener) => startRun(options, listener));
}

/** Continues a paused, blocked, failed or crashed run. */
export function resume(options: ResumeOptions & RunListener): RunHandle {
  return toHandle(options, (listener) => resumeRun(options, listener));
}

function toHandle(listener: RunListener, begin: (listener: StartListener) => Promise<RunEnded>): RunHandle {
  const stream = new UpdateStream();
  let stopEngine: ((by: string) => void) | null = null;
  let stoppedBy: string | null = null;
  const ended = begin({
    ...(listener.onOutput !== undefined && { onOutput: listener.onOutput }),
    ...(listener.onTrouble !== undefined && { onTrouble: listener.onTrouble }),
    onUpdate: (update) => {
      stream.push(update);
      listener.onUpdate?.(update);
    },
    onStoppable: (stop) => {
      stopEngine = stop;
      if (stoppedBy !== null) stop(stoppedBy); // asked to stop before there was anything to stop
    },
  }).finally(() => stream.end());
  return {
    ended,
    stop: (by = "the caller") => {
      if (stoppedBy !== null) return;
      stoppedBy = by;
      stopEngine?.(by);
    },
    [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
  };
}
