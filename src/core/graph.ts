// Which task may go next: dependencies, order, waves. Without any dependsOn, array order is an order of work,
// not a dependency.

import type { TaskId } from "./ids.ts";
import type { Prd } from "./prd.ts";
import { type RunState, type TaskRecord, taskOf } from "./state.ts";

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
  return (state.indexOf.get(record.task.id) ?? 0) >= state.prd.tasks.length;
}

/** Pending tasks that may start now: begun ones first, then by priority, then in the plan's order (I5). */
export function readyTasks(state: RunState): readonly TaskRecord[] {
  const ready: TaskRecord[] = [];
  for (const record of state.tasks) {
    if (record.phase.kind !== "pending" || !isSelected(state, record)) continue;
    if (waitsFor(state, record).length === 0) ready.push(record);
  }
  // The sort is stable, so equal ranks keep the plan's order.
  return ready.sort((a, b) => rank(a) - rank(b) || (a.task.priority ?? 0) - (b.task.priority ?? 0));
}

function rank(record: TaskRecord): number {
  return record.attempts.length > 0 ? 0 : 1;
}

/** The first held task that keeps a pending one from starting, directly or through others. */
export function heldBehind(state: RunState, record: TaskRecord): TaskId | null {
  const seen = new Set<TaskId>();
  const open = [...waitsFor(state, record)];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const other = seen.has(id) ? undefined : taskOf(state, id);
    seen.add(id);
    if (other?.phase.kind === "held") return id;
    if (other?.phase.kind === "pending") open.push(...waitsFor(state, other));
  }
  return null;
}

/** Tasks in waves: each wave needs only the waves before it. The reader has refused cycles. */
export function toWaves(prd: Prd): readonly (readonly TaskId[])[] {
  const done = new Set<TaskId>();
  const waves: TaskId[][] = [];
  let rest = prd.tasks;
  while (rest.length > 0) {
    const wave = rest.filter((task) => task.dependsOn.every((id) => done.has(id)));
    if (wave.length === 0) return waves;
    for (const task of wave) done.add(task.id);
    waves.push(wave.map((task) => task.id));
    rest = rest.filter((task) => !done.has(task.id));
  }
  return waves;
}

/** The longest chain of dependencies, first task first; of equal ones the first in the plan's order. */
export function criticalPath(prd: Prd): readonly TaskId[] {
  const longest = new Map<TaskId, readonly TaskId[]>();
  for (const wave of toWaves(prd)) {
    for (const id of wave) {
      const task = prd.tasks.find((candidate) => candidate.id === id);
      let chain: readonly TaskId[] = [];
      for (const needed of task?.dependsOn ?? []) {
        const before = longest.get(needed) ?? [];
        if (before.length > chain.length) chain = before;
      }
      longest.set(id, [...chain, id]);
    }
  }
  let result: readonly TaskId[] = [];
  for (const chain of longest.values()) if (chain.length > result.length) result = chain;
  return result;
}
