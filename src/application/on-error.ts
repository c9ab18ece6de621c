// `onError`: the builder's own command is told about each failure that needs a person, as JSON on stdin. What it
// does, how long it takes and whether it fails changes nothing in the run: the failure that it was told of stands.

import { launch } from "../adapters/process/launch.ts";
import type { Redaction } from "../adapters/redaction/redaction.ts";
import type { Entry, RunEvent } from "../core/event.ts";
import { classOf, describe, type Failure } from "../core/failure.ts";
import { processMark } from "../core/ids.ts";
import type { JsonObject } from "../core/json.ts";
import { limits } from "../core/limits.ts";
import type { RunState } from "../core/state.ts";
import { toIso } from "../views/text.ts";
import type { SessionPlace } from "./session.ts";

export interface ErrorTeller {
  /** Starts the command where the event is a failure that needs a person; returns at once. */
  see(entry: Entry, state: RunState): void;
  /** The journal could not be written, so that no event says it. */
  lost(failure: Failure, state: RunState | null): void;
  /** Waits for the commands that were started; bounded. */
  end(): Promise<void>;
}

export function createErrorTeller(at: {
  readonly place: SessionPlace;
  readonly redaction: Redaction;
  /** Gets a sentence when the command itself failed. */
  readonly onTrouble: (text: string) => void;
}): ErrorTeller {
  const { place, redaction, onTrouble } = at;
  let queue = Promise.resolve();
  let waiting = 0;
  let count = 0;
  const tell = (command: string, message: JsonObject): void => {
    if (waiting >= limits.errorsQueued) {
      onTrouble(
        `onError was not told of "${String(message["reason"])}": it is still busy with the ones before`,
      );
      return;
    }
    waiting += 1;
    count += 1;
    const dispatch = processMark(place.runId, `on-error-${process.pid}-${count}`);
    queue = queue.then(async () => {
      const input = `${JSON.stringify(redaction.json(message))}\n`;
      const problem = await runCommand({ command, input, dispatch, place, redaction });
      if (problem !== null) onTrouble(`onError (${command}) ${problem}`);
      waiting -= 1;
    });
  };
  return {
    see: (entry, state) => {
      const failure = failureToTell(entry.event);
      const command = state.policy?.onError ?? "";
      if (failure !== null && command !== "") tell(command, toMessage({ failure, entry, state, place }));
    },
    lost: (failure, state) => {
      const command = state?.policy?.onError ?? "";
      if (command !== "" && state !== null) tell(command, toMessage({ failure, entry: null, state, place }));
    },
    end: () => queue,
  };
}

/** null: nobody needs to know, or the builder did it. */
function failureToTell(event: RunEvent): Failure | null {
  switch (event.kind) {
    case "question-asked":
      return event.question.failure;
    case "run-paused":
    case "run-blocked":
    case "run-failed":
      return classOf(event.failure) === "builder" && event.failure.reason !== "task-failure-stops"
        ? null
        : event.failure;
    default:
      return null;
  }
}

function toMessage(at: {
  failure: Failure;
  entry: Entry | null;
  state: RunState;
  place: SessionPlace;
}): JsonObject {
  const { entry, failure, place, state } = at;
  const taskId = "taskId" in failure ? failure.taskId : null;
  return {
    version: 1,
    slug: state.slug,
    runId: state.runId,
    event: entry?.event.kind ?? "journal-lost",
    at: toIso(entry?.atMs ?? state.updatedAtMs),
    status: state.phase.kind,
    taskId,
    reason: failure.reason,
    class: classOf(failure),
    message: describe(failure),
    runFolder: place.runFolder,
    branch: state.branch,
  };
}

/** What went wrong with the command itself; null: nothing. */
async function runCommand(at: {
  command: string;
  input: string;
  dispatch: string;
  place: SessionPlace;
  redaction: Redaction;
}): Promise<string | null> {
  const { command: run, dispatch, input, place, redaction } = at;
  const timeoutMs = limits.onErrorTimeoutMs;
  const ended = await launch(
    { run, cwd: place.checkout, dispatch, input, timeoutMs, redaction },
    new AbortController().signal,
  );
  if (ended.kind === "cannot start") return `cannot be started: ${ended.detail}`;
  if (ended.timedOut !== null) return `was still running after ${timeoutMs / 1_000} s and was ended`;
  return ended.exitCode === 0 ? null : `ended with ${ended.exitCode ?? ended.signal}`;
}
