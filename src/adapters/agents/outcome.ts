// From how an agent ended and what it left to an outcome, by structured facts only: never by searching its words.

import type { Failure } from "../../core/failure.ts";
import type { StageReport, Usage } from "../../core/report.ts";
import { failed, type Result, success } from "../../core/result.ts";
import type { AgentOutcome, AgentRequest } from "../../ports.ts";
import { readReport, readUsage } from "../../schema/report.ts";
import { readSaidFailure } from "../../schema/report-failure.ts";
import type { PlainFileFound } from "../plain-file.ts";
import type { Ended } from "../process/launch.ts";
import type { Redaction } from "../redaction/redaction.ts";

export interface Judged {
  readonly outcome: AgentOutcome;
  readonly usage: Usage | null;
}

export function failedWith(failure: Failure, usage: Usage | null = null): Judged {
  return { outcome: { kind: "failed", failure }, usage };
}

/**
 * A report is believed only of an agent that ended well; what it says about its cost counts in any case, and so does
 * that its service failed it, however it ended.
 */
export function judge(
  request: AgentRequest,
  { ended, found }: { ended: Ended; found: PlainFileFound },
): Judged {
  const judged = judgeReport(request, found);
  const { usage } = judged;
  if (ended.kind === "ended" && ended.interrupted) return { outcome: { kind: "interrupted" }, usage };
  const said = readFailure(request, found);
  const failure = (said?.ok === true ? said.value : null) ?? failureOfEnd(request, ended);
  if (failure !== null) return { outcome: { kind: "failed", failure }, usage };
  if (said === null || said.ok) return judged;
  const { agentKey: agent, stage } = request;
  return {
    outcome: { kind: "failed", failure: { reason: "report-invalid", agent, stage, problems: said.failure } },
    usage,
  };
}

function readFailure({ agentKey: agent }: AgentRequest, found: PlainFileFound) {
  return found.kind === "read" ? readSaidFailure({ bytes: found.bytes, agent, nowMs: Date.now() }) : null;
}

/** Of an agent that has answered, however its process ended. */
export function judgeReport(request: AgentRequest, found: PlainFileFound): Judged {
  const usage = found.kind === "read" ? readUsage(found.bytes) : null;
  const read = decode(request, found);
  if (!read.ok) return { outcome: { kind: "failed", failure: read.failure }, usage };
  return { outcome: { kind: "answered", report: read.value }, usage };
}

/** Before it is kept, decoded or cut. */
export function redactReport(found: PlainFileFound, redaction: Redaction): PlainFileFound {
  return found.kind === "read" ? { kind: "read", bytes: redaction.jsonBytes(found.bytes) } : found;
}

export function failureOfEnd(request: AgentRequest, ended: Ended): Failure | null {
  const agent = request.agentKey;
  if (ended.kind === "cannot start" && ended.inSandbox === true) {
    return { reason: "sandbox-missing", detail: ended.detail };
  }
  if (ended.kind === "cannot start") {
    const command = request.agent.script ?? request.agent.command.join(" ");
    return { reason: "agent-cannot-start", agent, command, detail: ended.detail };
  }
  if (ended.timedOut !== null) {
    const idle = ended.timedOut === "idle";
    const afterMs = idle ? request.agent.idleTimeoutMs : request.agent.timeoutMs;
    return { reason: "agent-timed-out", agent, afterMs, idle };
  }
  const { exitCode, signal, tail } = ended;
  return exitCode === 0 ? null : { reason: "agent-exited", agent, exitCode, signal, tail };
}

function decode(request: AgentRequest, found: PlainFileFound): Result<StageReport, Failure> {
  const about = { agent: request.agentKey, stage: request.stage };
  if (found.kind === "missing") return failed({ reason: "report-missing", ...about });
  if (found.kind === "unusable") {
    return failed({ reason: "report-invalid", ...about, problems: [found.problem] });
  }
  const { stage, attempt: round, criteriaCount, taskIds } = request;
  const decoded = readReport({ stage, bytes: found.bytes, round, criteriaCount, taskIds });
  if (!decoded.ok) return failed({ reason: "report-invalid", ...about, problems: decoded.failure });
  return success(decoded.value.report);
}
