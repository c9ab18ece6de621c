// One whole run by seed: a random plan under a random policy in a hostile world, with a builder who answers, skips,
// retries and pauses whenever it comes to mind, and a process that dies now and then. Everybody calms down after a
// while, so that every run has to end.

import { isDeepStrictEqual } from "node:util";
import type { Question, RunEvent } from "../../src/core/event.ts";
import type { TaskId } from "../../src/core/ids.ts";
import { plan } from "../../src/core/plan.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Prd, TaskType } from "../../src/core/prd.ts";
import type { RunState } from "../../src/core/state.ts";
import { createEngine } from "../../src/engine/engine.ts";
import type { BuilderRequest } from "../../src/ports.ts";
import { Chaos } from "./chaos.ts";
import { settle } from "./play.ts";
import { Random } from "./random.ts";
import { RunWatch } from "./run-watch.ts";
import { Crash, runCreated, sessionStarted, toPolicy, toPrd, toTask, World } from "./world.ts";

const stormySessions = 8;
const maxSessions = 40;
const maxEvents = 8_000;

export interface RandomRun {
  readonly world: World;
  readonly state: RunState;
  readonly sessions: number;
}

/** Plays the run of a seed to its end; throws what does not hold. */
export async function playRandomRun(seed: number, concurrency: number): Promise<RandomRun> {
  const random = new Random(seed);
  const world = new World(() => ({ kind: "interrupted" }));
  const trouble = random.pick([0, 0.3, 0.6, 1]);
  const chaos = new Chaos({ world, random, seed, temper: { trouble, brokenChecks: random.chance(0.04) } });
  const watch = new RunWatch(world, chaos);
  const prd = randomPrd(random);
  let policy = randomPolicy(random, concurrency);
  for (let session = 1; session <= maxSessions; session += 1) {
    const isCalm = session > stormySessions;
    if (isCalm) chaos.temper.trouble = 0;
    const state = await playSession({ world, chaos, watch, random, prd, policy, isCalm });
    if (state === null) continue; // it died before its first word
    if (state.phase.kind === "completed" || state.phase.kind === "failed") {
      watch.end(state);
      return { world, state, sessions: session };
    }
    policy = isCalm ? calmed(policy) : policy;
    await answerAll({ world, random, state, isCalm });
  }
  throw new Error(`I11 does not hold: the run has not ended after ${maxSessions} sessions`);
}

interface Session {
  readonly world: World;
  readonly chaos: Chaos;
  readonly watch: RunWatch;
  readonly random: Random;
  readonly prd: Prd;
  readonly policy: Policy;
  readonly isCalm: boolean;
}

/** From a start to a stop, or to the death of the process. */
async function playSession(session: Session): Promise<RunState | null> {
  const { world, chaos, watch, random, policy, isCalm } = session;
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
    if (!isCalm && known !== null && random.chance(0.02)) world.send(randomRequest(random, known));
  };
  let last = state;
  const engine = createEngine({
    ports: chaos.ports(),
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

function randomPrd(random: Random): Prd {
  const count = random.int(1, 12);
  const ids = Array.from({ length: count }, (_none, index) => `t${index + 1}` as TaskId);
  const edges = random.pick([0, 0.15, 0.4]);
  // Dependencies point backwards in a shuffled order, so that the plan's order is not an order of work.
  const order = ids.map((id) => ({ id, at: random.next() })).sort((a, b) => a.at - b.at);
  const tasks = order.map(({ id }, index) =>
    toTask(id, {
      dependsOn: order.slice(0, index).flatMap((other) => (random.chance(edges) ? [other.id] : [])),
      priority: random.chance(0.3) ? random.int(-2, 2) : null,
      type: random.weighted<TaskType>({
        auto: 20,
        "checkpoint:human-verify": 2,
        "checkpoint:decision": 1,
        "checkpoint:human-action": 1,
      }),
      gates: random.chance(0.2) ? random.pick([["tests"], ["lint"], []]) : null,
      agent: random.chance(0.1) ? "second" : null,
      allowNoChanges: random.chance(0.2),
    }),
  );
  return toPrd(random.chance(0.5) ? tasks : tasks.sort((a, b) => (a.id < b.id ? -1 : 1)));
}

function randomPolicy(random: Random, concurrency: number): Policy {
  const base = toPolicy();
  const [tests] = base.gates;
  const [developer] = Object.values(base.agents);
  if (tests === undefined || developer === undefined) throw new Error("the policy has agents and gates");
  const stage = (): "auto" | "on" | "off" => random.pick(["auto", "on", "off"]);
  return toPolicy({
    agents: random.chance(0.3)
      ? { ...base.agents, developer: { ...developer, fallback: "second" } }
      : base.agents,
    gates: random.pick([[], [tests], [tests, { ...tests, name: "lint" }]]),
    concurrency,
    maxAttempts: random.int(1, 4),
    review: { enabled: random.chance(0.9), passScore: 80 },
    onInterrupted: random.pick(["continue", "clean"]),
    onTaskFailure: random.chance(0.05) ? "stop" : "continue",
    precheck: stage(),
    recon: stage(),
    preMortem: random.pick(["auto", "on", "off", "approve"]),
    memory: { enabled: random.chance(0.8), dir: "memory" },
    yes: random.chance(0.3),
    only: random.chance(0.1) ? ["t1", "t2"] : null,
  });
}

/** What a builder raises and switches to get a run to its end. */
function calmed(policy: Policy): Policy {
  return {
    ...policy,
    only: null,
    maxAttempts: policy.maxAttempts + 2,
    budget: { ...policy.budget, maxDispatches: 100_000, wallClockMs: 0 },
  };
}

function randomRequest(random: Random, state: RunState): BuilderRequest {
  const by = "the builder";
  const taskId = random.pick([...state.tasks]).task.id;
  const kind = random.weighted({ pause: 4, now: 4, skip: 2, retry: 5, answer: 10, cancel: 0.1 });
  switch (kind) {
    case "pause":
    case "now":
      return { kind: "pause", now: kind === "now", by };
    case "skip":
      return { kind: "skip", taskId, why: "not needed", by };
    case "retry":
      return { kind: "retry", taskId, note: random.pick(["", "mind the gap"]), by };
    case "cancel":
      return { kind: "cancel", by };
    case "answer": {
      const [question] = state.questions;
      if (question === undefined) return { kind: "answer", question: "none", text: "yes", by };
      return { kind: "answer", question: question.id, text: randomAnswer(random, question), by };
    }
  }
}

function randomAnswer(random: Random, question: Question): string {
  const options = question.options.map(({ id }) => id);
  return random.chance(0.15) ? "do it my way" : random.pick(options.length > 0 ? options : ["go on"]);
}

/** The first option leads on: every question of the program offers it first. */
function calmAnswer(question: Question): string {
  return question.options[0]?.id ?? "go on";
}

/** What the builder does while the run is stopped; sometimes the requests wait for the next start. */
async function answerAll(at: {
  world: World;
  random: Random;
  state: RunState;
  isCalm: boolean;
}): Promise<void> {
  const { world, random, state, isCalm } = at;
  for (const question of state.questions) {
    if (!isCalm && random.chance(0.2)) continue;
    const text = isCalm ? calmAnswer(question) : randomAnswer(random, question);
    world.requests.push({ kind: "answer", question: question.id, text, by: "the builder" });
  }
  if (!isCalm && random.chance(0.1)) world.requests.push(randomRequest(random, state));
  if (!isCalm && random.chance(0.1) && state.running.size === 0) commitByHand(world, state);
  const isLive = state.phase.kind === "running"; // the process died; nobody but the next start may record
  if (!isLive && random.chance(0.5)) await settle(world);
}

/** The builder mends something on the run's branch while the run is stopped. */
function commitByHand(world: World, state: RunState): void {
  const ref = `refs/heads/${state.branch}`;
  const head = world.git.refs.get(ref);
  if (head === undefined) return;
  const tree = new Map([...world.git.treeOf(head), ["builder.txt", `at ${world.journal.length}`]]);
  world.git.refs.set(ref, world.git.commit({ tree, parent: head, message: "by hand", atMs: world.nowMs }));
}

/** The kinds of events of a run, for tests that say how much a set of runs has seen. */
export function kindsOf(events: Iterable<{ readonly event: RunEvent }>): ReadonlySet<string> {
  const kinds = new Set<string>();
  for (const { event } of events) kinds.add(event.kind);
  return kinds;
}
