// What the ends of the run's own stages change: a step in the log, follow-ups after the holistic review, the memory.

import type { Entry, RunEvent, RunStage } from "./event.ts";
import { newTaskRecord } from "./fold-task.ts";
import { assert } from "./result.ts";
import type { RunState } from "./state.ts";

export function endStage(
  state: RunState,
  event: Extract<RunEvent, { kind: "stage-ended" }>,
  entry: Entry,
): RunState {
  const stages = new Map(state.stages).set(event.stage, event.outcome);
  const hasOwnStep = event.outcome === "done" && isAskedOfAgent(event.stage);
  if (hasOwnStep) return { ...state, stages };
  const steps = state.steps.push({
    nodeId: event.stage,
    stage: event.stage,
    attempt: 1,
    startedAtMs: event.outcome === "done" ? stageStart(state, entry) : entry.atMs,
    finishedAtMs: entry.atMs,
    status: event.outcome === "done" ? "success" : "skipped",
    notes: event.notes,
    failureReason: "",
    score: null,
  });
  return { ...state, stages, steps };
}

/** What no agent is asked for begins when the step before it has ended, or with the session. */
function stageStart({ sessionStartedAtMs, steps }: RunState, { atMs }: Entry): number {
  assert(sessionStartedAtMs !== null, "a stage ends while a program works on the run");
  const before = Math.max(sessionStartedAtMs, steps.at(-1)?.finishedAtMs ?? 0);
  return Math.min(before, atMs); // clocks jump
}

function isAskedOfAgent(stage: RunStage): boolean {
  return stage === "recon" || stage === "pre-mortem" || stage === "holistic-review";
}

export function addFollowUps(
  state: RunState,
  event: Extract<RunEvent, { kind: "follow-ups-added" }>,
): RunState {
  const indexOf = new Map(state.indexOf);
  let tasks = state.tasks;
  for (const task of event.tasks) {
    indexOf.set(task.id, tasks.length);
    tasks = tasks.push(newTaskRecord(task, []));
  }
  const stages = new Map(state.stages);
  stages.delete("holistic-review");
  return { ...state, tasks, indexOf, stages, verdict: null, followUpRounds: event.round };
}

/** Without a ref there was nothing to keep. */
export function keptAs(ref: string): string {
  return ref === "" ? "not written" : `kept as ${ref}`;
}

export function endMemory(state: RunState, event: Extract<RunEvent, { kind: "memory-ended" }>): RunState {
  const { result } = event;
  switch (result.kind) {
    case "committed":
      return {
        ...state,
        head: result.commit,
        memory: { commit: result.commit, entry: result.entry, note: "" },
      };
    case "kept aside":
      return {
        ...state,
        memory: { commit: null, entry: null, note: `${keptAs(result.ref)}: ${result.why}` },
      };
    case "interrupted":
      return state;
    case "refused":
      return { ...state, trouble: result.failure };
  }
}
