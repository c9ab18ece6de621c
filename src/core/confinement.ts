// What a session says once about the sandbox of its processes, and where reports find it again.

const mark = "confinement: ";

/** `why`: why there is none; null: `kind` confines. */
export function toConfinementNote({ kind, why }: { kind: string; why: string | null }): string {
  if (why === null) return `${mark}${kind}`;
  return `${mark}none: ${why}. Agents, setup and gates can read and write whatever you can`;
}

/** What was said last, in words; null: nothing was said. */
export function confinementOf(told: readonly string[]): string | null {
  return told.findLast(isConfinementNote)?.slice(mark.length) ?? null;
}

/** Each session says it: reports have it once. */
export function isConfinementNote(text: string): boolean {
  return text.startsWith(mark);
}
