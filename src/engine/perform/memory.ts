// The memory commit: what the run taught, on the run's branch, if the gates stay green with it.

import { toMemoryMessage } from "../../core/commit-message.ts";
import type { MemoryEnded, MemoryStarted, RunEvent } from "../../core/event.ts";
import { describe, type Failure, stopsRun } from "../../core/failure.ts";
import type { GateResult } from "../../core/gate-result.ts";
import { judgeGate, knownFailing } from "../../core/gates.ts";
import type { Sha } from "../../core/ids.ts";
import { gatesOf } from "../../core/plan-judged.ts";
import { gateLogPlace } from "../../core/request.ts";
import { assert, failed, type Result, success } from "../../core/result.ts";
import type { RunState } from "../../core/state.ts";
import { toMemoryEntry, toMemoryIndex } from "../../views/memory-entry.ts";
import { runWatched } from "./aftermath.ts";
import { type Effect, isOnBranch } from "./effect.ts";

export async function performMemory(effect: Effect<MemoryStarted>): Promise<readonly RunEvent[]> {
  const { intent, ports, state } = effect;
  const ended = (result: MemoryEnded["result"]): readonly RunEvent[] => [{ kind: "memory-ended", result }];
  const entry = toMemoryEntry(state, intent.day);
  const made = await ports.repository.makeMemoryCommit({
    head: intent.head,
    atMs: effect.atMs,
    memory: {
      entryPath: entry.path,
      entryText: entry.text,
      indexPath: entry.indexPath,
      toIndexText: (present) => toMemoryIndex(present, entry),
      message: toMemoryMessage({ runId: state.runId, slug: state.slug }),
    },
  });
  if (!made.ok && stopsRun(made.failure)) return ended({ kind: "refused", failure: made.failure });
  if (!made.ok) return ended({ kind: "kept aside", ref: "", why: describe(made.failure) });
  const committed = ended({ kind: "committed", commit: made.value, entry: entry.path });
  if (await isOnBranch(effect, made.value)) return committed;
  const judged = await redGates(effect, made.value);
  if (effect.signal.aborted) return ended({ kind: "interrupted", by: effect.stoppedBy() });
  if (!judged.ok) return ended({ kind: "refused", failure: judged.failure });
  const { red, events } = judged.value;
  if (red.length > 0) return [...events, ...ended(await keepAside(effect, made.value, red))];
  const moved = await ports.repository.integrate({ branch: state.branch, from: intent.head, to: made.value });
  if (moved.ok || (await isOnBranch(effect, made.value))) return [...events, ...committed];
  return [...events, ...ended({ kind: "refused", failure: moved.failure })];
}

/** Gates that the memory commit alone breaks (they passed on the head before it). */
async function redGates(
  effect: Effect<MemoryStarted>,
  commit: Sha,
): Promise<Result<{ readonly red: readonly string[]; readonly events: readonly RunEvent[] }, Failure>> {
  const { intent, ports, signal, state } = effect;
  assert(state.policy !== null, "a run has a policy");
  const red: string[] = [];
  const events: RunEvent[] = [];
  const refPrefix = `refs/execute-prd/${state.runId}/_run/memory/1`;
  let keep = false;
  for (const name of gatesOf(state, null)) {
    const gate = state.policy.gates.find((candidate) => candidate.name === name);
    if (gate === undefined || state.baseline.accepted.includes(name)) continue;
    const ready = await ports.repository.prepareCheck(
      { lane: intent.lane, commit, setup: state.policy.setup, keep, baseVersions: null },
      signal,
    );
    if (signal.aborted) return success({ red, events });
    if (!ready.ok) return failed(ready.failure);
    keep = true;
    const log = gateLogPlace({ taskId: null, attempt: 2, gate: name, trial: "candidate" }).replace(
      "baseline/2",
      "memory/1",
    );
    const dispatch = `gate-memory-${name}`;
    const place = { gate, cwd: ready.value.path, log, dispatch, taskId: null, attempt: 1, refPrefix };
    const ran = await runWatched(effect, place);
    if (!ran.ok) return ran;
    events.push(...ran.value.events);
    const { answer } = ran.value;
    if (answer.kind === "interrupted") return success({ red, events });
    if (answer.kind === "failed") return failed(answer.failure);
    if (!isAsBefore(state, answer.result)) red.push(name);
  }
  return success({ red, events });
}

/** A gate that fails with the tests that fail without the memory commit too is not broken by it. */
function isAsBefore(state: RunState, first: GateResult): boolean {
  const excusable = knownFailing(state.baseline, first.gate, state.head) ?? [];
  const { verdict } = judgeGate({ first, again: undefined, excusable, acceptedAs: null });
  return verdict !== "failed";
}

async function keepAside(
  effect: Effect<MemoryStarted>,
  commit: Sha,
  red: readonly string[],
): Promise<MemoryEnded["result"]> {
  const { intent, ports, state } = effect;
  const ref = `refs/execute-prd/${state.runId}/_run/memory/1/kept`;
  const kept = await ports.repository.keep({ ref, commit });
  if (!kept.ok) return { kind: "refused", failure: kept.failure };
  await ports.repository.writePatch({
    base: intent.head,
    commit,
    file: "attempts/_run/memory/1/memory.patch",
  });
  return { kind: "kept aside", ref, why: `gates fail with it: ${red.join(", ")}` };
}
