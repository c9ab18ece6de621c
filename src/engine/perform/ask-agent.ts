// Asking an agent: request and prompt from the state, the answer as the outcome of the dispatch.

import type { DispatchEnded, DispatchOutcome, DispatchStarted } from "../../core/event.ts";
import type { Failure } from "../../core/failure.ts";
import { limits } from "../../core/limits.ts";
import { nothingSeen, type OwnLook, wantedFiles, wantedNames } from "../../core/own-look.ts";
import { type AgentPolicy, agentOf, instructionsFor, type Policy } from "../../core/policy.ts";
import { type Prices, withCost } from "../../core/prices.ts";
import type { Usage } from "../../core/report.ts";
import { evidencePlace, toDispatchRequest, toRequestJson } from "../../core/request.ts";
import { assert, type Result, success } from "../../core/result.ts";
import { soundUsage } from "../../core/sound-usage.ts";
import { knownTask, type RunState } from "../../core/state.ts";
import type { AgentAnswer, AgentOutcome, MeteringWanted } from "../../ports.ts";
import { addRoleText, toPrompt } from "../../prompts/prompt.ts";
import type { Effect } from "./effect.ts";

export async function askAgent(
  effect: Effect<DispatchStarted>,
  place: { cwd: string; conflicts: readonly string[] },
): Promise<AgentAnswer> {
  const { intent, ports, state } = effect;
  assert(state.policy !== null, "a dispatch has a policy");
  const configured = agentOf(state.policy, intent.agent);
  if (configured === undefined) {
    const known = Object.keys(state.policy.agents);
    const failure: Failure = { reason: "agent-not-configured", agent: intent.agent, known };
    return { outcome: { kind: "failed", failure }, usage: null, durationMs: 0 };
  }
  const seen = await lookAhead(effect);
  if (!seen.ok) {
    return { outcome: { kind: "failed", failure: seen.failure }, usage: null, durationMs: 0 };
  }
  const agent = { ...configured, instructions: instructionsFor(state.policy, intent.role, intent.agent) };
  const request = toDispatchRequest(state, intent, { conflicts: place.conflicts, seen: seen.value });
  const answer = await ports.agents.run(
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
      retry: state.policy.retry,
      onRateLimit: state.policy.onRateLimit,
      cwd: place.cwd,
      prompt: withInstructions(toPrompt(request), agent),
      request: toRequestJson(request),
      files: request.files.map(({ path }) => path),
      criteriaCount: request.record?.task.acceptanceCriteria.length ?? 0,
      // Only reports about the whole run name tasks.
      taskIds: intent.taskId === null ? [...state.tasks].map(({ task }) => task.id) : [],
      evidence: evidencePlace(intent),
      metering: meteringOf(state, state.policy, intent),
    },
    { signal: effect.signal, onOutput: effect.onOutput, onWait: effect.onWait },
  );
  const usage = toPriced(answer, { agent, prices: state.policy.prices });
  return { ...answer, outcome: await withRoom(effect, withSoundReset(answer.outcome)), usage };
}

/** On a full disk agents fail, or say that they could do nothing: neither is an answer. */
async function withRoom({ ports }: Effect, outcome: AgentOutcome): Promise<AgentOutcome> {
  if (outcome.kind === "interrupted") return outcome;
  const room = await ports.repository.checkRoom();
  return room.ok ? outcome : { kind: "failed", failure: room.failure };
}

/** null: the run has no metering proxy. */
function meteringOf(state: RunState, policy: Policy, { taskId }: DispatchStarted): MeteringWanted | null {
  if (!policy.meteringProxy) return null;
  const { usd, perTaskUsd } = policy.budget;
  const task =
    taskId === null
      ? null
      : { id: taskId, usedUsd: knownTask(state, taskId).usage.costUsd, limitUsd: perTaskUsd };
  return { prices: policy.prices, usedUsd: state.usage.costUsd, limitUsd: usd, task };
}

/** A limit's end that no calendar holds is not known. */
function withSoundReset(outcome: AgentOutcome): AgentOutcome {
  if (outcome.kind !== "failed" || outcome.failure.reason !== "rate-limited") return outcome;
  const { resetAtMs } = outcome.failure;
  const isMoment = resetAtMs !== null && resetAtMs >= 0 && resetAtMs <= limits.latestMomentMs;
  return { ...outcome, failure: { ...outcome.failure, resetAtMs: isMoment ? Math.round(resetAtMs) : null } };
}

/** What our own loop counted is measured; what a program says of its tokens is its word. A login is paid elsewhere. */
function toPriced(
  { isByLogin = false, usage }: AgentAnswer,
  { agent, prices }: { agent: AgentPolicy; prices: Prices },
): Usage | null {
  if (usage === null) return null;
  const sound = soundUsage(usage);
  const named = sound.model === null && agent.model !== "" ? { ...sound, model: agent.model } : sound;
  if (isByLogin) return { ...named, costUsd: null, costBasis: "unknown" };
  return soundUsage(withCost(named, prices, agent.backend === "anthropic" ? "measured" : "reported"));
}

/** The others are given them apart from the prompt, by the way their program has for it. */
function withInstructions(prompt: string, { backend, instructions }: AgentPolicy): string {
  const isPartOfPrompt = backend === "command" || backend === "scripted" || backend === "acp";
  return isPartOfPrompt ? addRoleText(prompt, instructions) : prompt;
}

/** Before somebody works on a task or judges its prompt, the program looks itself for what the task speaks of. */
async function lookAhead({
  intent,
  ports,
  state,
}: Effect<DispatchStarted>): Promise<Result<OwnLook, Failure>> {
  if (intent.taskId === null || intent.stage === "review") return success(nothingSeen);
  const { task } = knownTask(state, intent.taskId);
  const [paths, names] = [wantedFiles(task), wantedNames(task)];
  if (paths.length + names.length === 0) return success(nothingSeen);
  return ports.repository.lookFor({ commit: intent.base, paths, names });
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
