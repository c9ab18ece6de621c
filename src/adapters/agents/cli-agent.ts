// Runs an agent program for one request: once, and a second time in the same session when its report is missing.

import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Failure } from "../../core/failure.ts";
import type { Confinement } from "../process/confinement.ts";
import { launch } from "../process/launch.ts";
import { codeOf } from "../process/output.ts";
import { agentConfinement, homeVariables } from "./agent-place.ts";
import type { AgentRun } from "./agent-run.ts";
import { type Listening, listen } from "./cli-listening.ts";
import { type CliCommand, type CliProgram, type CliTurn, mayWrite } from "./cli-program.ts";
import type { DropFolder } from "./drop-folder.ts";
import { type EventTally, foldAgentEvent } from "./event-tally.ts";
import { evidencePaths, keepEvidence } from "./evidence.ts";
import { inDropFolder } from "./in-drop-folder.ts";
import { denialOf, type EventsEnd, judgeTally, reportOf } from "./judge-events.ts";
import { failedWith, type Judged, redactReport } from "./outcome.ts";
import { prepare } from "./prepare.ts";
import { agentHomeVariables, authOf, keyVariables } from "./program-variables.ts";
import { dispatchValue, toAgentVariables } from "./protocol.ts";
import { askForMessage, askOnceMore } from "./report-asking.ts";

export function runCliAgent(program: CliProgram, run: AgentRun): Promise<Judged> {
  return inDropFolder(run, (folder) => askIn({ program, run, folder }));
}

interface Asking {
  readonly program: CliProgram;
  readonly run: AgentRun;
  readonly folder: DropFolder;
}

async function askIn(asking: Asking): Promise<Judged> {
  const { run, folder } = asking;
  const { request } = run;
  const startedMs = performance.now();
  const prepared = await prepare(folder, run);
  if (!prepared.ok) return failedWith(prepared.failure);
  const prompt = askForMessage({ ...request, prompt: prepared.value });
  const first = await take(asking, { prompt, before: null, timeoutMs: request.agent.timeoutMs });
  const problem = reportProblem(first.judged);
  const timeoutMs = request.agent.timeoutMs - (performance.now() - startedMs);
  const { session, done } = first.tally;
  if (problem === null || !done?.ok || session === null || timeoutMs <= 0 || run.signal.aborted) {
    return settle(first, asking);
  }
  run.onOutput("[its report is asked for once more]");
  const again = { prompt: askOnceMore(request, problem), before: first.tally, timeoutMs };
  return settle(await take(asking, again), asking);
}

function settle({ judged, tally }: Taken, { run }: Asking): Judged {
  if (reportProblem(judged)?.reason !== "report-missing") return judged;
  const denial = denialOf(run.request, tally);
  return denial === null ? judged : { ...judged, outcome: { kind: "failed", failure: denial } };
}

function reportProblem({ outcome }: Judged): Failure | null {
  if (outcome.kind !== "failed") return null;
  const { failure } = outcome;
  return failure.reason === "report-missing" || failure.reason === "report-invalid" ? failure : null;
}

interface Taken {
  readonly judged: Judged;
  readonly tally: EventTally;
}

interface Turn {
  readonly prompt: string;
  /** What the session has come to until now; null: it is a new one. */
  readonly before: EventTally | null;
  readonly timeoutMs: number;
}

async function take(asking: Asking, asked: Turn): Promise<Taken> {
  const { program, run, folder } = asking;
  const { request, options } = run;
  const turn = toTurn(asking, asked);
  const listening = listen(program, run, asked.before);
  const { ended, command } = await start({ asking, asked, turn, listening });
  listening.end(ended);
  const tally = await withWhatIsLeft({ program, turn, tally: listening.tally(), agent: request.agentKey });
  const said = reportOf(tally);
  const written = said.kind === "missing" && tally.done?.ok ? await folder.readReport() : said;
  const found = redactReport(written, options.redaction);
  const end: EventsEnd = { ended, stop: listening.stop(), command, found };
  if (found.kind === "read") {
    const kept = await keepEvidence(evidencePaths(options.runFolder, request).report, found.bytes);
    if (!kept.ok) return { tally, judged: failedWith(kept.failure) };
  }
  return { tally, judged: judgeTally(request, tally, end) };
}

function toTurn({ run, folder }: Asking, { prompt, before }: Turn): CliTurn {
  const { request, options } = run;
  return {
    request,
    folder: folder.path,
    prompt,
    session: before?.session ?? null,
    auth: authOf(request.agent, options.environment),
    environment: options.environment,
    home: options.home ?? null,
    network: options.network ?? true,
    isConfined: (options.sandbox ?? null) !== null,
  };
}

interface Starting {
  readonly asking: Asking;
  readonly asked: Turn;
  readonly turn: CliTurn;
  readonly listening: Listening;
}

async function start({ asking, asked, turn, listening }: Starting) {
  const { program, run, folder } = asking;
  const { request, options } = run;
  const command = program.build(turn);
  const paths = evidencePaths(options.runFolder, request);
  const start = request.agent.command.length > 0 ? request.agent.command : [program.program];
  const named = { command: start.join(" ") };
  const problem = (await makeHome(turn)) ?? (await writeFiles(command.files));
  if (problem !== null) return { ...named, ended: { kind: "cannot start", detail: problem } as const };
  // What is kept is what is sent.
  if (turn.session === null) await keepEvidence(paths.prompt, command.input);
  const keys = keyVariables(request.agent.backend);
  const ended = await launch(
    {
      run: [...start, ...command.args],
      cwd: request.cwd,
      dispatch: dispatchValue(request),
      names: [...request.agent.env.filter((name) => !keys.includes(name)), ...command.names],
      given: {
        ...options.identity(request.dispatch),
        ...toAgentVariables(request),
        ...homeVariables(run),
        EXECUTE_PRD_REQUEST: folder.requestPath,
        EXECUTE_PRD_REPORT: folder.reportPath,
        ...command.given,
      },
      from: options.environment,
      input: command.input,
      log: transcriptOf(paths.transcript, turn.session),
      logFormat: "json lines",
      timeoutMs: asked.timeoutMs,
      onChunk: listening.onChunk,
      onLine: listening.onLine,
      redaction: options.redaction,
      confinement: confinementOf(asking),
    },
    AbortSignal.any([run.signal, listening.signal]),
  );
  return { ...named, ended };
}

/** A sandbox that stands in for the program's own has to be as strict: who only looks writes in no tree. */
function confinementOf({ program, run, folder }: Asking): Confinement | null {
  const whole = agentConfinement(run, [folder.path]);
  if (whole === null || program.hasOwnSandbox !== true || mayWrite(run.request)) return whole;
  return { ...whole, tree: folder.path };
}

/** Codex starts in no home that is not there yet. */
async function makeHome({ request, home }: CliTurn): Promise<string | null> {
  for (const folder of Object.values(agentHomeVariables(request.agent.backend, home))) {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
    } catch (error) {
      return `"${folder}" could not be made: ${codeOf(error)}`;
    }
  }
  return null;
}

async function writeFiles(files: CliCommand["files"]): Promise<string | null> {
  for (const { path, text } of files) {
    try {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text, { mode: 0o600 });
    } catch (error) {
      return `"${path}" could not be written: ${codeOf(error)}`;
    }
  }
  return null;
}

/** The second question of a dispatch has a transcript of its own. */
function transcriptOf(path: string, session: string | null): string {
  return session === null ? path : path.replace(/\.jsonl$/, "-2.jsonl");
}

/** What the program wrote down elsewhere counts only where it said nothing better. */
async function withWhatIsLeft(left: {
  program: CliProgram;
  turn: CliTurn;
  tally: EventTally;
  agent: string;
}): Promise<EventTally> {
  const { program, turn, tally, agent } = left;
  if (program.readLeft === undefined || tally.session === null) return tally;
  const events = await program.readLeft({ turn, session: tally.session, agent });
  return events.reduce(foldAgentEvent, tally);
}
