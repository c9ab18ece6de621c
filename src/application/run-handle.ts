// What a caller holds while a run works: a stream of its events, a way to stop it, and how it ended.

import type { Entry, Intent } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import type { RunState } from "../core/state.ts";
import type { Refusal } from "./refusal.ts";

/** One durable journal entry and the state after it. */
export interface RunUpdate {
  readonly entry: Entry;
  readonly state: RunState;
}

export type RunEnded =
  /** Nothing was begun and nothing was changed. */
  | { readonly kind: "refused"; readonly refusal: Refusal }
  /** The run was complete before: nothing was begun and nothing was changed. */
  | { readonly kind: "already completed"; readonly state: RunState }
  /** It worked, and came to the stop that `state.phase` says. */
  | { readonly kind: "stopped"; readonly state: RunState }
  /** The journal could not be written any more; what is in it is true, what came after is not recorded. */
  | { readonly kind: "journal lost"; readonly failure: Failure; readonly state: RunState | null };

export interface RunHandle extends AsyncIterable<RunUpdate> {
  /** Never rejects but for a bug of this program. */
  readonly ended: Promise<RunEnded>;
  /** `pause --now`; `by` is told in the journal. Repeating it is harmless. */
  stop(by?: string): void;
}

export interface RunListener {
  readonly onUpdate?: (update: RunUpdate) => void;
  /** Lines of output of agents and gates at work: for live views, never recorded as such. */
  readonly onOutput?: (line: string, intent: Intent) => void;
  /** Trouble beside the run, which changes nothing in it. */
  readonly onTrouble?: (text: string) => void;
}

/** A listener that is also told how to stop, as soon as there is something to stop. */
export type StartListener = RunListener & { readonly onStoppable?: (stop: (by: string) => void) => void };

/** Exit codes of contract 8. */
export function exitCodeOf(ended: RunEnded): number {
  switch (ended.kind) {
    case "refused":
      return ended.refusal.exitCode;
    case "already completed":
      return 0;
    case "journal lost":
      return 3;
    case "stopped":
      return exitCodeOfState(ended.state);
  }
}

function exitCodeOfState(state: RunState): number {
  switch (state.phase.kind) {
    case "completed":
      return 0;
    case "failed":
      return 1;
    case "paused":
      return 3;
    case "blocked":
      return 4;
    case "queued":
    case "running":
      return 70; // a session never leaves a run so
  }
}

/** Lets one consumer iterate over what another pushes. Iteration sees what comes after it was begun. */
export class UpdateStream implements AsyncIterable<RunUpdate> {
  #queues = new Set<{ items: RunUpdate[]; wake: () => void }>();
  #isOver = false;

  push(update: RunUpdate): void {
    for (const queue of this.#queues) {
      queue.items.push(update);
      queue.wake();
    }
  }

  end(): void {
    this.#isOver = true;
    for (const { wake } of this.#queues) wake();
  }

  [Symbol.asyncIterator](): AsyncIterator<RunUpdate> {
    const queue = { items: [] as RunUpdate[], wake: () => {} };
    if (!this.#isOver) this.#queues.add(queue);
    const next = async (): Promise<IteratorResult<RunUpdate>> => {
      for (;;) {
        const value = queue.items.shift();
        if (value !== undefined) return { value, done: false };
        if (this.#isOver || !this.#queues.has(queue)) return { value: undefined, done: true };
        await new Promise<void>((resolve) => {
          queue.wake = resolve;
        });
      }
    };
    const stop = async (): Promise<IteratorResult<RunUpdate>> => {
      this.#queues.delete(queue);
      return { value: undefined, done: true };
    };
    return { next, return: stop };
  }
}
