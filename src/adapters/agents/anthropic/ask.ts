// Asks the model once, and again where the trouble may pass. A half-received answer is thrown away whole: a tool is
// called only for an answer that came to its end.

import { setTimeout as delay } from "node:timers/promises";
import type { Failure } from "../../../core/failure.ts";
import { limits } from "../../../core/limits.ts";
import type { Policy } from "../../../core/policy.ts";
import { backoffMs } from "../../../core/waits.ts";
import type { AgentContact } from "../../../ports.ts";
import type { Bounds } from "./bounds.ts";
import type { ModelAnswer, TokenCount } from "./message.ts";
import type { Reply, Service, ServiceRequest } from "./messages-api.ts";
import type { Transcript } from "./transcript.ts";
import { type Trouble, toSilence, toTrouble } from "./trouble.ts";
import type { Watch } from "./watch.ts";

export interface Line {
  readonly service: Service;
  readonly agent: string;
  readonly retry: Policy["retry"];
  /** Else a limit ends the dispatch: the engine pauses, or asks somebody else. */
  readonly waitsForLimits: boolean;
  readonly bounds: Bounds;
  readonly watch: Watch;
  readonly transcript: Transcript;
  readonly redact: (text: string) => string;
  readonly onWait: AgentContact["onWait"];
  /** Counts what was used, also by an answer that broke off. */
  readonly onTokens: (tokens: TokenCount) => void;
}

export type Asked =
  | { readonly kind: "answer"; readonly answer: ModelAnswer; readonly tokens: TokenCount }
  | { readonly kind: "too long"; readonly failure: Failure }
  | { readonly kind: "failed"; readonly failure: Failure }
  /** The dispatch is to end. */
  | { readonly kind: "stopped" };

export async function askModel(line: Line, request: ServiceRequest): Promise<Asked> {
  const spent: Spent = { tries: 0, waits: 0 };
  for (;;) {
    const { signal } = line.watch;
    if (signal.aborted) return { kind: "stopped" };
    const reply = await line.service.send(request, signal);
    if (reply.tokens !== null) line.onTokens(reply.tokens);
    if (reply.kind === "answer") return reply;
    if (signal.aborted) return { kind: "stopped" };
    const trouble = troubleOf(reply, line);
    line.transcript.record({ event: "trouble", kind: trouble.kind, failure: trouble.failure });
    if (trouble.kind === "too long") return trouble;
    const waitMs = toWaitMs(trouble, { line, spent });
    if (waitMs === null) return { kind: "failed", failure: withTries(trouble.failure, spent.tries + 1) };
    await waitFor(line, { waitMs, failure: trouble.failure });
  }
}

interface Spent {
  tries: number;
  waits: number;
}

function troubleOf(reply: Exclude<Reply, { kind: "answer" }>, { agent, bounds, redact }: Line): Trouble {
  if (reply.kind === "silent") return toSilence(agent, bounds.silenceMs);
  return toTrouble(reply.error, { agent, nowMs: Date.now(), redact });
}

/** How long to wait before the next try; null: there is none. */
function toWaitMs(trouble: Trouble, { line, spent }: { line: Line; spent: Spent }): number | null {
  if (trouble.kind !== "limited" && trouble.kind !== "passing") return null;
  if (trouble.kind === "limited" && !line.waitsForLimits) return null;
  const asked = trouble.waitMs ?? 0;
  if (asked > line.bounds.serviceWaitMs) return null;
  // A limit with an end is waited for; what nobody knows the end of is tried a few times.
  if (trouble.kind === "limited" && trouble.waitMs !== null) {
    spent.waits += 1;
    return spent.waits > limits.serviceWaitsInARow
      ? null
      : Math.max(asked, toBackoffMs(line.retry, spent.waits));
  }
  if (spent.tries >= line.retry.maxRetries) return null;
  spent.tries += 1;
  return Math.max(asked, toBackoffMs(line.retry, spent.tries));
}

/** The engine counts them to its own: a service is not asked more often than the policy says. */
function withTries(failure: Failure, tries: number): Failure {
  const isTried = failure.reason === "service-failed" || failure.reason === "rate-limited";
  return isTried && tries > 1 ? { ...failure, tries } : failure;
}

function toBackoffMs(retry: Policy["retry"], tries: number): number {
  return Math.floor(Math.random() * backoffMs(retry, tries - 1));
}

async function waitFor(line: Line, { waitMs, failure }: { waitMs: number; failure: Failure }): Promise<void> {
  const untilMs = Date.now() + waitMs;
  line.transcript.record({ event: "wait", untilMs, failure });
  line.onWait({ untilMs, failure });
  const { signal } = line.watch;
  await line.watch.during(() => delay(waitMs, undefined, { signal }).catch(() => {})); // an abort ends the wait
}
