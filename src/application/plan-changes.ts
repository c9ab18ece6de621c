// What differs between the plan a run began with and the plan as it is now.

import type { Prd, Task } from "../core/prd.ts";
import { toTaskFields } from "../core/prd.ts";

export interface PlanChange {
  /** `userStories[2] (task-3)`, or the name of a field of the PRD. */
  readonly path: string;
  readonly what: "added" | "removed" | "changed" | string;
}

export function planChanges(before: Prd, now: Prd): readonly PlanChange[] {
  const changes: PlanChange[] = [];
  for (const field of [
    "name",
    "branchName",
    "goal",
    "globalConstraints",
    "requiredReading",
    "extra",
  ] as const) {
    if (JSON.stringify(before[field]) !== JSON.stringify(now[field]))
      changes.push({ path: field, what: "changed" });
  }
  for (const [index, task] of now.tasks.entries()) {
    const old = before.tasks.find(({ id }) => id === task.id);
    const path = `userStories[${index}] (${task.id})`;
    if (old === undefined) changes.push({ path, what: "added" });
    else if (!isSame(old, task))
      changes.push({ path, what: `changed: ${changedFields(old, task).join(", ")}` });
  }
  for (const [index, task] of before.tasks.entries()) {
    const isGone = !now.tasks.some(({ id }) => id === task.id);
    if (isGone) changes.push({ path: `userStories[${index}] (${task.id})`, what: "removed" });
  }
  return changes.length > 0 ? changes : [{ path: "userStories", what: "changed: order" }];
}

function isSame(before: Task, now: Task): boolean {
  return changedFields(before, now).length === 0;
}

function changedFields(before: Task, now: Task): readonly string[] {
  const [old, fresh] = [toTaskFields(before), toTaskFields(now)];
  const keys = new Set([...Object.keys(old), ...Object.keys(fresh)]);
  return [...keys].filter((key) => JSON.stringify(old[key]) !== JSON.stringify(fresh[key]));
}
