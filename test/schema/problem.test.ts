// How a problem is shown: bounded, escaped, on one line, with the name that was meant.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { describeProblem, nearest, ProblemList, toExcerpt, toPath } from "../../src/schema/problem.ts";

describe("the path of a problem", () => {
  test.each([
    [[], ""],
    [["userStories", 3, "acceptanceCriteria"], "userStories[3].acceptanceCriteria"],
    [["agents", "my-agent", "timeoutMs"], "agents.my-agent.timeoutMs"],
    [["agents", "a b"], 'agents["a b"]'],
    [["a\u001b[2J"], '["a\\u001b[2J"]'],
    [["$schema"], "$schema"],
  ])("%j is written %s", (parts, path) => {
    expect(toPath(parts)).toBe(path);
  });

  test("a key of thousands of characters is cut", () => {
    expect(toPath(["agents", "x".repeat(10_000)]).length).toBeLessThan(250);
  });
});

describe("the excerpt of a value", () => {
  test.each([
    [undefined, ""],
    [null, "null"],
    [5, "5"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    ["a\nb", '"a\\nb"'],
    [["a", { b: [] }], '["a",{"b":[]}]'],
    ["\u202Etxt.\u009B", '"\\u202etxt.\\u009b"'],
    ["\uD800", '"\\ud800"'],
  ])("%j is shown as %s", (value, excerpt) => {
    expect(toExcerpt(value)).toBe(excerpt);
  });

  test("it is one line of at most 200 characters whatever the value", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const excerpt = toExcerpt(value);
        expect(excerpt.length).toBeLessThanOrEqual(200);
        expect(excerpt).not.toMatch(/\p{Cc}|\p{Surrogate}/u);
      }),
    );
  });

  test("a value of millions of parts is cut before it is written out", () => {
    const huge = Array.from({ length: 2_000_000 }, () => ["x".repeat(10)]);
    expect(toExcerpt(huge)).toHaveLength(200);
    expect(toExcerpt("😀".repeat(1_000_000))).toMatch(/😀…$/u);
  });
});

describe("the nearest name", () => {
  const known = ["dependsOn", "filesToRead", "gates", "status", "title"];
  test.each([
    ["dependOn", "dependsOn"],
    ["DEPENDSON", "dependsOn"],
    ["gaets", "gates"],
    ["stauts", "status"],
    ["file_to_read", "filesToRead"],
    ["tests", null],
    ["area", null],
    ["", null],
    ["x".repeat(5_000), null],
  ])("of %s is %s", (name, wanted) => {
    expect(nearest(name, known)).toBe(wanted);
  });

  test("of a known name is that name", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,20}$/), { minLength: 1 }), (names) => {
        expect(nearest(names[0] ?? "", names)).toBe(names[0]);
      }),
    );
  });
});

test("a problem is described in one line with place, expectation, finding and hint", () => {
  const problem = { file: "prd.json", path: "tasks[0].id", value: "5", expected: "an id", hint: "quote it" };
  expect(describeProblem(problem)).toBe("prd.json: tasks[0].id: expected an id, found 5 (quote it)");
  const missing = { file: "prd.json", path: "", value: "", expected: "an object", hint: "" };
  expect(describeProblem(missing)).toBe("prd.json: expected an object");
});

test("a list of problems keeps the first ones and counts the rest", () => {
  const problems = new ProblemList("a.json");
  let made = 0;
  const toProblem = () => {
    made += 1;
    return { value: 1, expected: "x" };
  };
  for (let index = 0; index < limits.inputProblems + 5; index += 1) problems.add([index], toProblem);
  expect(made).toBe(limits.inputProblems);
  expect(problems.all()).toHaveLength(limits.inputProblems + 1);
  expect(problems.all().at(-1)?.expected).toContain("there are 5 more");
});

test("the nearest name is one within the allowed number of edits", () => {
  const name = fc.stringMatching(/^[ab]{3,9}$/);
  fc.assert(
    fc.property(name, fc.array(name), (wanted, known) => {
      const allowed = Math.min(3, Math.floor(wanted.length / 3));
      const least = Math.min(...known.map((other) => plainDistance(wanted, other)));
      const found = nearest(wanted, known);
      expect(found === null ? least > allowed : plainDistance(wanted, found) === least).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

/** By the book (optimal string alignment), without any shortcut. */
function plainDistance(from: string, to: string): number {
  if (from === "" || to === "") return from.length + to.length;
  const [a, b] = [from.slice(0, -1), to.slice(0, -1)];
  const isSwap = from.length > 1 && to.length > 1 && from.at(-1) === to.at(-2) && from.at(-2) === to.at(-1);
  const key = `${from} ${to}`;
  const known = distances.get(key);
  if (known !== undefined) return known;
  const distance = Math.min(
    plainDistance(a, b) + (from.at(-1) === to.at(-1) ? 0 : 1),
    plainDistance(a, to) + 1,
    plainDistance(from, b) + 1,
    isSwap ? plainDistance(a.slice(0, -1), b.slice(0, -1)) + 1 : Number.POSITIVE_INFINITY,
  );
  distances.set(key, distance);
  return distance;
}

const distances = new Map<string, number>();
