// Asking an agent: request and prompt from the state, the answer as the outcome of the dispatch.

import type { DispatchEnded, DispatchOutcome, DispatchStarted } from "../../core/event.ts";
import type { Failure } from "../../core/failure.ts";
import { agentOf } from "../../core/policy.ts";
import type { Usage } from "../../core/report.ts";
import { evidencePlace, toDispatchRequest, toRequestJson } from "../../core/request.ts";
import { assert } from "../../core/result.ts";
import type { AgentAnswer } from "../../ports.ts";
import { toPrompt } from "../../prompts/prompt.ts";
import type { Effect } from "./effect.ts";

export async function askAgent(
  effect: Effect<DispatchStarted>,
  place: { cwd: string; conflicts: readonly string[] },
): Promise<AgentAnswer> {
  const { intent, ports, state } = effect;
  assert(state.policy !== null, "a dispatch has a policy");
  const agent = agentOf(state.policy, intent.agent);
  if (agent === undefined) {
    const known = Object.keys(state.policy.agents);
    const failure: Failure = { reason: "agent-not-configured", agent: intent.agent, known };
    return { outcome: { kind: "failed", failure }, usage: null, durationMs: 0 };
  }
  const request = toDispatchRequest(state, intent, place.conflicts);
  return ports.agents.run(
    {
      runId: state.runId,
      slug: state.slug,
      dispatch: intent.dispatch,
      stage: intent.stage,
      role: intent.role,
      taskId: intent.taskId,
      attempt: intent.attempt,
      try: intent.try,
      agentKey: intent.agent,
      agent,
      cwd: place.cwd,
      prompt: toPrompt(request),
      request: toRequestJson(request),
      files: request.files.map(({ path }) => path),
      criteriaCount: request.record?.task.acceptanceCriteria.length ?? 0,
      taskIds: [...state.tasks].map(({ task }) => task.id),
      evidence: evidencePlace(intent),
    },
    effect.signal,
    effect.onOutput,
  );
}

export function dispatchEnded(at: {
  intent: DispatchStarted;
  outcome: DispatchOutcome;
  usage: Usage | null;
  durationMs: number;
  notes: readonly string[];
}): DispatchEnded {
  return {
    kind: "dispatch-ended",
    dispatch: at.intent.dispatch,
    outcome: at.outcome,
    usage: at.usage,
    durationMs: Math.round(at.durationMs),
    notes: at.notes,
  };
}
