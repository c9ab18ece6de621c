// Backend `scripted`: an agent without a model, for demonstrations and tests. It plays a file of steps in the lane,
// and its report goes through the same decoding as any other agent's.

import { chmod, copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { limits } from "../../core/limits.ts";
import { unreachable } from "../../core/result.ts";
import type { AgentRequest } from "../../ports.ts";
import type { PlainFileFound } from "../plain-file.ts";
import { type Ended, launch } from "../process/launch.ts";
import { codeOf, type Output, openOutput } from "../process/output.ts";
import { agentConfinement, homeVariables } from "./agent-place.ts";
import type { AgentRun } from "./agent-run.ts";
import { resolveInside } from "./confined.ts";
import { evidencePaths, keepEvidence, toJsonText, toRequestDocument } from "./evidence.ts";
import { type Judged, judge, redactReport } from "./outcome.ts";
import { dispatchValue, toAgentVariables } from "./protocol.ts";
import { decodeScript, type Script, type ScriptAction, type ScriptStep } from "./scripted-file.ts";

export async function runScriptedAgent(run: AgentRun): Promise<Judged> {
  const { request, options } = run;
  const paths = evidencePaths(options.runFolder, request);
  for (const kept of [
    await keepEvidence(paths.prompt, request.prompt),
    await keepEvidence(paths.request, toJsonText(toRequestDocument(request))),
  ]) {
    if (!kept.ok) return { outcome: { kind: "failed", failure: kept.failure }, usage: null };
  }
  const { ended, found: left } = await play(run, paths.transcript);
  const found = redactReport(left, options.redaction);
  if (found.kind === "read") {
    const kept = await keepEvidence(paths.report, found.bytes);
    if (!kept.ok) return { outcome: { kind: "failed", failure: kept.failure }, usage: null };
  }
  return judge(request, { ended, found });
}

function toFound(report: unknown): PlainFileFound {
  if (report === undefined || report === null) return { kind: "missing" };
  return { kind: "read", bytes: Buffer.from(toJsonText(report)) };
}

interface Played {
  readonly ended: Ended;
  readonly found: PlainFileFound;
}

async function play(run: AgentRun, transcript: string): Promise<Played> {
  const { request, options, signal, onOutput } = run;
  const script = await readScript(request, options.root);
  if (typeof script === "string") return cannotStart(script);
  const opened = openOutput({
    log: transcript,
    format: "json lines",
    onLine: onOutput,
    redaction: options.redaction,
  });
  if (!opened.ok) {
    return cannotStart(`its transcript cannot be written: ${opened.failure}`);
  }
  const startedMs = performance.now();
  const timeUp = AbortSignal.timeout(Math.min(request.agent.timeoutMs, limits.longestTimerMs));
  const step = findStep(script, request);
  const stage: Stage = {
    run: { ...run, signal: AbortSignal.any([signal, timeUp]) },
    output: opened.value,
  };
  if (step === null) say(stage, `no step of the script fits ${describeRequest(request)}`);
  const exitCode = await playActions(stage, step);
  const interrupted = exitCode === null && signal.aborted;
  const ended: Ended = {
    kind: "ended",
    exitCode,
    signal: null,
    timedOut: exitCode === null && !interrupted ? "total" : null,
    interrupted,
    durationMs: Math.round(performance.now() - startedMs),
    ...opened.value.end(),
  };
  return { ended, found: toFound(exitCode === null ? null : step?.report) };
}

function cannotStart(detail: string): Played {
  return { ended: { kind: "cannot start", detail }, found: { kind: "missing" } };
}

/** The script, or a sentence about why there is none. */
async function readScript({ agent }: AgentRequest, root: string): Promise<Script | string> {
  if (agent.script === null) return 'a scripted agent needs "script", the path of its file of steps';
  const file = resolve(root, agent.script);
  try {
    const decoded = decodeScript(await readFile(file), file);
    return decoded.ok ? decoded.value : decoded.failure.join("; ");
  } catch (error) {
    return `the script "${file}" cannot be read: ${codeOf(error)}`;
  }
}

function findStep(script: Script, request: AgentRequest): ScriptStep | null {
  const step = script.steps?.find(({ when = {} }) => {
    const { stage, role, taskId, attempt, try: round } = when;
    return (
      (stage ?? request.stage) === request.stage &&
      (role ?? request.role) === request.role &&
      (taskId === undefined || taskId === request.taskId) &&
      (attempt ?? request.attempt) === request.attempt &&
      (round ?? request.try) === request.try
    );
  });
  if (step !== undefined) return step;
  const report = script.otherwise?.[request.stage];
  return report === undefined ? null : { report };
}

function describeRequest({ stage, taskId, attempt }: AgentRequest): string {
  return `stage ${stage}${taskId === null ? "" : ` of task "${taskId}"`}, attempt ${attempt}`;
}

/** Where a step is played. */
interface Stage {
  readonly run: AgentRun;
  readonly output: Output;
}

/** The exit code; null when it was stopped on the way. */
async function playActions(stage: Stage, step: ScriptStep | null): Promise<number | null> {
  const { signal } = stage.run;
  for (const action of step?.do ?? []) {
    if (signal.aborted) return null;
    const problem = await playAction(stage, action).catch((error: unknown) => codeOf(error));
    if (signal.aborted) return null;
    if (problem === null) continue;
    say(stage, `${JSON.stringify(action).slice(0, 200)}: ${problem}`);
    return 1;
  }
  return signal.aborted ? null : (step?.exit ?? 0);
}

/** What went wrong, or null. */
async function playAction(stage: Stage, action: ScriptAction): Promise<string | null> {
  if ("write" in action) return writeIn(stage, action);
  if ("copy" in action) return copyIn(stage, action);
  if ("delete" in action) return deleteIn(stage, action.delete);
  if ("run" in action) return runIn(stage, action.run);
  if ("wait" in action) {
    await delay(action.wait, undefined, { signal: stage.run.signal }).catch(() => {});
    return null;
  }
  if ("say" in action) {
    say(stage, action.say);
    return null;
  }
  return unreachable(action, "scripted action");
}

function say({ output }: Stage, line: string): void {
  output.take("stdout", Buffer.from(`${line}\n`));
}

async function writeIn(
  { run }: Stage,
  action: { write: string; text: string; executable?: boolean | undefined },
): Promise<string | null> {
  const place = await resolveInside(run.request.cwd, action.write);
  if (!place.ok) return place.failure;
  await mkdir(dirname(place.value), { recursive: true });
  await writeFile(place.value, action.text);
  if (action.executable) await chmod(place.value, 0o755);
  return null;
}

async function copyIn({ run }: Stage, action: { copy: string; to: string }): Promise<string | null> {
  const from = await resolveInside(run.request.cwd, action.copy);
  if (!from.ok) return from.failure;
  const to = await resolveInside(run.request.cwd, action.to);
  if (!to.ok) return to.failure;
  await mkdir(dirname(to.value), { recursive: true });
  await copyFile(from.value, to.value);
  return null;
}

async function deleteIn({ run }: Stage, path: string): Promise<string | null> {
  const place = await resolveInside(run.request.cwd, path);
  if (!place.ok) return place.failure;
  if (place.value === run.request.cwd) return "the working directory itself cannot be deleted";
  await rm(place.value, { recursive: true });
  return null;
}

async function runIn({ run, output }: Stage, words: readonly string[]): Promise<string | null> {
  const { request, options, signal } = run;
  const ended = await launch(
    {
      run: words,
      cwd: request.cwd,
      dispatch: dispatchValue(request),
      names: request.agent.env,
      given: { ...options.identity(request.dispatch), ...toAgentVariables(request), ...homeVariables(run) },
      from: options.environment,
      timeoutMs: request.agent.timeoutMs,
      redaction: options.redaction,
      confinement: agentConfinement(run, []),
      onLine: (line) => output.take("stdout", Buffer.from(`${line}\n`)),
    },
    signal,
  );
  if (ended.kind === "cannot start") return ended.detail;
  if (ended.exitCode === 0 || ended.interrupted) return null;
  return ended.signal === null ? `exit code ${ended.exitCode}` : `signal ${ended.signal}`;
}
