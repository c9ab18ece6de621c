// Whose version of the base is tried against the candidate: changed tests, and definitions of gates.

import type { ChangedFile } from "./changed-file.ts";
import { changedGateFiles, type GateContext } from "./gate-changes.ts";
import { findMoves } from "./moves.ts";
import { isAgentInstruction } from "./scope.ts";
import { isTestPath } from "./test-path.ts";

export interface BaseVersion {
  readonly path: string;
  /** An agent's instructions are not tried: the reviewer sees those of the base, not the developer's. */
  readonly kind: "test" | "gate definition" | "agent instruction";
  /** false: the base has no such file, so its version is that there is none. */
  readonly isInBase: boolean;
}

/**
 * In the order of the changes. Of tests: what belongs to them as well (fixtures, snapshots, what they share), because
 * an old test needs the old ones; a file that only moved is the candidate's own. An agent's file of the kind
 * `execute-prd.config.json` is read from the base anyway. A `conftest.py` with more fixtures is needed by the tests
 * that use them, and says nothing of other tests: its change is a finding, but not tried.
 */
export function baseVersionsToTry(
  changes: readonly ChangedFile[],
  context: GateContext,
): readonly BaseVersion[] {
  const moves = findMoves(changes);
  const newPaths = changes.filter(({ change }) => change === "added").map(({ path }) => path);
  const gateFiles = new Set(changedGateFiles(changes, context).map(({ file }) => file));
  return changes.flatMap((file): readonly BaseVersion[] => {
    const { path, beforeMode } = file;
    const isInBase = beforeMode !== null;
    const instruction: readonly BaseVersion[] = isAgentInstruction(path)
      ? [{ path, kind: "agent instruction", isInBase }]
      : [];
    if (isOnlyFixtures(file, newPaths)) return instruction;
    if (gateFiles.has(file)) return [{ path, kind: "gate definition", isInBase }, ...instruction];
    const isTest = isTestPath(path) && isInBase && !moves.has(path);
    return isTest ? [{ path, kind: "test", isInBase }, ...instruction] : instruction;
  });
}

/** Nothing was taken away, and what is new changes no test that does not ask for it. */
function isOnlyFixtures({ path, after, added, removed }: ChangedFile, newPaths: readonly string[]): boolean {
  if (!/(?:^|\/)conftest\.py$/.test(path) || after === null) return false;
  if (removed.some(({ text }) => text.trim() !== "")) return false;
  const lines = added.map(({ text }) => text);
  const isPlain = lines.every((line) => plainLine.test(line) && !importsNew(line, newPaths));
  return isPlain && lines.some((line) => /^@(?:pytest\.)?fixture\b/.test(line)) && !lines.some(reachesOut);
}

/** At the top only imports and functions: nothing that acts when the file is loaded. */
const plainLine = /^(?:$|\s|#|@(?:pytest\.)?fixture\b|(?:async )?def |import |from |\))/;

/** Hooks, what runs without being asked for, and what reaches into other modules. */
function reachesOut(line: string): boolean {
  return /\bpytest_\w|\bcollect_ignore|autouse|\b(?:os|sys|atexit|signal|gc|inspect|builtins|unittest|mock|importlib|exec|eval|globals)\b|patch|setattr|exit|skip|xfail|__/.test(
    line,
  );
}

/** A module that comes with the candidate could do when it is loaded what this file may not. */
function importsNew(line: string, newPaths: readonly string[]): boolean {
  const words = /^\s*(?:from|import)\s(.*)$/.exec(line)?.[1]?.match(/\w+/g) ?? [];
  const names = new Set(newPaths.flatMap((path) => path.replace(/\.\w+$/, "").split("/")));
  return words.some((word) => names.has(word));
}
