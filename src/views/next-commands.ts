// What the builder can type next: exact commands, the same in status.json, in the report and on the screen.

import type { Question } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import { isSha } from "../core/ids.ts";
import type { RunState } from "../core/state.ts";
import { toLine, toShellWord } from "./text.ts";

/** What is known beside the state, or better than it. */
export interface CommandFacts {
  /** Commits that came onto the base since the run was made; null: not known. */
  readonly baseMovedBy: number | null;
}

/** Complete command lines for a POSIX shell, the most useful first. */
export function nextCommands(state: RunState, facts: CommandFacts = state): string[] {
  const slug = toShellWord(state.slug);
  switch (state.phase.kind) {
    case "queued":
    case "running":
      return [`execute-prd status ${slug} --watch`, `execute-prd log ${slug} --follow`];
    case "paused":
      return [`execute-prd resume ${slug}${moreMoney(state.phase.failure)}`, ...inspectCommands(state)];
    case "blocked":
      return [...answerCommands(state), `execute-prd resume ${slug}`, ...inspectCommands(state)];
    case "failed":
      return [`execute-prd report ${slug}`, `execute-prd resume ${slug}`, ...inspectCommands(state)];
    case "completed":
      return [
        ...inspectCommands(state),
        `execute-prd verify ${slug}`,
        ...mergeCommands(state, facts),
        `execute-prd clean ${slug}`,
      ];
  }
}

/** Without more of it a run that paused for its budget would only pause again: twice as much is proposed. */
function moreMoney(failure: Failure): string {
  const isMoney = failure.reason === "budget-cost" || failure.reason === "budget-projected";
  return isMoney && failure.taskId === null
    ? ` --budget-usd ${Number((failure.limitUsd * 2).toFixed(2))}`
    : "";
}

/** What the run put on its branch; nothing when it put nothing there. */
function inspectCommands(state: RunState): string[] {
  if (state.head === state.base) return [];
  const base = shortBase(state);
  return [
    `git log --oneline ${toShellWord(`${base}..${state.branch}`)}`,
    `git diff ${toShellWord(`${base}...${state.branch}`)}`,
  ];
}

function mergeCommands(state: RunState, facts: CommandFacts): string[] {
  if (state.head === state.base) return [];
  const branch = toShellWord(state.branch);
  if (isSha(state.baseName)) return [`git merge ${branch}`]; // HEAD was detached: there is no branch to switch to
  const base = toShellWord(state.baseName);
  const moved = facts.baseMovedBy !== null && facts.baseMovedBy > 0;
  return [
    ...(moved ? [`git log --oneline ${toShellWord(`${shortBase(state)}..${state.baseName}`)}`] : []),
    `git switch ${base} && git merge ${branch}`,
  ];
}

/** One command for each option of a question; of a question without options, one with a place for the words. */
export function answersTo(slug: string, question: Question): string[] {
  const start = `execute-prd answer ${toShellWord(slug)} ${toShellWord(question.id)}`;
  const options = question.options.filter(({ id }) => isTypeable(id)).slice(0, optionsNamed);
  if (options.length === 0) return [`${start} 'your answer'`];
  return options.map(({ id }) => `${start} ${toShellWord(id)}`);
}

const optionsNamed = 8;
const questionsNamed = 5;

function answerCommands(state: RunState): string[] {
  return state.questions.slice(0, questionsNamed).flatMap((question) => answersTo(state.slug, question));
}

/** An agent's options are any text: what a shell or a reader could misread is not put into a command. */
function isTypeable(id: string): boolean {
  return id !== "" && toLine(id, 200) === id && !id.startsWith("-");
}

function shortBase(state: RunState): string {
  return state.base.slice(0, 12);
}
