// execution.log.json: the whole run as one document, a step for each end of a stage (contract
// "execution.log.json"). A view: never read back.

import type { RunStage } from "../core/event.ts";
import type { TaskId } from "../core/ids.ts";
import { type RunState, type Step, taskOf } from "../core/state.ts";
import { toJsonParts, toListItem, toListPart } from "./json-document.ts";
import { toIso } from "./text.ts";

export function toExecutionLog(state: RunState): string {
  return toExecutionLogParts(state).join("");
}

/** The same in parts: nobody has to put megabytes together to write them. */
export function toExecutionLogParts(state: RunState): readonly string[] {
  const head = {
    version: 1,
    goal: state.prd.goal,
    started_at: state.startedAtMs === null ? null : toIso(state.startedAtMs),
    finished_at: state.endedAtMs === null ? null : toIso(state.endedAtMs),
    final_status: state.phase.kind,
    completed_nodes: completedNodes(state),
  };
  return toJsonParts(head, { name: "steps", parts: toParts(state.steps.parts()) }, {});
}

type Part = readonly Step[];

// A step never changes and stays in its place; what comes after a part is learnt once.
const textOf = new WeakMap<Part, { readonly next: string | null; readonly text: string }>();

function toParts(all: readonly Part[]): readonly string[] {
  let before = 0;
  return all.map((part, k) => {
    const from = before;
    before += part.length;
    const next = all[k + 1]?.[0]?.nodeId ?? null;
    const known = textOf.get(part);
    if (known?.next === next) return known.text;
    const text = toListPart(
      part.map((step, n) => toListItem(toStepJson(step, from + n + 1, part[n + 1]?.nodeId ?? next))),
    );
    textOf.set(part, { next, text });
    return text;
  });
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
function completedNodes(state: RunState): readonly string[] {
  const nodes = new Set<string>();
  for (const part of state.steps.parts()) {
    for (const node of endsIn(state, part)) {
      nodes.delete(node); // done again, for instance the baseline: what counts is the last time
      nodes.add(node);
    }
  }
  return [...nodes];
}

/**
 * What ended in a part: under which plan and stages, and since when. A task that is complete stays so while the plan
 * is the same.
 */
interface Ends extends Pick<RunState, "prd" | "stages" | "seq"> {
  readonly nodes: readonly string[];
}

const endsOf = new WeakMap<Part, Ends>();

function endsIn(state: RunState, part: Part): readonly string[] {
  const { prd, stages, seq } = state;
  const known = endsOf.get(part);
  if (known?.prd === prd && known.stages === stages && known.seq <= seq) return known.nodes;
  const nodes = part.filter((step) => isEndOf(state, step)).map(({ nodeId }) => nodeId);
  // A task may be integrated and not complete yet.
  const isSettled = part.every(
    (step) => step.stage !== "integrate" || isEndOf(state, step) || step.status !== "success",
  );
  if (isSettled) endsOf.set(part, { prd, stages, seq, nodes });
  return nodes;
}

function isEndOf(state: RunState, step: Step): boolean {
  if (step.stage === "integrate") {
    const phase = taskOf(state, step.nodeId as TaskId)?.phase; // a step of this stage is a task's
    return step.status === "success" && phase?.kind === "complete";
  }
  return state.stages.get(step.stage as RunStage) === "done" && step.nodeId === step.stage;
}
