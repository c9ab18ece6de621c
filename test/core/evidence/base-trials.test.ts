import { describe, expect, it } from "vitest";
import { baseTrialFindings, nextBaseTrial, type TriedGate } from "../../../src/core/evidence/base-trials.ts";
import type { BaseVersion } from "../../../src/core/evidence/base-versions.ts";
import type { GateResult, GateTrial, GateTrialResult } from "../../../src/core/gate-result.ts";
import { limits } from "../../../src/core/limits.ts";
import { makeCandidate, makeGate, makeTests } from "../../support/run-parts.ts";
import { failing, passing, unnamed } from "../tell.ts";

const test: BaseVersion = { path: "a.test.ts", kind: "test", isInBase: true };
const definition: BaseVersion = { path: "package.json", kind: "gate definition", isInBase: true };

const lint = makeGate("lint");
const unit = makeGate("unit", passing);
const whole = makeGate("whole", passing);

function trial(of: GateTrial, gate: string, over: Partial<GateResult> = {}): GateTrialResult {
  return { trial: of, result: makeGate(gate, over) };
}

describe("with the base's version of what a candidate changed", () => {
  /** All trials in their order, each of which passes. */
  const trials = (baseVersions: readonly BaseVersion[], gates: readonly GateResult[]): readonly string[] => {
    const done: GateTrialResult[] = [];
    const candidate = makeCandidate("a/1", { baseVersions });
    for (;;) {
      const next = nextBaseTrial({ candidate, gates, trials: done });
      if (next === null) return done.map((each) => `${each.trial} ${each.result.gate}`);
      done.push(trial(next.trial, next.gate));
    }
  };

  it.each<[string, readonly BaseVersion[], readonly GateResult[], readonly string[]]>([
    ["nothing runs when it changed none of it", [], [lint, unit], []],
    [
      "the gates that report tests run with the tests",
      [test],
      [lint, unit, whole],
      ["base tests unit", "base tests whole"],
    ],
    [
      "all gates run with the tests where none reports any",
      [test],
      [lint, makeGate("types")],
      ["base tests lint", "base tests types"],
    ],
    [
      "all gates run with the definitions",
      [definition],
      [lint, unit],
      ["base definitions lint", "base definitions unit"],
    ],
    [
      "first the tests, then the definitions",
      [definition, test],
      [lint, unit],
      ["base tests unit", "base definitions lint", "base definitions unit"],
    ],
    ["nothing runs where there are no gates", [test, definition], [], []],
  ])("%s, each gate once", (_what, versions, gates, expected) => {
    expect(trials(versions, gates)).toEqual(expected);
  });
});

function found(tried: TriedGate, ...trials: readonly GateTrialResult[]): readonly string[] {
  return baseTrialFindings({ baseVersions: [test], tried: [tried], trials }).map(
    ({ effect, text }) => `${effect}: ${text}`,
  );
}

const passes: TriedGate = { result: unit, excusable: [], ranBefore: null };

describe("the base's version of changed tests", () => {
  const red = `justify: with the base's version of the changed tests, gate "unit" is red`;

  it("is a finding for each test of it that fails, which somebody has to justify", () => {
    const trials = [trial("base tests", "unit", failing("adds", "divides"))];
    const finding = {
      kind: "base-test-fails",
      effect: "justify",
      severity: "major",
      file: null,
      line: null,
    };
    expect(baseTrialFindings({ baseVersions: [test], tried: [passes], trials })).toEqual([
      { ...finding, id: "b1", text: "the base's version of a changed test fails: adds" },
      { ...finding, id: "b2", text: "the base's version of a changed test fails: divides" },
    ]);
  });

  it("is told with the file of the test where its name begins with it", () => {
    const names = ["a.test.ts > adds", "a.test.ts::TestA::adds", "a.test.tsx > adds", "b.test.ts > adds"];
    const trials = [trial("base tests", "unit", failing(...names))];
    const found = baseTrialFindings({ baseVersions: [definition, test], tried: [passes], trials });
    expect(found.map(({ file, text }) => [file, text.slice(text.indexOf(": ") + 2)]).sort()).toEqual(
      [
        ["a.test.ts", names[0]],
        ["a.test.ts", names[1]],
        [null, names[2]],
        [null, names[3]],
      ].sort(),
    );
  });

  it.each<[string, TriedGate, Partial<GateResult>, readonly string[]]>([
    ["nothing when it passes", passes, passing, []],
    [
      "nothing for tests that fail on the head",
      { result: unit, excusable: ["adds"], ranBefore: null },
      failing("adds"),
      [],
    ],
    [
      "the tests that do not fail on the head",
      { result: makeGate("unit", failing("adds")), excusable: ["adds"], ranBefore: null },
      failing("adds", "divides"),
      ["justify: the base's version of a changed test fails: divides"],
    ],
    [
      "a test that was only flaky on the candidate",
      { result: makeGate("unit", failing("adds")), excusable: [], ranBefore: null },
      failing("adds"),
      ["justify: the base's version of a changed test fails: adds"],
    ],
    ["the gate when it cannot name what fails", passes, unnamed, [red]],
    ["the gate when it cannot start", passes, { outcome: "cannot start", exitCode: null }, [red]],
    [
      "nothing when the gate is as red on the candidate itself",
      { result: makeGate("unit", unnamed), excusable: [], ranBefore: null },
      unnamed,
      [],
    ],
    [
      "the gate when it cannot name what fails, though tests of it are excused",
      { result: makeGate("unit", failing("adds")), excusable: ["adds"], ranBefore: null },
      unnamed,
      [red],
    ],
    [
      "the gate when it is red in another way than on the candidate itself",
      { result: makeGate("unit", unnamed), excusable: [], ranBefore: null },
      { outcome: "timed out", exitCode: null, tests: makeTests(3) },
      [red],
    ],
  ])("says %s", (_what, tried, over, expected) => {
    expect(found(tried, trial("base tests", "unit", over))).toEqual(expected);
  });
});

describe("the base's version of what gates depend on", () => {
  const red = `hold: with the base's version of what gate "unit" depends on, it is red`;

  it("is one finding for a gate that is red with it, on which the builder decides", () => {
    const trials = [trial("base definitions", "unit", failing("adds", "divides"))];
    expect(baseTrialFindings({ baseVersions: [test], tried: [passes], trials })).toEqual([
      {
        id: "b1",
        kind: "base-definition-fails",
        effect: "hold",
        severity: "critical",
        file: null,
        line: null,
        text: `with the base's version of what gate "unit" depends on, it is red: "adds", "divides"`,
      },
    ]);
  });

  it.each<[string, TriedGate, Partial<GateResult>, readonly string[]]>([
    ["nothing when it passes", passes, passing, []],
    [
      "nothing for tests that fail on the head",
      { result: unit, excusable: ["adds"], ranBefore: null },
      failing("adds"),
      [],
    ],
    ["the gate when it is red without names", passes, unnamed, [red]],
    ["the gate when it did not end", passes, { outcome: "timed out", exitCode: null }, [red]],
    [
      "the gate when it is red without names, though tests of it are excused",
      { result: makeGate("unit", failing("adds")), excusable: ["adds"], ranBefore: null },
      unnamed,
      [red],
    ],
    [
      "nothing when the gate is as red on the candidate itself",
      { result: makeGate("unit", unnamed), excusable: [], ranBefore: null },
      unnamed,
      [],
    ],
  ])("says %s", (_what, tried, over, expected) => {
    expect(found(tried, trial("base definitions", "unit", over))).toEqual(expected);
  });
});

describe("the findings of all trials", () => {
  it("are numbered through, the strongest first, and leave out second runs and gates that are no longer asked", () => {
    const trials = [
      trial("again", "unit", failing("adds")),
      trial("base tests", "unit", failing("adds")),
      trial("base tests", "gone", failing("adds")),
      trial("base definitions", "unit", unnamed),
    ];
    const findings = baseTrialFindings({ baseVersions: [test], tried: [passes], trials });
    expect(findings.map(({ id, effect }) => [id, effect])).toEqual([
      ["b1", "hold"],
      ["b2", "justify"],
    ]);
  });

  it("are bounded (I11)", () => {
    const names = Array.from({ length: limits.findingsKept + 1 }, (_, index) => `test ${index}`);
    const findings = baseTrialFindings({
      baseVersions: [test],
      tried: [passes],
      trials: [trial("base tests", "unit", { outcome: "failed", tests: makeTests(0, names) })],
    });
    expect(findings).toHaveLength(limits.findingsKept);
  });
});

describe("a candidate with which fewer tests run than before", () => {
  const found = (result: GateResult, ranBefore: number | null) =>
    baseTrialFindings({ baseVersions: [test], tried: [{ result, excusable: [], ranBefore }], trials: [] });

  it("has to be justified, also when its gate no longer reports any test", () => {
    expect(found(makeGate("unit", { tests: makeTests(18) }), 20)).toMatchObject([
      { kind: "fewer-tests", effect: "justify", text: 'gate "unit" ran 18 tests, and 20 before this change' },
    ]);
    expect(found(makeGate("unit"), 20)).toMatchObject([{ text: expect.stringContaining("ran no tests") }]);
  });

  it("is none where as many run, or more, or nobody counted before", () => {
    expect(found(unit, 20)).toEqual([]);
    expect(found(unit, 19)).toEqual([]);
    expect(found(makeGate("unit"), null)).toEqual([]);
  });
});
