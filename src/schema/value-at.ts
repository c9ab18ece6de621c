// Looking into unknown data, without a library, so that what only looks needs none.

import type { PathPart } from "./problem.ts";

/** Own properties only: a path from hostile text must not reach a prototype. */
export function valueAt(value: unknown, path: readonly PathPart[]): unknown {
  let at = value;
  for (const part of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, part)) return undefined;
    at = Reflect.get(at, part);
  }
  return at;
}
