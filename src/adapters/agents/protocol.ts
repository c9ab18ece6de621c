// The agent protocol's variables, shared by the backends.

import { processMark } from "../../core/ids.ts";
import type { AgentRequest } from "../../ports.ts";

/** Value of EXECUTE_PRD_DISPATCH. */
export function dispatchValue({ runId, dispatch }: AgentRequest): string {
  return processMark(runId, dispatch);
}

export function toAgentVariables(request: AgentRequest): Record<string, string> {
  return {
    EXECUTE_PRD_ROLE: request.role,
    EXECUTE_PRD_STAGE: request.stage,
    EXECUTE_PRD_SLUG: request.slug,
    EXECUTE_PRD_TASK_ID: request.taskId ?? "",
    EXECUTE_PRD_ATTEMPT: String(request.attempt),
  };
}
