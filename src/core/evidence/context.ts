// What the rules know about a candidate beside its changed files.

import type { ChangedFile } from "./changed-file.ts";

export interface EvidenceContext {
  /** Of the task; empty: it names none. */
  readonly filesTouched: readonly string[];
  readonly allowDeletions: boolean;
  /** Of the policy: paths, folders, patterns. */
  readonly protectedPaths: readonly string[];
  readonly maxDeletedFiles: number;
  readonly gates: readonly { readonly name: string; readonly command: string }[];
  /** All changed files, also those beyond the bounds. */
  readonly changeCount: number;
  /** All deleted files, also those beyond the bounds. */
  readonly deletions: number;
  /** Size of all files of the base; null: not measured, because little was taken away. */
  readonly baseBytes: number | null;
  /** The base's files in which gates are defined, changed or not: `package.json`, `Makefile`. */
  readonly definitions: readonly Definition[];
  /** The base's tool files, changed or not, where a file of their kind changed; else none. */
  readonly tools: readonly Definition[];
  /** What is added of the values of the builder's own secrets. */
  readonly knownSecrets: readonly KnownSecret[];
  /** false: the changed files, or their texts, are not all there. */
  readonly isComplete: boolean;
}

export interface KnownSecret {
  readonly path: string;
  readonly line: number | null;
  /** Of the variable that holds it. */
  readonly name: string;
}

export interface Definition {
  readonly path: string;
  readonly text: string;
}

/** What `examine` needs of git; the rest of its context is the task's and the policy's. */
export interface CollectedChanges
  extends Pick<
    EvidenceContext,
    "changeCount" | "deletions" | "baseBytes" | "definitions" | "tools" | "knownSecrets" | "isComplete"
  > {
  readonly changes: readonly ChangedFile[];
}
