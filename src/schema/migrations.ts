// Journals of earlier versions: one step per version, each turning an event of version n into one of version n + 1.
// A new version adds its step at the end, a golden journal of the version before, and a line in
// docs/journal-format.md. Version 1 is the first, so there is no step yet.

/** Turns a raw event of one version into the next version's. */
export type Migration = (event: unknown) => unknown;

const steps: readonly Migration[] = [];

/** The version that this program writes. */
export const journalVersion = steps.length + 1;

export function isReadableVersion(version: unknown): version is number {
  return Number.isInteger(version) && Number(version) >= 1 && Number(version) <= journalVersion;
}

/** An event as version `from` wrote it, as this version understands it. */
export function migrateEvent(event: unknown, from: number, chain: readonly Migration[] = steps): unknown {
  return chain.slice(from - 1).reduce((migrated, step) => step(migrated), event);
}
