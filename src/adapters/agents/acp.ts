// Backend `acp`: any agent that speaks the Agent Client Protocol over its stdin and stdout.

import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import type { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { Failure } from "../../core/failure.ts";
import { limits } from "../../core/limits.ts";
import type { PlainFileFound } from "../plain-file.ts";
import { type Command, type Ended, launch, type Talk } from "../process/launch.ts";
import { toVisibleLine } from "../process/text.ts";
import type { PermissionRules } from "./acp-permission.ts";
import { type AcpEnd, type AcpSession, openAcpSession } from "./acp-session.ts";
import { type AcpWriting, openAcpWriting } from "./acp-writing.ts";
import type { AgentEvent } from "./agent-event.ts";
import { agentConfinement, homeVariables } from "./agent-place.ts";
import type { AgentRun } from "./agent-run.ts";
import { isInside } from "./confined.ts";
import type { DropFolder } from "./drop-folder.ts";
import { evidencePaths, keepEvidence, toJsonText } from "./evidence.ts";
import { inDropFolder } from "./in-drop-folder.ts";
import { failedWith, failureOfEnd, type Judged, judgeReport, redactReport } from "./outcome.ts";
import { prepare } from "./prepare.ts";
import { dispatchValue, toAgentVariables } from "./protocol.ts";
import { askForMessage, askOnceMore } from "./report-asking.ts";

export function runAcpAgent(run: AgentRun): Promise<Judged> {
  return inDropFolder(run, (folder) => runIn(folder, run));
}

async function runIn(folder: DropFolder, run: AgentRun): Promise<Judged> {
  const { request, options, signal } = run;
  const asked = { ...run, request: { ...request, prompt: askForMessage(request) } };
  const prepared = await prepare(folder, asked);
  if (!prepared.ok) return failedWith(prepared.failure);
  const rules = toRules(run);
  const writing = openAcpWriting(run, rules);
  const talked = await talkWith({ run, folder, rules, writing, prompt: prepared.value });
  await writing.end();
  const usage = talked.session?.usage() ?? null;
  if (signal.aborted) return { outcome: { kind: "interrupted" }, usage };
  const failure = failureOf(run, talked);
  if (failure !== null) return failedWith(failure, usage);
  const report = talked.end.kind === "said" ? talked.end.report : undefined;
  const found = redactReport(toFound(report), options.redaction);
  if (found.kind === "read") {
    const kept = await keepEvidence(evidencePaths(options.runFolder, request).report, found.bytes);
    if (!kept.ok) return failedWith(kept.failure, usage);
  }
  const judged = judgeReport(request, found);
  return { ...judged, usage: usage ?? judged.usage };
}

/** Once it has answered, it does not matter how its process ends. */
function failureOf({ request }: AgentRun, { ended, end, session }: Talked): Failure | null {
  if (end.kind === "said") return null;
  const isTimeUp = ended.kind === "ended" && ended.timedOut !== null;
  if (end.kind === "failed" && !isTimeUp) return end.failure;
  const agent = request.agentKey;
  const problem = session?.problem() ?? null;
  if (problem !== null) return { reason: "agent-went-nowhere", agent, how: problem };
  if (ended.kind !== "ended" || isTimeUp) return failureOfEnd(request, ended);
  const { exitCode, signal, tail } = ended;
  return { reason: "agent-exited", agent, exitCode, signal, tail };
}

interface Talked {
  readonly ended: Ended;
  readonly end: AcpEnd;
  readonly session: AcpSession | null;
}

interface Dispatch {
  readonly run: AgentRun;
  readonly rules: PermissionRules;
  readonly writing: AcpWriting;
  readonly folder: DropFolder;
  readonly prompt: string;
}

/** On abort the agent is asked to leave its turn, which lets it end what it started; soon after it is ended. */
async function talkWith(dispatch: Dispatch): Promise<Talked> {
  const { signal } = dispatch.run;
  const stop = new AbortController();
  const begun: { session: AcpSession | null } = { session: null };
  const onAbort = async (): Promise<void> => {
    begun.session?.cancel();
    if (begun.session !== null) await Promise.race([begun.session.end, delay(limits.cancelGraceMs)]);
    stop.abort();
  };
  const onStarted = ({ stdin, finish }: Talk): void => {
    begun.session = openSession(dispatch, stdin);
    void begun.session.end.then(finish);
  };
  const onChunk: Command["onChunk"] = (chunk, stream) => {
    if (stream === "stdout") begun.session?.take(chunk);
  };
  if (signal.aborted) stop.abort();
  signal.addEventListener("abort", onAbort, { once: true });
  const ended = await launch({ ...toCommand(dispatch), onStarted, onChunk }, stop.signal);
  signal.removeEventListener("abort", onAbort);
  begun.session?.close();
  return { ended, end: (await begun.session?.end) ?? { kind: "closed" }, session: begun.session };
}

function toCommand({ run, folder }: Dispatch): Command {
  const { request, options, onOutput } = run;
  return {
    run: request.agent.command,
    cwd: request.cwd,
    dispatch: dispatchValue(request),
    names: request.agent.env,
    given: {
      ...options.identity(request.dispatch),
      ...toAgentVariables(request),
      ...homeVariables(run),
      EXECUTE_PRD_REQUEST: folder.requestPath,
    },
    from: options.environment,
    log: evidencePaths(options.runFolder, request).transcript,
    logFormat: "json lines",
    timeoutMs: request.agent.timeoutMs,
    idleTimeoutMs: request.agent.idleTimeoutMs,
    onLine: (line, stream) => {
      if (stream === "stderr") onOutput(line);
    },
    redaction: options.redaction,
    confinement: agentConfinement(run, [folder.path]),
  };
}

function openSession({ run, rules, writing, prompt }: Dispatch, stdin: Writable): AcpSession {
  const { request, options } = run;
  return openAcpSession(stdin, {
    request,
    prompt,
    rules,
    write: writing.write,
    problemOf: (report) => {
      const { outcome } = judgeReport(request, redactReport(toFound(report), options.redaction));
      return outcome.kind === "failed" ? outcome.failure : null;
    },
    toSecondPrompt: (problem) => askOnceMore(request, problem),
    onEvent: (event) => show(event, run),
  });
}

function toRules({ request, options }: AgentRun): PermissionRules {
  const lane = realOrSame(request.cwd);
  return {
    role: request.role,
    tools: request.agent.tools,
    network: options.network ?? true,
    isInside: (path) => isInside(realParent(isAbsolute(path) ? path : resolve(lane, path)), lane),
  };
}

/** What a live view shows of it: messages and tools, line by line. */
function show(event: AgentEvent, { options, onOutput }: AgentRun): void {
  for (const line of linesOf(event)) {
    onOutput(options.redaction.text(toVisibleLine(line.slice(0, limits.outputTailChars))));
  }
}

function linesOf(event: AgentEvent): readonly string[] {
  if (event.kind === "text") return event.text.split("\n");
  if (event.kind === "tool-started") return [`> ${event.name}`];
  if (event.kind === "denied") return [`denied: ${event.tool}: ${event.detail}`];
  return [];
}

function toFound(report: unknown): PlainFileFound {
  if (report === undefined) return { kind: "missing" };
  return { kind: "read", bytes: Buffer.from(toJsonText(report)) };
}

function realOrSame(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // it does not exist
  }
}

/** Links resolved as far as the path exists: what is to be made lies where its folder does. */
function realParent(path: string): string {
  const real = realOrSame(path);
  const folder = dirname(path);
  if (real !== path || folder === path || existsSync(path)) return real;
  return join(realParent(folder), basename(path));
}
