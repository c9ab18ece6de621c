// What the base's version of changed tests and gate definitions says of a candidate, as findings (contract 7).

import type { Candidate } from "../event.ts";
import type { GateResult, GateTrialResult } from "../gate-result.ts";
import { failuresOf, hasNamedFailures, testsRun } from "../gates.ts";
import type { BaseVersion } from "./base-versions.ts";
import { type EvidenceFinding, listed, type Observation, toFindings } from "./finding.ts";

/** One gate, its result on the candidate as it is, and its tests that may fail (excused, or accepted by the builder). */
export interface TriedGate {
  readonly result: GateResult;
  readonly excusable: readonly string[];
  /** How many of its tests ran on the head before; null: not known. */
  readonly ranBefore: number | null;
}

/** The trial with versions of the base that a candidate needs next; null when every gate had its own. */
export function nextBaseTrial(at: {
  readonly candidate: Candidate;
  readonly gates: readonly GateResult[];
  readonly trials: readonly GateTrialResult[];
}): { readonly gate: string; readonly trial: "base tests" | "base definitions" } | null {
  for (const [kind, trial] of trialOfKind) {
    if (!at.candidate.baseVersions.some((version) => version.kind === kind)) continue;
    const gate = gatesOfTrial(kind, at.gates).find(
      ({ gate: name }) => !at.trials.some((done) => done.trial === trial && done.result.gate === name),
    );
    if (gate !== undefined) return { gate: gate.gate, trial };
  }
  return null;
}

const trialOfKind = [
  ["test", "base tests"],
  ["gate definition", "base definitions"],
] as const;

/** Tests are run by the gates that report tests; where none does, any gate may be the one. */
function gatesOfTrial(kind: BaseVersion["kind"], gates: readonly GateResult[]): readonly GateResult[] {
  const reporting = gates.filter(({ tests }) => tests !== null);
  return kind === "test" && reporting.length > 0 ? reporting : gates;
}

/** A finding for each test of the base that fails, and for each gate that is red with its definition of the base. */
export function baseTrialFindings(at: {
  readonly tried: readonly TriedGate[];
  readonly trials: readonly GateTrialResult[];
  readonly baseVersions: readonly BaseVersion[];
}): readonly EvidenceFinding[] {
  const paths = at.baseVersions.flatMap(({ kind, path }) => (kind === "test" ? [path] : []));
  const fewer = at.tried.flatMap(observeFewer);
  const observations = at.trials.flatMap(({ trial, result }): readonly Observation[] => {
    const tried = at.tried.find((gate) => gate.result.gate === result.gate);
    if (tried === undefined || result.outcome === "passed") return [];
    if (trial === "base tests") return observeTests(result, tried, paths);
    return trial === "base definitions" ? observeDefinition(result, tried) : [];
  });
  return toFindings([...fewer, ...observations], "b");
}

/** A test that no longer runs fails no more, whatever kept it from running. */
function observeFewer({ result, ranBefore }: TriedGate): readonly Observation[] {
  const ran = testsRun(result);
  if (ranBefore === null || (ran ?? 0) >= ranBefore) return [];
  const text = `gate "${result.gate}" ran ${ran ?? "no"} tests, and ${ranBefore} before this change`;
  return [{ kind: "fewer-tests", file: null, line: null, text }];
}

function observeTests(
  result: GateResult,
  { result: own, excusable }: TriedGate,
  paths: readonly string[],
): readonly Observation[] {
  const place = { kind: "base-test-fails", file: null, line: null } as const;
  if (!hasNamedFailures(result)) {
    if (isAsRed(own, result)) return [];
    return [{ ...place, text: `with the base's version of the changed tests, gate "${result.gate}" is red` }];
  }
  return newlyFailing(result, excusable).map((name) => ({
    ...place,
    file: paths.find((path) => isOfFile(name, path)) ?? null,
    text: `the base's version of a changed test fails: ${name}`,
  }));
}

/** Names of tests begin with their file where the report tells it. */
function isOfFile(name: string, path: string): boolean {
  return name === path || (name.startsWith(path) && /^(?: > |::)/.test(name.slice(path.length)));
}

function observeDefinition(
  result: GateResult,
  { result: own, excusable }: TriedGate,
): readonly Observation[] {
  const failing = hasNamedFailures(result) ? newlyFailing(result, excusable) : [];
  const isKnown = hasNamedFailures(result) ? failing.length === 0 : isAsRed(own, result);
  if (isKnown) return [];
  const names = failing.length === 0 ? "" : `: ${listed(failing)}`;
  const text = `with the base's version of what gate "${result.gate}" depends on, it is red${names}`;
  return [{ kind: "base-definition-fails", file: null, line: null, text }];
}

/** A test that was flaky on the candidate is not among those that may fail: its version of the base is looked at. */
function newlyFailing(result: GateResult, excusable: readonly string[]): readonly string[] {
  return failuresOf(result).filter((name) => !excusable.includes(name));
}

/** Whether the builder accepted a gate that is red in this way; one that names its failures is excused by name only. */
function isAsRed(own: GateResult, result: GateResult): boolean {
  return own.outcome === result.outcome && !hasNamedFailures(own);
}
