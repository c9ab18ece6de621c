// Taking out of a whole text what a finder finds.

import type { Finder } from "./finder.ts";

/** The same text where nothing is found. */
export function redactText(text: string, finders: readonly Finder[]): string {
  return finders.reduce((rest, finder) => replaceAll(rest, finder), text);
}

/** A text that was cut before it came here, as the mark of a cut says, may end in the beginning of a secret. */
export function redactBeforeCuts(text: string, finder: Finder): string {
  let redacted = "";
  let from = 0;
  for (let cut = text.indexOf(cutMark); cut !== -1; cut = text.indexOf(cutMark, cut + 1)) {
    const open = finder.firstOpen(text.slice(0, cut), Math.max(from, cut - maxCutChars));
    if (cut - open < minCutChars) continue;
    redacted += `${text.slice(from, open)}[redacted]`;
    from = cut;
  }
  return redacted + text.slice(from);
}

const cutMark = "…";
/** Fewer characters tell nothing, and ordinary words begin with them. */
const minCutChars = 8;
const maxCutChars = 256;

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
