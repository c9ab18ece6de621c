// What a checkpoint of the plan answers by itself, once its time has come and the builder has said nothing.

import type { Question, RunEvent } from "./event.ts";
import { limits } from "./limits.ts";
import { knownTask, type OpenQuestion, type RunState } from "./state.ts";

interface DefaultAnswer {
  readonly text: string;
  readonly atMs: number;
}

/** null: the builder is waited for as long as it takes. */
export function defaultAnswer(state: RunState, question: OpenQuestion): DefaultAnswer | null {
  const checkpoint = checkpointOf(state, question);
  if (checkpoint === null || checkpoint.timeoutMs === 0) return null;
  return { text: checkpoint.defaultAction ?? "reject", atMs: question.askedAtMs + checkpoint.timeoutMs };
}

function checkpointOf(state: RunState, { about }: Question) {
  if (about.kind !== "checkpoint-before" && about.kind !== "checkpoint-after") return null;
  return knownTask(state, about.taskId).task.checkpoint;
}

/** The first answer whose time has come, as if the builder had given it. */
export function planDefaultAnswer(state: RunState, nowMs: number): RunEvent | null {
  for (const question of state.questions) {
    const answer = defaultAnswer(state, question);
    if (answer === null || answer.atMs > nowMs) continue;
    return {
      kind: "question-answered",
      question: question.id,
      text: answer.text,
      by: "the checkpoint's time-out",
    };
  }
  return null;
}

/** When answers come by themselves for which it is worth to stay: until then the run is not blocked. */
export function timesOfDefaults(state: RunState, nowMs: number): readonly number[] {
  return state.questions.flatMap((question) => {
    const answer = defaultAnswer(state, question);
    return answer !== null && answer.atMs - nowMs <= limits.waitMs ? [answer.atMs] : [];
  });
}
