// Where a run keeps its files: names, making the folder, finding all runs of a checkout, archiving one.

import fs from "node:fs";
import { join } from "node:path";
import type { Failure } from "../core/failure.ts";
import { isSlug, type RunId, type Slug } from "../core/ids.ts";
import { failed, type Result } from "../core/result.ts";
import { decodeStoredStatus, type StoredStatus } from "../schema/stored-status.ts";
import { type Ownership, readOwner } from "./owner.ts";
import {
  attemptStorage,
  flushFolder,
  makeFolderBelow,
  readRegularFile,
  replaceFile,
  unless,
} from "./storage.ts";

export const folderNames = {
  journal: "execution.log.jsonl",
  status: "status.json",
  salvage: "salvage",
  requests: "requests",
  attempts: "attempts",
  receipts: "receipts",
  archive: ".archive",
} as const;

const runsName = "dev/executions";
const statusFileBytes = 8 * 1024 * 1024;

/** The folder of all runs of a checkout (the top level of a worktree). */
export function runsFolder(checkout: string): string {
  return join(checkout, ...runsName.split("/"));
}

export function runFolder(checkout: string, slug: Slug): string {
  return join(runsFolder(checkout), slug);
}

export interface NewRunFolder {
  readonly checkout: string;
  readonly slug: Slug;
  /** Asks git whether it would ignore files in this folder (a path below the checkout, forward slashes). */
  readonly isIgnored: (name: string) => Promise<boolean>;
}

/** Makes a run's folder, or finds it. Where the repository does not ignore it, it ignores itself. */
export async function createRunFolder(at: NewRunFolder): Promise<Result<string, Failure>> {
  const folder = runFolder(at.checkout, at.slug);
  const name = `${runsName}/${at.slug}`;
  const made = attemptStorage({ doing: "making the run folder", path: folder }, () =>
    makeFolderBelow(at.checkout, name),
  );
  if (!made.ok || (await at.isIgnored(`${name}/${folderNames.journal}`))) return made;
  return attemptStorage({ doing: "writing", path: join(folder, ".gitignore") }, () => {
    replaceFile(join(folder, ".gitignore"), "*\n");
    return folder;
  });
}

export interface FoundRun {
  readonly slug: Slug;
  readonly folder: string;
  /** null where there is no readable status.json; then `problem` says why. */
  readonly status: StoredStatus | null;
  readonly problem: string | null;
  /** Without a journal it is no run of this program, only its looks. */
  readonly hasJournal: boolean;
  readonly ownership: Ownership;
}

/** All runs of a checkout, by slug; archived ones are left out. No folder of runs is no runs. */
export function listRuns(checkout: string): Result<readonly FoundRun[], Failure> {
  const folder = runsFolder(checkout);
  return attemptStorage({ doing: "listing the runs in", path: folder }, () => {
    const entries = unless(["ENOENT"], () => fs.readdirSync(folder, { withFileTypes: true })) ?? [];
    const slugs = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    return slugs
      .filter(isSlug)
      .toSorted()
      .map((slug) => lookAtRun(checkout, slug));
  });
}

export function lookAtRun(checkout: string, slug: Slug): FoundRun {
  const folder = runFolder(checkout, slug);
  const status = readStatus(folder);
  return {
    slug,
    folder,
    status: status.ok ? status.value : null,
    problem: status.ok ? null : status.failure,
    hasJournal: fs.existsSync(join(folder, folderNames.journal)),
    ownership: readOwner(folder),
  };
}

/** Reads status.json leniently; the failure says why it cannot be shown. */
export function readStatus(folder: string): Result<StoredStatus, string> {
  const path = join(folder, folderNames.status);
  const bytes = attemptStorage({ doing: "reading", path }, () => readRegularFile(path, statusFileBytes));
  if (bytes.ok) return decodeStoredStatus(bytes.value.toString("utf8"));
  const code = bytes.failure.reason === "storage-failed" ? bytes.failure.code : "unknown";
  return failed(code === "ENOENT" ? "there is no status.json" : `status.json cannot be read (${code})`);
}

/** Moves a run's folder, with all that is in it, to `.archive/<slug>-<run-id>`; returns the new path. */
export function archiveRun(at: {
  readonly checkout: string;
  readonly slug: Slug;
  readonly runId: RunId;
}): Result<string, Failure> {
  const folder = runFolder(at.checkout, at.slug);
  return attemptStorage({ doing: "archiving", path: folder }, () => {
    const archive = makeFolderBelow(at.checkout, `${runsName}/${folderNames.archive}`);
    const target = freePath(join(archive, `${at.slug}-${at.runId}`));
    fs.renameSync(folder, target);
    flushFolder(archive);
    flushFolder(runsFolder(at.checkout));
    return target;
  });
}

function freePath(wanted: string): string {
  for (let number = 1; ; number += 1) {
    const path = number === 1 ? wanted : `${wanted}-${number}`;
    if (unless(["ENOENT"], () => fs.lstatSync(path)) === undefined) return path;
  }
}
