// The files below a folder of the lane, by name, those of a folder before those below it; bounded in number and time. Links are not
// followed, so the walk cannot leave the folder or go in circles.

import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { limits } from "../../../core/limits.ts";

export interface Walked {
  /** Paths from the folder, with forward slashes. */
  readonly files: readonly string[];
  /** Whether there are more files than were looked at. */
  readonly isCut: boolean;
}

export async function walk(
  folder: string,
  wanted: { skip: (name: string) => boolean; signal: AbortSignal },
): Promise<Walked> {
  const files: string[] = [];
  const deadlineMs = performance.now() + limits.searchMs;
  // Folders still to look at; the next one is the last.
  const folders = [""];
  let seen = 0;
  for (let below = folders.pop(); below !== undefined; below = folders.pop()) {
    const entries = await readSorted(join(folder, below));
    const inside: string[] = [];
    for (const entry of entries) {
      seen += 1;
      const isOver = wanted.signal.aborted || performance.now() > deadlineMs;
      if (seen > limits.searchedFiles || isOver) return { files, isCut: true };
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isFile()) files.push(path);
      else if (entry.isDirectory() && !wanted.skip(entry.name)) inside.push(path);
    }
    folders.push(...inside.reverse());
  }
  return { files, isCut: false };
}

async function readSorted(folder: string): Promise<readonly Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}
