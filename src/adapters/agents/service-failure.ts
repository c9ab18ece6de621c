// From what a service behind an agent answered to a failure: by its status, never by its words.

import type { Failure } from "../../core/failure.ts";
import { limits } from "../../core/limits.ts";
import { toVisibleLine } from "../process/text.ts";

export function toServiceFailure(answer: {
  readonly agent: string;
  /** Status of HTTP; null: it could not be reached, or did not say. */
  readonly status: number | null;
  readonly detail: string;
  readonly resetAtMs?: number | null;
}): Failure {
  const { agent, status, resetAtMs = null } = answer;
  const detail = toDetail(answer.detail);
  if (status === 401 || status === 403) return { reason: "not-logged-in", agent, detail };
  if (status === 402) return { reason: "credit-empty", agent, detail };
  if (status === 429) return { reason: "rate-limited", agent, resetAtMs, detail };
  const isRefused = status !== null && status >= 400 && status < 500 && status !== 408 && status !== 409;
  if (isRefused) return { reason: "request-refused", agent, status, detail };
  return { reason: "service-failed", agent, status, detail };
}

/** A text of a service or a program, short enough for a sentence. */
export function toDetail(text: string): string {
  const line = toVisibleLine(text.replaceAll(/\s*\n\s*/g, " ").trim());
  return line.length <= limits.findingChars ? line : `${line.slice(0, limits.findingChars)}…`;
}
