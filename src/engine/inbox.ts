// The one queue of everything that happens outside: the engine awaits it, everybody else only posts to it.

import type { RunEvent } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import { assert } from "../core/result.ts";

export type Message =
  /** The effect of the intent with that number came to its end; the events say how. */
  | {
      readonly kind: "effect-ended";
      readonly key: string;
      readonly seq: number;
      readonly events: readonly RunEvent[];
    }
  /** The agent of a dispatch waits for its service, and goes on by itself. */
  | {
      readonly kind: "agent-waits";
      readonly key: string;
      readonly seq: number;
      readonly untilMs: number;
      readonly failure: Failure;
    }
  /** The moment has come that the plan waited for. */
  | { readonly kind: "time" }
  /** There may be new requests of the builder. */
  | { readonly kind: "requests" }
  /** The program is told to stop: a signal, or the library's caller. */
  | { readonly kind: "stop"; readonly by: string }
  /** An effect threw: a bug, which must not look like an outcome. */
  | { readonly kind: "broken"; readonly key: string; readonly seq: number; readonly error: unknown };

export class Inbox {
  readonly #messages: Message[] = [];
  #waiting: ((message: Message) => void) | null = null;

  post(message: Message): void {
    const waiting = this.#waiting;
    if (waiting === null) {
      this.#messages.push(message);
    } else {
      this.#waiting = null;
      waiting(message);
    }
  }

  /** The oldest message not taken yet; one taker at a time. */
  next(): Promise<Message> {
    const message = this.#messages.shift();
    if (message !== undefined) return Promise.resolve(message);
    assert(this.#waiting === null, "one loop awaits the inbox");
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }
}
