// What agents say of their work while they are at it, in one union for all programs and protocols.

import type { Failure } from "../../core/failure.ts";
import type { Usage } from "../../core/report.ts";

export type AgentEvent =
  | { kind: "session"; id: string; model: string | null }
  | { kind: "text"; text: string } // one whole message of the agent
  | { kind: "tool-started"; id: string; name: string }
  | { kind: "tool-ended"; id: string; ok: boolean }
  | { kind: "usage"; usage: Usage; mode: "add" | "total" }
  | { kind: "limit"; resetAtMs: number | null; detail: string }
  | { kind: "denied"; tool: string; detail: string }
  | { kind: "error"; failure: Failure }
  | {
      kind: "done";
      ok: boolean;
      text: string | null;
      report: unknown /* structured output; undefined: none */;
    };
