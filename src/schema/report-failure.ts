// What an agent may write instead of its report: that its service failed it, in a form that needs no guessing.
//
//   { "failure": { "kind": "rate-limited", "message": "5 hours used up", "resetAt": "2031-01-01T12:00:00Z" } }

import { z } from "zod";
import type { Failure } from "../core/failure.ts";
import { limits } from "../core/limits.ts";
import { failed, type Result, success, unreachable } from "../core/result.ts";
import { decodeJson } from "./json-text.ts";
import { describeProblem, ProblemList } from "./problem.ts";
import { cleanText } from "./report.ts";
import { usageShape } from "./report-shape.ts";
import { valueAt } from "./value-at.ts";
import { checkShape } from "./zod-problems.ts";

const kinds = ["rate-limited", "service-failed", "not-logged-in", "credit-empty", "request-refused"] as const;
const wait = "whole milliseconds, 0 or more";
const moment = "a moment: 2031-01-01T12:00:00Z";

const failure = z.strictObject(
  {
    kind: z.enum(kinds, { error: `one of ${kinds.join(", ")}` }),
    message: z.string({ error: "what happened, a text" }).regex(/\S/, { error: "what happened, not empty" }),
    retryAfterMs: z.int({ error: wait }).min(0, { error: wait }).optional(),
    resetAt: z.iso.datetime({ offset: true, error: moment }).optional(),
  },
  { error: "an object with kind and message" },
);

const shape = z.strictObject(
  { failure, usage: usageShape.nullish() },
  { error: "an object with failure, and usage at most" },
);

export interface SaidFailureSource {
  readonly bytes: Uint8Array;
  readonly agent: string;
  readonly nowMs: number;
}

/** null: it says no failure, so it is a report. */
export function readSaidFailure(source: SaidFailureSource): Result<Failure, readonly string[]> | null {
  const json = decodeJson({ text: source.bytes, file: "" }, limits.reportBytes);
  if (!json.ok || valueAt(json.value, ["failure"]) === undefined) return null;
  const problems = new ProblemList("");
  if (!checkShape({ shape, value: json.value, problems })) return failed(problems.all().map(describeProblem));
  return success(toFailure(shape.parse(json.value).failure, source));
}

function toFailure(said: z.output<typeof failure>, { agent, nowMs }: SaidFailureSource): Failure {
  const detail = toOneLine(said.message);
  const { kind } = said;
  switch (kind) {
    case "rate-limited":
      return { reason: kind, agent, resetAtMs: resetOf(said, nowMs), detail };
    case "service-failed":
    case "request-refused":
      return { reason: kind, agent, status: null, detail };
    case "not-logged-in":
    case "credit-empty":
      return { reason: kind, agent, detail };
    default:
      return unreachable(kind, "kind of a failure");
  }
}

/** It becomes part of a sentence, on screens and in documents: a second line could look like words of the program. */
function toOneLine(message: string): string {
  return cleanText(message).replace(/\s+/g, " ").trim();
}

/** `resetAt` counts first: it does not depend on when it is read. */
function resetOf({ resetAt, retryAfterMs }: z.output<typeof failure>, nowMs: number): number | null {
  if (resetAt !== undefined) return Date.parse(resetAt);
  return retryAfterMs === undefined ? null : nowMs + retryAfterMs;
}
