// Integration: the branch moves to the approved candidate, or it does not move.

import type { IntegrationStarted, RunEvent } from "../../core/event.ts";
import type { Effect } from "./effect.ts";

export async function performIntegration(effect: Effect<IntegrationStarted>): Promise<readonly RunEvent[]> {
  const { intent, ports, state } = effect;
  const { taskId, attempt, from, to } = intent;
  const moved = await ports.repository.integrate({ branch: state.branch, from, to });
  return [
    {
      kind: "integration-ended",
      taskId,
      attempt,
      result: moved.ok ? { kind: "integrated" } : { kind: "refused", failure: moved.failure },
    },
  ];
}
