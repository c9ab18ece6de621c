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
 * `execute-prd.config.json` is read from the base anyway.
 */
export function baseVersionsToTry(
  changes: readonly ChangedFile[],
  context: GateContext,
): readonly BaseVersion[] {
  const moves = findMoves(changes);
  const gateFiles = new Set(changedGateFiles(changes, context).map(({ file }) => file));
  return changes.flatMap((file): readonly BaseVersion[] => {
    const { path, beforeMode } = file;
    const isInBase = beforeMode !== null;
    const instruction: readonly BaseVersion[] = isAgentInstruction(path)
      ? [{ path, kind: "agent instruction", isInBase }]
      : [];
    if (gateFiles.has(file)) return [{ path, kind: "gate definition", isInBase }, ...instruction];
    const isTest = isTestPath(path) && isInBase && !moves.has(path);
    return isTest ? [{ path, kind: "test", isInBase }, ...instruction] : instruction;
  });
}
