// One whole run by seed: a random plan under a random policy in a hostile world, with a builder who answers, skips,
// retries and pauses whenever it comes to mind, and a process that dies now and then. Everybody calms down after a
// while, so that every run has to end.

import { isDeepStrictEqual } from "node:util";
import type { RunEvent } from "../../src/core/event.ts";
import { plan } from "../../src/core/plan.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Prd } from "../../src/core/prd.ts";
import type { RunState } from "../../src/core/state.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { answerAll, Post } from "./builder.ts";
import { Chaos } from "./chaos.ts";
import { EchoInbox } from "./echo.ts";
import { Random } from "./random.ts";
import { calmed, randomPolicy, randomPrd } from "./random-plan.ts";
import { RunWatch } from "./run-watch.ts";
import { Crash, runCreated, sessionStarted, World } from "./world.ts";

const stormySessions = 8;
const maxSessions = 40;
const maxEvents = 8_000;

export interface RandomRun {
  readonly world: World;
  readonly state: RunState;
  readonly sessions: number;
  readonly deaths: number;
  /** The kinds of phases at which its sessions stopped; "died" where they did not. */
  readonly stops: readonly string[];
}

/** Plays the run of a seed to its end; throws what does not hold. */
export async function playRandomRun(seed: number, concurrency: number): Promise<RandomRun> {
  const random = new Random(seed);
  const world = new World(() => ({ kind: "interrupted" }));
  const trouble = random.pick([0, 0.3, 0.6, 1]);
  const temper = { trouble, brokenChecks: random.chance(0.04), deadliness: random.pick([0, 0.002, 0.01]) };
  const chaos = new Chaos({ world, random, seed, temper });
  const post = new Post(world, random);
  const stops: string[] = [];
  const watch = new RunWatch(world, chaos);
  const prd = randomPrd(random);
  let policy = randomPolicy(random, concurrency);
  for (let session = 1; session <= maxSessions; session += 1) {
    const isCalm = session > stormySessions;
    if (isCalm) chaos.temper.trouble = 0;
    if (isCalm) chaos.temper.deadliness = 0;
    const deaths = chaos.deaths;
    const state = await playSession({ world, chaos, post, watch, random, prd, policy, isCalm });
    stops.push(chaos.deaths > deaths || state === null ? "died" : state.phase.kind);
    if (state === null) continue; // it died before its first word
    if (state.phase.kind === "completed" || state.phase.kind === "failed") {
      watch.end(state);
      return { world, state, sessions: session, deaths: chaos.deaths, stops };
    }
    policy = isCalm ? calmed(policy) : policy;
    await answerAll({ world, random, state, isCalm });
  }
  throw new Error(`I11 does not hold: the run has not ended after ${maxSessions} sessions`);
}

interface Session {
  readonly world: World;
  readonly chaos: Chaos;
  readonly post: Post;
  readonly watch: RunWatch;
  readonly random: Random;
  readonly prd: Prd;
  readonly policy: Policy;
  readonly isCalm: boolean;
}

/** From a start to a stop, or to the death of the process. */
async function playSession(session: Session): Promise<RunState | null> {
  const { world, chaos, post, watch, random, policy, isCalm } = session;
  const state = watch.catchUp();
  const extraAttempts = !isCalm && random.chance(0.1) ? 1 : 0;
  const opening = [
    ...(state === null ? [runCreated(world, session.prd)] : []),
    sessionStarted(policy, extraAttempts),
  ];
  const dieAt = !isCalm && random.chance(0.4) ? world.journal.length + random.int(1, 60) : null;
  const diesBefore = random.chance(0.5);
  world.beforeAppend = (seq) => {
    if (seq > maxEvents) throw new Error(`I11 does not hold: more than ${maxEvents} events`);
    if (seq === dieAt && diesBefore) chaos.die();
  };
  world.afterAppend = (seq) => {
    if (seq === dieAt) chaos.die();
    const known = last;
    if (!isCalm && known !== null && random.chance(0.025)) post.send(known);
  };
  let last = state;
  const engine = createEngine({
    ports: chaos.ports(),
    inbox: new EchoInbox(random),
    state,
    opening,
    onEntry: (entry, next) => {
      last = next;
      watch.see(entry, next);
      if (entry.seq % 8 === 0) holdPlanIsFunction(next, world.nowMs);
    },
    onOutput: () => {},
  });
  try {
    await engine.run();
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
  world.beforeAppend = () => {};
  world.afterAppend = () => {};
  return watch.catchUp();
}

function holdPlanIsFunction(state: RunState, nowMs: number): void {
  if (!isDeepStrictEqual(plan(state, nowMs), plan(state, nowMs))) {
    throw new Error("I5 does not hold: the same state gave two next events");
  }
}

/** The kinds of events of a run, for tests that say how much a set of runs has seen. */
export function kindsOf(events: Iterable<{ readonly event: RunEvent }>): ReadonlySet<string> {
  const kinds = new Set<string>();
  for (const { event } of events) kinds.add(event.kind);
  return kinds;
}
