// Backend `command`: any program that reads a prompt from stdin and writes its report where it is told to.

import { lstat } from "node:fs/promises";
import { join } from "node:path";
import type { Failure } from "../../core/failure.ts";
import type { JsonObject } from "../../core/json.ts";
import { type Result, success } from "../../core/result.ts";
import type { AgentRequest } from "../../ports.ts";
import type { PlainFileFound } from "../plain-file.ts";
import { launch } from "../process/launch.ts";
import type { AgentRun } from "./agent-run.ts";
import { resolveInside } from "./confined.ts";
import { type DropFolder, openDropFolder } from "./drop-folder.ts";
import { evidencePaths, keepEvidence, toJsonText, toRequestDocument } from "./evidence.ts";
import { type Judged, judge, redactReport } from "./outcome.ts";
import { dispatchValue, toAgentVariables } from "./protocol.ts";

export async function runCommandAgent(run: AgentRun): Promise<Judged> {
  const { request, options } = run;
  const opened = await openDropFolder({
    runId: request.runId,
    outside: [...options.outside, options.runFolder, request.cwd],
  });
  if (!opened.ok) return failedWith(opened.failure);
  const folder = opened.value;
  try {
    return await runIn(folder, run);
  } finally {
    await folder.remove();
  }
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

/** Files, request and evidence in place; the result is the prompt with the paths of the files handed over. */
async function prepare(folder: DropFolder, { request, options }: AgentRun): Promise<Result<string, Failure>> {
  const { handed, told } = await folder.handOver(
    await filesOnlyInCheckout(request, options.checkout),
    options.redaction,
  );
  const whole: JsonObject = {
    ...toRequestDocument(request),
    handedOver: handed.map(({ name, path }) => ({ name, path })),
    ...(told.length > 0 ? { notHandedOver: told } : {}),
  };
  const lines = handed.map(({ name, path }) => `- ${name}: ${path}`);
  const prompt =
    lines.length === 0
      ? request.prompt
      : `${request.prompt.trimEnd()}\n\n## Files outside the working directory\n\nRead-only copies of files that are not in the repository:\n\n${lines.join("\n")}\n`;
  const paths = evidencePaths(options.runFolder, request);
  for (const kept of [
    await folder.writeRequest(toJsonText(whole)),
    await keepEvidence(paths.request, toJsonText(whole)),
    await keepEvidence(paths.prompt, prompt),
  ]) {
    if (!kept.ok) return kept;
  }
  return success(prompt);
}

/** What the plan names and the lane does not have: the builder has not committed it, or git ignores it. */
async function filesOnlyInCheckout({ files, cwd }: AgentRequest, checkout: string) {
  const missing: { from: string; name: string }[] = [];
  for (const name of new Set(files)) {
    const place = await resolveInside(checkout, name);
    if (!place.ok || (await exists(join(cwd, name))) || !(await exists(place.value))) continue;
    missing.push({ from: place.value, name });
  }
  return missing;
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null;
}

function failedWith(failure: Failure): Judged {
  return { outcome: { kind: "failed", failure }, usage: null };
}
