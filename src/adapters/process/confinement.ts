// What is to be confined, and by what.

type SandboxKind = "bubblewrap" | "sandbox-exec";

/** What holds for every confined process of a run. */
export interface Sandbox {
  readonly kind: SandboxKind;
  /** Absolute path of the program that confines. */
  readonly program: string;
  readonly network: boolean;
  /** The builder's home folder: credentials in it are hidden. */
  readonly home: string;
  /** The repository's common git directory. */
  readonly gitCommonDir: string;
  /** Absolute paths that are to be seen wherever they lie: checkout, run folder, worktrees, this program. */
  readonly visible: readonly string[];
  /** Absolute paths that are hidden beside credentials: the homes of others. */
  readonly hidden: readonly string[];
}

/** What one process may do beside reading what is not hidden. */
export interface Confinement {
  readonly sandbox: Sandbox;
  /** The lane's tree it works in: may be written, with what git keeps for this tree and new objects. */
  readonly tree: string;
  /** Absolute paths of other folders and files that may be written. */
  readonly writable: readonly string[];
  /** Credential places, as they are named in sandbox-secrets.ts, that are not hidden. */
  readonly spared?: readonly string[];
}
