// An inbox in which outcomes arrive more than once: at once, or when something else happens long after.

import { Inbox, type Message } from "../../src/engine/inbox.ts";
import type { Random } from "./random.ts";

export class EchoInbox extends Inbox {
  readonly #random: Random;
  readonly #late: Message[] = [];

  constructor(random: Random) {
    super();
    this.#random = random;
  }

  override post(message: Message): void {
    super.post(message);
    if (message.kind !== "effect-ended") return;
    if (this.#random.chance(0.02)) super.post(message);
    if (this.#random.chance(0.1)) this.#late.push(message);
    const late = this.#random.chance(0.1) ? this.#late.shift() : undefined;
    if (late !== undefined) super.post(late);
  }
}
