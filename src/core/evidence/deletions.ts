// Whether a candidate takes away more than a task may without saying so.

import { limits } from "../limits.ts";
import type { ChangedFile } from "./changed-file.ts";
import type { EvidenceContext } from "./context.ts";
import { counted, listed, type Observation } from "./finding.ts";
import { findGone } from "./moves.ts";

type DeletionContext = Pick<
  EvidenceContext,
  "allowDeletions" | "maxDeletedFiles" | "deletions" | "changeCount" | "baseBytes"
>;

export function findManyDeletions(
  changes: readonly ChangedFile[],
  context: DeletionContext,
  moves: ReadonlyMap<string, ChangedFile>,
): Observation[] {
  if (context.allowDeletions) return [];
  const gone = [...findGone(changes), ...changes.filter(isGutted)];
  const unseen = context.changeCount > changes.length ? context.deletions : 0;
  const count = Math.max(gone.length, unseen);
  if (count > context.maxDeletedFiles) {
    const names = listed(gone.map(({ path }) => path));
    const text = `${counted(count, "file")} deleted or emptied, at most ${context.maxDeletedFiles} without allowDeletions: ${names}`;
    return [{ kind: "many-deletions", file: null, line: null, text }];
  }
  return findLargeShare(changes, { baseBytes: context.baseBytes, moves });
}

/** Bytes of the base that a candidate takes away, moves not counted. */
export function lostBytes(changes: readonly ChangedFile[], moves: ReadonlyMap<string, ChangedFile>): number {
  const lost = changes.map(({ path, beforeBytes, afterBytes }) => {
    const now = moves.get(path)?.afterBytes ?? afterBytes;
    return Math.max(0, beforeBytes - now);
  });
  return lost.reduce((sum, bytes) => sum + bytes, 0);
}

/** A file of which nearly nothing is left is as good as deleted. */
function isGutted({ change, beforeBytes, afterBytes }: ChangedFile): boolean {
  return change === "modified" && beforeBytes >= guttedFromBytes && afterBytes * 20 < beforeBytes;
}

const guttedFromBytes = 200;

function findLargeShare(
  changes: readonly ChangedFile[],
  { baseBytes, moves }: { baseBytes: number | null; moves: ReadonlyMap<string, ChangedFile> },
): Observation[] {
  const lost = lostBytes(changes, moves);
  if (baseBytes === null || lost < limits.deletedShareFloorBytes) return [];
  const percent = Math.floor((lost * 100) / Math.max(baseBytes, 1));
  if (percent <= limits.deletedSharePercent) return [];
  const text = `${percent} % of the content of the repository is deleted without allowDeletions`;
  return [{ kind: "many-deletions", file: null, line: null, text }];
}
