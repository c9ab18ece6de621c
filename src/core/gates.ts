// What gate results say of a candidate. A gate passes when it exits 0, or when it names its failing tests and
// each of them fails on the head that the candidate stands on as well. That baseline moves with every integration
// and only shrinks. What cannot name its failures is believed the first time and never excused.

import type { GatesJudged } from "./event.ts";
import type { Failure } from "./failure.ts";
import type { GateJudgement, GateResult } from "./gate-result.ts";
import type { Sha } from "./ids.ts";
import { limits } from "./limits.ts";
import type { BaselineRecord, KnownFailing } from "./state.ts";

/** Whether the gate is red by tests, every one of them named. */
export function hasNamedFailures(result: GateResult): boolean {
  return result.outcome === "failed" && failuresOf(result).length > 0 && result.tests?.isNamed === true;
}

/** Names of the failing tests, as far as the gate's report gives them. */
export function failuresOf({ tests }: GateResult): readonly string[] {
  return tests?.failures ?? [];
}

/** Tests that every run of the gate names as failing: a run that names none proves none. */
export function failingTwice(first: GateResult, again: GateResult | undefined): readonly string[] {
  const runs = again === undefined ? [first] : [first, again];
  if (!runs.every(hasNamedFailures)) return [];
  return failuresOf(first).filter((name) => runs.every((run) => failuresOf(run).includes(name)));
}

/**
 * Tests that count as failing. The second run decides: a gate that is red twice, each time by other tests, was never
 * seen without a failure that counts, and is not called flaky. One that names nothing leaves the first as it is.
 */
function countedFailures(first: GateResult, again: GateResult | undefined): readonly string[] {
  if (again?.outcome === "passed") return [];
  return failuresOf(again === undefined || !hasNamedFailures(again) ? first : again);
}

/** Tests of a gate that are known to fail on a commit; null when nobody looked at that commit. */
export function knownFailing(baseline: BaselineRecord, gate: string, commit: Sha): readonly string[] | null {
  const known = baseline.failing.find((record) => record.gate === gate);
  return known?.commit === commit ? known.tests : null;
}

/** How many tests ran on a commit of the branch; null when nobody counted there. */
export function knownRun(baseline: BaselineRecord, gate: string, commit: Sha): number | null {
  const known = baseline.failing.find((record) => record.gate === gate);
  return known?.commit === commit ? known.ran : null;
}

/** Tests that ran: without those that were skipped. */
export function testsRun({ tests }: GateResult): number | null {
  return tests === null ? null : tests.passed + tests.failed;
}

/** Whether tests failed that may be excused, but were seen failing on an earlier commit only. */
export function needsLookAtHead(baseline: BaselineRecord, result: GateResult, head: Sha): boolean {
  const known = baseline.failing.find(({ gate }) => gate === result.gate);
  if (known === undefined || known.commit === head || !hasNamedFailures(result)) return false;
  return known.tests.some((name) => failuresOf(result).includes(name));
}

/** Whether a second run can change anything: named tests fail that are not excused. */
export function deservesSecondRun(result: GateResult, excusable: readonly string[]): boolean {
  return hasNamedFailures(result) && failuresOf(result).some((name) => !excusable.includes(name));
}

/** What the first and the second run of a gate come to. */
export function judgeGate(at: {
  readonly first: GateResult;
  readonly again: GateResult | undefined;
  readonly excusable: readonly string[];
  /** The builder accepted it as red on the base, where it ended in this way. */
  readonly acceptedAs: GateResult["outcome"] | null;
}): GateJudgement {
  const { first, again, excusable, acceptedAs } = at;
  const judged = { gate: first.gate, newFailures: [], excused: [], flaky: [] };
  if (first.outcome === "passed") return { ...judged, verdict: "passed" };
  if (first.outcome === acceptedAs) return { ...judged, verdict: "accepted" };
  if (!hasNamedFailures(first)) return { ...judged, verdict: "failed" };
  const failing = countedFailures(first, again);
  const excused = failing.filter((name) => excusable.includes(name));
  const newFailures = failing.filter((name) => !excusable.includes(name));
  const flaky = failuresOf(first).filter((name) => !failing.includes(name));
  const isRed = newFailures.length > 0 || isWorse(again);
  const verdict = isRed ? "failed" : excused.length > 0 ? "excused" : "flaky";
  return { gate: first.gate, verdict, newFailures, excused, flaky };
}

/** A second run that neither passed nor named what failed is no excuse for the first. */
function isWorse(again: GateResult | undefined): boolean {
  return again !== undefined && again.outcome !== "passed" && !hasNamedFailures(again);
}

/** Why a candidate goes back: its red gates, and the tests that are new among the failing ones. */
export function redFailure(judged: Pick<GatesJudged, "red" | "gates">): Failure {
  const tests = judged.gates.flatMap(({ newFailures }) => newFailures).slice(0, limits.namesInSentence);
  return { reason: "gates-red", gates: judged.red, tests };
}

/** What is known to fail on a new head: of what was known before, and what still fails in the gates that ran there. */
export function moveBaseline(
  baseline: BaselineRecord,
  at: { readonly commit: Sha; readonly gates: readonly GateResult[]; readonly again: readonly GateResult[] },
): BaselineRecord {
  const failing = baseline.failing.map((known) => {
    const first = at.gates.find(({ gate }) => gate === known.gate);
    const again = at.again.find(({ gate }) => gate === known.gate);
    return first === undefined ? known : shrink(known, { commit: at.commit, first, again });
  });
  return { ...baseline, failing };
}

/** What a run on a commit of the branch says: the first one sets what is known to fail, later ones only take away. */
export function lookAtBase(
  baseline: BaselineRecord,
  at: { readonly commit: Sha; readonly first: GateResult; readonly again: GateResult | undefined },
): readonly KnownFailing[] {
  const { gate } = at.first;
  const known = baseline.failing.find((record) => record.gate === gate);
  if (known !== undefined) {
    return baseline.failing.map((record) => (record === known ? shrink(known, at) : record));
  }
  return [
    ...baseline.failing,
    { gate, commit: at.commit, tests: failingTwice(at.first, at.again), ran: testsRun(at.first) },
  ];
}

/** A gate that ends without naming what failed proves no single failure on this commit: nothing is excused any more. */
function shrink(
  known: KnownFailing,
  at: { readonly commit: Sha; readonly first: GateResult; readonly again: GateResult | undefined },
): KnownFailing {
  const { commit, first, again } = at;
  const failing = failingTwice(first, again);
  return {
    ...known,
    commit,
    tests: known.tests.filter((name) => failing.includes(name)),
    ran: testsRun(first),
  };
}
