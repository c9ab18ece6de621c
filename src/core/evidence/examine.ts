// The tamper guard and the deletion guard: what a candidate's diff shows that somebody has to answer for. Pure rules
// over base..candidate; contract: "Receipts", the table of findings and their four effects.

import type { ChangedFile } from "./changed-file.ts";
import { compareText } from "./collections.ts";
import { findConflictMarkers } from "./conflict-markers.ts";
import type { EvidenceContext } from "./context.ts";
import { findDeletedTests, findUnreadTests } from "./deleted-tests.ts";
import { findManyDeletions } from "./deletions.ts";
import { findFileKinds } from "./file-kinds.ts";
import { type EvidenceFinding, type Observation, toFindings } from "./finding.ts";
import { findGateChanges } from "./gate-changes.ts";
import { findMoves } from "./moves.ts";
import { findRiggedTests } from "./rigged-tests.ts";
import { findOutOfScope } from "./scope.ts";
import { findSecrets, findSecretsOfBuilder } from "./secrets.ts";
import { findSnapshots } from "./snapshots.ts";
import { findSuppressions } from "./suppressions.ts";
import { readTestSources } from "./test-sources.ts";
import { findWeakenedTests } from "./weakened-tests.ts";

export interface Examination {
  readonly changes: readonly ChangedFile[];
  readonly context: EvidenceContext;
}

/** The same findings with the same ids for the same diff and task, strongest first. */
export function examine({ changes: given, context }: Examination): readonly EvidenceFinding[] {
  const changes = [...given].sort((left, right) => compareText(left.path, right.path));
  const moves = findMoves(changes);
  const tests = readTestSources(changes);
  return toFindings([
    ...findDeletedTests(tests, moves),
    ...findUnreadTests(changes),
    ...findWeakenedTests(tests, changes, moves),
    ...findRiggedTests(changes),
    ...findSnapshots(changes, moves),
    ...findGateChanges(changes, context),
    ...findSuppressions(changes),
    ...findSecrets(changes),
    ...findSecretsOfBuilder(context.knownSecrets),
    ...findConflictMarkers(changes),
    ...findFileKinds(changes),
    ...findOutOfScope(changes, context),
    ...findManyDeletions(changes, context, moves),
    ...findIncomplete(changes, context),
  ]);
}

/** What was not looked at is never taken for harmless. */
function findIncomplete(changes: readonly ChangedFile[], context: EvidenceContext): Observation[] {
  if (context.isComplete) return [];
  const text = `the candidate is too large to be examined: ${context.changeCount} files are changed, ${changes.length} were looked at`;
  return [{ kind: "not-examined", file: null, line: null, text, effect: "hold" }];
}
