// Which deleted file lives on as which added one: the diff is made without renames, and a move is no deletion.

import type { ChangedFile } from "./changed-file.ts";
import { compareText, groupBy } from "./collections.ts";
import { splitLines, withoutSpace } from "./lines.ts";

/** Path of the deleted file to the file it has become. */
export function findMoves(changes: readonly ChangedFile[]): ReadonlyMap<string, ChangedFile> {
  const moves = new Map<string, ChangedFile>();
  const left = new Set(changes.filter(({ change }) => change === "added").sort(byPath));
  const deleted = changes.filter(({ change }) => change === "deleted").sort(byPath);
  const take = (from: ChangedFile, to: ChangedFile | undefined): void => {
    if (to === undefined) return;
    moves.set(from.path, to);
    left.delete(to);
  };
  const byId = groupBy(left, ({ afterId }) => String(afterId));
  for (const file of deleted) {
    const same = (byId.get(String(file.beforeId)) ?? []).filter((other) => left.has(other));
    take(file, same.find((other) => nameOf(other) === nameOf(file)) ?? same[0]);
  }
  const index = indexLines(left);
  for (const file of deleted) {
    if (!moves.has(file.path)) take(file, mostSimilar(file, index, left));
  }
  return moves;
}

/**
 * Deleted files whose content is found nowhere else. One that was split lives on in parts: most of its lines are new
 * lines of other files.
 */
export function findGone(changes: readonly ChangedFile[]): ChangedFile[] {
  const moves = findMoves(changes);
  const added = new Set(changes.flatMap((file) => file.added.map(({ text }) => withoutSpace(text))));
  return changes.filter((file) => {
    if (file.change !== "deleted" || moves.has(file.path)) return false;
    const lines = tellingLines(file.before);
    const found = [...lines].filter((line) => added.has(line)).length;
    return lines.size === 0 || found < lines.size * wantedShare;
  });
}

const wantedShare = 0.5;
/** A line in more files than this says nothing about which file it is. */
const commonLine = 20;

function byPath(left: ChangedFile, right: ChangedFile): number {
  return compareText(left.path, right.path);
}

function nameOf(file: ChangedFile): string {
  return file.path.slice(file.path.lastIndexOf("/") + 1);
}

function tellingLines(text: string | null): Set<string> {
  return new Set(
    splitLines(text ?? "")
      .map(withoutSpace)
      .filter((line) => line.length > 4),
  );
}

function indexLines(files: Iterable<ChangedFile>): Map<string, ChangedFile[]> {
  const index = new Map<string, ChangedFile[]>();
  for (const file of files) {
    for (const line of tellingLines(file.after)) {
      const known = index.get(line);
      if (known === undefined) index.set(line, [file]);
      else if (known.length <= commonLine) known.push(file);
    }
  }
  return index;
}

function mostSimilar(
  file: ChangedFile,
  index: ReadonlyMap<string, readonly ChangedFile[]>,
  left: ReadonlySet<ChangedFile>,
): ChangedFile | undefined {
  const lines = tellingLines(file.before);
  const shared = new Map<ChangedFile, number>();
  for (const line of lines) {
    for (const other of index.get(line) ?? []) {
      if (left.has(other)) shared.set(other, (shared.get(other) ?? 0) + 1);
    }
  }
  let best: ChangedFile | undefined;
  let most = lines.size * wantedShare;
  for (const [other, count] of shared) {
    if (count >= most) [best, most] = [other, count + 1];
  }
  return best;
}
