// Files that a plan names and that are nowhere: told, because a developer would look for them in vain.

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Prd } from "../core/prd.ts";

const maxTold = 20;

/** A sentence for each of the first ones. */
export function tellMissing(topLevel: string, prd: Prd): readonly string[] {
  const named = prd.tasks.flatMap(({ id, filesToRead }) => filesToRead.map((path) => ({ id, path })));
  return named
    .filter(({ path }) => !existsSync(join(topLevel, path)))
    .slice(0, maxTold)
    .map(({ id, path }) => `task ${id} names a file to read that is nowhere: ${JSON.stringify(path)}`);
}
