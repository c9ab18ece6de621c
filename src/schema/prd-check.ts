// What a shape cannot say about a PRD: which list holds the tasks, ids that are unique, dependencies that exist
// and lead nowhere in a circle. Looks at the raw value, so that these are found beside wrong shapes.

import { findCycles } from "./dependency-cycles.ts";
import { didYouMean, nearest, type PathPart, type ProblemList, toExcerpt } from "./problem.ts";
import { valueAt } from "./value-at.ts";

export type TaskListKey = "userStories" | "tasks";

const dependencyKeys = ["dependsOn", "dependencies", "depends_on"] as const;
const maxCycles = 50;
const maxCycleIds = 200;
// Looking for the nearest of many thousand ids is dear.
const maxNearest = 20;
const maxShown = 10;
const maxShownChars = 100;

/** Which key holds the tasks; null, and a problem, when neither or both do. */
export function findTaskList(raw: object, problems: ProblemList): TaskListKey | null {
  const [stories, tasks] = [valueAt(raw, ["userStories"]) ?? null, valueAt(raw, ["tasks"]) ?? null];
  if (stories !== null && tasks !== null) {
    const hint = "they mean the same: put all tasks into userStories";
    problems.add(["tasks"], () => ({ value: tasks, expected: "either userStories or tasks", hint }));
    return null;
  }
  const key: TaskListKey = tasks === null ? "userStories" : "tasks";
  const list = stories ?? tasks;
  if (list === null || (Array.isArray(list) && list.length === 0)) {
    problems.add([key], () => ({
      value: valueAt(raw, [key]),
      expected: "at least one task",
      hint: hintFor(raw),
    }));
    return null;
  }
  return key;
}

function hintFor(raw: object): string {
  const near = nearest("userStories", Object.keys(raw)) ?? nearest("tasks", Object.keys(raw));
  return near === null || near === "userStories" || near === "tasks"
    ? ""
    : `there is ${toExcerpt(near)}: rename it`;
}

/** Ids that differ only in case, dependencies that do not exist, and cycles. */
export function checkReferences(at: { raw: object; key: TaskListKey; problems: ProblemList }): void {
  const list = valueAt(at.raw, [at.key]);
  if (!Array.isArray(list)) return;
  const refs = list.map((task: unknown, index) => toReferences(task, index));
  checkUnique(at, refs);
  checkExisting(at, refs);
  checkCycles(at, refs);
}

interface References {
  readonly index: number;
  readonly id: string | null;
  readonly dependsOn: readonly { readonly key: string; readonly position: number; readonly id: string }[];
}

interface Place {
  readonly key: TaskListKey;
  readonly problems: ProblemList;
}

function toReferences(task: unknown, index: number): References {
  const id = valueAt(task, ["id"]);
  const dependsOn = dependencyKeys.flatMap((key) => {
    const list = valueAt(task, [key]);
    if (!Array.isArray(list)) return [];
    return list.flatMap((item: unknown, position) =>
      typeof item === "string" ? [{ key, position, id: item }] : [],
    );
  });
  return { index, id: typeof id === "string" ? id : null, dependsOn };
}

function checkUnique({ key, problems }: Place, tasks: readonly References[]): void {
  const first = new Map<string, number>();
  for (const { id, index } of tasks) {
    if (id === null) continue;
    const earlier = first.get(id.toLowerCase());
    if (earlier === undefined) {
      first.set(id.toLowerCase(), index);
      continue;
    }
    const hint = `${key}[${earlier}] has it already`;
    problems.add([key, index, "id"], () => ({
      value: id,
      expected: "an id of its own, ignoring case",
      hint,
    }));
  }
}

function checkExisting({ key, problems }: Place, tasks: readonly References[]): void {
  const known = new Set(tasks.flatMap(({ id }) => (id === null ? [] : [id])));
  let missing = 0;
  for (const task of tasks) {
    for (const { key: field, position, id } of task.dependsOn) {
      const path = [key, task.index, field, position];
      if (id === task.id) {
        problems.add(path, () => ({
          value: id,
          expected: "the id of another task",
          hint: "it depends on itself",
        }));
      } else if (!known.has(id)) {
        missing += 1;
        const hint = missing > maxNearest ? "" : toNearestTask(id, known);
        problems.add(path, () => ({ value: id, expected: "the id of a task", hint }));
      }
    }
  }
}

/** Without any that is near: what there is. */
function toNearestTask(id: string, known: ReadonlySet<string>): string {
  const shown = [...known].filter((each) => each.length <= maxShownChars).slice(0, maxShown);
  const rest = known.size > shown.length ? ", …" : "";
  return didYouMean(id, known) || `the tasks are ${shown.map(toExcerpt).join(", ")}${rest}`;
}

function checkCycles({ key, problems }: Place, tasks: readonly References[]): void {
  const dependencies = new Map<string, readonly string[]>();
  const placeOf = new Map<string, PathPart[]>();
  for (const { id, index, dependsOn } of tasks) {
    if (id === null || dependencies.has(id)) continue;
    dependencies.set(id, [...new Set(dependsOn.map((dependency) => dependency.id))]);
    placeOf.set(id, [key, index, dependsOn[0]?.key ?? "dependsOn"]);
  }
  for (const cycle of findCycles(dependencies, maxCycles)) {
    const [start = ""] = cycle;
    problems.add(placeOf.get(start) ?? [key], () => ({
      value: dependencies.get(start),
      expected: "dependencies without a cycle",
      hint: `the cycle: ${toCycleText(cycle)}`,
    }));
  }
}

function toCycleText(cycle: readonly string[]): string {
  const shown = cycle.length <= maxCycleIds ? cycle : cycle.slice(0, maxCycleIds);
  const words = shown.map((id) => (/^[\w.-]{1,100}$/.test(id) ? id : toExcerpt(id)));
  if (shown !== cycle) words.push(`… (${cycle.length - 1 - maxCycleIds} more)`, words[0] ?? "");
  return words.join(" -> ");
}
