// The builder of a random run: answers, skips, retries and pauses whenever it comes to mind, sometimes twice and
// sometimes too late, and mends things on the run's branch while the run is stopped.

import type { Question } from "../../src/core/event.ts";
import type { RunState } from "../../src/core/state.ts";
import type { BuilderRequest } from "../../src/ports.ts";
import { settle } from "./play.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** Something for the live program: new, one that it has had already, or one that was meant for an earlier moment. */
export class Post {
  readonly #world: World;
  readonly #random: Random;
  readonly #late: BuilderRequest[] = [];

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  send(state: RunState): void {
    const random = this.#random;
    const had = this.#world.claimed;
    const kind = random.weighted({ fresh: 6, keep: 2, late: 2, again: had.length > 0 ? 2 : 0 });
    if (kind === "keep") {
      this.#late.push(randomRequest(random, state));
      return;
    }
    const late = kind === "late" ? this.#late.shift() : undefined;
    this.#world.send(late ?? (kind === "again" ? random.pick(had) : randomRequest(random, state)));
  }
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
export async function answerAll(at: {
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
  if (!isCalm && random.chance(0.1)) commitByHand(world, state);
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
