// Integration: the branch moves to the approved candidate, or it does not move.

import type { IntegrationStarted, RunEvent } from "../../core/event.ts";
import { type Effect, isOnBranch } from "./effect.ts";

export async function performIntegration(effect: Effect<IntegrationStarted>): Promise<readonly RunEvent[]> {
  const { intent, ports, state } = effect;
  const { taskId, attempt, from, to } = intent;
  const moved = await ports.repository.integrate({ branch: state.branch, from, to });
  const isIn = moved.ok || (await isOnBranch(effect, to));
  return [
    {
      kind: "integration-ended",
      taskId,
      attempt,
      result: isIn ? { kind: "integrated" } : { kind: "refused", failure: moved.failure },
    },
  ];
}
