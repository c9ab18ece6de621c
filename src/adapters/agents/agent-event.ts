// What agents say of their work while they are at it, in one union for all programs and protocols.

import type { Failure } from "../../core/failure.ts";
import type { Usage } from "../../core/report.ts";

export type AgentEvent =
  | { readonly kind: "session"; readonly id: string; readonly model: string | null }
  /** One whole message of the agent. */
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "tool-started"; readonly id: string; readonly name: string }
  | { readonly kind: "tool-ended"; readonly id: string; readonly ok: boolean }
  | { readonly kind: "usage"; readonly usage: Usage; readonly mode: "add" | "total" }
  | { readonly kind: "limit"; readonly resetAtMs: number | null; readonly detail: string }
  | { readonly kind: "denied"; readonly tool: string; readonly detail: string }
  /** It asks its service again after a failure. Not a sign of progress: some go on with it for ever. */
  | { readonly kind: "retry"; readonly status: number | null; readonly detail: string }
  | { readonly kind: "error"; readonly failure: Failure }
  | {
      readonly kind: "done";
      readonly ok: boolean;
      /** The final message. */
      readonly text: string | null;
      /** Structured output; undefined: none. */
      readonly report: unknown;
    };
