// A dispatch of the reviewer or the lead: it looks at a commit in the check tree and must leave it as it was.

import type { DispatchOutcome, DispatchStarted, RunEvent } from "../../core/event.ts";
import { withheldPaths } from "../../core/request.ts";
import { assert } from "../../core/result.ts";
import { knownTask } from "../../core/state.ts";
import type { Aftermath, AgentAnswer, BaseFiles } from "../../ports.ts";
import { dispatchDoubted } from "./aftermath.ts";
import { askAgent, dispatchEnded } from "./ask-agent.ts";
import { dispatchRefPrefix, type Effect } from "./effect.ts";

export async function performLook(effect: Effect<DispatchStarted>): Promise<readonly RunEvent[]> {
  const { intent, ports, signal, state } = effect;
  assert(state.policy !== null, "a dispatch has a policy");
  const { repository } = ports;
  const begun = ports.clock.elapsedMs();
  const ended = (
    outcome: DispatchOutcome,
    usage: AgentAnswer["usage"] = null,
    notes: readonly string[] = [],
  ): readonly RunEvent[] => [
    dispatchEnded({ intent, outcome, usage, durationMs: ports.clock.elapsedMs() - begun, notes }),
  ];
  const commit = intent.candidate ?? intent.base;
  const at = { lane: intent.lane, commit, baseVersions: withheldFrom(effect) };
  const ready = await repository.prepareCheck({ ...at, setup: state.policy.setup, keep: false }, signal);
  if (signal.aborted) return ended({ kind: "interrupted", by: effect.stoppedBy(), salvage: null });
  if (!ready.ok) return ended({ kind: "failed", failure: ready.failure, salvage: null });
  const remembered = await repository.beforeDispatch({ lane: intent.lane, dispatch: intent.dispatch });
  if (!remembered.ok) return ended({ kind: "failed", failure: remembered.failure, salvage: null });
  const answer = await askAgent(effect, { cwd: ready.value.path, conflicts: [] });
  const refPrefix = dispatchRefPrefix(state, intent);
  const aftermath = await repository.afterDispatch({ lane: intent.lane, refPrefix });
  if (!aftermath.ok) return ended({ kind: "failed", failure: aftermath.failure, salvage: null });
  const doubted = dispatchDoubted(intent, aftermath.value.doubts);
  const changed = await repository.restoreCheck(at);
  if (!changed.ok) return [...doubted, ...ended({ kind: "failed", failure: changed.failure, salvage: null })];
  const undone =
    changed.value.length === 0
      ? []
      : [`the ${intent.role} changed ${changed.value.join(", ")}; it was put back`];
  const notes = [...aftermath.value.notes, ...undone];
  return [...doubted, ...ended(judge(effect, answer, aftermath.value), answer.usage, notes)];
}

/** What the developer changed in instructions for agents is not what the reviewer is instructed by. */
function withheldFrom({ intent, state }: Effect<DispatchStarted>): BaseFiles | null {
  if (intent.stage !== "review" || intent.taskId === null) return null;
  const attempt = knownTask(state, intent.taskId).attempts.find(({ number }) => number === intent.attempt);
  const paths = attempt === undefined ? [] : withheldPaths(attempt);
  const base = attempt?.candidate?.base;
  return base === undefined || paths.length === 0 ? null : { base, paths };
}

function judge(effect: Effect<DispatchStarted>, answer: AgentAnswer, aftermath: Aftermath): DispatchOutcome {
  const { outcome } = answer;
  if (outcome.kind === "interrupted") return { kind: "interrupted", by: effect.stoppedBy(), salvage: null };
  if (aftermath.violations.length > 0) {
    return {
      kind: "failed",
      failure: { reason: "metadata-changed", what: aftermath.violations },
      salvage: null,
    };
  }
  if (outcome.kind === "failed") return { kind: "failed", failure: outcome.failure, salvage: null };
  return { kind: "answered", report: outcome.report, left: null };
}
