// What the program itself looks for before a task: the files and names that the plan speaks of. Whether they are
// there is a fact for the prompt, whatever recon and the plan say.

import { limits } from "./limits.ts";
import type { Task } from "./prd.ts";

export interface OwnLook {
  readonly files: readonly { readonly path: string; readonly exists: boolean }[];
  readonly names: readonly { readonly name: string; readonly foundIn: readonly string[] }[];
}

export const nothingSeen: OwnLook = { files: [], names: [] };

/** Files that the task names in its lists, and paths between backticks in its words. */
export function wantedFiles(task: Task): readonly string[] {
  const quoted = quotedIn(task).filter((text) => isPath(text));
  const named = [...task.filesTouched, ...task.filesToRead].filter((path) => !/[*?[\]{}\n]/.test(path));
  return [...new Set([...named, ...quoted])].slice(0, limits.lookedForFiles);
}

/** Names of code between backticks in the task's words. */
export function wantedNames(task: Task): readonly string[] {
  const names = quotedIn(task)
    .map((text) => text.replace(/\(\)$/, ""))
    .filter((text) => /^[A-Za-z_$][\w$]{2,79}$/.test(text));
  return [...new Set(names)].slice(0, limits.lookedForNames);
}

/** Whether everything that the task speaks of is there already: then it may be done, or the plan out of date. */
export function isAllThere({ files, names }: OwnLook): boolean {
  return (
    files.length + names.length > 0 &&
    files.every(({ exists }) => exists) &&
    names.every(({ foundIn }) => foundIn.length > 0)
  );
}

function quotedIn(task: Task): readonly string[] {
  const words = [task.title, task.description, ...task.acceptanceCriteria].join("\n");
  return [...words.matchAll(/`([^`\n]{1,200})`/g)].map(([, text = ""]) => text.trim());
}

/** `src/a.ts`, `README.md`; no option, no address, no command line, nothing that leaves the repository. */
function isPath(text: string): boolean {
  if (!/^[\w@.][\w@./-]*$/.test(text) || text.split("/").includes("..")) return false;
  return text.includes("/") || /\.[A-Za-z]{1,5}$/.test(text);
}
