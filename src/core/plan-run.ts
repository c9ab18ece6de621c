// What happens next for the run as a whole: the stages before the tasks (baseline, recon, pre-mortem) and after
// them (holistic review with its follow-ups, memory, completed).

import { planBudget } from "./budget.ts";
import type { Question, RunEvent, RunStage } from "./event.ts";
import { classOf, describe, type Failure } from "./failure.ts";
import type { GateTrial } from "./gate-result.ts";
import { hasNamedFailures } from "./gates.ts";
import { dispatchId, followUpId, type TaskId } from "./ids.ts";
import { limits } from "./limits.ts";
import { gatesOf } from "./plan-judged.ts";
import { agentKeyFor, isStageOn, type Policy } from "./policy.ts";
import type { Task } from "./prd.ts";
import type { HolisticReport, PreMortemReport } from "./report.ts";
import { assert } from "./result.ts";
import { type BaselineRecord, policyOf, type RunState, type StageFailures } from "./state.ts";
import { toUtcDay } from "./time.ts";
import { agentNow, rowLimit } from "./waits.ts";

type AskedStage = "recon" | "pre-mortem" | "holistic-review";

/** The next step before any task; "over" when tasks may start. */
export function planOpening(state: RunState, nowMs: number): RunEvent | "over" | null {
  if (!state.stages.has("baseline")) return state.running.size > 0 ? null : planBaseline(state);
  if (!state.stages.has("recon")) return planAdvice(state, "recon", nowMs);
  if (!state.stages.has("pre-mortem")) return planAdvice(state, "pre-mortem", nowMs);
  const unapproved = unapprovedPreMortem(state);
  if (unapproved !== null) return state.running.size > 0 ? null : askPreMortem(unapproved);
  if (policyOf(state).onTaskFailure === "stop") return stopOnFailure(state) ?? "over";
  return "over";
}

/** A gate that is red before anybody worked would make every candidate look guilty: the builder decides. */
function planBaseline(state: RunState): RunEvent {
  const { baseline } = state;
  const wanted = gatesOf(state, null);
  const next = wanted.find((name) => !baseline.results.some(({ gate }) => gate === name));
  if (next !== undefined) return gateOnBase(state, next, "candidate");
  const unsure = baseline.results.find(
    (result) =>
      hasNamedFailures(result) &&
      wanted.includes(result.gate) &&
      !baseline.again.some(({ gate }) => gate === result.gate),
  );
  if (unsure !== undefined) return gateOnBase(state, unsure.gate, "again");
  const red = [...baseline.results, ...baseline.again].find(
    (result) =>
      result.outcome !== "passed" &&
      !hasNamedFailures(result) &&
      wanted.includes(result.gate) &&
      !baseline.accepted.includes(result.gate),
  );
  if (red === undefined) {
    const isEmpty = wanted.length === 0;
    return {
      kind: "stage-ended",
      stage: "baseline",
      outcome: isEmpty ? "skipped" : "done",
      notes: isEmpty ? "no gates" : `${wanted.length} gate(s) on the base${knownWords(baseline)}`,
    };
  }
  const failure: Failure = {
    reason: "gate-red-on-base",
    gate: red.gate,
    command: red.command,
    exitCode: red.exitCode,
    how: howRed(red),
    tail: red.tail,
  };
  return { kind: "question-asked", question: baselineQuestion(red.gate, failure) };
}

function gateOnBase(state: RunState, gate: string, trial: GateTrial): RunEvent {
  return { kind: "gate-started", taskId: null, attempt: 1, lane: 1, gate, trial, commit: state.head };
}

/** Failures that are excused are told, by name, and so are tests that failed only once. */
function knownWords({ results, failing, accepted, dropped }: BaselineRecord): string {
  const decided = [...accepted, ...dropped];
  return failing
    .filter(({ gate }) => !decided.includes(gate))
    .map(({ gate, tests }) => {
      const seen = results.find((result) => result.gate === gate)?.tests?.failures ?? [];
      const flaky = seen.filter((name) => !tests.includes(name));
      return `${inWords(`; ${gate}: excused as failing before any task`, tests)}${inWords(`; ${gate}: flaky`, flaky)}`;
    })
    .join("");
}

function inWords(what: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  const more = names.length - limits.namesInSentence;
  const listed = names.slice(0, limits.namesInSentence).join(", ");
  return `${what}: ${listed}${more > 0 ? ` and ${more} more` : ""}`;
}

function howRed(result: { outcome: string; exitCode: number | null; detail: string }): string {
  const detail = result.detail === "" ? "" : ` (${result.detail})`;
  if (result.outcome === "timed out") return `did not end in time${detail}`;
  if (result.outcome === "cannot start") return `could not be started${detail}`;
  return `failed with exit code ${result.exitCode ?? "none"}${detail}`;
}

function baselineQuestion(gate: string, failure: Failure): Question {
  return {
    id: `baseline:${gate}`,
    about: { kind: "baseline", gate },
    text: `Gate "${gate}" is red before any task. Repair it (commit the repair on the run's branch or mend the configuration, then resume), drop the gate for this run, or accept it as red?`,
    options: [
      { id: "drop", label: "do not run this gate in this run" },
      { id: "accept", label: "run and report it, but let its failures pass" },
    ],
    failure,
  };
}

function planAdvice(state: RunState, stage: "recon" | "pre-mortem", nowMs: number): RunEvent | null {
  if (state.running.size > 0) return null;
  if (!isStageOn(policyOf(state), stage, state.prd.tasks.length)) {
    return {
      kind: "stage-ended",
      stage,
      outcome: "skipped",
      notes: "switched off, or a PRD of fewer than 3 tasks",
    };
  }
  const isAnswered = stage === "recon" ? state.recon !== null : state.preMortem !== null;
  if (isAnswered) return { kind: "stage-ended", stage, outcome: "done", notes: "" };
  return askLead(state, stage, nowMs);
}

function askLead(state: RunState, stage: AskedStage, nowMs: number): RunEvent | null {
  const policy = policyOf(state);
  const failures = state.stageFailures;
  const asked = state.stageTries.get(stage) ?? 0;
  if (failures?.stage === stage && failures.times >= triesOf(policy, failures.last))
    return askAboutStage(stage, asked, failures);
  const agent = agentNow(state, agentKeyFor(policy, "orchestrator", null), nowMs);
  if (agent === null) return null;
  const stop = planBudget(state, { stage, agent, record: null, nowMs });
  if (stop !== null) return stop;
  const tries = asked + 1;
  return {
    kind: "dispatch-started",
    dispatch: dispatchId(state.dispatches + 1),
    stage,
    role: "orchestrator",
    agent,
    taskId: null,
    attempt: tries,
    try: tries,
    lane: 1,
    base: state.head,
    candidate: null,
    startFrom: null,
  };
}

function triesOf(policy: Policy, failure: Failure): number {
  return classOf(failure) === "agent" ? limits.reportTries : rowLimit(policy, failure);
}

function askAboutStage(stage: AskedStage, asked: number, { last, times }: StageFailures): RunEvent {
  const about = { stage, taskId: null, last: describe(last) };
  const failure: Failure =
    classOf(last) === "agent"
      ? { reason: "report-unusable-twice", ...about }
      : { reason: "infrastructure-in-a-row", times, ...about };
  return {
    kind: "question-asked",
    question: {
      id: `stage:${stage}:${asked}`,
      about: { kind: "stage", stage, taskId: null },
      text: `${describe(failure)}. Ask again?`,
      options: [{ id: "retry", label: "ask again" }],
      failure,
    },
  };
}

const preMortemQuestion = "pre-mortem";

function unapprovedPreMortem(state: RunState): PreMortemReport | null {
  const policy = policyOf(state);
  const isWanted = policy.preMortem === "approve" && !policy.yes;
  return isWanted && !state.approved.includes(preMortemQuestion) ? state.preMortem : null;
}

function askPreMortem({ risks }: PreMortemReport): RunEvent {
  const named = risks.map(({ name, mitigation }) => `${name} (${mitigation})`).join("; ");
  return {
    kind: "question-asked",
    question: {
      id: preMortemQuestion,
      about: { kind: "pre-mortem" },
      text: `The pre-mortem names ${risks.length === 0 ? "no risk" : `${risks.length} risk(s): ${named}`}. Go on?`,
      options: [
        { id: "approve", label: "go on (any other text: go on, and say this to every agent)" },
        { id: "reject", label: "cancel the run" },
      ],
      failure: null,
    },
  };
}

function stopOnFailure(state: RunState): RunEvent | null {
  if (state.running.size > 0) return null;
  for (const { task, phase } of state.tasks) {
    const isGivenUp = phase.kind === "held" && isFinal(phase.failure);
    if (isGivenUp) {
      return {
        kind: "run-failed",
        failure: { reason: "task-failure-stops", taskId: task.id, because: describe(phase.failure) },
      };
    }
  }
  return null;
}

function isFinal(failure: Failure): boolean {
  return failure.reason === "attempts-used-up" || failure.reason === "stalled";
}

/** The next step when every task is complete or skipped. */
export function planEnding(state: RunState, nowMs: number): RunEvent | null {
  if (!state.stages.has("holistic-review")) return planHolistic(state, nowMs);
  if (!state.stages.has("memory")) return planMemory(state);
  return { kind: "run-completed" };
}

function planHolistic(state: RunState, nowMs: number): RunEvent | null {
  const { verdict } = state;
  if (verdict === null) return askLead(state, "holistic-review", nowMs);
  const done = { kind: "stage-ended", stage: "holistic-review", outcome: "done" } as const;
  if (verdict.verdict === "pass") return { ...done, notes: verdict.summary };
  if (state.gapsAccepted) return { ...done, notes: `gaps accepted by the builder: ${verdict.summary}` };
  const mayAdd = state.followUpRounds < limits.followUpRounds + state.extraRounds;
  if (verdict.followUps.length > 0 && mayAdd) {
    const round = state.followUpRounds + 1;
    return { kind: "follow-ups-added", round, tasks: toFollowUpTasks(state, verdict, round) };
  }
  return askAboutGaps(state, verdict);
}

function toFollowUpTasks(state: RunState, report: HolisticReport, round: number): readonly Task[] {
  const ids = freeIds(state, round);
  return report.followUps.map(({ title, description, acceptanceCriteria }) => ({
    id: ids(),
    title,
    description: description === "" ? title : description,
    acceptanceCriteria:
      acceptanceCriteria.length > 0 ? acceptanceCriteria : [description === "" ? title : description],
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
  }));
}

/** Ids in order; those that the plan gave to tasks of its own, in capitals or not, are left out. */
function freeIds(state: RunState, round: number): () => TaskId {
  const taken = new Set([...state.indexOf.keys()].map((id) => id.toLowerCase()));
  let k = 0;
  return () => {
    do k += 1;
    while (taken.has(followUpId(round, k)));
    return followUpId(round, k);
  };
}

function askAboutGaps(state: RunState, verdict: HolisticReport): RunEvent {
  const failure: Failure = { reason: "gaps-left", rounds: state.followUpRounds, summary: verdict.summary };
  return {
    kind: "question-asked",
    question: {
      id: `gaps:${state.holistic.length}`,
      about: { kind: "gaps", round: state.followUpRounds },
      text: `${describe(failure)}. Accept them, or go another round?`,
      options: [
        { id: "approve", label: "complete the run; the report names the gaps" },
        {
          id: "retry",
          label:
            "one more holistic review and round of follow-ups (any other text: the same, with this note)",
        },
      ],
      failure,
    },
  };
}

function planMemory(state: RunState): RunEvent {
  const stage: RunStage = "memory";
  if (!policyOf(state).memory.enabled)
    return { kind: "stage-ended", stage, outcome: "skipped", notes: "switched off" };
  if (state.memory !== null) return { kind: "stage-ended", stage, outcome: "done", notes: state.memory.note };
  assert(state.holisticAtMs !== null, "memory follows a holistic review");
  return { kind: "memory-started", lane: 1, head: state.head, day: toUtcDay(state.holisticAtMs) };
}
