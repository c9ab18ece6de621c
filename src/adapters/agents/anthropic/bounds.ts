// What the loop may use up at most. The usual bounds are those of core/limits; tests bring smaller ones.

import { limits } from "../../../core/limits.ts";

export interface Bounds {
  /** Tokens that one request may hold, answer included. */
  readonly contextTokens: number;
  /** Tokens of one answer: usually, and after an answer was cut off. */
  readonly outputTokens: number;
  readonly outputTokensMost: number;
  /** Answers of the model in one dispatch, where the policy says nothing. */
  readonly turns: number;
  /** A stream without a byte for so long counts as cut. */
  readonly silenceMs: number;
  /** The longest wait for the service that the loop itself waits. */
  readonly serviceWaitMs: number;
}

export const usualBounds: Bounds = {
  contextTokens: limits.contextTokens,
  outputTokens: limits.outputTokens,
  outputTokensMost: limits.outputTokensMost,
  turns: limits.agentTurns,
  silenceMs: limits.streamSilenceMs,
  serviceWaitMs: limits.serviceWaitMs,
};
