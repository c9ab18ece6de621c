// Which task may go next: dependencies, order, waves. Without any dependsOn, array order is an order of work,
// not a dependency.

import type { TaskId } from "./ids.ts";
import type { Prd, Task } from "./prd.ts";
import { assert } from "./result.ts";
import { type RunState, type TaskRecord, taskOf } from "./state.ts";
import { pendingTasks } from "./task-index.ts";

/** The tasks that a pending task waits for: dependencies neither complete nor skipped by the builder. */
export function waitsFor(state: RunState, record: TaskRecord): readonly TaskId[] {
  return record.task.dependsOn.filter((id) => {
    const phase = taskOf(state, id)?.phase.kind;
    return phase !== "complete" && phase !== "skipped";
  });
}

/** Whether the task is among those this session works on (`--only`). */
export function isSelected(state: RunState, record: TaskRecord): boolean {
  const only = state.policy?.only ?? null;
  return only === null || only.includes(record.task.id) || isFollowUp(state, record);
}

function isFollowUp(state: RunState, record: TaskRecord): boolean {
  const index = state.indexOf.get(record.task.id);
  assert(index !== undefined, `task ${record.task.id} is in the run`);
  return index >= state.prd.tasks.length;
}

/** Pending tasks that may start now: begun ones first, then by priority, then in the plan's order (I5). */
export function readyTasks(state: RunState): readonly TaskRecord[] {
  const ready: TaskRecord[] = [];
  for (const pending of pendingTasks(state)) {
    for (const record of pending) {
      if (isSelected(state, record) && waitsFor(state, record).length === 0) ready.push(record);
    }
  }
  // The sort is stable, so equal ranks keep the plan's order.
  return ready.sort((a, b) => rank(a) - rank(b) || byPriority(a.task, b.task));
}

/** Lower first; a task without a priority comes after those that have one. */
function byPriority(a: Task, b: Task): number {
  if (a.priority === b.priority) return 0;
  if (a.priority === null) return 1;
  return b.priority === null ? -1 : a.priority - b.priority;
}

function rank(record: TaskRecord): number {
  return record.attempts.length > 0 ? 0 : 1;
}

/** Tasks in waves: each wave needs only the waves before it. The reader has refused cycles. */
export function toWaves(prd: Prd): readonly (readonly TaskId[])[] {
  return wavesOf(prd).map((wave) => wave.toSorted(byPriority).map(({ id }) => id));
}

/** The tasks one after another, as a run takes them in which each is accepted at once. */
export function toOrder(prd: Prd): readonly TaskId[] {
  const done = new Set<TaskId>();
  const rest = prd.tasks.toSorted(byPriority); // stable: equal ones keep the plan's order
  while (rest.length > 0) {
    const next = rest.findIndex((task) => task.dependsOn.every((id) => done.has(id)));
    assert(next !== -1, "the reader has refused cycles and unknown dependencies");
    for (const { id } of rest.splice(next, 1)) done.add(id);
  }
  return [...done];
}

function wavesOf(prd: Prd): readonly (readonly Task[])[] {
  const done = new Set<TaskId>();
  const waves: (readonly Task[])[] = [];
  let rest = prd.tasks;
  while (rest.length > 0) {
    const wave = rest.filter((task) => task.dependsOn.every((id) => done.has(id)));
    assert(wave.length > 0, "the reader has refused cycles and unknown dependencies");
    for (const task of wave) done.add(task.id);
    waves.push(wave);
    rest = rest.filter((task) => !done.has(task.id));
  }
  return waves;
}

/** The longest chain of dependencies, first task first; of equal ones the first in the plan's order. */
export function criticalPath(prd: Prd): readonly TaskId[] {
  const chains = new Map<TaskId, readonly TaskId[]>();
  for (const { id, dependsOn } of wavesOf(prd).flat()) {
    chains.set(id, [...longest(dependsOn, chains), id]);
  }
  return longest(chains.keys(), chains);
}

function longest(ids: Iterable<TaskId>, chains: ReadonlyMap<TaskId, readonly TaskId[]>): readonly TaskId[] {
  let result: readonly TaskId[] = [];
  for (const id of ids) {
    const chain = chains.get(id);
    assert(chain !== undefined, "a wave needs only the waves before it");
    if (chain.length > result.length) result = chain;
  }
  return result;
}
