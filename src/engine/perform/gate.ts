// A gate on exactly one commit, in the check tree, in which no developer ever runs.

import type { GateEnded, GateStarted, RunEvent } from "../../core/event.ts";
import { gateLogPlace, trialSuffix } from "../../core/request.ts";
import { assert } from "../../core/result.ts";
import { type AttemptRecord, taskOf } from "../../core/state.ts";
import type { BaseFiles } from "../../ports.ts";
import { runWatched } from "./aftermath.ts";
import { type Effect, gateRefPrefix } from "./effect.ts";

export async function performGate(effect: Effect<GateStarted>): Promise<readonly RunEvent[]> {
  const { intent, ports, signal, state } = effect;
  const { taskId, attempt, commit, trial } = intent;
  assert(state.policy !== null, "a gate has a policy");
  const gate = state.policy.gates.find(({ name }) => name === intent.gate);
  const ended = (result: GateEnded["result"]): readonly RunEvent[] => [
    { kind: "gate-ended", taskId, attempt, gate: intent.gate, trial, commit, result },
  ];
  // It began under a configuration that had it, before the program died.
  if (gate === undefined) return ended({ kind: "interrupted", by: "a change of the configuration" });
  const ready = await ports.repository.prepareCheck(
    {
      lane: intent.lane,
      commit,
      setup: state.policy.setup,
      keep: hasEarlierGate(effect),
      baseVersions: baseFilesFor(effect),
    },
    signal,
  );
  if (signal.aborted) return ended({ kind: "interrupted", by: effect.stoppedBy() });
  if (!ready.ok) return ended({ kind: "failed", failure: ready.failure });
  const { path: cwd } = ready.value;
  const log = gateLogPlace(intent);
  const dispatch = dispatchName(effect);
  const refPrefix = gateRefPrefix(state, intent);
  const ran = await runWatched(effect, { gate, cwd, log, dispatch, taskId, attempt, refPrefix });
  if (!ran.ok) return ended({ kind: "failed", failure: ran.failure });
  const { answer, events } = ran.value;
  return [
    ...events,
    ...ended(answer.kind === "interrupted" ? { ...answer, by: effect.stoppedBy() } : answer),
  ];
}

/** The files of the base that are put over the candidate for this trial; null: none. */
function baseFilesFor(effect: Effect<GateStarted>): BaseFiles | null {
  const { trial } = effect.intent;
  const candidate = attemptOf(effect)?.candidate;
  if (candidate === null || candidate === undefined || trial === "candidate" || trial === "again")
    return null;
  const kind = trial === "base tests" ? "test" : "gate definition";
  const paths = candidate.baseVersions.filter((version) => version.kind === kind).map(({ path }) => path);
  return { base: candidate.base, paths };
}

/** The first gate of a trial starts from a clean tree; later ones may use what earlier ones built. */
function hasEarlierGate(effect: Effect<GateStarted>): boolean {
  const { intent, state } = effect;
  if (intent.taskId === null) return state.baseline.results.length > 0 && !state.stages.has("baseline");
  const attempt = attemptOf(effect);
  if (attempt === undefined || intent.trial === "again") return false;
  if (intent.trial === "candidate") return attempt.gates.length > 0;
  return attempt.trials.some(({ trial }) => trial === intent.trial);
}

function attemptOf({ intent, state }: Effect<GateStarted>): AttemptRecord | undefined {
  if (intent.taskId === null) return undefined;
  return taskOf(state, intent.taskId)?.attempts.find(({ number }) => number === intent.attempt);
}

function dispatchName(effect: Effect<GateStarted>): string {
  const { intent } = effect;
  return `gate-${intent.taskId ?? "baseline"}-${intent.attempt}-${intent.gate}${trialSuffix(intent.trial)}`;
}
