// What is remembered of a file of the repository's metadata.

export type MetadataEntry =
  | { readonly kind: "file"; readonly base64: string; readonly mode: number }
  | { readonly kind: "link"; readonly target: string }
  /** A folder where a file belongs, or a file too big to remember: a change is told, but cannot be undone. */
  | { readonly kind: "other"; readonly mark: string };

/** Absolute path to what is there; a path that is missing is absent. */
export type Metadata = Readonly<Record<string, MetadataEntry>>;
