// Journals of earlier versions: one step per version, each turning an event of version n into one of version n + 1.
// A new version adds its step at the end, a golden journal of the version before, and a line in
// docs/journal-format.md.
//
// A run that an older program began goes on in the same file, under the header of its first version. So a step
// leaves an event that has the newer form already as it is.

import { withEvidence } from "./migrate-evidence.ts";
import { withModels } from "./migrate-prices.ts";

/** Turns a raw event of one version into the next version's. */
export type Migration = (event: unknown) => unknown;

const steps: readonly Migration[] = [withEvidence, withModels];

/** The version that this program writes. */
export const journalVersion = steps.length + 1;

export function isReadableVersion(version: unknown): version is number {
  return Number.isInteger(version) && Number(version) >= 1 && Number(version) <= journalVersion;
}

/** An event as version `from` wrote it, as this version understands it. */
export function migrateEvent(event: unknown, from: number, chain: readonly Migration[] = steps): unknown {
  return chain.slice(from - 1).reduce((migrated, step) => step(migrated), event);
}
