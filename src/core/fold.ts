// The state of a run after one more journal entry. Total and pure (I4): the same entries always give the same
// state, and an event that cannot have happened here breaks an invariant instead of being guessed at.
//
// This file holds what concerns the run; fold-stage.ts its stages, fold-task.ts what concerns a task and its attempts,
// fold-answer.ts what the builder's words change.

import { warningKey } from "./budget.ts";
import { keepDoubt } from "./doubt.ts";
import type { Entry, Intent, RunCreated, RunEvent, SessionStarted } from "./event.ts";
import { isIntent } from "./event.ts";
import { applyAnswer, askQuestion, retryTask, skipTask } from "./fold-answer.ts";
import { endDispatch } from "./fold-dispatch.ts";
import { judgeGates } from "./fold-gates.ts";
import { takePlan } from "./fold-plan.ts";
import { addFollowUps, endMemory, endStage } from "./fold-stage.ts";
import {
  endAttempt,
  endGate,
  endIntegration,
  keepCandidate,
  newTaskRecord,
  startStage,
} from "./fold-task.ts";
import type { Policy } from "./policy.ts";
import { assert, impossible, unreachable } from "./result.ts";
import { Sequence } from "./sequence.ts";
import { noUsage, type RunState, runningKey } from "./state.ts";
import { startWait } from "./waits.ts";

/** The state after a whole journal. */
export function foldAll(entries: Iterable<Entry>): RunState | null {
  let state: RunState | null = null;
  for (const entry of entries) state = fold(state, entry);
  return state;
}

/** The state after one more entry; null stands for "no run yet" and takes only `run-created`. */
export function fold(before: RunState | null, entry: Entry): RunState {
  const { event } = entry;
  if (before === null) {
    assert(event.kind === "run-created" && entry.seq === 1, "the first event of a journal is run-created");
    return createRun(event, entry);
  }
  assert(entry.seq === before.seq + 1, "events follow one another without gaps");
  const isNewSession = entry.session !== before.session || event.kind === "session-started";
  const rested = isNewSession ? endSession(before) : before;
  const seen: RunState = { ...rested, seq: entry.seq, updatedAtMs: entry.atMs, session: entry.session };
  const requested =
    "request" in event && event.request !== undefined ? withRequest(seen, event.request) : seen;
  return applyEvent(isIntent(event) ? withRunning(requested, event, entry) : requested, event, entry);
}

function applyEvent(state: RunState, event: RunEvent, entry: Entry): RunState {
  switch (event.kind) {
    case "run-created":
      return impossible("run-created happens once");
    case "session-started":
      return startSession(state, event, entry);
    case "ownership-taken":
      return tell(state, `took over from ${event.from}, which is gone`);
    case "journal-repaired":
      return tell(state, `cut a torn last line of ${event.droppedBytes} bytes off the journal`);
    case "plan-changed":
      return takePlan(state, event);
    case "foreign-commits-adopted":
      return adoptCommits(state, event);
    case "stage-ended":
      return endStage(state, event, entry);
    case "dispatch-started":
    case "gate-started":
    case "candidate-started":
    case "integration-started":
    case "memory-started":
      return startStage(state, event, entry);
    case "dispatch-ended":
      return endDispatch(state, event, entry);
    case "checkout-doubted":
      return keepDoubt(state, event);
    case "candidate-made":
      return keepCandidate(withoutRunning(state, `candidate ${event.taskId}`), event);
    case "gate-ended":
      return endGate(withoutRunning(state, `gate ${event.taskId ?? ""}`), event);
    case "gates-judged":
      return judgeGates(state, event, entry);
    case "integration-ended":
      return endIntegrationOf(state, event, entry);
    case "attempt-ended":
      return endAttempt(state, event, entry);
    case "question-asked":
      return askQuestion(state, event.question, entry.atMs);
    case "question-answered":
      return applyAnswer(state, event);
    case "task-retried":
      return retryTask(state, event);
    case "task-skipped":
      return skipTask(state, event);
    case "follow-ups-added":
      return addFollowUps(state, event);
    case "memory-ended":
      return endMemory(withoutRunning(state, "memory"), event);
    case "wait-started":
      return startWait(state, event, entry.atMs);
    case "budget-warned":
      return { ...state, budgetWarnings: new Set(state.budgetWarnings).add(warningKey(event)) };
    case "pause-requested":
      return { ...state, pause: { now: event.now || state.pause?.now === true, by: event.by } };
    case "run-cancelled":
      return { ...state, cancelled: event.by };
    case "told":
      return tell(state, event.text);
    case "base-compared":
      return { ...state, baseMovedBy: event.movedBy };
    case "run-paused":
    case "run-blocked":
    case "run-failed":
    case "run-completed":
      return stopRun(state, event, entry);
    default:
      return unreachable(event, "fold");
  }
}

function createRun(event: RunCreated, entry: Entry): RunState {
  const tasks = Sequence.of(event.prd.tasks.map((task) => newTaskRecord(task, event.completedBefore)));
  return {
    seq: entry.seq,
    updatedAtMs: entry.atMs,
    runId: event.runId,
    slug: event.slug,
    planFile: event.planFile,
    checkout: event.checkout,
    worktrees: event.worktrees,
    createdAtMs: entry.atMs,
    stoppedAtMs: null,
    prd: event.prd,
    prdHash: event.prdHash,
    branch: event.branch,
    base: event.base,
    baseName: event.baseName,
    head: event.base,
    baseMovedBy: null,
    phase: { kind: "queued" },
    session: entry.session,
    sessions: 0,
    sessionStartedAtMs: null,
    startedAtMs: null,
    endedAtMs: null,
    activeMs: 0,
    policy: null,
    flags: {},
    tasks,
    indexOf: new Map(event.prd.tasks.map((task, index) => [task.id, index])),
    stages: new Map(),
    stageFailures: null,
    stageTries: new Map(),
    baseline: { results: [], again: [], failing: [], dropped: [], accepted: [] },
    recon: null,
    preMortem: null,
    holistic: [],
    verdict: null,
    holisticAtMs: null,
    followUpRounds: 0,
    gapsAccepted: false,
    extraRounds: 0,
    memory: null,
    running: new Map(),
    questions: [],
    doubts: [],
    isCheckoutBuilders: false,
    requests: new Set(),
    pause: null,
    cancelled: null,
    waits: new Map(),
    dueWait: null,
    spent: new Map(),
    seenKinds: new Set(),
    budgetWarnings: new Set(),
    trouble: null,
    dispatches: 0,
    interruptedDispatches: 0,
    gateRuns: 0,
    usage: noUsage,
    steps: Sequence.of(),
    progress: Sequence.of(),
    learned: [],
    approved: [],
    builderNotes: [],
    told: event.told,
  };
}

/** A session that died lasted until its last word; the time until somebody came back is nobody's. */
function endSession(state: RunState): RunState {
  if (state.sessionStartedAtMs === null) return state;
  const lastedMs = Math.max(0, state.updatedAtMs - state.sessionStartedAtMs);
  return { ...state, activeMs: state.activeMs + lastedMs, sessionStartedAtMs: null };
}

// A pause, a trouble or a cancelled stop of the session before concerned that session; counters go on (I12).
function startSession(state: RunState, event: SessionStarted, entry: Entry): RunState {
  return withFreshBaseline(
    {
      ...state,
      phase: { kind: "running" },
      sessions: state.sessions + 1,
      startedAtMs: state.startedAtMs ?? entry.atMs,
      sessionStartedAtMs: entry.atMs,
      endedAtMs: null,
      policy: event.policy,
      flags: event.flags,
      pause: null,
      trouble: null,
      cancelled: null,
      stageFailures: null,
      told: [...state.told, ...event.told],
      tasks: event.extraAttempts === 0 ? state.tasks : grantToAll(state, event.extraAttempts),
      questions:
        event.extraAttempts === 0
          ? state.questions
          : state.questions.filter((question) => question.about.kind !== "attempts"),
    },
    state.policy,
  );
}

// A baseline with a red gate is taken anew at every start (the builder may have mended what was red), and so is
// one whose gates were changed. One that was cut short goes on.
function withFreshBaseline(state: RunState, earlier: Policy | null): RunState {
  const isSame = JSON.stringify(earlier?.gates) === JSON.stringify(state.policy?.gates);
  const isGreen = state.baseline.results.every(({ outcome }) => outcome === "passed");
  if (isSame && (isGreen || state.stages.has("baseline"))) return state;
  const stages = new Map(state.stages);
  stages.delete("baseline");
  return {
    ...state,
    stages,
    baseline: { ...state.baseline, results: [], again: [], failing: [] },
    questions: state.questions.filter((question) => question.about.kind !== "baseline"),
  };
}

function grantToAll(state: RunState, extraAttempts: number): RunState["tasks"] {
  const isAboutAttempts = (id: string): boolean =>
    state.questions.some((question) => question.id === id && question.about.kind === "attempts");
  return Sequence.of(
    [...state.tasks].map((record) => {
      const granted = record.granted + extraAttempts;
      return record.phase.kind === "held" && isAboutAttempts(record.phase.question)
        ? { ...record, granted, infrastructure: null, phase: { kind: "pending" } as const }
        : { ...record, granted };
    }),
  );
}

function adoptCommits(
  state: RunState,
  event: Extract<RunEvent, { kind: "foreign-commits-adopted" }>,
): RunState {
  const stages = new Map(state.stages);
  stages.delete("baseline"); // the gates run once on what the builder added
  return tell(
    {
      ...state,
      head: event.to,
      stages,
      baseline: { ...state.baseline, results: [], again: [], failing: [] },
      // An integration that was under way when the program died has met these commits: now it can go on.
      trouble: state.trouble?.reason === "branch-moved" ? null : state.trouble,
    },
    `adopted ${event.count} commit(s) that were put on ${state.branch} while the run was stopped`,
  );
}

function endIntegrationOf(
  state: RunState,
  event: Extract<RunEvent, { kind: "integration-ended" }>,
  { atMs }: Entry,
): RunState {
  const key = `integration ${event.taskId}`;
  const running = state.running.get(key);
  assert(running !== undefined, "what ends has begun");
  return endIntegration(withoutRunning(state, key), event, { startedAtMs: running.atMs, atMs });
}

function stopRun(
  state: RunState,
  event: Extract<RunEvent, { kind: "run-paused" | "run-blocked" | "run-failed" | "run-completed" }>,
  entry: Entry,
): RunState {
  const since = state.sessionStartedAtMs ?? entry.atMs;
  const stopped = {
    ...state,
    activeMs: state.activeMs + Math.max(0, entry.atMs - since),
    sessionStartedAtMs: null,
    stoppedAtMs: entry.atMs,
    endedAtMs: event.kind === "run-completed" || event.kind === "run-failed" ? entry.atMs : null,
  };
  switch (event.kind) {
    case "run-paused":
      return { ...stopped, phase: { kind: "paused", failure: event.failure } };
    case "run-blocked":
      return { ...stopped, phase: { kind: "blocked", failure: event.failure, question: event.question } };
    case "run-failed":
      return { ...stopped, phase: { kind: "failed", failure: event.failure } };
    case "run-completed":
      return { ...stopped, phase: { kind: "completed" } };
  }
}

function withRunning(state: RunState, intent: Intent, { atMs, seq }: Entry): RunState {
  const running = new Map(state.running).set(runningKey(intent), { intent, atMs, seq });
  return { ...state, running };
}

function withoutRunning(state: RunState, key: string): RunState {
  assert(state.running.has(key), `an outcome has an intent before it (${key})`);
  const running = new Map(state.running);
  running.delete(key);
  return { ...state, running };
}

function withRequest(state: RunState, id: string): RunState {
  return { ...state, requests: new Set(state.requests).add(id) };
}

function tell(state: RunState, text: string): RunState {
  return { ...state, told: [...state.told, text] };
}
