// What a start does before the loop: what was under way when the program died is finished or recorded as
// interrupted, and the branch is compared with where the run left it. Only journal and git are believed (I1).

import type { DispatchStarted, IntegrationStarted, RunEvent } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import type { Sha } from "../core/ids.ts";
import { failed, type Result, success } from "../core/result.ts";
import { openAttempt, type Running, type RunState } from "../core/state.ts";
import type { Ports } from "../ports.ts";
import { dispatchEnded } from "./perform/ask-agent.ts";
import { startCommit } from "./perform/develop.ts";
import { dispatchRefPrefix } from "./perform/effect.ts";

/** Who is named as the cause of an interruption by the program's own death. */
const death = "the end of the program";

/**
 * Effects of a dead session that are finished before anything else: they decide where the branch is. Making the
 * same commit again gives the same sha, and moving the branch to where it is already is no move.
 */
export function toFinish(state: RunState): readonly Running[] {
  return [...state.running.values()].filter(({ intent }) => {
    return intent.kind === "integration-started" || intent.kind === "memory-started";
  });
}

/** Effects that the loop takes up again as they were meant; gates and candidates can be repeated. */
export function toRepeat(state: RunState): readonly Running[] {
  return [...state.running.values()].filter(({ intent }) => {
    return intent.kind === "candidate-started" || intent.kind === "gate-started";
  });
}

/**
 * The ends of dispatches that the program's death cut short. What they did to the repository is put right as after
 * any dispatch, but it fails nothing: since then the builder may have changed the same things. A developer's tree
 * is kept.
 */
export async function endInterrupted(state: RunState, ports: Ports): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  for (const { intent } of state.running.values()) {
    if (intent.kind !== "dispatch-started") continue;
    const refPrefix = dispatchRefPrefix(state, intent);
    const aftermath = await ports.repository.afterDispatch({ lane: intent.lane, refPrefix });
    const salvage = intent.stage === "develop" ? await salvageOf(state, ports, intent) : null;
    const outcome = { kind: "interrupted", by: death, salvage } as const;
    const notes = aftermath.ok ? [...aftermath.value.violations, ...aftermath.value.notes] : [];
    events.push(dispatchEnded({ intent, outcome, usage: null, durationMs: 0, notes }));
  }
  return events;
}

async function salvageOf(state: RunState, ports: Ports, intent: DispatchStarted): Promise<Sha | null> {
  const kept = await ports.repository.salvageWork({
    lane: intent.lane,
    base: intent.base,
    start: startCommit(intent),
    refPrefix: dispatchRefPrefix(state, intent),
  });
  return kept.ok ? kept.value : null;
}

/** Takes the branch for this session: made when the run is new, adopted when commits were put on top of it. */
export async function takeBranch(
  state: RunState,
  ports: Ports,
): Promise<Result<readonly RunEvent[], Failure>> {
  const { branch, head } = state;
  const position = await ports.repository.compareBranch({ branch, expected: head });
  if (!position.ok) return position;
  const moved = (found: string | null): Result<never, Failure> =>
    failed({ reason: "branch-moved", branch, expected: head, found });
  switch (position.value.kind) {
    case "same":
      return hold(state, ports, []);
    case "missing":
      return head === state.base ? hold(state, ports, []) : moved(null);
    case "elsewhere": {
      const found = position.value.head;
      if (!(await isBehindNewRun(state, ports))) return moved(found);
      const brought = await ports.repository.integrate({ branch, from: found, to: head });
      return brought.ok ? hold(state, ports, []) : brought;
    }
    case "ahead": {
      const ours = await findIntegrated(state, ports);
      if (!ours.ok) return ours;
      if (ours.value !== null) return takeIntegrated(state, ports, ours.value);
      const { head: to, count } = position.value;
      return hold({ ...state, head: to }, ports, [
        { kind: "foreign-commits-adopted", from: head, to, count },
      ]);
    }
  }
}

/**
 * The integration that came to its end without anybody hearing of it, because git failed just then: its commit is on
 * the branch, and would otherwise be taken for somebody else's and its task be done again.
 */
async function findIntegrated(
  { branch, head, tasks }: RunState,
  ports: Ports,
): Promise<Result<IntegrationStarted | null, Failure>> {
  for (const record of tasks) {
    const attempt = openAttempt(record);
    if (attempt?.integration?.kind !== "refused" || attempt.candidate?.base !== head) continue;
    const to = attempt.candidate.commit;
    const position = await ports.repository.compareBranch({ branch, expected: to });
    if (!position.ok) return position;
    if (position.value.kind !== "same" && position.value.kind !== "ahead") continue;
    const { id: taskId } = record.task;
    return success({ kind: "integration-started", taskId, attempt: attempt.number, from: head, to });
  }
  return success(null);
}

async function takeIntegrated(
  state: RunState,
  ports: Ports,
  intent: IntegrationStarted,
): Promise<Result<readonly RunEvent[], Failure>> {
  const { taskId, attempt, to } = intent;
  const taken = await takeBranch({ ...state, head: to }, ports);
  if (!taken.ok) return taken;
  const result = { kind: "integrated" } as const;
  return success([intent, { kind: "integration-ended", taskId, attempt, result }, ...taken.value]);
}

/** A branch that was there when the run was made, without a commit of its own, begins at the base. */
async function isBehindNewRun(state: RunState, ports: Ports): Promise<boolean> {
  if (state.head !== state.base || state.stages.has("baseline")) return false;
  const own = await ports.repository.countSince({ branch: state.branch, base: state.base });
  return own.ok && own.value === 0;
}

async function hold(
  state: RunState,
  ports: Ports,
  events: readonly RunEvent[],
): Promise<Result<readonly RunEvent[], Failure>> {
  const isNew = state.head === state.base;
  const held = await ports.repository.holdBranch({ branch: state.branch, head: state.head, create: isNew });
  return held.ok ? success(events) : held;
}
