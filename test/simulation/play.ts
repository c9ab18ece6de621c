// Plays a run in a World: starts a "process" on its journal and works until the run stops.

import { isDeepStrictEqual } from "node:util";
import type { RunEvent } from "../../src/core/event.ts";
import { foldAll } from "../../src/core/fold.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Prd } from "../../src/core/prd.ts";
import type { RunState } from "../../src/core/state.ts";
import { createEngine, type Engine } from "../../src/engine/engine.ts";
import type { AgentOutcome } from "../../src/ports.ts";
import type { AgentScript } from "./world.ts";
import { runCreated, sessionStarted, type World } from "./world.ts";

export interface PlayOptions {
  readonly prd: Prd;
  readonly policy: Policy;
  readonly extraAttempts?: number;
  /** Events before the session's start, for example a changed plan. */
  readonly before?: readonly RunEvent[];
  readonly onEngine?: (engine: Engine) => void;
}

/** Starts or resumes, and returns the state at which the run stopped. */
export async function play(world: World, options: PlayOptions): Promise<RunState> {
  const state = foldAll(world.journal);
  const opening: RunEvent[] = state === null ? [runCreated(world, options.prd)] : [];
  opening.push(...(options.before ?? []), sessionStarted(options.policy, options.extraAttempts ?? 0));
  const engine = createEngine({
    ports: world.ports(),
    state,
    opening,
    onEntry: () => {},
    onOutput: () => {},
  });
  options.onEngine?.(engine);
  const end = await engine.run();
  if (end.kind !== "stopped") throw new Error(`the journal was lost: ${end.failure.reason}`);
  const folded = foldAll(world.journal);
  if (!isDeepStrictEqual(folded, end.state))
    throw new Error("the engine's state is not the fold of its journal");
  return end.state;
}

/** Records what was requested while no program was live. */
export async function settle(world: World): Promise<RunState> {
  const state = foldAll(world.journal);
  const engine = createEngine({
    ports: world.ports(),
    state,
    opening: [],
    onEntry: () => {},
    onOutput: () => {},
  });
  const end = await engine.settle();
  if (end.kind !== "stopped") throw new Error("the journal was lost");
  return end.state;
}

export function answered(report: Extract<AgentOutcome, { kind: "answered" }>["report"]): AgentOutcome {
  return { kind: "answered", report };
}

export function developed(summary = "did it"): AgentOutcome {
  return answered({ stage: "develop", summary, reflection: "easy", signals: [], question: null });
}

export function approved(score = 95): AgentOutcome {
  const criteria = [{ index: 0, verdict: "met", where: "the file is there" }] as const;
  return answered({ stage: "review", verdict: "approved", score, criteria, findings: [], justified: [] });
}

export function iterate(score: number, problem: string): AgentOutcome {
  const finding = { id: "f1", severity: "major", file: null, line: null, problem, fix: "mend it" } as const;
  return answered({
    stage: "review",
    verdict: "iterate",
    score,
    criteria: [],
    findings: [finding],
    justified: [],
  });
}

export function passed(): AgentOutcome {
  return answered({
    stage: "holistic-review",
    verdict: "pass",
    summary: "good",
    followUps: [],
    learnings: ["learn"],
  });
}

/** An agent that does every task at once: writes a file named after the task, approves, passes. */
export const honest: AgentScript = ({ request, work }) => {
  switch (request.stage) {
    case "develop":
      work.set(`${request.taskId}.txt`, `${request.taskId} by attempt ${request.attempt}`);
      return developed(`made ${request.taskId}.txt`);
    case "review":
      return approved();
    case "precheck":
      return answered({ stage: "precheck", verdict: "approved", issues: [] });
    case "recon":
      return answered({ stage: "recon", tasks: [] });
    case "pre-mortem":
      return answered({ stage: "pre-mortem", risks: [] });
    case "holistic-review":
      return passed();
  }
};

/** An honest agent but for what `special` answers. */
export function mostlyHonest(
  special: (...at: Parameters<AgentScript>) => ReturnType<AgentScript> | null,
): AgentScript {
  return (at) => special(at) ?? honest(at);
}
