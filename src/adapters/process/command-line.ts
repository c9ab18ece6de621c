// From what the builder configured to a program and its arguments; a shell only where the line needs one.

import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import type { Environment } from "./environment.ts";

export interface Invocation {
  readonly program: string;
  readonly args: readonly string[];
  readonly shell: boolean;
}

const plainWord = /^[A-Za-z0-9_@%+=:,./-]+$/;
const assignment = /^[A-Za-z_][A-Za-z0-9_]*=/;

/** Words that only a shell understands. */
const shellWords = new Set(
  ". : ! alias bg break case cd command continue do done elif else esac eval exec exit export fc fg fi for getopts if jobs read readonly return set shift source then times trap type ulimit umask unalias unset until wait while {".split(
    " ",
  ),
);

/** An argv is run as it is; a command line of plain words is split, any other goes through the system's shell. */
export function toInvocation(run: readonly string[] | string): Invocation {
  if (typeof run !== "string") {
    const [program = "", ...args] = run;
    return { program, args, shell: false };
  }
  if (process.platform === "win32") {
    return {
      program: process.env["ComSpec"] ?? "cmd.exe",
      args: ["/d", "/s", "/c", `"${run}"`],
      shell: true,
    };
  }
  const words = wordsOf(run);
  const [program] = words;
  if (program !== undefined && words.every((word) => plainWord.test(word)) && isProgramName(program)) {
    return { program, args: words.slice(1), shell: false };
  }
  return { program: "/bin/sh", args: ["-c", run], shell: true };
}

/** The program that a command line starts first, or null where only a shell can tell. */
export function programOf(commandLine: string): string | null {
  const [command = ""] = commandLine.split(/[;&|<>\n]/);
  const first = wordsOf(command).find((word) => !(plainWord.test(word) && assignment.test(word)));
  return first !== undefined && plainWord.test(first) && isProgramName(first) ? first : null;
}

/** Whether `program` is an executable file: found through PATH, or at its path seen from `cwd`. */
export async function isOnPath(program: string, environment: Environment, cwd = "."): Promise<boolean> {
  return (await findOnPath(program, environment, cwd)) !== null;
}

/** Absolute path of the executable file; null: there is none. */
export async function findOnPath(
  program: string,
  environment: Environment,
  cwd = ".",
): Promise<string | null> {
  if (program === "") return null;
  if (program.includes("/") || isAbsolute(program)) {
    const path = resolve(cwd, program);
    return (await isExecutable(path)) ? path : null;
  }
  const folders = (environment["PATH"] ?? environment["Path"])?.split(delimiter) ?? [];
  const endings = process.platform === "win32" ? ["", ".exe", ".cmd", ".bat", ".com"] : [""];
  for (const folder of folders) {
    for (const ending of endings) {
      const path = resolve(cwd, join(folder || ".", program + ending));
      if (await isExecutable(path)) return path;
    }
  }
  return null;
}

function wordsOf(commandLine: string): readonly string[] {
  return commandLine.split(/[ \t]+/).filter((word) => word !== "");
}

function isProgramName(word: string): boolean {
  return !assignment.test(word) && !shellWords.has(word);
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false; // missing or not permitted: either way it cannot be started
  }
}
