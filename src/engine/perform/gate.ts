// A gate on exactly one commit, in the check tree, in which no developer ever runs.

import type { GateEnded, GateStarted, RunEvent } from "../../core/event.ts";
import { gateLogPlace } from "../../core/request.ts";
import { assert } from "../../core/result.ts";
import { taskOf } from "../../core/state.ts";
import type { Effect } from "./effect.ts";

export async function performGate(effect: Effect<GateStarted>): Promise<readonly RunEvent[]> {
  const { intent, ports, signal, state } = effect;
  const { taskId, attempt, commit } = intent;
  assert(state.policy !== null, "a gate has a policy");
  const gate = state.policy.gates.find(({ name }) => name === intent.gate);
  const ended = (result: GateEnded["result"]): readonly RunEvent[] => [
    { kind: "gate-ended", taskId, attempt, gate: intent.gate, commit, result },
  ];
  // It began under a configuration that had it, before the program died.
  if (gate === undefined) return ended({ kind: "interrupted", by: "a change of the configuration" });
  const ready = await ports.repository.prepareCheck(
    { lane: intent.lane, commit, setup: state.policy.setup, keep: hasEarlierGate(effect) },
    signal,
  );
  if (signal.aborted) return ended({ kind: "interrupted", by: effect.stoppedBy() });
  if (!ready.ok) return ended({ kind: "failed", failure: ready.failure });
  const answer = await ports.gates.run(
    { gate, cwd: ready.value.path, log: gateLogPlace(intent), dispatch: dispatchName(effect) },
    signal,
    effect.onOutput,
  );
  return answer.kind === "interrupted"
    ? ended({ kind: "interrupted", by: effect.stoppedBy() })
    : ended({ kind: "ran", result: answer.result });
}

/** The first gate on a commit starts from a clean tree; later ones may use what earlier ones built. */
function hasEarlierGate(effect: Effect<GateStarted>): boolean {
  const { intent, state } = effect;
  if (intent.taskId === null) return state.baseline.results.length > 0;
  const attempt = taskOf(state, intent.taskId)?.attempts.find(({ number }) => number === intent.attempt);
  return attempt !== undefined && attempt.gates.length > 0;
}

function dispatchName(effect: Effect<GateStarted>): string {
  const { intent } = effect;
  return `gate-${intent.taskId ?? "baseline"}-${intent.attempt}-${intent.gate}`;
}
