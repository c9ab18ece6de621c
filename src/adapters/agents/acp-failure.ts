// Why an ACP agent did not do what it was asked: from the protocol's codes and stop reasons, never from its words.

import type { Failure } from "../../core/failure.ts";
import { limits } from "../../core/limits.ts";
import type { AgentRequest } from "../../ports.ts";
import { isRecord } from "./acp-stream.ts";

const authRequired = -32000;

export interface ProtocolError {
  readonly code: number;
  readonly message: string;
  readonly data: unknown;
}

/** `isAsked`: the session stood, and it was the agent's service or the agent itself that failed. */
export function failureOfError(request: AgentRequest, error: ProtocolError, isAsked: boolean): Failure {
  const agent = request.agentKey;
  const detail = error.message.slice(0, limits.agentTextChars);
  const status = statusOf(error);
  if (error.code === authRequired || status === 401 || status === 403) {
    return { reason: "not-logged-in", agent, detail };
  }
  if (status === 402) return { reason: "credit-empty", agent, detail };
  if (status === 429) return { reason: "rate-limited", agent, resetAtMs: resetOf(error.data), detail };
  if (status !== null && status < 500 && status !== 408)
    return { reason: "request-refused", agent, status, detail };
  if (status !== null || isAsked) return { reason: "service-failed", agent, status, detail };
  return { reason: "agent-cannot-start", agent, command: request.agent.command.join(" "), detail };
}

/** null: the turn ended as it should, or the report it was to end with is there. */
export function failureOfStop(
  agent: string,
  { stop, said, hasReport }: { stop: unknown; said: string; hasReport: boolean },
): Failure | null {
  if (stop === "refusal") {
    return { reason: "agent-refused", agent, detail: said.slice(0, limits.agentTextChars) };
  }
  if (stop === "end_turn" || hasReport) return null;
  if (stop === "max_tokens") return null; // it may say less when it is asked for the report alone
  const how =
    stop === "max_turn_requests"
      ? "used up its turns"
      : stop === "cancelled"
        ? "left its turn without being told to"
        : "ended its turn for a reason that the protocol does not know";
  return { reason: "agent-went-nowhere", agent, how };
}

/** Agents hand on the status of their service as the code itself or beside it. */
function statusOf({ code, data }: ProtocolError): number | null {
  const beside = isRecord(data) ? [data["status"], data["statusCode"], data["httpStatus"], data["code"]] : [];
  const found = [code, ...beside].find(
    (value) => typeof value === "number" && Number.isInteger(value) && value >= 400 && value <= 599,
  );
  return typeof found === "number" ? found : null;
}

/** `resetAt` (ISO) or `retryAfterMs` beside the error; null: it is not said. */
function resetOf(data: unknown): number | null {
  if (!isRecord(data)) return null;
  const { resetAt, retryAfterMs } = data;
  if (typeof resetAt === "string" && !Number.isNaN(Date.parse(resetAt))) return Date.parse(resetAt);
  if (typeof retryAfterMs === "number" && retryAfterMs >= 0) return Date.now() + retryAfterMs;
  return null;
}
