// A developer's dispatch: ready the lane, ask the agent, look at what it did to the repository, keep its tree.

import type { DispatchOutcome, DispatchStarted, RunEvent } from "../../core/event.ts";
import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import { assert } from "../../core/result.ts";
import type { Aftermath, AgentAnswer } from "../../ports.ts";
import { dispatchDoubted } from "./aftermath.ts";
import { askAgent, dispatchEnded } from "./ask-agent.ts";
import { dispatchRefPrefix, type Effect } from "./effect.ts";

export async function performDevelop(effect: Effect<DispatchStarted>): Promise<readonly RunEvent[]> {
  const { intent, ports, signal, state } = effect;
  assert(state.policy !== null, "a dispatch has a policy");
  const begun = ports.clock.elapsedMs();
  const ended = (outcome: DispatchOutcome, notes: readonly string[] = []): readonly RunEvent[] => [
    dispatchEnded({ intent, outcome, usage: null, durationMs: ports.clock.elapsedMs() - begun, notes }),
  ];
  const ready = await ports.repository.prepareWork(
    {
      lane: intent.lane,
      base: intent.base,
      start: startCommit(intent),
      setup: state.policy.setup,
      refPrefix: refPrefix(effect),
    },
    signal,
  );
  if (signal.aborted) return ended({ kind: "interrupted", by: effect.stoppedBy(), salvage: null });
  if (!ready.ok) return ended({ kind: "failed", failure: ready.failure, salvage: null });
  const { lane, dispatch } = intent;
  const remembered = await ports.repository.beforeDispatch({ lane, dispatch, isCheckIdle: true });
  if (!remembered.ok) return ended({ kind: "failed", failure: remembered.failure, salvage: null });
  const answer = await askAgent(effect, { cwd: ready.value.path, conflicts: ready.value.conflicts });
  const aftermath = await ports.repository.afterDispatch({ lane: intent.lane, refPrefix: refPrefix(effect) });
  if (!aftermath.ok) return ended({ kind: "failed", failure: aftermath.failure, salvage: null });
  const outcome = await judge(effect, answer, aftermath.value);
  return [
    ...dispatchDoubted(intent, aftermath.value.doubts),
    dispatchEnded({
      intent,
      outcome,
      usage: answer.usage,
      durationMs: ports.clock.elapsedMs() - begun,
      notes: aftermath.value.notes,
    }),
  ];
}

/** The commit whose tree the developer starts from. */
export function startCommit(intent: DispatchStarted): Sha {
  return intent.startFrom === null || intent.startFrom.kind === "base"
    ? intent.base
    : intent.startFrom.commit;
}

async function judge(
  effect: Effect<DispatchStarted>,
  answer: AgentAnswer,
  aftermath: Aftermath,
): Promise<DispatchOutcome> {
  const { intent, ports } = effect;
  const { outcome } = answer;
  if (aftermath.violations.length > 0) {
    const failure: Failure = { reason: "metadata-changed", what: aftermath.violations };
    return { kind: "failed", failure, salvage: await salvage(effect) };
  }
  switch (outcome.kind) {
    case "interrupted":
      return { kind: "interrupted", by: effect.stoppedBy(), salvage: await salvage(effect) };
    case "failed":
      return { kind: "failed", failure: outcome.failure, salvage: await salvage(effect) };
    case "answered": {
      const left = await ports.repository.snapshotWork({ lane: intent.lane, refPrefix: refPrefix(effect) });
      return left.ok
        ? { kind: "answered", report: outcome.report, left: left.value }
        : { kind: "failed", failure: left.failure, salvage: null };
    }
  }
}

// A tree that cannot be salvaged stays in the lane, which is then set aside instead of being used again.
async function salvage(effect: Effect<DispatchStarted>): Promise<Sha | null> {
  const { intent } = effect;
  const kept = await effect.ports.repository.salvageWork({
    lane: intent.lane,
    base: intent.base,
    start: startCommit(intent),
    refPrefix: refPrefix(effect),
  });
  return kept.ok ? kept.value : null;
}

function refPrefix({ intent, state }: Effect<DispatchStarted>): string {
  return dispatchRefPrefix(state, intent);
}
