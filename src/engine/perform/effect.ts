// What every effect is handed: its intent, the state it began in, the outside, and how it is told to stop.

import type { Intent } from "../../core/event.ts";
import type { RunState } from "../../core/state.ts";
import type { Ports } from "../../ports.ts";

export interface Effect<Kind extends Intent = Intent> {
  readonly intent: Kind;
  /** Time of the intent's journal entry: the date of the commits it makes. */
  readonly atMs: number;
  /** The state as it was when the effect began. */
  readonly state: RunState;
  readonly ports: Ports;
  readonly signal: AbortSignal;
  /** Who aborted, for the record. */
  readonly stoppedBy: () => string;
  readonly onOutput: (line: string) => void;
}
