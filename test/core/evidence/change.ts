// Changed files and contexts for the tests of evidence, made of texts.
import type { ChangedFile } from "../../../src/core/evidence/changed-file.ts";
import type { EvidenceContext } from "../../../src/core/evidence/context.ts";
import { diffLines } from "../../../src/core/evidence/diff-lines.ts";
import { examine } from "../../../src/core/evidence/examine.ts";
import type { EvidenceFinding } from "../../../src/core/evidence/finding.ts";

/** null: the file is absent then. */
export function change(
  path: string,
  before: string | null,
  after: string | null,
  other: Partial<ChangedFile> = {},
): ChangedFile {
  return {
    path,
    change: before === null ? "added" : after === null ? "deleted" : "modified",
    beforeMode: before === null ? null : "100644",
    afterMode: after === null ? null : "100644",
    beforeId: before === null ? null : `id of ${before}`,
    afterId: after === null ? null : `id of ${after}`,
    before,
    after,
    isBinary: false,
    beforeBytes: before?.length ?? 0,
    afterBytes: after?.length ?? 0,
    ...diffLines(before ?? "", after ?? ""),
    ...other,
  };
}

export function contextOf(other: Partial<EvidenceContext> = {}): EvidenceContext {
  return {
    filesTouched: [],
    allowDeletions: false,
    protectedPaths: [],
    maxDeletedFiles: 10,
    gates: [{ name: "tests", command: "npm test" }],
    changeCount: 1,
    deletions: 0,
    baseBytes: null,
    definitions: [],
    tools: [],
    knownSecrets: [],
    isComplete: true,
    ...other,
  };
}

export function findingsOf(
  changes: readonly ChangedFile[],
  other: Partial<EvidenceContext> = {},
): readonly EvidenceFinding[] {
  const deletions = changes.filter((file) => file.change === "deleted").length;
  return examine({ changes, context: contextOf({ changeCount: changes.length, deletions, ...other }) });
}

/** `effect kind file:line`, in the order of the findings. */
export function told(changes: readonly ChangedFile[], other: Partial<EvidenceContext> = {}): string[] {
  return findingsOf(changes, other).map(
    ({ effect, kind, file, line }) =>
      `${effect} ${kind}${file === null ? "" : ` ${file}`}${line === null ? "" : `:${line}`}`,
  );
}

/** Lines of a text. */
export function text(...lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}
