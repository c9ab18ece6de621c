// The lenient reader of prd.json: what it takes for the same thing, and what it refuses, all at once.
import { describe, expect, test } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { readPrd } from "../../src/schema/prd.ts";
import { describeProblem, type InputProblem } from "../../src/schema/problem.ts";

const plainTask = { id: "a", title: "A", acceptanceCriteria: ["it works"] };

/** A PRD of one task with some fields, or without those that are undefined. */
const withTask = (fields: object) => ({ goal: "g", userStories: [{ ...plainTask, ...fields }] });
const withTop = (fields: object) => ({ userStories: [plainTask], ...fields });

/** Tasks "a", "b" … by their dependencies. */
const withDependencies = (dependencies: Readonly<Record<string, readonly string[]>>) => ({
  userStories: Object.entries(dependencies).map(([id, dependsOn]) => ({ ...plainTask, id, dependsOn })),
});

describe("what is read as the same thing", () => {
  test("a PRD with every field is read field by field", () => {
    const written = {
      id: "task-1",
      title: "One",
      description: "The first",
      acceptanceCriteria: ["c1", "c2"],
      status: "in_progress",
      passes: true,
      attemptCount: 2,
      notes: "n",
      commitSha: "abc1234",
      dependsOn: [],
      filesToRead: ["r"],
      filesTouched: ["t"],
      warnings: ["w"],
      mitigations: ["m"],
      priority: -1.5,
      type: "checkpoint:decision",
      checkpoint: { message: "m", actions: [{ id: "x", label: "X" }], defaultAction: "x", timeoutMs: 5 },
      agent: "developer",
      gates: ["tests"],
      allowNoChanges: true,
      allowDeletions: true,
    };
    const { status, passes, attemptCount, notes, commitSha, ...plain } = written;
    const top = { name: "n", branchName: "feature/x", goal: "g" };
    const lists = { globalConstraints: ["c"], requiredReading: ["r"] };
    const metadata = { createdAt: "2026-01-01", totalTasks: 99 };
    const { prd, told } = read({ ...top, ...lists, userStories: [written], metadata });
    expect(prd).toEqual({
      ...top,
      ...lists,
      createdAt: "2026-01-01",
      extra: {},
      metadataExtra: {},
      tasks: [
        { ...plain, claim: { status, passes, attemptCount, notes, commitSha }, extra: { dependsOn: [] } },
      ],
    });
    expect(told).toEqual([]);
  });

  test("what may be missing is filled", () => {
    const { prd } = read({ userStories: [plainTask] });
    expect(prd).toMatchObject({
      name: "",
      branchName: null,
      goal: "",
      globalConstraints: [],
      createdAt: null,
    });
    expect(prd.tasks[0]).toEqual({
      ...plainTask,
      description: "A",
      dependsOn: [],
      filesToRead: [],
      filesTouched: [],
      warnings: [],
      mitigations: [],
      priority: null,
      type: "auto",
      checkpoint: null,
      agent: null,
      gates: null,
      allowNoChanges: false,
      allowDeletions: false,
      claim: { status: "pending", passes: false, attemptCount: 0, notes: null, commitSha: null },
      extra: {},
    });
  });

  test("null stands for every missing optional field", () => {
    const required = new Set(["id", "title", "acceptanceCriteria"]);
    const nulls = (names: string) => Object.fromEntries(names.split(" ").map((name) => [name, null]));
    const task = nulls(
      "description status passes attemptCount notes commitSha dependsOn dependencies depends_on filesToRead " +
        "contextFiles filesTouched files file warnings mitigations priority type checkpoint agent gates " +
        "allowNoChanges allowDeletions",
    );
    const top = nulls("name branchName goal tasks globalConstraints requiredReading metadata");
    expect(Object.keys(task).some((name) => required.has(name))).toBe(false);
    expect(read({ ...withTask(task), ...top })).toEqual(read({ userStories: [plainTask] }));
    expect(read({ ...withTop({}), metadata: { createdAt: null } })).toEqual(read(withTop({})));
  });

  test.each([
    ["tasks", { tasks: [plainTask] }, { userStories: [plainTask] }],
    ["description for goal", withTop({ description: "d", title: "t" }), { goal: "d" }],
    ["title for goal", withTop({ title: "t" }), { goal: "t" }],
    ["a blank goal is none", withTop({ goal: " ", title: "t" }), { goal: "t" }],
    ["planSlug for name", withTop({ planSlug: "p", title: "t" }), { name: "p" }],
    ["title for name", withTop({ title: "t" }), { name: "t" }],
  ])("the PRD's other spelling: %s", (_what, written, wanted) => {
    const { userStories, ...fields } = { userStories: null, ...wanted };
    expect(read(written).prd).toMatchObject(fields);
    if (userStories !== null) expect(read(written)).toEqual(read({ userStories }));
  });

  test.each([
    [{ status: "done" }, { claim: { status: "complete" } }],
    [{ status: "completed" }, { claim: { status: "complete" } }],
    [{ status: "failed" }, { claim: { status: "failed" } }],
    [{ description: " " }, { description: "A" }],
    [{ contextFiles: ["x"] }, { filesToRead: ["x"], extra: {} }],
    [{ files: ["x"] }, { filesTouched: ["x"], extra: {} }],
    [{ file: "x" }, { filesTouched: ["x"], extra: {} }],
    [{ file: ["x", "y"] }, { filesTouched: ["x", "y"], extra: {} }],
    [{ filesTouched: ["x"], files: ["y", "x"], file: "z" }, { filesTouched: ["x", "y", "z"] }],
    [{ gates: [] }, { gates: [] }],
    [{ commitSha: "" }, { claim: { commitSha: null } }],
    [{ checkpoint: {} }, { checkpoint: { message: "", actions: [], defaultAction: null, timeoutMs: 0 } }],
    [{ checkpoint: { actions: [{ id: "x" }] } }, { checkpoint: { actions: [{ id: "x", label: "x" }] } }],
  ])("the task's other spelling: %j", (fields, wanted) => {
    expect(read(withTask(fields)).prd.tasks[0]).toMatchObject(wanted);
  });

  test.each(["dependsOn", "dependencies", "depends_on"])("dependencies are read from %s", (key) => {
    const { prd } = read({ tasks: [plainTask, { ...plainTask, id: "b", [key]: ["a", "a"] }] });
    expect(prd.tasks[1]).toMatchObject({ dependsOn: ["a"], extra: {} });
  });

  test("an unknown type is auto and told", () => {
    const { prd, told } = read(withTask({ type: "checkpoint:human-verifi" }));
    expect(prd.tasks[0]?.type).toBe("auto");
    expect(told).toEqual([
      'task "a": type "checkpoint:human-verifi" is unknown and read as "auto"; did you mean "checkpoint:human-verify"?',
    ]);
  });

  test("a commitSha that is no object id never reaches git and is told", () => {
    const { prd, told } = read(withTask({ status: "done", commitSha: "--upload-pack=x" }));
    expect(prd.tasks[0]?.claim.commitSha).toBe(null);
    expect(told).toEqual(['task "a": commitSha "--upload-pack=x" is no commit id and not used']);
  });

  test("a byte order mark and bytes are read like text", () => {
    const text = JSON.stringify(withTask({}));
    const wanted = readPrd({ text, file: "p" });
    expect(readPrd({ text: `\uFEFF${text}`, file: "p" })).toEqual(wanted);
    expect(readPrd({ text: Buffer.from(`\uFEFF${text}`), file: "p" })).toEqual(wanted);
  });
});

describe("unknown fields", () => {
  test("are kept at the top, in tasks and in metadata", () => {
    const phases = [{ name: "p", tasks: ["a"] }];
    const { prd, told } = read({
      ...withTask({ area: "x", tests: [1] }),
      foo: null,
      metadata: { phases, totalTasks: 1 },
    });
    expect(prd.extra).toEqual({ foo: null });
    expect(prd.metadataExtra).toEqual({ phases });
    expect(prd.tasks[0]?.extra).toEqual({ area: "x", tests: [1] });
    expect(told).toEqual([]);
  });

  test("and known ones that say no more than their absence are kept as they were written", () => {
    const fields = { dependsOn: [], warnings: [], type: "whatever", allowDeletions: false };
    const { prd } = read({ ...withTask({ ...fields, gates: null, x: 1 }), requiredReading: [] });
    expect(prd.extra).toEqual({ requiredReading: [] });
    expect(prd.tasks[0]).toMatchObject({ dependsOn: [], type: "auto", extra: { ...fields, x: 1 } });
    const named = read({ ...withTask({ dependsOn: [], warnings: ["w"] }), globalConstraints: ["g"] }).prd;
    expect([named.extra, named.tasks[0]?.extra]).toEqual([{}, { dependsOn: [] }]);
    const both = { ...plainTask, id: "b", dependsOn: [], depends_on: ["a"] };
    expect(read({ tasks: [plainTask, both] }).prd.tasks[1]).toMatchObject({ dependsOn: ["a"], extra: {} });
  });

  test("that look misspelt are told", () => {
    const { told } = read({ ...withTask({ dependOn: ["b"] }), globalConstraint: [] });
    expect(told).toEqual([
      'task "a": the field "dependOn" is unknown and not used; did you mean "dependsOn"?',
      'the PRD: the field "globalConstraint" is unknown and not used; did you mean "globalConstraints"?',
    ]);
  });

  test("called __proto__ and constructor are harmless data", () => {
    const text = `{"__proto__":{"name":"evil"},"userStories":[{"id":"constructor","title":"t","acceptanceCriteria":["c"],
      "__proto__":{"allowDeletions":true},"constructor":1,"toString":2}],"metadata":{"__proto__":{"createdAt":"x"}}}`;
    const result = readPrd({ text, file: "p" });
    if (!result.ok) throw new Error("it is readable");
    const { prd } = result.value;
    expect([prd.name, prd.tasks[0]?.allowDeletions, prd.createdAt]).toEqual(["", false, null]);
    expect(Object.keys(prd.extra)).toEqual(["__proto__"]);
    expect(Object.keys(prd.tasks[0]?.extra ?? {})).toEqual(["__proto__", "constructor", "toString"]);
    expect(JSON.stringify(prd.extra)).toBe('{"__proto__":{"name":"evil"}}');
    expect({}).not.toHaveProperty("allowDeletions");
  });

  test("many of them are told within a bound", () => {
    const userStories = Array.from({ length: 300 }, (_, index) => ({
      ...plainTask,
      id: `t${index}`,
      type: "feature",
    }));
    const { told } = read({ userStories });
    expect(told).toHaveLength(101);
    expect(told.at(-1)).toBe("and 200 more like these");
  });
});

describe("what is refused, with its place", () => {
  const atLeastOne = "at least one acceptance criterion, in a list";
  test.each<[string, unknown, Partial<InputProblem>]>([
    ["a list", [plainTask], { path: "", expected: "an object with userStories" }],
    ["a text", "x", { path: "", value: '"x"' }],
    ["null", null, { path: "", value: "null" }],
    ["no tasks", { name: "x" }, { path: "userStories", value: "", expected: "at least one task" }],
    [
      "no tasks but stories",
      { userStory: [] },
      { path: "userStories", hint: 'there is "userStory": rename it' },
    ],
    [
      "empty userStories",
      { userStories: [] },
      { path: "userStories", value: "[]", expected: "at least one task" },
    ],
    ["empty tasks", { tasks: [] }, { path: "tasks", value: "[]", expected: "at least one task" }],
    [
      "both lists",
      { userStories: [plainTask], tasks: [] },
      { path: "tasks", expected: "either userStories or tasks" },
    ],
    ["tasks no list", { tasks: {} }, { path: "tasks", value: "{}", expected: "a list of tasks" }],
    ["a task no object", { tasks: [plainTask, 5] }, { path: "tasks[1]", value: "5" }],
    ["a task a list", { tasks: [[]] }, { path: "tasks[0]", value: "[]" }],
    ["no id", withTask({ id: undefined }), { path: "userStories[0].id", value: "" }],
    ["a number as id", withTask({ id: 5 }), { path: "userStories[0].id", hint: 'write it in quotes: "5"' }],
    ["null as id", withTask({ id: null }), { path: "userStories[0].id", value: "null" }],
    [
      "no title",
      withTask({ title: undefined, description: "d" }),
      { path: "userStories[0].title", value: "" },
    ],
    ["an empty title", withTask({ title: "" }), { expected: "a title, not empty", value: '""' }],
    ["a blank title", withTask({ title: " \n" }), { expected: "a title, not empty" }],
    ["no criteria", withTask({ acceptanceCriteria: undefined }), { expected: atLeastOne, value: "" }],
    ["empty criteria", withTask({ acceptanceCriteria: [] }), { expected: atLeastOne, value: "[]" }],
    ["criteria null", withTask({ acceptanceCriteria: null }), { expected: atLeastOne, value: "null" }],
    ["criteria a text", withTask({ acceptanceCriteria: "x" }), { hint: "write it as a list: [ … ]" }],
    [
      "a blank criterion",
      withTask({ acceptanceCriteria: ["x", ""] }),
      { path: "userStories[0].acceptanceCriteria[1]" },
    ],
    [
      "misspelt criteria",
      withTask({ acceptanceCriteria: undefined, acceptance_criteria: ["x"] }),
      { expected: atLeastOne, hint: 'there is "acceptance_criteria": rename it' },
    ],
    ["an unknown status", withTask({ status: "donne" }), { value: '"donne"', hint: 'did you mean "done"?' }],
    ["a status of another type", withTask({ status: true }), { path: "userStories[0].status" }],
    ["passes a text", withTask({ passes: "true" }), { hint: "write it without quotes" }],
    ["a broken count", withTask({ attemptCount: 1.5 }), { path: "userStories[0].attemptCount" }],
    ["a negative count", withTask({ attemptCount: -1 }), { expected: "a whole number, 0 or more" }],
    ["notes a list", withTask({ notes: [] }), { path: "userStories[0].notes" }],
    ["dependsOn a text", withTask({ dependsOn: "a" }), { path: "userStories[0].dependsOn" }],
    [
      "a dependency a number",
      withTask({ dependsOn: [1] }),
      { path: "userStories[0].dependsOn[0]", value: "1" },
    ],
    ["priority a text", withTask({ priority: "high" }), { path: "userStories[0].priority" }],
    ["type a number", withTask({ type: 5 }), { path: "userStories[0].type" }],
    ["file a number", withTask({ file: 5 }), { expected: "a path or a list of paths" }],
    ["checkpoint a list", withTask({ checkpoint: [] }), { path: "userStories[0].checkpoint" }],
    [
      "an action without id",
      withTask({ checkpoint: { actions: [{ label: "x" }] } }),
      { path: "userStories[0].checkpoint.actions[0].id" },
    ],
    ["an empty agent", withTask({ agent: "" }), { path: "userStories[0].agent" }],
    ["name a number", withTop({ name: 5 }), { path: "name", hint: 'write it in quotes: "5"' }],
    ["goal a list", withTop({ goal: [] }), { path: "goal" }],
    ["a branch name", withTop({ branchName: "a b" }), { path: "branchName", value: '"a b"' }],
    ["an empty branch name", withTop({ branchName: "" }), { path: "branchName", value: '""' }],
    ["metadata a list", withTop({ metadata: [] }), { path: "metadata" }],
    ["constraints a text", withTop({ globalConstraints: "x" }), { path: "globalConstraints" }],
  ])("%s", (_what, written, wanted) => {
    expect(refuse(written)).toEqual([expect.objectContaining({ file: "prd.json", ...wanted })]);
  });

  test("an infinite priority is no number", () => {
    const text = JSON.stringify(withTask({ priority: 1 })).replace('"priority":1', '"priority":1e999');
    const result = readPrd({ text, file: "p" });
    expect(result).toMatchObject({
      ok: false,
      failure: [{ path: "userStories[0].priority", value: "Infinity" }],
    });
  });

  test.each([
    "a b",
    "a:b",
    "x.lock",
    "X.LOCK",
    "a..b",
    "a.",
    ".a",
    "-a",
    "_a",
    "a~1",
    "a/b",
    "../a",
    "nul",
    "COM1.txt",
    "é",
    "",
    "x".repeat(101),
    "a\u0000",
    "a\nb",
    "\uD800",
    "a\u202E",
  ])("the id %j, which is never repaired", (id) => {
    const [problem, ...others] = refuse(withTask({ id }));
    expect(others).toEqual([]);
    expect(problem).toMatchObject({
      path: "userStories[0].id",
      expected: expect.stringMatching(/^an id: ./),
    });
    expect(describeProblem(problem as InputProblem)).not.toMatch(/\p{Cc}|\p{Surrogate}/u);
  });
});

describe("references between tasks", () => {
  test("ids that differ only in case are refused", () => {
    const userStories = ["Task-1", "b", "task-1", "TASK-1"].map((id) => ({ ...plainTask, id }));
    expect(refuse({ userStories })).toMatchObject([
      { path: "userStories[2].id", value: '"task-1"', hint: "userStories[0] has it already" },
      { path: "userStories[3].id", value: '"TASK-1"', hint: "userStories[0] has it already" },
    ]);
  });

  test("a dependency that does not exist is refused with the nearest id", () => {
    const problems = refuse(
      withDependencies({ "task-1": [], "task-2": ["task-1", "taks-1", "other", "TASK-1"] }),
    );
    expect(problems).toMatchObject([
      { path: "userStories[1].dependsOn[1]", value: '"taks-1"', hint: 'did you mean "task-1"?' },
      { path: "userStories[1].dependsOn[2]", value: '"other"', hint: 'the tasks are "task-1", "task-2"' },
      { path: "userStories[1].dependsOn[3]", value: '"TASK-1"', hint: 'did you mean "task-1"?' },
    ]);
  });

  test("a task that depends on itself is refused once", () => {
    expect(refuse(withDependencies({ a: ["a"] }))).toMatchObject([{ hint: "it depends on itself" }]);
  });

  test("each whole cycle is named", () => {
    const problems = refuse(
      withDependencies({ x: ["a"], a: ["b"], b: ["c"], c: ["a"], p: ["q"], q: ["p", "a"] }),
    );
    expect(problems.map(({ path, hint }) => [path, hint])).toEqual([
      ["userStories[1].dependsOn", "the cycle: a -> b -> c -> a"],
      ["userStories[4].dependsOn", "the cycle: p -> q -> p"],
    ]);
  });

  test("a cycle is found under every spelling", () => {
    const tasks = [
      { ...plainTask, depends_on: ["b"] },
      { ...plainTask, id: "b", dependencies: ["a"] },
    ];
    expect(refuse({ tasks })).toMatchObject([
      { path: "tasks[0].depends_on", hint: "the cycle: a -> b -> a" },
    ]);
  });

  test("a diamond is no cycle", () => {
    expect(read(withDependencies({ a: ["b", "c"], b: ["d"], c: ["d"], d: [] })).prd.tasks).toHaveLength(4);
  });

  test("a chain of 20,000 tasks is read, and one that closes is refused in bounded words", () => {
    const chain = (end: readonly string[]) =>
      withDependencies(
        Object.fromEntries(
          Array.from({ length: 20_000 }, (_, i) => [`t${i}`, i === 19_999 ? end : [`t${i + 1}`]]),
        ),
      );
    expect(read(chain([])).prd.tasks).toHaveLength(20_000);
    const [problem] = refuse(chain(["t0"]));
    expect(problem?.hint).toMatch(/^the cycle: t0 -> t1 -> .* -> … \(19800 more\) -> t0$/);
  });
});

describe("everything at once", () => {
  test("shape, ids, references and cycles are reported together", () => {
    const paths = refuse({
      name: 5,
      branchName: "x..y",
      tasks: [
        { id: "a", title: "", acceptanceCriteria: [], dependsOn: ["b"] },
        { id: "b", title: "B", status: "x", dependsOn: ["a", "zz"] },
        { id: "B", title: "B", acceptanceCriteria: ["c"] },
        7,
      ],
    }).map(({ path }) => path);
    expect(paths).toEqual([
      "name",
      "branchName",
      "tasks[0].title",
      "tasks[0].acceptanceCriteria",
      "tasks[1].acceptanceCriteria",
      "tasks[1].status",
      "tasks[3]",
      "tasks[2].id",
      "tasks[1].dependsOn[1]",
      "tasks[0].dependsOn",
    ]);
  });

  test("text that is no JSON is refused with line and column", () => {
    const result = readPrd({ text: '{\n  "name": "x",\n}', file: "plans/x/prd.json" });
    expect(result.ok ? [] : result.failure.map(describeProblem)).toEqual([
      'plans/x/prd.json: line 3, column 1: expected valid JSON: a key in double quotes, found "}" (drop the last comma)',
    ]);
  });

  test("more than 8 MiB is refused, and very long texts below it are fine", () => {
    const long = "x".repeat(limits.prdBytes - 200);
    expect(read(withTask({ description: long })).prd.tasks[0]?.description).toHaveLength(long.length);
    const tooLong = JSON.stringify(withTask({ description: `${long}${long}` }));
    expect(readPrd({ text: tooLong, file: "p" })).toMatchObject({ failure: [{ expected: /8 MiB/ }] });
  });

  test("a hostile PRD with problems everywhere is refused in bounded size", () => {
    const dependsOn = Array.from({ length: 10 }, (_, index) => `${"x".repeat(95)}${index}`);
    const userStories = Array.from({ length: 6_000 }, (_, index) => ({
      id: `${"x".repeat(90)}${index}`,
      title: "t",
      dependsOn,
    }));
    const problems = refuse({ userStories });
    expect(problems).toHaveLength(limits.inputProblems + 1);
    expect(problems.at(-1)?.expected).toMatch(/there are \d+ more/);
  });
});

function read(value: unknown) {
  const result = readPrd({ text: JSON.stringify(value), file: "prd.json" });
  if (!result.ok) throw new Error(result.failure.map(describeProblem).join("\n"));
  return result.value;
}

function refuse(value: unknown): readonly InputProblem[] {
  const result = readPrd({ text: JSON.stringify(value), file: "prd.json" });
  if (result.ok) throw new Error("it was read, a refusal was expected");
  return result.failure;
}
