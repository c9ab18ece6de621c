// Which tasks a rule has to look at, without a look at all of them: the scheduler of a run of thousands of tasks asks
// several times for each event. Kept for each part of the list of tasks; a part in which a task changes is another.

import { openAttempt, type RunState, type TaskPhase, type TaskRecord } from "./state.ts";

/** A task that is worked on. */
export type WorkingTask = TaskRecord & { readonly phase: Extract<TaskPhase, { kind: "working" }> };

/** Tasks that are worked on, in the plan's order. */
export function* workingTasks({ tasks }: Pick<RunState, "tasks">): Generator<WorkingTask> {
  for (const part of tasks.parts()) yield* summaryOf(part).working;
}

/** Tasks with an attempt that has not ended, in the plan's order. */
export function* tasksWithOpenAttempt({ tasks }: Pick<RunState, "tasks">): Generator<TaskRecord> {
  for (const part of tasks.parts()) yield* summaryOf(part).open;
}

/** Tasks that wait, in the plan's order; the same list for a part in which nothing has changed. */
export function* pendingTasks({ tasks }: Pick<RunState, "tasks">): Generator<readonly TaskRecord[]> {
  for (const part of tasks.parts()) yield summaryOf(part).pending;
}

/** The lane the task has, or the lowest that no other task works in or still has an effect in. */
export function laneFor(state: RunState, record: TaskRecord): number {
  if (record.phase.kind === "working") return record.phase.lane;
  const taken = new Set<number>();
  for (const { phase } of workingTasks(state)) taken.add(phase.lane);
  for (const { intent } of state.running.values()) if ("lane" in intent) taken.add(intent.lane);
  let lane = 1;
  while (taken.has(lane)) lane += 1;
  return lane;
}

function isWorking(record: TaskRecord): record is WorkingTask {
  return record.phase.kind === "working";
}

interface Summary {
  readonly open: readonly TaskRecord[];
  readonly working: readonly WorkingTask[];
  readonly pending: readonly TaskRecord[];
}

const summaries = new WeakMap<readonly TaskRecord[], Summary>();

function summaryOf(part: readonly TaskRecord[]): Summary {
  const known = summaries.get(part);
  if (known !== undefined) return known;
  const summary: Summary = {
    open: part.filter((record) => openAttempt(record) !== undefined),
    working: part.filter(isWorking),
    pending: part.filter(({ phase }) => phase.kind === "pending"),
  };
  summaries.set(part, summary);
  return summary;
}
