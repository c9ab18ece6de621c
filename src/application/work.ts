// Working on a run whose locks are held: opens the session, lets the engine run, gives everything back.

import { dropHomes } from "../adapters/agents/agent-home.ts";
import type { RunEvent } from "../core/event.ts";
import { foldAll } from "../core/fold.ts";
import { failed, type Result, success } from "../core/result.ts";
import type { RunState } from "../core/state.ts";
import { createEngine, type EngineEnd } from "../engine/engine.ts";
import { createErrorTeller } from "./on-error.ts";
import type { Refusal } from "./refusal.ts";
import type { RunEnded, RunListener } from "./run-handle.ts";
import { homesOf, type SandboxChoice } from "./sandbox.ts";
import { type Locks, openSession, type Session, type SessionPlace } from "./session.ts";

export interface Work extends RunListener {
  readonly place: SessionPlace;
  readonly locks: Locks;
  readonly isNew: boolean;
  readonly sandbox: SandboxChoice;
  /** Events of this start, made when the journal is open; null for a settlement of requests. */
  readonly toOpening: (at: { state: RunState | null; token: string }) => Result<readonly RunEvent[], Refusal>;
  /** Works until the run stops, or only records what waits. */
  readonly mode: "run" | "settle";
  /** Gets the way to stop the engine as soon as there is one. */
  readonly onStoppable?: (stop: (by: string) => void) => void;
}

/** Releases the locks whatever happens. */
export async function work(at: Work): Promise<RunEnded> {
  try {
    const session = await openSession(at.place, at.locks, at);
    if (!session.ok) return { kind: "refused", refusal: session.failure };
    try {
      return await workIn(session.value, at);
    } finally {
      session.value.close();
    }
  } finally {
    at.locks.release();
  }
}

async function workIn(session: Session, at: Work): Promise<RunEnded> {
  const state = foldAll(session.entries);
  const opening = at.toOpening({ state, token: session.token });
  if (!opening.ok) return { kind: "refused", refusal: opening.failure };
  const teller = createErrorTeller({
    place: at.place,
    redaction: session.redaction,
    onTrouble: (text) => at.onTrouble?.(text),
  });
  const engine = createEngine({
    ports: session.ports,
    state,
    opening: inOrder(opening.value, session.found),
    onEntry: (entry, next) => {
      at.onUpdate?.({ entry, state: next });
      if (at.mode === "run") teller.see(entry, next);
    },
    onOutput: (line, intent) => at.onOutput?.(line, intent),
  });
  at.onStoppable?.((by) => engine.stop(by));
  const end = at.mode === "run" ? await engine.run() : await engine.settle();
  if (end.kind === "journal-lost") teller.lost(end.failure, end.state);
  await teller.end();
  if (end.state?.phase.kind === "completed") await dropHomes(homesOf(at.place));
  return toEnded(end);
}

/** What was found when opening comes first, but for a new run, whose first event is run-created. */
function inOrder(opening: readonly RunEvent[], found: readonly RunEvent[]): readonly RunEvent[] {
  const [first, ...rest] = opening;
  return first?.kind === "run-created" ? [first, ...found, ...rest] : [...found, ...opening];
}

function toEnded(end: EngineEnd): RunEnded {
  return end.kind === "stopped"
    ? { kind: "stopped", state: end.state }
    : { kind: "journal lost", failure: end.failure, state: end.state };
}

export function opening(events: readonly RunEvent[]): Result<readonly RunEvent[], Refusal> {
  return success(events);
}

export function refusedOpening(refusal: Refusal): Result<readonly RunEvent[], Refusal> {
  return failed(refusal);
}
