// Patterns of file names as models write them: `*`, `**` and `{a,b}`. The time of a match is bounded whatever the
// pattern (core/evidence/path-match).

import { isNamed } from "../../../core/evidence/path-match.ts";

const mostAlternatives = 50;

/** A pattern without a slash is about names in any folder. */
export function toFileFilter(pattern: string): (path: string) => boolean {
  const names = toAlternatives(pattern).map((each) => (each.includes("/") ? each : `**/${each}`));
  return (path) => isNamed(path, names);
}

/** Whether the pattern speaks of folders that are usually left out. */
export function speaksOf(pattern: string, folder: string): boolean {
  return pattern.split(/[/{},]/).includes(folder);
}

/** `a.{b,c}` as `a.b` and `a.c`; so many that it would not end are left as they are. */
function toAlternatives(pattern: string): readonly string[] {
  let done: readonly string[] = [pattern];
  for (;;) {
    const next = done.flatMap(expandFirst);
    if (next.length === done.length && next.every((each, index) => each === done[index])) return done;
    if (next.length > mostAlternatives) return done;
    done = next;
  }
}

/** The first pair of braces without another one inside. */
function expandFirst(pattern: string): readonly string[] {
  const found = /\{([^{}]*)\}/.exec(pattern);
  if (found === null) return [pattern];
  const [whole, inside = ""] = found;
  const before = pattern.slice(0, found.index);
  const after = pattern.slice(found.index + whole.length);
  return inside.split(",").map((each) => `${before}${each}${after}`);
}
