// What happens next for a candidate on the head of the branch: findings that no review can allow, gates (once more
// where a test failed, and with the base's version of tests and gate definitions that it changed), what the builder
// has to allow, the review, integration.

import type { RunEvent } from "./event.ts";
import { baseTrialFindings, nextBaseTrial, type TriedGate } from "./evidence/base-trials.ts";
import { type EvidenceFinding, toWords } from "./evidence/finding.ts";
import type { Failure } from "./failure.ts";
import type { GateJudgement, GateResult, GateTrial } from "./gate-result.ts";
import {
  deservesSecondRun,
  failuresOf,
  judgeGate,
  knownFailing,
  knownRun,
  needsLookAtHead,
  redFailure,
} from "./gates.ts";
import { limits } from "./limits.ts";
import { endAttempt, gatesOf, holdOnTrouble, type Judged } from "./plan-judged.ts";
import { planReview, planVerification } from "./plan-review.ts";
import { type AttemptRecord, policyOf, type RunState } from "./state.ts";
import { laneFor } from "./task-index.ts";
import { troubleInARow } from "./verdict.ts";

export function planJudging(judged: Judged): RunEvent | null {
  const { state, record, attempt, candidate } = judged;
  const rejected = withEffect(candidate.findings, "reject");
  if (rejected.length > 0) {
    const failure: Failure = { reason: "evidence-rejected", problems: inWords(rejected) };
    return endAttempt(record, attempt, { kind: "rejected", failure });
  }
  if (attempt.red === null) return planGates(judged);
  if (attempt.red.length > 0) {
    const failure = redFailure({ red: attempt.red, gates: attempt.judgements });
    return endAttempt(record, attempt, { kind: "rejected", failure });
  }
  const held = planHeldEvidence(judged);
  if (held !== null) return held;
  const review = planReview(judged);
  if (review !== "approved") return review;
  const verification = planVerification(judged);
  if (verification !== "verified") return verification;
  // One at a time: when the other has ended, this candidate is put on the head that it made.
  if (isIntegrating(state)) return null;
  const at = { taskId: record.task.id, attempt: attempt.number } as const;
  return { kind: "integration-started", ...at, from: state.head, to: candidate.commit };
}

/** The next run of a gate; when none is left, what they all come to. */
function planGates(judged: Judged): RunEvent | null {
  const { state, record, attempt, candidate } = judged;
  const run = nextRun(judged);
  if (run === null) {
    const gates = judgements(judged);
    const red = gates.filter(({ verdict }) => verdict === "failed").map(({ gate }) => gate);
    const findings = baseTrialFindings({
      tried: triedGates(judged),
      trials: attempt.trials,
      baseVersions: candidate.baseVersions,
    });
    const at = { taskId: record.task.id, attempt: attempt.number } as const;
    return { kind: "gates-judged", ...at, commit: candidate.commit, red, gates, findings };
  }
  const trouble = troubleInARow(policyOf(state), record);
  if (trouble !== null) return holdOnTrouble(state, record, trouble);
  const lane = laneFor(state, record);
  if (run.trial === "at the head") {
    // What is known of the head is one thing for all tasks: it is looked at once.
    if (isLookingAtHead(state)) return null;
    const { gate } = run;
    return {
      kind: "gate-started",
      taskId: null,
      attempt: state.gateRuns + 1, // its log stands beside that of the base
      lane,
      gate,
      trial: "candidate",
      commit: state.head,
    };
  }
  const at = { taskId: record.task.id, attempt: attempt.number } as const;
  return { kind: "gate-started", ...at, lane, gate: run.gate, trial: run.trial, commit: candidate.commit };
}

interface Run {
  readonly gate: string;
  readonly trial: GateTrial | "at the head";
}

function nextRun(judged: Judged): Run | null {
  const { state, record, attempt, candidate } = judged;
  const wanted = gatesOf(state, record.task.gates);
  const first = wanted.find((name) => !attempt.gates.some(({ gate }) => gate === name));
  if (first !== undefined) return { gate: first, trial: "candidate" };
  const ran = [...attempt.gates, ...secondRuns(attempt)];
  const unknown = ran.find((result) => needsLookAtHead(state.baseline, result, candidate.base));
  if (unknown !== undefined) return { gate: unknown.gate, trial: "at the head" };
  const unsure = attempt.gates.find(
    (result) => deservesSecondRun(result, excusable(judged, result)) && againOf(judged, result) === undefined,
  );
  if (unsure !== undefined) return { gate: unsure.gate, trial: "again" };
  if (judgements(judged).some(({ verdict }) => verdict === "failed")) return null;
  return nextBaseTrial({ candidate, gates: attempt.gates, trials: attempt.trials });
}

function judgements(judged: Judged): readonly GateJudgement[] {
  return judged.attempt.gates.map((first) =>
    judgeGate({
      first,
      again: againOf(judged, first),
      excusable: excusable(judged, first),
      acceptedAs: acceptedAs(judged.state, first.gate),
    }),
  );
}

/** With versions of the base may fail what is excused, and what the builder accepted. */
function triedGates(judged: Judged): readonly TriedGate[] {
  return judged.attempt.gates.map((result) => {
    const isAccepted = acceptedAs(judged.state, result.gate) === result.outcome;
    const accepted = isAccepted ? failuresOf(result) : [];
    const ranBefore = knownRun(judged.state.baseline, result.gate, judged.candidate.base);
    return { result, excusable: [...excusable(judged, result), ...accepted], ranBefore };
  });
}

function excusable({ state, candidate }: Judged, { gate }: GateResult): readonly string[] {
  return knownFailing(state.baseline, gate, candidate.base) ?? [];
}

function againOf({ attempt }: Judged, { gate }: GateResult): GateResult | undefined {
  return secondRuns(attempt).find((result) => result.gate === gate);
}

function secondRuns({ trials }: AttemptRecord): readonly GateResult[] {
  return trials.filter(({ trial }) => trial === "again").map(({ result }) => result);
}

/** How a gate ended on the base, where the builder accepted it so; a gate that cannot even start now is another thing. */
function acceptedAs(state: RunState, gate: string): GateResult["outcome"] | null {
  const { accepted, results } = state.baseline;
  const onBase = results.find((result) => result.gate === gate && accepted.includes(gate));
  return onBase?.outcome ?? null;
}

/** What the builder has to allow is asked once the gates have passed; what is allowed goes on to the review. */
function planHeldEvidence({ state, record, attempt, candidate }: Judged): RunEvent | null {
  const held = heldFindings(attempt, policyOf(state).review.enabled);
  if (held.length === 0 || attempt.evidenceWord?.kind === "approved") return null;
  const problems = inWords(held);
  if (attempt.evidenceWord !== null) {
    const failure: Failure = { reason: "evidence-refused", text: attempt.evidenceWord.text, problems };
    return endAttempt(record, attempt, { kind: "rejected", failure });
  }
  const { id: taskId } = record.task;
  return {
    kind: "question-asked",
    question: {
      id: `evidence:${taskId}:${attempt.number}`,
      about: { kind: "evidence", taskId },
      text: `Commit ${candidate.commit} of task ${taskId} is held: ${problems.join("; ")}. Let it pass to the review?`,
      options: [
        { id: "approve", label: "let it pass to the review" },
        { id: "reject", label: "send it back (any other text: send it back with this note)" },
      ],
      failure: { reason: "evidence-held", taskId, problems },
    },
  };
}

/** Where reviews are switched off, the builder is the one who can justify. */
function heldFindings({ evidence }: AttemptRecord, hasReview: boolean): readonly EvidenceFinding[] {
  return evidence.filter(({ effect }) => effect === "hold" || (effect === "justify" && !hasReview));
}

function withEffect(
  findings: readonly EvidenceFinding[],
  effect: EvidenceFinding["effect"],
): readonly EvidenceFinding[] {
  return findings.filter((finding) => finding.effect === effect);
}

/** Findings as sentence parts with their places; what goes beyond the bound is counted. */
function inWords(findings: readonly EvidenceFinding[]): readonly string[] {
  const listed = findings.slice(0, limits.namesInSentence).map(toWords);
  const more = findings.length - listed.length;
  return more > 0 ? [...listed, `and ${more} more`] : listed;
}

function isIntegrating(state: RunState): boolean {
  return [...state.running.values()].some(({ intent }) => intent.kind === "integration-started");
}

function isLookingAtHead(state: RunState): boolean {
  return [...state.running.values()].some(
    ({ intent }) => intent.kind === "gate-started" && intent.taskId === null,
  );
}
