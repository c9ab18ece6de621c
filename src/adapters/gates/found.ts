// What looking for one kind of project brings.

export interface FoundGate {
  readonly name: "typecheck" | "lint" | "tests";
  readonly command: string;
}

/** One kind of project that was looked for. */
export interface Found {
  /** Appended to a gate's name when another kind of project has one of the same name. */
  readonly suffix: string;
  readonly gates: readonly FoundGate[];
  readonly setup: string;
  readonly told: readonly string[];
}
