// One changed file of a candidate, with both of its texts: what the rules of evidence look at.

export interface Line {
  /** From 1: of the file after the change for added lines, of the file before it for removed ones. */
  readonly line: number;
  readonly text: string;
}

export interface ChangedFile {
  /** From the root of the repository, with forward slashes. */
  readonly path: string;
  readonly change: "added" | "modified" | "deleted" | "type changed";
  /** git modes: `100644`, `100755`, `120000` (link), `160000` (submodule); null: absent. */
  readonly beforeMode: string | null;
  readonly afterMode: string | null;
  /** Object ids; equal ones have equal content. null: absent. */
  readonly beforeId: string | null;
  readonly afterId: string | null;
  /** null: absent, binary, or beyond a bound. A link's text is where it points. */
  readonly before: string | null;
  readonly after: string | null;
  readonly isBinary: boolean;
  readonly beforeBytes: number;
  readonly afterBytes: number;
  readonly added: readonly Line[];
  readonly removed: readonly Line[];
}

export const linkMode = "120000";
export const submoduleMode = "160000";

/** Whether there is, or was, content that the rules could not read: binary, or beyond a bound. */
export function isUnread(file: ChangedFile): boolean {
  const isMissing = (text: string | null, mode: string | null): boolean =>
    text === null && mode !== null && mode !== submoduleMode;
  return isMissing(file.before, file.beforeMode) || isMissing(file.after, file.afterMode);
}
