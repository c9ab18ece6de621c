// A start that is refused: clear words, the right exit code, and nothing at all is changed.
import { existsSync } from "node:fs";
import { expect } from "vitest";
import type { Project } from "./e2e-project.ts";
import { type Ended, type Start, toJsonLines } from "./program.ts";
import { snapshot } from "./snapshot.ts";

export interface Problem {
  readonly file: string;
  readonly path: string;
  readonly value: string;
  readonly expected: string;
  readonly hint: string;
}

/** Runs `run <plan>` and expects a refusal that changed nothing; the words must match everything in `words`. */
export async function expectRefused(
  plan: Project,
  wanted: {
    words: readonly (RegExp | string)[];
    args?: readonly string[];
    exitCode?: number;
    at?: Partial<Start>;
    /** Where nothing may change; default: everything of the test. */
    folder?: string;
  },
): Promise<Problem[]> {
  const { words, args = ["run", plan.slug], exitCode = 2, at = {}, folder = plan.folder } = wanted;
  const before = snapshot(folder);
  const ended = await plan.run([...args, "--json"], at);
  expect(ended.exitCode, ended.stderr).toBe(exitCode);
  for (const word of words) {
    if (typeof word === "string") expect(ended.stderr).toContain(word);
    else expect(ended.stderr).toMatch(word);
  }
  expect(snapshot(folder)).toEqual(before);
  expect(existsSync(plan.worktrees)).toBe(false);
  return toProblems(ended);
}

export function toProblems(ended: Ended): Problem[] {
  const documents = toJsonLines(ended.stdout);
  expect(documents).toHaveLength(1);
  expect(documents[0]).toMatchObject({ ok: false });
  const errors = documents[0]?.["errors"] as Problem[]; // looked at below
  for (const error of errors) {
    expect(Object.keys(error).toSorted()).toEqual(["expected", "file", "hint", "path", "value"]);
  }
  return errors;
}
