// Backend `command`: any program that reads a prompt from stdin and writes its report where it is told to.

import type { PlainFileFound } from "../plain-file.ts";
import { type Ended, launch } from "../process/launch.ts";
import { agentConfinement, homeVariables } from "./agent-place.ts";
import type { AgentRun } from "./agent-run.ts";
import type { DropFolder } from "./drop-folder.ts";
import { evidencePaths, keepEvidence } from "./evidence.ts";
import { inDropFolder } from "./in-drop-folder.ts";
import { failedWith, type Judged, judge, redactReport } from "./outcome.ts";
import { prepare } from "./prepare.ts";
import { dispatchValue, toAgentVariables } from "./protocol.ts";
import { isUsable, watchReported } from "./reported.ts";

export function runCommandAgent(run: AgentRun): Promise<Judged> {
  return inDropFolder(run, (folder) => runIn(folder, run));
}

async function runIn(folder: DropFolder, run: AgentRun): Promise<Judged> {
  const { request, options, signal, onOutput } = run;
  const prepared = await prepare(folder, run);
  if (!prepared.ok) return failedWith(prepared.failure);
  const paths = evidencePaths(options.runFolder, request);
  const reported = watchReported(request, folder.readReport);
  const launched = await launch(
    {
      run: request.agent.command,
      cwd: request.cwd,
      dispatch: dispatchValue(request),
      names: request.agent.env,
      given: {
        ...options.identity(request.dispatch),
        ...toAgentVariables(request),
        ...homeVariables(run),
        EXECUTE_PRD_REQUEST: folder.requestPath,
        EXECUTE_PRD_REPORT: folder.reportPath,
      },
      from: options.environment,
      input: prepared.value,
      log: paths.transcript,
      logFormat: "json lines",
      timeoutMs: request.agent.timeoutMs,
      idleTimeoutMs: request.agent.idleTimeoutMs,
      onLine: onOutput,
      onChunk: reported.touch,
      redaction: options.redaction,
      confinement: agentConfinement(run, [folder.path]),
    },
    AbortSignal.any([signal, reported.signal]),
  );
  reported.end();
  const left: PlainFileFound = launched.kind === "ended" ? await folder.readReport() : { kind: "missing" };
  const found = redactReport(left, options.redaction);
  const isEndedByUs = reported.signal.aborted && !signal.aborted;
  const isDone =
    isEndedByUs || (isSilent(launched) && found.kind === "read" && isUsable(request, found.bytes));
  if (isDone) onOutput("[it had reported and did not end]");
  if (found.kind === "read") {
    const kept = await keepEvidence(paths.report, found.bytes);
    if (!kept.ok) return failedWith(kept.failure);
  }
  return judge(request, { ended: isDone ? asEndedWell(launched) : launched, found });
}

function isSilent(ended: Ended): boolean {
  return ended.kind === "ended" && ended.timedOut === "idle";
}

/** It was done, and ended by us. */
function asEndedWell(ended: Ended): Ended {
  if (ended.kind === "cannot start") return ended;
  return { ...ended, exitCode: 0, signal: null, timedOut: null, interrupted: false };
}
