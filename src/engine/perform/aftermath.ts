// What was found beside a lane, as events: they come before the outcome they belong to, so that no crash loses them.

import type { DispatchStarted, GateStarted, MemoryStarted, RunEvent } from "../../core/event.ts";
import type { Failure } from "../../core/failure.ts";
import type { TaskId } from "../../core/ids.ts";
import type { GatePolicy } from "../../core/policy.ts";
import { type Result, success } from "../../core/result.ts";
import type { GateAnswer } from "../../ports.ts";
import type { Effect } from "./effect.ts";

/** Nothing to doubt, no event. */
export function dispatchDoubted(intent: DispatchStarted, what: readonly string[]): readonly RunEvent[] {
  const { taskId, attempt, stage } = intent;
  return what.length === 0 ? [] : [{ kind: "checkout-doubted", taskId, attempt, stage, what }];
}

export interface WatchedGate {
  readonly gate: GatePolicy;
  readonly cwd: string;
  readonly log: string;
  readonly dispatch: string;
  readonly taskId: TaskId | null;
  readonly attempt: number;
  /** Below which is kept what the gate took away. */
  readonly refPrefix: string;
}

export interface GateEnd {
  readonly answer: GateAnswer | { readonly kind: "failed"; readonly failure: Failure };
  readonly events: readonly RunEvent[];
}

/** Runs a gate and looks at what it did beside its tree; what was put back is only told. */
export async function runWatched(
  effect: Effect<GateStarted | MemoryStarted>,
  at: WatchedGate,
): Promise<Result<GateEnd, Failure>> {
  const { intent, ports, signal } = effect;
  const { gate, cwd, log, dispatch, taskId, attempt, refPrefix } = at;
  const remembered = await ports.repository.beforeDispatch({ lane: intent.lane, dispatch });
  if (!remembered.ok) return remembered;
  const answer = await ports.gates.run({ gate, cwd, log, dispatch }, signal, effect.onOutput);
  const aftermath = await ports.repository.afterDispatch({ lane: intent.lane, refPrefix });
  if (!aftermath.ok) return aftermath;
  const { violations, notes, doubts } = aftermath.value;
  const told = [...violations, ...notes].map((each): RunEvent => {
    return {
      kind: "told",
      text: `around gate ${gate.name}${taskId === null ? "" : ` of ${taskId}`}: ${each}`,
    };
  });
  const doubted: readonly RunEvent[] =
    doubts.length === 0 ? [] : [{ kind: "checkout-doubted", taskId, attempt, stage: "gates", what: doubts }];
  return success({ answer: await withRoom(effect, answer), events: [...told, ...doubted] });
}

/** On a full disk a red gate says nothing of the commit. */
async function withRoom({ ports }: Effect, answer: GateAnswer): Promise<GateEnd["answer"]> {
  if (answer.kind === "interrupted" || answer.result.outcome === "passed") return answer;
  const room = await ports.repository.checkRoom();
  return room.ok ? answer : { kind: "failed", failure: room.failure };
}
