// Expected output that a command writes by itself, rewritten instead of looked at.

import type { ChangedFile } from "./changed-file.ts";
import { counted, listed, type Observation } from "./finding.ts";
import { isSnapshot } from "./test-path.ts";

export function findSnapshots(
  changes: readonly ChangedFile[],
  moves: ReadonlyMap<string, ChangedFile>,
): Observation[] {
  const rewritten = changes.filter(
    (file) => isSnapshot(file.path) && file.change !== "added" && !moves.has(file.path) && isRewritten(file),
  );
  const [first] = rewritten;
  if (first === undefined) return [];
  const lines = rewritten.reduce((sum, { removed }) => sum + removed.length, 0);
  const names = listed(rewritten.map(({ path }) => path));
  const text = `expected output rewritten, ${counted(lines, "line")} of it replaced, in ${names}`;
  return [{ kind: "snapshot-rewritten", file: first.path, line: null, text }];
}

/** Output that was only added replaces nothing that was expected. */
function isRewritten(file: ChangedFile): boolean {
  return file.isBinary || file.before === null || file.removed.length > 0;
}
