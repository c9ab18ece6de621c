// Values of the builder's own secrets in what a candidate adds: whoever takes them out of texts says where they are.

import type { ChangedFile, Line } from "../../core/evidence/changed-file.ts";
import type { KnownSecret } from "../../core/evidence/context.ts";

/** Of a value that stood in the base nothing is told, wherever its line went. */
export function findKnownSecrets(
  changes: readonly ChangedFile[],
  redact: (text: string) => string,
): readonly KnownSecret[] {
  const inPath = ({ path }: ChangedFile): string[] => namesIn(path, redact);
  const known = new Set(changes.flatMap(({ removed }) => namesIn(textOf(removed), redact)));
  for (const name of changes.filter(({ change }) => change === "deleted").flatMap(inPath)) known.add(name);
  return changes.flatMap((file) => {
    const { path, added } = file;
    const named = file.change === "added" ? inPath(file) : [];
    const names = new Set([...named, ...namesIn(textOf(added), redact)]);
    return [...names]
      .filter((name) => !known.has(name))
      .map((name) => ({ path, name, line: lineOf(name, added, redact) }));
  });
}

/** null: it is the file's name, or goes over several lines. */
function lineOf(name: string, lines: readonly Line[], redact: (text: string) => string): number | null {
  return lines.find(({ text }) => namesIn(text, redact).includes(name))?.line ?? null;
}

/** Names of variables whose values stand in a text. */
function namesIn(text: string, redact: (text: string) => string): string[] {
  const redacted = redact(text);
  if (redacted === text) return [];
  // A mark that an agent wrote itself is in both.
  const written = new Set(marksIn(text));
  return marksIn(redacted).filter((name) => !written.has(name));
}

function marksIn(text: string): string[] {
  return [...text.matchAll(/\[redacted ([A-Za-z_]\w{0,200})\]/g)]
    .map(([, name = ""]) => name)
    .filter((name) => name !== "token");
}

function textOf(lines: readonly Line[]): string {
  return lines.map(({ text }) => text).join("\n");
}
