// `run`, `resume`, `demo`: work on a run, show it, and end with what came of it.

import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exitCodeOf, type RunEnded, type RunHandle } from "../../application/run-handle.ts";
import { countedAttempts } from "../../core/attempts.ts";
import { describe } from "../../core/failure.ts";
import type { RunState, TaskRecord } from "../../core/state.ts";
import { type ResumeOptions, resume, run, type StartOptions } from "../../library.ts";
import { nextCommands } from "../../views/next-commands.ts";
import { toLine } from "../../views/text.ts";
import { keepHeapSmall } from "./heap.ts";
import { openLiveView } from "./live-view.ts";
import { type Output, printRefusal } from "./output.ts";

export function runAndShow(output: Output, options: StartOptions): Promise<number> {
  return show(output, (listener) => run({ ...options, ...listener }));
}

export function resumeAndShow(output: Output, options: ResumeOptions): Promise<number> {
  return show(output, (listener) => resume({ ...options, ...listener }));
}

type Begin = (listener: {
  onUpdate: Parameters<typeof run>[0]["onUpdate"] & {};
  onOutput: Parameters<typeof run>[0]["onOutput"] & {};
  onTrouble: (text: string) => void;
}) => RunHandle;

async function show(output: Output, begin: Begin): Promise<number> {
  keepHeapSmall();
  const view = openLiveView(output);
  const handle = begin({
    onUpdate: (update) => view.update(update),
    onOutput: (line, intent) => view.output(line, intent),
    onTrouble: (text) => output.trouble(`note: ${text}`),
  });
  const ungard = obeySignals(handle, output);
  const ended = await handle.ended.finally(() => {
    ungard();
    view.close();
  });
  printEnd(output, ended);
  return exitCodeOf(ended);
}

/** The first signal is `pause --now`; a second one kills at once (130). */
function obeySignals(handle: RunHandle, output: Output): () => void {
  let isAsked = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isAsked) process.exit(130);
    isAsked = true;
    output.trouble(`${signal}: pausing; what runs is ended and kept. Once more to leave at once.`);
    handle.stop(signal);
  };
  const signals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
}

function printEnd(output: Output, ended: RunEnded): void {
  switch (ended.kind) {
    case "refused":
      printRefusal(output, ended.refusal);
      return;
    case "already completed":
      output.line(`run "${ended.state.slug}" is completed; nothing was changed`);
      printWhere(output, ended.state);
      return;
    case "journal lost":
      output.trouble(`error: nothing more can be recorded: ${describe(ended.failure)}`);
      output.trouble("Everything that is in the journal stands. Mend the cause, then resume.");
      return;
    case "stopped":
      printStop(output, ended.state);
  }
}

function printStop(output: Output, state: RunState): void {
  const { phase } = state;
  const { paint } = output;
  output.line();
  if (phase.kind === "completed")
    output.line(paint.green(paint.bold(`completed: ${state.prd.goal.split("\n")[0] ?? ""}`)));
  else if ("failure" in phase)
    output.line(paint.red(`${phase.kind}: ${toLine(describe(phase.failure), 2_000)}`));
  for (const record of state.tasks) output.line(`  ${taskLine(record, output)}`);
  for (const question of state.questions) {
    output.line();
    output.line(paint.yellow(`question ${question.id}: ${toLine(question.text, 2_000)}`));
    for (const { id, label } of question.options) output.line(`  ${id}: ${toLine(label)}`);
  }
  printWhere(output, state);
}

function taskLine(record: TaskRecord, output: Output): string {
  const { task, phase } = record;
  const attempts = countedAttempts(record);
  const count = attempts > 1 ? ` (${attempts} attempts)` : "";
  const name = `${task.id}: ${toLine(task.title, 80)}${count}`;
  const { paint } = output;
  switch (phase.kind) {
    case "complete":
      return `${paint.green("✓")} ${name} ${paint.dim(phase.commit.slice(0, 7))}`;
    case "skipped":
      return `${paint.yellow("-")} ${name}, skipped: ${toLine(phase.why)}`;
    case "held":
      return `${paint.red("✗")} ${name}, waits for you`;
    case "pending":
      return `${paint.dim("·")} ${name}, not done`;
    case "working":
      return `${paint.dim("·")} ${name}, in ${phase.stage}`;
  }
}

function printWhere(output: Output, state: RunState): void {
  output.line();
  output.line(`branch   ${state.branch} (${movement(state)})`);
  output.line(`files    ${join(state.checkout, "dev", "executions", state.slug)}`);
  if (state.memory?.entry != null) output.line(`memory   ${state.memory.entry} on the branch`);
  output.line("next");
  for (const command of nextCommands(state)) output.line(`  ${command}`);
}

function movement(state: RunState): string {
  const moved = state.baseMovedBy;
  if (moved === null) return `from ${toLine(state.baseName)}`;
  return moved === 0
    ? `${toLine(state.baseName)} has not moved since`
    : `${toLine(state.baseName)} moved by ${moved} commit(s) since`;
}

/** Starts the same command again without a terminal, and returns once the run is taken or refused. */
export async function detach(output: Output, argv: readonly string[]): Promise<number> {
  const log = join(mkdtempSync(join(tmpdir(), "execute-prd-detached-")), "output.log");
  const file = openSync(log, "wx", 0o600);
  const args = argv.filter((argument) => argument !== "--detach");
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? "", ...args, "--json"], {
    detached: true,
    stdio: ["ignore", file, file],
  });
  closeSync(file);
  const outcome = await firstWord(child, log);
  child.unref();
  if (outcome.kind === "ended") {
    printSaid(output, readFileSync(log, "utf8"));
    return outcome.exitCode;
  }
  if (output.isJson) output.data({ ok: true, detached: true, pid: child.pid, log });
  else output.line(`started in the background (pid ${child.pid}); what it says goes to ${log}`);
  return 0;
}

/** What the other program said before it ended at once: its data are this one's data, too. */
function printSaid(output: Output, text: string): void {
  for (const line of text.trim().split("\n")) {
    const data = line.startsWith('{"ok":false,') ? toJson(line) : null;
    if (data === null) output.trouble(line);
    else if (output.isJson) output.data(data);
  }
}

function toJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null; // a line cut short
  }
}

type FirstWord = { kind: "running" } | { kind: "ended"; exitCode: number };

/** Running as soon as the journal has an event of this start; the log then holds a line with a sequence number. */
function firstWord(child: ReturnType<typeof spawn>, log: string): Promise<FirstWord> {
  return new Promise((resolve) => {
    const look = setInterval(() => {
      if (/^\{"seq":/m.test(readFileSync(log, "utf8"))) finish({ kind: "running" });
    }, 50);
    const finish = (word: FirstWord): void => {
      clearInterval(look);
      resolve(word);
    };
    child.once("exit", (code) => finish({ kind: "ended", exitCode: code ?? 1 }));
    child.once("error", () => finish({ kind: "ended", exitCode: 70 }));
  });
}
