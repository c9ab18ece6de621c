// Refs: writing them so that our own changes can be told from an agent's, and finding out by plain reads which
// branch is checked out where.

import fs from "node:fs";
import { join } from "node:path";
import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import { isSha } from "../../core/ids.ts";
import type { Result } from "../../core/result.ts";
import { success } from "../../core/result.ts";
import { attemptStorage, unless } from "../storage.ts";
import { listAdminDirs, readLine, worktreeOf } from "./admin-dirs.ts";
import type { GitRun } from "./git-run.ts";
import { gitFailure, mainWorktreeOf, runRefPrefix } from "./git-run.ts";
import { writeLooseRef } from "./own-files.ts";
import { emptyRefCache, lookAtRefs, type RefLook, refIn } from "./ref-look.ts";
import { readGit, runGit } from "./run-git.ts";

export interface RefChange {
  readonly ref: string;
  /** null: delete it. */
  readonly to: Sha | null;
  /** What it must be now; null: it must not exist; missing: whatever it is. */
  readonly from?: Sha | null;
}

/** All or nothing. A lock file that nobody can hold any more (of a git that was killed) is outlived and taken away. */
export async function updateRefs(
  run: GitRun,
  at: { readonly changes: readonly RefChange[]; readonly doing: string },
): Promise<Result<void, Failure>> {
  if (at.changes.length === 0) return success(undefined);
  const input = at.changes.map((change) => `${toCommand(change)}\n`).join("");
  // Before git runs: a guard that looks meanwhile must not take the change for an agent's.
  const before = at.changes.map(({ ref }) => [ref, run.written.get(ref)] as const);
  for (const { ref, to } of at.changes) run.written.set(ref, to);
  if (isNewOfRun(run, at.changes) && writeRunRefs(run, at.changes)) return success(undefined);
  const call = { gitDir: run.commonDir, args: ["update-ref", "--stdin"], input, doing: at.doing };
  for (const { ref } of at.changes) removeDeadLock(run, ref);
  let updated = await runGit(call);
  if (!updated.ok && (await outliveLocks(run, at.changes))) updated = await runGit(call);
  if (updated.ok) return success(undefined);
  for (const [ref, sha] of before) {
    if (sha === undefined) run.written.delete(ref);
    else run.written.set(ref, sha);
  }
  return updated;
}

/** All or nothing, for refs that the builder writes too: nothing is waited for and no lock taken away. */
export async function tryRefs(run: GitRun, changes: readonly RefChange[]): Promise<boolean> {
  const input = changes.map((change) => `${toCommand(change)}\n`).join("");
  const own = changes.filter(({ ref }) => ref.startsWith(`${runRefPrefix(run)}/`));
  for (const { ref, to } of own) run.written.set(ref, to);
  const doing = "putting a ref back";
  const updated = await runGit({ gitDir: run.commonDir, args: ["update-ref", "--stdin"], input, doing });
  if (!updated.ok) for (const { ref } of own) run.written.delete(ref);
  return updated.ok;
}

/**
 * Puts the refs of the run that lie in files of their own into one file, from time to time: so that a look at all
 * refs costs the same after a thousand tasks. Their meaning stays the same, and trouble with it is none of the run's.
 */
export async function packRefs(run: GitRun): Promise<void> {
  const folder = join(run.commonDir, runRefPrefix(run));
  const loose = [...run.refCache.files.keys()].filter((path) => path.startsWith(folder));
  if (loose.length < looseRefsKept) return;
  const call = { gitDir: run.commonDir, doing: "packing the refs", okCodes: [0, 129] };
  // git knows only since 2.43 how to pack some refs and leave others.
  const some = await runGit({ ...call, args: ["pack-refs", "--include", `${runRefPrefix(run)}/*`] });
  if (some.ok && some.value.exitCode === 129) await runGit({ ...call, args: ["pack-refs", "--all"] });
  Object.assign(run.refCache, emptyRefCache());
}

const looseRefsKept = 24;

export async function readRef(run: GitRun, ref: string): Promise<Result<Sha | null, Failure>> {
  const args = ["rev-parse", "--verify", "--quiet", ref];
  const doing = `reading ${ref}`;
  const answer = await runGit({ gitDir: run.commonDir, args, doing, okCodes: [0, 1] });
  if (!answer.ok) return answer;
  if (answer.value.exitCode === 1) return success(null);
  const sha = answer.value.stdout.toString("utf8").trim();
  return isSha(sha) ? success(sha) : gitFailure(doing, `unexpected answer "${sha}"`);
}

/** All refs, by plain reads where those can tell, else by git. */
export async function readRefs(run: GitRun): Promise<Result<RefLook, Failure>> {
  const at = { doing: "looking at the refs in", path: run.commonDir };
  const look = attemptStorage(at, () => lookAtRefs(run.commonDir, run.refCache));
  if (look.ok && look.value !== null) return success(look.value);
  const args = ["for-each-ref", "--format=%(objectname) %(refname)"];
  const listed = await readGit({ gitDir: run.commonDir, args, doing: "listing the refs" });
  if (!listed.ok) return listed;
  const lines = listed.value.split("\n").filter((line) => line !== "");
  const entries = lines.map((line) => {
    const end = line.indexOf(" ");
    return [line.slice(end + 1), line.slice(0, end)] as const;
  });
  return success({ loose: new Map(entries), packed: new Map() });
}

/** `<prefix>/<name>-<k>` with the first free k, or the one that has this commit already. */
export async function keepNumbered(
  run: GitRun,
  at: { readonly prefix: string; readonly name: string; readonly commit: Sha },
): Promise<Result<string, Failure>> {
  const look = await readRefs(run);
  if (!look.ok) return look;
  for (let k = 1; ; k++) {
    const ref = `${at.prefix}/${at.name}-${k}`;
    const present = refIn(look.value, ref);
    if (present === at.commit) return success(ref);
    if (present !== undefined) continue;
    const kept = await updateRefs(run, {
      changes: [{ ref, to: at.commit, from: null }],
      doing: `keeping ${at.commit} as ${ref}`,
    });
    return kept.ok ? success(ref) : kept;
  }
}

/** Path of a worktree, other than `except`, that has the branch checked out; null: none has. Plain reads. */
export function findCheckout(
  commonDir: string,
  at: { readonly branch: string; readonly except: string | null },
): string | null {
  const wanted = `ref: ${toRef(at.branch)}`;
  const main = mainWorktreeOf(commonDir);
  if (main !== null && readLine(join(commonDir, "HEAD")) === wanted) return main;
  for (const admin of listAdminDirs(commonDir)) {
    if (readLine(join(admin, "HEAD")) !== wanted) continue;
    const path = worktreeOf(admin);
    if (path !== null && path !== at.except) return path;
  }
  return null;
}

export function isOfRun(run: GitRun, ref: string): boolean {
  return ref.startsWith(`${runRefPrefix(run)}/`);
}

export function toRef(branch: string): string {
  return `refs/heads/${branch}`;
}

function toCommand({ ref, to, from }: RefChange): string {
  if (to === null) return `delete ${ref}${from === undefined || from === null ? "" : ` ${from}`}`;
  if (from === undefined) return `update ${ref} ${to}`;
  return from === null ? `create ${ref} ${to}` : `update ${ref} ${to} ${from}`;
}

/** Refs that nobody but the run writes, for commits that are known to exist: what git would look at is known. */
function isNewOfRun(run: GitRun, changes: readonly RefChange[]): boolean {
  return changes.every(
    ({ ref, to, from }) => to !== null && run.commits.has(to) && from === undefined && isOfRun(run, ref),
  );
}

function writeRunRefs(run: GitRun, changes: readonly RefChange[]): boolean {
  return changes.every(({ ref, to }) => to !== null && writeLooseRef(run.commonDir, ref, to));
}

// git holds a ref's lock for milliseconds. One that is that old was left by a git that was killed or lost its
// power; only locks of refs that nobody but the run writes are judged so.
const lockIsDeadAfterMs = 30_000;
const clockMarginMs = 100;

function removeDeadLock(run: GitRun, ref: string): void {
  const ageMs = ageOfLock(run, ref);
  if (ageMs !== null && ageMs >= lockIsDeadAfterMs) unless(["ENOENT"], () => fs.unlinkSync(lockOf(run, ref)));
}

/** Locks that are there after all waiting: until they are old enough to be dead. False when there are none. */
async function outliveLocks(run: GitRun, changes: readonly RefChange[]): Promise<boolean> {
  const ages = changes.flatMap(({ ref }) => ageOfLock(run, ref) ?? []);
  if (ages.length === 0) return false;
  const leftMs = Math.max(0, lockIsDeadAfterMs - Math.min(...ages));
  // A timer may fire a little before the wall clock says so, by which the age of a file is told.
  await new Promise((resolve) => setTimeout(resolve, Math.min(leftMs, lockIsDeadAfterMs) + clockMarginMs));
  for (const { ref } of changes) removeDeadLock(run, ref);
  return true;
}

function ageOfLock(run: GitRun, ref: string): number | null {
  const found = unless(["ENOENT", "ENOTDIR"], () => fs.lstatSync(lockOf(run, ref)));
  return found === undefined ? null : Date.now() - found.mtimeMs;
}

function lockOf(run: GitRun, ref: string): string {
  return join(run.commonDir, `${ref}.lock`);
}
