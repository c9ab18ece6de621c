import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  attemptRef,
  dispatchId,
  followUpId,
  isSha,
  isSlug,
  type RunId,
  shortSha,
  taskIdProblem,
  toSlug,
} from "../../src/core/ids.ts";
import { taskId } from "../support/run-parts.ts";

const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0x24f }), fc.integer({ min: 0, max: 0x10ffff })), {
    maxLength: 150,
  })
  .map((codes) => String.fromCodePoint(...codes));

describe("a task's id", () => {
  it.each(["a", "1", "task-1", "US-001", "a.b_c-d", "A".repeat(100), "console", "com", "lock"])(
    "may be %s",
    (id) => expect(taskIdProblem(id)).toBeNull(),
  );

  const form = "1 to 100 of A-Z a-z 0-9 . _ -, starting with a letter or digit";
  const device = "no reserved device name such as CON, NUL or COM1";
  it.each([
    ["", form],
    ["-a", form],
    [".a", form],
    ["a/b", form],
    ["a b", form],
    ["a\n", form],
    ["ä", form],
    ["A".repeat(101), form],
    ["a..b", "no two dots in a row"],
    ["a.", "no '.' or '.lock' at the end"],
    ["a.lock", "no '.' or '.lock' at the end"],
    ["a.LOCK", "no '.' or '.lock' at the end"],
    ["nul", device],
    ["COM1", device],
    ["con.txt", device],
  ])("cannot be %j", (id, problem) => expect(taskIdProblem(id)).toBe(problem));

  test("that is accepted stays inside its folder and is a valid part of a git ref", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."aZ0._-/\\ ~^:?*[@{\n"), maxLength: 8 }), (id) => {
        fc.pre(taskIdProblem(id) === null);
        expect(id).toMatch(/^[\w.-]+$/);
        expect(id).not.toMatch(/\.\.|^[.-]|\.$|\.lock$/);
      }),
    );
  });

  test("of a follow-up is one that a plan could have given", () => {
    expect(followUpId(2, 3)).toBe("follow-up-2-3");
    expect(taskIdProblem(followUpId(12, 345))).toBeNull();
  });
});

describe("a slug", () => {
  it.each([
    ["Feature X", "feature-x"],
    ["  Größe & Crème brûlée! ", "gro-e-creme-brulee"],
    ["İstanbul", "istanbul"],
    ["../../etc/passwd", "etc-passwd"],
    ["日本語", ""],
    [`${"a".repeat(99)} b`, "a".repeat(99)],
  ])("of %j is %j", (text, slug) => expect(toSlug(text)).toBe(slug));

  test("is kebab-case or empty, at most 100 characters, and its own slug", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const slug = toSlug(text);
        expect(slug).toMatch(/^([a-z0-9]+(-[a-z0-9]+)*)?$/);
        expect(slug.length).toBeLessThanOrEqual(100);
        expect(toSlug(slug)).toBe(slug);
      }),
    );
  });

  it.each([
    ["feature-x", true],
    ["Feature.X", true],
    ["", false],
    ["-x", false],
    ["a..b", false],
    ["nul", false],
    ["a/b", false],
  ])("can %j be a run folder's name: %j", (text, can) => expect(isSlug(text)).toBe(can));
});

describe("a sha", () => {
  it.each([
    ["a".repeat(40), true],
    ["0".repeat(64), true],
    ["a".repeat(39), false],
    ["a".repeat(41), false],
    ["A".repeat(40), false],
    ["HEAD", false],
  ])("is %s: %j", (text, is) => expect(isSha(text)).toBe(is));

  it("is shown by its first seven digits", () => expect(shortSha("0123456789")).toBe("0123456"));
});

it("counts dispatches and keeps an attempt's commits below its run, task and number", () => {
  expect(dispatchId(7)).toBe("d7");
  const at = {
    runId: "20260131T090000Z-3fa9c1" as RunId,
    taskId: taskId("a"),
    attempt: 2,
    name: "candidate",
  };
  expect(attemptRef(at)).toBe("refs/execute-prd/20260131T090000Z-3fa9c1/a/2/candidate");
});
