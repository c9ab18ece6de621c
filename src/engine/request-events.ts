// A request of the builder, as events: pure. What does not fit the state becomes a told refusal, not an error,
// because the one who asked may be gone.

import type { RunEvent } from "../core/event.ts";
import { answerProblem, retryProblem, skipProblem } from "../core/request-problem.ts";
import { type RunState, taskOf } from "../core/state.ts";
import type { BuilderRequest } from "../ports.ts";

export function toRequestEvents(state: RunState, request: BuilderRequest): readonly RunEvent[] {
  if (request.id !== undefined && state.requests.has(request.id)) return [];
  const mark = request.id === undefined ? {} : { request: request.id };
  return toEvents(state, request).map((event) => ({ ...event, ...mark }));
}

type Requested = Extract<RunEvent, { readonly request?: string }>;

function toEvents(state: RunState, request: BuilderRequest): readonly Requested[] {
  switch (request.kind) {
    case "pause":
      return [{ kind: "pause-requested", now: request.now, by: request.by }];
    case "cancel":
      return [{ kind: "run-cancelled", by: request.by }];
    case "answer": {
      const problem = answerProblem(state, request.question, request.text);
      if (problem !== null) return [refused("answer", problem)];
      return [{ kind: "question-answered", question: request.question, text: request.text, by: request.by }];
    }
    case "retry": {
      const problem = retryProblem(taskOf(state, request.taskId), request.taskId);
      if (problem !== null) return [refused("retry", problem)];
      return [{ kind: "task-retried", taskId: request.taskId, note: request.note, by: request.by }];
    }
    case "skip": {
      const problem = skipProblem(taskOf(state, request.taskId), request.taskId);
      if (problem !== null) return [refused("skip", problem)];
      return [{ kind: "task-skipped", taskId: request.taskId, why: request.why, by: request.by }];
    }
  }
}

function refused(what: string, problem: string): Requested {
  return { kind: "told", text: `refused a request to ${what}: ${problem}` };
}
