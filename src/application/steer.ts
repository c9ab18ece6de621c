// `pause`, `answer`, `retry`, `skip`, `cancel`: a request is left for the live program; when there is none, this
// program takes the run for a moment and records it itself, without any work.

import { type Checkout, inspectCheckout } from "../adapters/git/inspect.ts";
import { sendRequest } from "../adapters/requests.ts";
import { type FoundRun, lookAtRun } from "../adapters/run-folder.ts";
import { describe } from "../core/failure.ts";
import type { TaskId } from "../core/ids.ts";
import { answerProblem, retryProblem, skipProblem } from "../core/request-problem.ts";
import { failed, type Result, success } from "../core/result.ts";
import { type RunState, taskOf } from "../core/state.ts";
import type { BuilderRequest } from "../ports.ts";
import { checkoutRefusal } from "./checkout-refusal.ts";
import { findRun } from "./find-run.ts";
import { refuseInsideAgent } from "./inside-agent.ts";
import { readRunState } from "./read-run.ts";
import { programRedaction } from "./redaction.ts";
import { problem, type Refusal, refuse } from "./refusal.ts";
import { toPlace } from "./resume.ts";
import { noSandbox } from "./sandbox.ts";
import { takeLocks } from "./session.ts";
import { opening, work } from "./work.ts";

export interface Steered {
  readonly state: RunState;
  /** Whether a live program was asked; else it is recorded already. */
  readonly isLive: boolean;
}

/** What the builder wants; `question` may be left out when exactly one is open. */
export type Wish =
  | { readonly kind: "pause"; readonly now: boolean }
  | { readonly kind: "answer"; readonly question: string | null; readonly text: string }
  | { readonly kind: "retry"; readonly taskId: string; readonly note: string }
  | { readonly kind: "skip"; readonly taskId: string; readonly why: string }
  | { readonly kind: "cancel" };

export async function steer(at: {
  slug: string;
  cwd?: string;
  wish: Wish;
}): Promise<Result<Steered, Refusal>> {
  const inside = refuseInsideAgent();
  if (inside !== null) return failed(inside);
  const checkout = await inspectCheckout(at.cwd ?? process.cwd());
  if (!checkout.ok) return failed(checkoutRefusal(checkout.failure));
  const run = findRun({ checkout: checkout.value.topLevel, slug: at.slug });
  if (!run.ok) return run;
  const state = readRunState(run.value.folder);
  if (!state.ok) return state;
  const isLive = run.value.ownership.state === "live";
  const request = toRequest(state.value, at.wish, isLive);
  if (!request.ok) return request;
  const sent = sendRequest({
    folder: run.value.folder,
    request: programRedaction().json(request.value),
  });
  if (!sent.ok)
    return failed(
      refuse([problem({ expected: "a request that can be left", hint: describe(sent.failure) })], 3),
    );
  if (isLive) return success({ state: state.value, isLive });
  return settle({ checkout: checkout.value, run: run.value, state: state.value });
}

const by = "the builder";

function toRequest(state: RunState, wish: Wish, isLive: boolean): Result<BuilderRequest, Refusal> {
  const phase = state.phase.kind;
  if (phase === "completed") return failed(unfit(state, wish.kind, `the run is ${phase}`));
  switch (wish.kind) {
    case "pause":
      return isLive
        ? success({ ...wish, by })
        : failed(unfit(state, "pause", "no program is working on this run"));
    case "cancel":
      return success({ kind: "cancel", by });
    case "answer":
      return toAnswer(state, wish);
    case "retry": {
      const taskId = wish.taskId as TaskId; // a task of the run has it, or it is refused
      const trouble = retryProblem(taskOf(state, taskId), wish.taskId);
      return trouble === null
        ? success({ kind: "retry", taskId, note: wish.note, by })
        : failed(unfit(state, "retry", trouble));
    }
    case "skip": {
      const taskId = wish.taskId as TaskId; // a task of the run has it, or it is refused
      const trouble = skipProblem(taskOf(state, taskId), wish.taskId);
      return trouble === null
        ? success({ kind: "skip", taskId, why: wish.why, by })
        : failed(unfit(state, "skip", trouble));
    }
  }
}

function toAnswer(state: RunState, wish: Extract<Wish, { kind: "answer" }>): Result<BuilderRequest, Refusal> {
  const open = state.questions.map(({ id }) => id);
  const [only] = open;
  if (wish.question === null && open.length > 1) {
    return failed(unfit(state, "answer", `${open.length} questions are open; name one: ${open.join(", ")}`));
  }
  const question = wish.question ?? only ?? "";
  const trouble = answerProblem(state, question, wish.text);
  return trouble === null
    ? success({ kind: "answer", question, text: wish.text, by })
    : failed(unfit(state, "answer", trouble));
}

function unfit(state: RunState, path: string, hint: string): Refusal {
  return refuse([
    problem({ file: `dev/executions/${state.slug}`, path, expected: "a request that fits the run", hint }),
  ]);
}

/** Records what waits in `requests/`; a program that took the run meanwhile does it instead. */
async function settle(at: {
  checkout: Checkout;
  run: FoundRun;
  state: RunState;
}): Promise<Result<Steered, Refusal>> {
  const place = toPlace(at, at.state);
  const locks = await takeLocks(place);
  if (!locks.ok) {
    const isLive = lookAtRun(place.checkout, place.slug).ownership.state === "live";
    return isLive ? success({ state: at.state, isLive }) : failed(locks.failure);
  }
  const ended = await work({
    place,
    locks: locks.value,
    isNew: false,
    sandbox: noSandbox,
    mode: "settle",
    toOpening: () => opening([]),
  });
  if (ended.kind === "stopped") return success({ state: ended.state, isLive: false });
  if (ended.kind === "refused") return failed(ended.refusal);
  return failed(
    refuse([problem({ expected: "a journal that can be written", hint: "see the run folder" })], 3),
  );
}
