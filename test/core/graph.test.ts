import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { criticalPath, isSelected, readyTasks, toOrder, toWaves, waitsFor } from "../../src/core/graph.ts";
import type { TaskId } from "../../src/core/ids.ts";
import type { Task } from "../../src/core/prd.ts";
import { InvariantBroken } from "../../src/core/result.ts";
import { taskOf } from "../../src/core/state.ts";
import { makePolicy, makePrd, makeTask, taskId } from "../support/run-parts.ts";
import { RunStory } from "../support/run-story.ts";

function needs(id: string, ...ids: readonly string[]): Task {
  return makeTask(id, { dependsOn: ids.map(taskId) });
}

/** Plans of up to 12 tasks without cycles, in any order, with priorities. */
const plans = fc
  .array(fc.record({ edges: fc.array(fc.nat(11)), priority: fc.option(fc.integer({ min: -2, max: 2 })) }), {
    minLength: 1,
    maxLength: 12,
  })
  .chain((parts) => {
    const tasks = parts.map(({ edges, priority }, index) =>
      makeTask(`t${index}`, {
        dependsOn: [...new Set(edges)].filter((edge) => edge < index).map((edge) => taskId(`t${edge}`)),
        priority,
      }),
    );
    return fc.shuffledSubarray(tasks, { minLength: tasks.length });
  });

describe("tasks that may start", () => {
  const ready = (story: RunStory): readonly string[] => readyTasks(story.state).map(({ task }) => task.id);

  it("are those whose dependencies are complete or skipped by the builder", () => {
    const story = new RunStory({
      tasks: [needs("a"), needs("b", "a"), needs("c", "a", "b"), needs("d", "c")],
    })
      .started()
      .completed("a");
    expect(ready(story)).toEqual(["b"]);
    story.add({ kind: "task-skipped", taskId: taskId("b"), why: "no", by: "me" });
    expect(ready(story)).toEqual(["c"]);
  });

  it("begun ones first, then by priority, then in the plan's order (I5)", () => {
    const story = new RunStory({
      tasks: [
        makeTask("last", { priority: 5 }),
        makeTask("zero", { priority: 0 }),
        makeTask("none"),
        makeTask("first", { priority: -1 }),
        makeTask("begun", { priority: 9 }),
      ],
    }).started();
    story.developed("begun").candidate("begun").sentBack("begun", { reason: "no-change" });
    expect(ready(story)).toEqual(["begun", "first", "zero", "last", "none"]);
  });

  test("come ordered by priority, and by the plan's order where priorities are equal (I5)", () => {
    fc.assert(
      fc.property(plans, (tasks) => {
        const story = new RunStory({ tasks }).started();
        const found = readyTasks(story.state).map(({ task }) => task);
        expect(new Set(found)).toEqual(new Set(tasks.filter(({ dependsOn }) => dependsOn.length === 0)));
        const keys = found.map((task) => [task.priority ?? 3, tasks.indexOf(task)] as const);
        expect(keys).toEqual([...keys].sort(([p, i], [q, j]) => p - q || i - j));
      }),
    );
  });
});

it("tells which tasks one waits for", () => {
  const story = new RunStory({ tasks: [needs("a"), needs("b"), needs("c", "a", "b")] })
    .started()
    .completed("b");
  const record = taskOf(story.state, taskId("c"));
  expect(record === undefined ? null : waitsFor(story.state, record)).toEqual(["a"]);
});

describe("a task is selected", () => {
  const select = (only: readonly string[] | null, id: string): boolean => {
    const story = new RunStory({ tasks: [makeTask("a"), makeTask("b")] }).started(makePolicy({ only }));
    story.add({ kind: "follow-ups-added", round: 1, tasks: [makeTask("follow-up-1-1")] });
    const record = taskOf(story.state, taskId(id));
    if (record === undefined) throw new Error("no such task");
    return isSelected(story.state, record);
  };

  it.each([
    ["when --only is not given", null, "a", true],
    ["when --only names it", ["a"], "a", true],
    ["when it was added by a holistic review", ["a"], "follow-up-1-1", true],
    ["unless --only names others", ["a"], "b", false],
  ])("%s", (_when, only, id, is) => expect(select(only, id)).toBe(is));

  it("before the first session, when nobody has said anything yet", () => {
    const { state } = new RunStory({ tasks: [makeTask("a")] });
    const [record] = state.tasks;
    expect(record !== undefined && isSelected(state, record)).toBe(true);
  });
});

describe("the order", () => {
  it("is that of a run in which each task is accepted at once", () => {
    fc.assert(
      fc.property(plans, (tasks) => {
        const story = new RunStory({ tasks }).started();
        const taken: string[] = [];
        for (let next = readyTasks(story.state)[0]; next !== undefined; next = readyTasks(story.state)[0]) {
          taken.push(next.task.id);
          story.completed(next.task.id);
        }
        expect(toOrder(makePrd(tasks))).toEqual(taken);
      }),
      { numRuns: 30 },
    );
  });
});

describe("waves", () => {
  it("need only the waves before them and keep the plan's order", () => {
    const prd = makePrd([needs("d", "b", "c"), needs("a"), needs("c", "a"), needs("b", "a"), needs("e")]);
    expect(toWaves(prd)).toEqual([["a", "e"], ["c", "b"], ["d"]]);
  });

  it("have the tasks of lower priority first", () => {
    const prd = makePrd([makeTask("a"), makeTask("b", { priority: 2 }), makeTask("c", { priority: 1 })]);
    expect(toWaves(prd)).toEqual([["c", "b", "a"]]);
  });

  it("of a plan with a cycle, which the reader refuses, are a broken invariant", () => {
    expect(() => toWaves(makePrd([needs("a", "b"), needs("b", "a")]))).toThrow(InvariantBroken);
  });

  test("hold every task once, each after all that it depends on", () => {
    fc.assert(
      fc.property(plans, (tasks) => {
        const waves = toWaves(makePrd(tasks));
        const waveOf = new Map(waves.flatMap((wave, index) => wave.map((id) => [id, index] as const)));
        expect(waves.flat()).toHaveLength(tasks.length);
        for (const { id, dependsOn } of tasks) {
          for (const before of dependsOn) {
            expect(waveOf.get(before) ?? 99).toBeLessThan(waveOf.get(id) ?? -1);
          }
        }
      }),
    );
  });
});

describe("the critical path", () => {
  it.each<[string, readonly Task[], readonly string[]]>([
    [
      "is the longest chain",
      [needs("a"), needs("b", "a"), needs("c"), needs("d", "c", "b")],
      ["a", "b", "d"],
    ],
    [
      "of equal ones the first in the plan's order",
      [needs("a"), needs("b"), needs("c", "b"), needs("d", "a")],
      ["b", "c"],
    ],
    ["of independent tasks is the first", [needs("a"), needs("b")], ["a"]],
  ])("%s", (_what, tasks, path) => expect(criticalPath(makePrd(tasks))).toEqual(path));

  test("is a chain of dependencies, as long as there are waves", () => {
    fc.assert(
      fc.property(plans, (tasks) => {
        const prd = makePrd(tasks);
        const path = criticalPath(prd);
        expect(path).toHaveLength(toWaves(prd).length);
        const dependsOn = new Map<TaskId, readonly TaskId[]>(tasks.map((task) => [task.id, task.dependsOn]));
        path.slice(1).forEach((id, index) => {
          expect(dependsOn.get(id)).toContain(path[index]);
        });
      }),
    );
  });
});
