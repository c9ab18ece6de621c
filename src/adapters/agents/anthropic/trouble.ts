// From an error of the service to what the loop does about it: by status, type and headers, never by its words.

import type { Failure } from "../../../core/failure.ts";
import { limits } from "../../../core/limits.ts";
import { toDetail } from "../service-failure.ts";
import { limitEndMs, retryAfterMs } from "./wait-headers.ts";

export type Trouble =
  /** Asked too much: wait as long as the service says; null: it does not say. */
  | { readonly kind: "limited"; readonly waitMs: number | null; readonly failure: Failure }
  /** May be gone at the next try. */
  | { readonly kind: "passing"; readonly waitMs: number | null; readonly failure: Failure }
  /** The conversation may be too long. */
  | { readonly kind: "too long"; readonly failure: Failure }
  | { readonly kind: "final"; readonly failure: Failure };

interface Fields {
  readonly status?: unknown;
  readonly type?: unknown;
  readonly apiMessage?: unknown;
  readonly headers?: unknown;
}

interface Seen {
  readonly status: number | null;
  readonly type: string;
  readonly words: string;
  readonly headers: Headers | null;
}

export interface About {
  readonly agent: string;
  readonly nowMs: number;
  /** Takes secrets out of the service's words. */
  readonly redact: (text: string) => string;
}

export function toTrouble(error: unknown, about: About): Trouble {
  const seen = see(error);
  const { agent } = about;
  const detail = toDetail(about.redact(seen.words)).slice(0, limits.serviceWordsChars);
  const { headers } = seen;
  switch (kindOf(seen)) {
    case "login":
      return { kind: "final", failure: { reason: "not-logged-in", agent, detail } };
    case "credit":
      return { kind: "final", failure: { reason: "credit-empty", agent, detail } };
    case "limited": {
      const waitMs = headers === null ? null : limitEndMs(headers, about.nowMs);
      const resetAtMs = waitMs === null ? null : about.nowMs + waitMs;
      return { kind: "limited", waitMs, failure: { reason: "rate-limited", agent, resetAtMs, detail } };
    }
    case "too long":
      return { kind: "too long", failure: toRefused(seen, { agent, detail }) };
    case "refused":
      return { kind: "final", failure: toRefused(seen, { agent, detail }) };
    case "passing": {
      const failure = toServiceFailed(seen.status, { agent, detail });
      // The service knows better whether it is worth another try.
      if (headers?.get("x-should-retry") === "false") return { kind: "final", failure };
      return {
        kind: "passing",
        waitMs: headers === null ? null : retryAfterMs(headers, about.nowMs),
        failure,
      };
    }
  }
}

export function toSilence(agent: string, silenceMs: number): Trouble {
  const detail = `nothing came from the service for ${Math.round(silenceMs / 1_000)} s`;
  return { kind: "passing", waitMs: null, failure: toServiceFailed(null, { agent, detail }) };
}

type Kind = "login" | "credit" | "limited" | "too long" | "refused" | "passing";

/** Types of the service; in a stream that has begun they come without a status. */
const kindsOfTypes: Readonly<Record<string, Kind>> = {
  authentication_error: "login",
  permission_error: "login",
  billing_error: "credit",
  rate_limit_error: "limited",
  request_too_large: "too long",
  invalid_request_error: "refused",
  not_found_error: "refused",
};

const kindsOfStatus: ReadonlyMap<number, Kind> = new Map([
  [401, "login"],
  [402, "credit"],
  [403, "login"],
  [408, "passing"],
  [409, "passing"],
  [413, "too long"],
  [429, "limited"],
]);

function kindOf({ status, type }: Seen): Kind {
  if (type === "billing_error") return "credit";
  if (status === null) return (Object.hasOwn(kindsOfTypes, type) ? kindsOfTypes[type] : null) ?? "passing";
  return kindsOfStatus.get(status) ?? (status >= 400 && status < 500 ? "refused" : "passing");
}

/** The library's errors carry the answer's status, headers and body; what has none of them broke on the way. */
function see(error: unknown): Seen {
  if (!(error instanceof Error)) return { status: null, type: "", words: "unknown error", headers: null };
  const found = error as Error & Fields; // each field is looked at before it is believed
  const words = typeof found.apiMessage === "string" ? found.apiMessage : wordsOf(error);
  const type = typeof found.type === "string" ? found.type : "";
  return {
    status: typeof found.status === "number" ? found.status : null,
    type,
    words: type === "" ? words : `${type}: ${words}`,
    headers: found.headers instanceof Headers ? found.headers : null,
  };
}

function wordsOf(error: Error): string {
  const causes: string[] = [];
  for (let at: unknown = error; at instanceof Error && causes.length < 4; at = at.cause)
    causes.push(at.message);
  return [...new Set(causes)].join(": ");
}

interface Words {
  readonly agent: string;
  readonly detail: string;
}

function toServiceFailed(status: number | null, words: Words): Failure {
  return { reason: "service-failed", status, ...words };
}

function toRefused({ status }: Seen, words: Words): Failure {
  return { reason: "request-refused", status: status ?? 400, ...words };
}
