// Plain, bounded reads of a project's own files, for detection.

import { constants } from "node:fs";
import { open, stat } from "node:fs/promises";
import { join } from "node:path";

const maxBytes = 2 * 1024 * 1024;

/** The text of a regular file; null when there is none or it is too large. */
export async function readProjectFile(root: string, name: string): Promise<string | null> {
  const file = await open(join(root, name), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(
    () => null,
  );
  if (file === null) return null;
  try {
    const found = await file.stat();
    return found.isFile() && found.size <= maxBytes ? await file.readFile("utf8") : null;
  } catch {
    return null; // unreadable is as good as missing
  } finally {
    await file.close();
  }
}

export async function hasFile(root: string, name: string): Promise<boolean> {
  return (await stat(join(root, name)).catch(() => null))?.isFile() ?? false;
}

export async function firstFile(root: string, names: readonly string[]): Promise<string | null> {
  for (const name of names) {
    if (await hasFile(root, name)) return name;
  }
  return null;
}
