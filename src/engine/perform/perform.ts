// Doing is dumb: an intent of the journal goes to the one function that carries it out and says how it ended.
// Every effect can be repeated after a crash: it finds what is already done, or makes the same thing again.

import type { Intent, RunEvent } from "../../core/event.ts";
import { performCandidate } from "./candidate.ts";
import { performDevelop } from "./develop.ts";
import type { Effect } from "./effect.ts";
import { performGate } from "./gate.ts";
import { performIntegration } from "./integration.ts";
import { performLook } from "./look.ts";
import { performMemory } from "./memory.ts";

/** Carries out an intent; the outcome as events. Expected trouble is in the events; an exception is a bug. */
export function perform(effect: Effect): Promise<readonly RunEvent[]> {
  const { intent } = effect;
  switch (intent.kind) {
    case "dispatch-started":
      return intent.stage === "develop"
        ? performDevelop({ ...effect, intent })
        : performLook({ ...effect, intent });
    case "candidate-started":
      return performCandidate({ ...effect, intent });
    case "gate-started":
      return performGate({ ...effect, intent });
    case "integration-started":
      return performIntegration({ ...effect, intent });
    case "memory-started":
      return performMemory({ ...effect, intent });
  }
}

/** Whether an effect may be cut short; the others end in peace within moments. */
export function isAbortable(intent: Intent): boolean {
  return (
    intent.kind === "dispatch-started" || intent.kind === "gate-started" || intent.kind === "memory-started"
  );
}
