// Backend `command`: any program that reads a prompt from stdin and writes its report where it is told to.

import type { PlainFileFound } from "../plain-file.ts";
import { launch } from "../process/launch.ts";
import { agentConfinement, homeVariables } from "./agent-place.ts";
import type { AgentRun } from "./agent-run.ts";
import type { DropFolder } from "./drop-folder.ts";
import { evidencePaths, keepEvidence } from "./evidence.ts";
import { inDropFolder } from "./in-drop-folder.ts";
import { failedWith, type Judged, judge, redactReport } from "./outcome.ts";
import { prepare } from "./prepare.ts";
import { dispatchValue, toAgentVariables } from "./protocol.ts";

export function runCommandAgent(run: AgentRun): Promise<Judged> {
  return inDropFolder(run, (folder) => runIn(folder, run));
}

async function runIn(folder: DropFolder, run: AgentRun): Promise<Judged> {
  const { request, options, signal, onOutput } = run;
  const prepared = await prepare(folder, run);
  if (!prepared.ok) return failedWith(prepared.failure);
  const paths = evidencePaths(options.runFolder, request);
  const ended = await launch(
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
      redaction: options.redaction,
      confinement: agentConfinement(run, [folder.path]),
    },
    signal,
  );
  const left: PlainFileFound = ended.kind === "ended" ? await folder.readReport() : { kind: "missing" };
  const found = redactReport(left, options.redaction);
  if (found.kind === "read") {
    const kept = await keepEvidence(paths.report, found.bytes);
    if (!kept.ok) return failedWith(kept.failure);
  }
  return judge(request, { ended, found });
}
