// Conflict markers that were committed: all three kinds, in order.

import type { ChangedFile } from "./changed-file.ts";
import { type Observation, quoted } from "./finding.ts";
import { languageOf } from "./language.ts";
import { readSource } from "./source.ts";
import { isTestPath } from "./test-path.ts";

export function findConflictMarkers(changes: readonly ChangedFile[]): Observation[] {
  return changes.flatMap((file) => {
    const { path, after } = file;
    if (after === null || !file.added.some(({ text }) => /^(?:<{7,40}|>{7,40})(?:\s|$)/.test(text)))
      return [];
    const source = readSource(after, languageOf(path));
    const added = new Set(file.added.map(({ line }) => line));
    const isDocument = source.language === "document";
    const inText = conflictIn(isDocument ? withoutFences(source.text) : source.text, added);
    if (inText === null) return [];
    // Comments are no place for them either; a string may be about them.
    const inCode = conflictIn(source.code, added) ?? conflictIn(source.comments, added);
    if (inCode === null && isTestPath(path)) return [];
    const isSure = inCode !== null && !isTestData(path);
    const text = `conflict markers in ${quoted(path)}`;
    return [
      {
        kind: "conflict-marker",
        file: path,
        line: inText,
        text,
        ...(!isSure && { effect: "justify" as const }),
      },
    ];
  });
}

/** Files that tests read may hold a conflict on purpose. */
function isTestData(path: string): boolean {
  return isTestPath(path) && languageOf(path) === "data";
}

/** Seven of them, or as many as the attribute conflict-marker-size says. */
const kinds: readonly RegExp[] = [/^<{7,40}(?:\s|$)/, /^={7,40}$/, /^>{7,40}(?:\s|$)/];

/** The line where the first one begins, of those with an added line in them. */
function conflictIn(text: string, added: ReadonlySet<number>): number | null {
  let wanted = 0;
  let start = 0;
  let isNew = false;
  for (const [index, line] of text.split("\n").entries()) {
    if (kinds[0]?.test(line)) [wanted, start, isNew] = [0, index + 1, false];
    if (!kinds[wanted]?.test(line.trimEnd())) continue;
    isNew ||= added.has(index + 1);
    wanted += 1;
    if (wanted < kinds.length) continue;
    if (isNew) return start;
    wanted = 0;
  }
  return null;
}

/** Quotes of code in a document are blanked, line by line. */
function withoutFences(text: string): string {
  let fence = "";
  return text
    .split("\n")
    .map((line) => {
      const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1] ?? "";
      if (mark === "") return fence === "" ? line : "";
      if (fence === "") fence = mark;
      else if (mark.startsWith(fence)) fence = "";
      return "";
    })
    .join("\n");
}
