// What the program finds in a candidate's diff, as a fact with a place, and what follows from it (contract 7).

import type { Severity } from "../report.ts";

/**
 * note: told to the reviewer. justify: the reviewer must give a `justified` entry, or it is no approval. reject:
 * back to the developer. hold: the builder decides.
 */
export type EvidenceEffect = "note" | "justify" | "reject" | "hold";

export interface EvidenceFinding {
  /** The same for the same diff; requests and `justified.finding` name it. */
  readonly id: string;
  readonly kind: string;
  readonly effect: EvidenceEffect;
  readonly severity: Severity;
  readonly file: string | null;
  readonly line: number | null;
  readonly text: string;
}

/** A finding as a part of a sentence, with its id and place. */
export function toWords({ id, file, line, text }: EvidenceFinding): string {
  const place = file === null ? "" : ` in ${file}${line === null ? "" : `:${line}`}`;
  return `${id}: ${text}${place}`;
}
