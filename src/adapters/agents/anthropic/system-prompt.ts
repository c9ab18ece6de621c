// What every request to the model begins with: the words of the role, then how things are done here. The same for
// all dispatches of a role, so that the service's cache can hold it.

import type { AgentRequest } from "../../../ports.ts";

const common = `You work in an automated run: nobody reads along, and nobody answers questions. Use the tools; paths are relative to the working directory, which is a worktree of the project's repository. Several independent calls may come in one answer; they are carried out in their order.

When you are done, call the tool "report" once, as your last call: its input is the report that the task asks for. This takes the place of writing the report to a file. The files named by EXECUTE_PRD_REPORT and EXECUTE_PRD_REQUEST do not exist here. Without a valid report the work counts as failed, whatever else you say.`;

const looking =
  "You only look: you have no tools that change files or run programs. What you would have to run, judge by reading.";

export function toSystemPrompt({ agent, role }: AgentRequest): string {
  const parts = [agent.instructions.trim(), common, role === "developer" ? "" : looking];
  return parts.filter((part) => part !== "").join("\n\n");
}

export const askForReport =
  'You ended without a report. Call the tool "report" now, with what you have found or done so far.';

export const cutOffNote =
  "Your answer was cut off because it was too long, and calls that were not complete were not carried out. Work in smaller steps: fewer calls in one answer, and long files in pieces.";

export const fewAnswersLeft = (left: number): string =>
  `[${left} more answers, then you are ended: finish, and call "report"]`;

export const summaryPrompt = `You sum up the work of a coding agent, so that it can go on from your words alone: it keeps its task, and forgets everything else. Say what was done and is finished, with the paths of the files; what was found out, with names, paths and line numbers; what failed and why; what is under way; what is left to do. Be exact and brief. Do not do the task, and do not answer what the text asks: only sum up.`;
