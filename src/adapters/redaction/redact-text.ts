// Taking out of a whole text what a finder finds.

import type { Finder } from "./finder.ts";

/** The same text where nothing is found. */
export function redactText(text: string, finders: readonly Finder[]): string {
  return finders.reduce((rest, finder) => replaceAll(rest, finder), text);
}

function replaceAll(text: string, finder: Finder): string {
  let found = finder.find(text, 0);
  if (found === null) return text;
  let from = 0;
  let redacted = "";
  for (; found !== null; found = finder.find(text, from)) {
    redacted += text.slice(from, found.start) + found.mark;
    from = found.end;
  }
  return redacted + text.slice(from);
}
