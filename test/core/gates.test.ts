import { describe, expect, it } from "vitest";
import type { GateJudgement, GateResult, TestCounts } from "../../src/core/gate-result.ts";
import {
  deservesSecondRun,
  failingTwice,
  hasNamedFailures,
  judgeGate,
  knownFailing,
  knownRun,
  lookAtBase,
  moveBaseline,
  needsLookAtHead,
  redFailure,
  testsRun,
} from "../../src/core/gates.ts";
import { limits } from "../../src/core/limits.ts";
import type { BaselineRecord, KnownFailing } from "../../src/core/state.ts";
import { makeGate, makeTests, shaOf } from "../support/run-parts.ts";
import { failing, passing, unnamed } from "./tell.ts";

const base = shaOf("base");
const head = shaOf("head");

function tests(over: Partial<GateResult>): GateResult {
  return makeGate("tests", over);
}

const passed = tests(passing);
const timedOut = tests({ outcome: "timed out", exitCode: null });
const cannotStart = tests({ outcome: "cannot start", exitCode: null });

describe("a gate names its failures", () => {
  const counts: TestCounts = makeTests(19, ["x"]);
  it.each<[string, Partial<GateResult>, boolean]>([
    ["when it failed by tests that all have a name", { outcome: "failed", tests: counts }, true],
    ["not when it passed", { outcome: "passed", tests: makeTests(20) }, false],
    [
      "not when it did not end in time, whatever its report says",
      { outcome: "timed out", tests: counts },
      false,
    ],
    ["not when it has no report", { outcome: "failed", tests: null }, false],
    [
      "not when some failing tests have no name",
      { outcome: "failed", tests: { ...counts, isNamed: false } },
      false,
    ],
    ["not when it is red without a failing test", { outcome: "failed", tests: makeTests(20) }, false],
  ])("%s", (_when, over, expected) => expect(hasNamedFailures(tests(over))).toBe(expected));
});

describe("what a gate's runs come to", () => {
  const judged = (
    first: GateResult,
    over: { again?: GateResult; excusable?: readonly string[]; acceptedAs?: GateResult["outcome"] } = {},
  ): Omit<GateJudgement, "gate"> => {
    const { again, excusable = [], acceptedAs = null } = over;
    const { gate, ...rest } = judgeGate({ first, again, excusable, acceptedAs });
    expect(gate).toBe("tests");
    return rest;
  };
  const none = { newFailures: [], excused: [], flaky: [] };

  it.each<[string, Parameters<typeof judged>, Partial<GateJudgement>]>([
    ["passed when it passed", [passed], { verdict: "passed" }],
    ["failed when it cannot name what failed", [tests(unnamed)], { verdict: "failed" }],
    ["failed when it did not end", [timedOut], { verdict: "failed" }],
    ["failed when it could not start", [cannotStart], { verdict: "failed" }],
    [
      "excused when every failing test fails on the head too",
      [tests(failing("x", "y")), { excusable: ["x", "y", "z"] }],
      { verdict: "excused", excused: ["x", "y"] },
    ],
    [
      "failed by the test that fails twice and not on the head",
      [tests(failing("new", "x")), { excusable: ["x"], again: tests(failing("new", "x")) }],
      { verdict: "failed", newFailures: ["new"], excused: ["x"] },
    ],
    [
      "flaky when it passes in the second run",
      [tests(failing("x")), { again: passed }],
      { verdict: "flaky", flaky: ["x"] },
    ],
    [
      "excused, with what was flaky, when only known failures are left in the second run",
      [tests(failing("new", "x")), { excusable: ["x"], again: tests(failing("x")) }],
      { verdict: "excused", excused: ["x"], flaky: ["new"] },
    ],
    [
      "failed when each run is red by other tests: it was never seen without one that counts",
      [tests(failing("at 09:00")), { again: tests(failing("at 09:01")) }],
      { verdict: "failed", newFailures: ["at 09:01"], flaky: ["at 09:00"] },
    ],
    [
      "failed when the second run does not name what failed, whatever is excused",
      [tests(failing("new", "x")), { excusable: ["x"], again: tests(unnamed) }],
      { verdict: "failed", newFailures: ["new"], excused: ["x"] },
    ],
    [
      "failed when the second run names nothing though every failure of the first is excused",
      [tests(failing("x")), { excusable: ["x"], again: tests(unnamed) }],
      { verdict: "failed", excused: ["x"] },
    ],
    [
      "failed when the second run does not end",
      [tests(failing("new")), { again: timedOut }],
      { verdict: "failed", newFailures: ["new"] },
    ],
    [
      "accepted when it ends as the builder accepted it",
      [tests(unnamed), { acceptedAs: "failed" }],
      { verdict: "accepted" },
    ],
    [
      "passed, not accepted, when it passes though accepted as red",
      [passed, { acceptedAs: "failed" }],
      { verdict: "passed" },
    ],
    [
      "failed when it cannot even start and was accepted as failing",
      [cannotStart, { acceptedAs: "failed" }],
      { verdict: "failed" },
    ],
    [
      "accepted when it cannot start and was accepted so",
      [cannotStart, { acceptedAs: "cannot start" }],
      { verdict: "accepted" },
    ],
  ])("is %s", (_what, at, expected) => expect(judged(...at)).toEqual({ ...none, ...expected }));

  it.each<[string, GateResult, readonly string[], boolean]>([
    ["a new failure is", tests(failing("new", "x")), ["x"], true],
    ["known failures alone are not", tests(failing("x")), ["x", "y"], false],
    ["a gate that cannot name its failures is not", tests(unnamed), [], false],
    ["a gate that passed is not", passed, [], false],
  ])("%s worth a second run", (_what, result, excusable, expected) => {
    expect(deservesSecondRun(result, excusable)).toBe(expected);
  });

  it.each<[string, GateResult, GateResult | undefined, readonly string[]]>([
    ["those of the one run", tests(failing("x", "y")), undefined, ["x", "y"]],
    ["those in both runs", tests(failing("x", "y")), tests(failing("y", "z")), ["y"]],
    ["none after a run that passed", tests(failing("x")), passed, []],
    ["none after a run that names none", tests(failing("x")), tests(unnamed), []],
    ["none of a gate that names none", tests(unnamed), undefined, []],
  ])("fail for certain %s", (_what, first, again, expected) => {
    expect(failingTwice(first, again)).toEqual(expected);
  });
});

it("sends a candidate back with its red gates and the new failures, as many as a sentence takes", () => {
  const many = Array.from({ length: limits.namesInSentence + 5 }, (_, index) => `test ${index}`);
  const gate = { gate: "tests", verdict: "failed", newFailures: many, excused: ["x"], flaky: [] } as const;
  const other = { ...gate, gate: "types", newFailures: ["one more"] };
  expect(redFailure({ red: ["tests", "types"], gates: [gate, other] })).toEqual({
    reason: "gates-red",
    gates: ["tests", "types"],
    tests: many.slice(0, limits.namesInSentence),
  });
  expect(redFailure({ red: ["types"], gates: [other] })).toMatchObject({ tests: ["one more"] });
});

describe("what is known to fail", () => {
  const baseline = (failingOn: readonly KnownFailing[]): BaselineRecord => ({
    results: [],
    again: [],
    failing: failingOn,
    dropped: [],
    accepted: [],
  });
  const known = baseline([{ gate: "tests", commit: base, tests: ["x", "y", "z"], ran: 20 }]);

  it("goes with how many tests ran there, without skipped ones", () => {
    expect(knownRun(known, "tests", base)).toBe(20);
    expect(knownRun(known, "tests", head)).toBeNull();
    expect(testsRun(tests({ tests: { ...makeTests(18), skipped: 2 } }))).toBe(18);
    expect(testsRun(makeGate("lint"))).toBeNull();
    const moved = moveBaseline(known, { commit: head, gates: [tests({ tests: makeTests(7) })], again: [] });
    expect(knownRun(moved, "tests", head)).toBe(7);
  });

  it("is known of the commit that was looked at and of no other", () => {
    expect(knownFailing(known, "tests", base)).toEqual(["x", "y", "z"]);
    expect(knownFailing(known, "tests", head)).toBeNull();
    expect(knownFailing(known, "lint", base)).toBeNull();
  });

  it.each<[string, BaselineRecord, GateResult, boolean]>([
    ["has to be looked at when a test fails that failed earlier", known, tests(failing("new", "y")), true],
    ["has not when none of the failing tests failed earlier", known, tests(failing("new")), false],
    ["has not when nothing failed", known, passed, false],
    ["has not when what failed has no names", known, tests(unnamed), false],
    ["has not for a gate that nobody looked at", baseline([]), tests(failing("y")), false],
  ])("on a new head %s", (_what, record, result, expected) => {
    expect(needsLookAtHead(record, result, head)).toBe(expected);
    expect(needsLookAtHead(record, result, base)).toBe(false);
  });

  it.each<[string, readonly GateResult[], readonly GateResult[], KnownFailing]>([
    [
      "only shrinks: what was repaired is not excused any more, and what is new never is",
      [tests(failing("new", "x", "z"))],
      [],
      { gate: "tests", commit: head, tests: ["x", "z"], ran: 20 },
    ],
    ["is nothing after a run that passed", [passed], [], { gate: "tests", commit: head, tests: [], ran: 20 }],
    [
      "is what fails in both runs",
      [tests(failing("x", "y"))],
      [tests(failing("y"))],
      { gate: "tests", commit: head, tests: ["y"], ran: 20 },
    ],
    [
      "is nothing when the gate could not name it",
      [tests(unnamed)],
      [],
      { gate: "tests", commit: head, tests: [], ran: 20 },
    ],
    [
      "stays known of the earlier commit where the gate did not run",
      [makeGate("lint")],
      [makeGate("lint", failing("l"))],
      { gate: "tests", commit: base, tests: ["x", "y", "z"], ran: 20 },
    ],
  ])("with an integration %s", (_what, gates, again, expected) => {
    expect(moveBaseline(known, { commit: head, gates, again }).failing).toEqual([expected]);
  });

  it("is set by the first look at a gate, and only taken away from by later ones", () => {
    const first = lookAtBase(baseline([]), {
      commit: base,
      first: tests(failing("x", "y")),
      again: undefined,
    });
    expect(first).toEqual([{ gate: "tests", commit: base, tests: ["x", "y"], ran: 20 }]);
    const later = lookAtBase(baseline([{ gate: "lint", commit: base, tests: ["l"], ran: 20 }, ...first]), {
      commit: head,
      first: tests(failing("y", "z")),
      again: undefined,
    });
    expect(later).toEqual([
      { gate: "lint", commit: base, tests: ["l"], ran: 20 },
      { gate: "tests", commit: head, tests: ["y"], ran: 20 },
    ]);
  });
});
