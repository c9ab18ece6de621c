// A plan that was edited while the run was stopped, taken by the builder's word: what is complete stays complete, what
// was removed is skipped, what was changed starts its next attempt from the new words.

import type { RunEvent } from "./event.ts";
import { taskOfQuestion } from "./fold-answer.ts";
import { newTaskRecord } from "./fold-task.ts";
import type { TaskId } from "./ids.ts";
import { type Task, toTaskFields } from "./prd.ts";
import { Sequence } from "./sequence.ts";
import { openAttempt, type RunState, type TaskRecord, taskOf } from "./state.ts";

type PlanChanged = Extract<RunEvent, { kind: "plan-changed" }>;

export function takePlan(state: RunState, event: PlanChanged): RunState {
  const planned = event.prd.tasks.map((task) => toRecord(state, task));
  const ids = new Set(event.prd.tasks.map(({ id }) => id));
  const others = [...state.tasks].filter(({ task }) => !ids.has(task.id));
  const rest = others.map((record) =>
    isOfPlan(state, record.task.id) ? withoutWork(record, event.by) : record,
  );
  const tasks = Sequence.of([...planned, ...rest]);
  const stages = new Map(state.stages);
  stages.delete("holistic-review"); // the goal or the tasks are others now
  return {
    ...state,
    prd: event.prd,
    prdHash: event.prdHash,
    tasks,
    indexOf: new Map([...tasks].map(({ task }, index) => [task.id, index])),
    stages,
    verdict: null,
    gapsAccepted: false,
    questions: state.questions.filter(({ about }) => {
      const taskId = taskOfQuestion(about);
      return (
        taskId === null || [...tasks].some(({ task, phase }) => task.id === taskId && phase.kind === "held")
      );
    }),
    told: [...state.told, `took the changed plan: ${event.changes.join("; ")}`],
  };
}

function isOfPlan(state: RunState, id: TaskId): boolean {
  return state.prd.tasks.some((task) => task.id === id);
}

function toRecord(state: RunState, task: Task): TaskRecord {
  const record = taskOf(state, task.id);
  if (record === undefined) return newTaskRecord(task, []);
  // What had been removed and is back is worked on again, in the same words or not.
  const isUnchanged = isOfPlan(state, task.id) && isSame(record.task, task);
  if (record.phase.kind === "complete" || isUnchanged) return { ...record, task };
  const open = openAttempt(record);
  return {
    ...record,
    task,
    phase:
      record.phase.kind === "held" || record.phase.kind === "skipped" ? { kind: "pending" } : record.phase,
    prechecks: [],
    cleared: [],
    attempts: record.attempts.map((attempt) => (attempt === open ? { ...attempt, isStale: true } : attempt)),
  };
}

function isSame(before: Task, now: Task): boolean {
  return JSON.stringify(toTaskFields(before)) === JSON.stringify(toTaskFields(now));
}

function withoutWork(record: TaskRecord, by: string): TaskRecord {
  if (record.phase.kind === "complete") return record;
  return { ...record, phase: { kind: "skipped", why: "it was removed from the plan", by } };
}
