// Telling by what the file system says about a file that it is the one that was read before.

import type fs from "node:fs";

/** What was read, and what the file looked like then. */
export interface Kept<Value> {
  readonly mark: string;
  readonly value: Value;
}

export function toMark({ dev, ino, size, mtimeMs, ctimeMs }: fs.Stats): string {
  return `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}

/**
 * Two changes within one tick of the file system's clock look the same from outside: what was changed just now is
 * read again the next time. The time of the last change cannot be set by anybody.
 */
export function isSettled({ ctimeMs }: fs.Stats): boolean {
  const tickMs = ctimeMs % 1_000 === 0 ? 3_000 : 100;
  return Date.now() - ctimeMs > tickMs;
}
