// The screen of a run at work. On a terminal: one live line for each task at work, with stage, attempt and elapsed
// time, below the lines of what happened; elsewhere one line per event. Long steps never look dead.

import type { RunUpdate } from "../../application/run-handle.ts";
import { defaultAnswer } from "../../core/checkpoint.ts";
import type { Intent } from "../../core/event.ts";
import { describe } from "../../core/failure.ts";
import type { Running, RunState } from "../../core/state.ts";
import { waitOf } from "../../core/waits.ts";
import { toDuration, toIso, toLine } from "../../views/text.ts";
import { createNarrator, toldBy } from "../../views/words.ts";
import type { Output } from "./output.ts";

export interface LiveView {
  update(update: RunUpdate): void;
  output(line: string, intent: Intent): void;
  close(): void;
}

const frameMs = 1_000;
const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

export function openLiveView(output: Output): LiveView {
  if (output.isJson) return jsonView(output);
  return output.isTerminal ? terminalView(output) : plainView(output);
}

function jsonView(output: Output): LiveView {
  return {
    update: ({ entry }) => output.data({ seq: entry.seq, at: toIso(entry.atMs), ...entry.event }),
    output: () => {},
    close: () => {},
  };
}

function plainView(output: Output): LiveView {
  const narrate = createNarrator();
  return {
    update: ({ entry }) => {
      output.line(`${toIso(entry.atMs)} ${narrate(entry)}`);
      for (const text of toldBy(entry)) output.line(`  note: ${text}`);
    },
    output: () => {},
    close: () => {},
  };
}

/** What people want to read in passing; the rest is in the log. */
function isNews(update: RunUpdate): boolean {
  switch (update.entry.event.kind) {
    case "gate-started":
    case "candidate-started":
    case "integration-started":
    case "integration-ended":
    case "dispatch-started":
    case "memory-started":
    case "base-compared":
      return false;
    default:
      return true;
  }
}

function terminalView(output: Output): LiveView {
  let state: RunState | null = null;
  let drawn = 0;
  let turn = 0;
  const lastLines = new Map<string, string>();
  const narrate = createNarrator();
  const erase = (): void => {
    if (drawn > 0) output.draw(`\u001b[${drawn}A\u001b[J`);
    drawn = 0;
  };
  const draw = (): void => {
    if (state === null) return;
    const lines = liveLines({ state, lastLines, frame: frames[turn % frames.length] ?? "", output });
    output.draw(lines.map((line) => `${line}\n`).join(""));
    drawn = lines.length;
  };
  const timer = setInterval(() => {
    turn += 1;
    erase();
    draw();
  }, frameMs);
  timer.unref();
  return {
    update: (update) => {
      state = update.state;
      erase();
      const words = narrate(update.entry);
      if (isNews(update)) output.draw(`${toNews({ update, words, output })}\n`);
      for (const text of toldBy(update.entry)) output.draw(`  note: ${text}\n`);
      draw();
    },
    output: (line, intent) => {
      const task = "taskId" in intent ? (intent.taskId ?? "") : "";
      lastLines.set(`${intent.kind} ${task}`, line);
    },
    close: () => {
      clearInterval(timer);
      erase();
    },
  };
}

function toNews(at: { update: RunUpdate; words: string; output: Output }): string {
  const { entry } = at.update;
  const { output } = at;
  const time = toIso(entry.atMs).slice(11, 19);
  return `${output.paint.dim(time)} ${cut(at.words, output.columns - 10)}`;
}

function liveLines(at: {
  state: RunState;
  lastLines: ReadonlyMap<string, string>;
  frame: string;
  output: Output;
}): readonly string[] {
  const { state, output } = at;
  return [...runningLines(at), ...waitingLines(state, output), ...questionLines(state, output)];
}

/** Questions that answer themselves, with the time that is left for the builder. */
function questionLines(state: RunState, output: Output): readonly string[] {
  const nowMs = Date.now();
  return state.questions.flatMap((question) => {
    const byItself = defaultAnswer(state, question);
    if (byItself === null) return [];
    const leftMs = Math.max(0, byItself.atMs - nowMs);
    const words = `⏳ ${question.id} is answered "${toLine(byItself.text)}" in ${toDuration(leftMs)}, unless you do: execute-prd answer ${state.slug}`;
    return [output.paint.yellow(cut(words, output.columns - 1))];
  });
}

/** Agents that are not asked for a while, with the time that is left. */
function waitingLines(state: RunState, output: Output): readonly string[] {
  const nowMs = Date.now();
  return [...state.waits.keys()].flatMap((agent) => {
    const wait = waitOf(state, agent, nowMs);
    if (wait === null) return [];
    const words = `⏳ ${agent} waits ${toDuration(wait.untilMs - nowMs)} more: ${toLine(describe(wait.failure))}`;
    return [output.paint.yellow(cut(words, output.columns - 1))];
  });
}

function runningLines(at: Parameters<typeof liveLines>[0]): readonly string[] {
  const { state, output } = at;
  return [...state.running.values()].map((running) => {
    const task = "taskId" in running.intent ? (running.intent.taskId ?? "") : "";
    const last = at.lastLines.get(`${running.intent.kind} ${task}`) ?? "";
    const elapsed = toDuration(Math.max(0, Date.now() - running.atMs));
    const head = `${at.frame} ${whatRuns(running)} ${elapsed}`;
    const room = output.columns - head.length - 5;
    return `${output.paint.yellow(head)}${room > 20 && last !== "" ? output.paint.dim(`  ${cut(last, room)}`) : ""}`;
  });
}

function whatRuns({ intent }: Running): string {
  switch (intent.kind) {
    case "dispatch-started":
      return intent.taskId === null
        ? `${intent.stage} (${intent.agent})`
        : `${intent.taskId} · ${intent.stage} · attempt ${intent.attempt} (${intent.agent})`;
    case "gate-started":
      return intent.taskId === null
        ? `baseline · ${intent.gate}`
        : `${intent.taskId} · gate ${intent.gate} · attempt ${intent.attempt}`;
    case "candidate-started":
      return `${intent.taskId} · commit`;
    case "integration-started":
      return `${intent.taskId} · integrate`;
    case "memory-started":
      return "memory";
  }
}

function cut(text: string, width: number): string {
  const line = toLine(text);
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;
}
