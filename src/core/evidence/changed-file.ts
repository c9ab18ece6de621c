// One changed file of a candidate, as the rules of this folder look at it.

/** One line of a text, numbered from 1. */
export interface Line {
  readonly line: number;
  readonly text: string;
}

export interface ChangedFile {
  readonly path: string;
  readonly change: "added" | "modified" | "deleted" | "type changed";
  /** Modes as git writes them; null where the file is absent. */
  readonly beforeMode: string | null;
  readonly afterMode: string | null;
  /** null where absent, binary, or beyond the bound. */
  readonly before: string | null;
  readonly after: string | null;
  readonly isBinary: boolean;
  readonly beforeBytes: number;
  readonly afterBytes: number;
  readonly added: readonly Line[];
  readonly removed: readonly Line[];
}
