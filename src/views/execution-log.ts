// execution.log.json: the whole run as one document, a step for each end of a stage (contract
// "execution.log.json"). A view: never read back.

import type { RunStage } from "../core/event.ts";
import type { TaskId } from "../core/ids.ts";
import { type RunState, type Step, taskOf } from "../core/state.ts";
import { partLength, toJsonParts, toListItem, toListPart } from "./json-document.ts";
import { toIso } from "./text.ts";

export function toExecutionLog(state: RunState): string {
  return toExecutionLogParts(state).join("");
}

/** The same in parts: nobody has to put megabytes together to write them. */
export function toExecutionLogParts(state: RunState): readonly string[] {
  const steps = [...state.steps];
  const head = {
    version: 1,
    goal: state.prd.goal,
    started_at: state.startedAtMs === null ? null : toIso(state.startedAtMs),
    finished_at: state.endedAtMs === null ? null : toIso(state.endedAtMs),
    final_status: state.phase.kind,
    completed_nodes: completedNodes(state, steps),
  };
  return toJsonParts(head, { name: "steps", parts: toParts(steps) }, {});
}

// By the last step of a full part. A step never changes and stays in its place; what comes after it is learnt once.
const textOf = new WeakMap<Step, { readonly next: string | null; readonly text: string }>();

function toParts(steps: readonly Step[]): readonly string[] {
  const parts: string[] = [];
  for (let from = 0; from < steps.length; from += partLength) {
    const last = steps[from + partLength - 1];
    const next = steps[from + partLength]?.nodeId ?? null;
    const known = last === undefined ? undefined : textOf.get(last);
    const text = known !== undefined && known.next === next ? known.text : toPart(steps, from);
    if (last !== undefined && text !== known?.text) textOf.set(last, { next, text });
    parts.push(text);
  }
  return parts;
}

function toPart(steps: readonly Step[], from: number): string {
  const some = steps.slice(from, from + partLength);
  return toListPart(
    some.map((step, k) => toListItem(toStepJson(step, from + k + 1, steps[from + k + 1]?.nodeId ?? null))),
  );
}

function toStepJson(step: Step, number: number, next: string | null): object {
  return {
    step: number,
    node_id: step.nodeId,
    handler_type: step.stage,
    attempt: step.attempt,
    started_at: toIso(step.startedAtMs),
    finished_at: toIso(step.finishedAtMs),
    outcome: { status: step.status, notes: step.notes, failure_reason: step.failureReason },
    ...(step.score !== null && { score: step.score }),
    next_node_id: next,
  };
}

/** Tasks and run stages that are done, in the order in which this run brought them to their end. */
function completedNodes(state: RunState, steps: readonly Step[]): readonly string[] {
  const nodes = new Set<string>();
  for (const step of steps) {
    if (!isEndOf(state, step)) continue;
    nodes.delete(step.nodeId); // done again, for instance the baseline: what counts is the last time
    nodes.add(step.nodeId);
  }
  return [...nodes];
}

function isEndOf(state: RunState, step: Step): boolean {
  if (step.stage === "integrate") {
    const phase = taskOf(state, step.nodeId as TaskId)?.phase; // a step of this stage is a task's
    return step.status === "success" && phase?.kind === "complete";
  }
  return state.stages.get(step.stage as RunStage) === "done" && step.nodeId === step.stage;
}
