// The builder's worktrees around a dispatch: where their HEADs stand, which there are. Worktrees of this run and of
// other runs are not among them. Plain reads; judged before refs are, and after the metadata has been put back.
//
//   HEAD moved by the dispatch       fails the attempt; a checkout is never touched, so it stays
//   worktree added by the dispatch   fails the attempt; git forgets it, its files stay where they are
//   worktree added or gone           may be the builder's own doing

import fs from "node:fs";
import { basename, join } from "node:path";
import { unless } from "../storage.ts";
import { listAdminDirs, readLine, worktreeOf } from "./admin-dirs.ts";
import { type GitRun, isInside, mainWorktreeOf } from "./git-run.ts";
import { isLineOf, readLogAt } from "./reflog.ts";

/** By git's folder of the worktree. */
export type Worktrees = Readonly<Record<string, WorktreeSeen>>;

interface WorktreeSeen {
  readonly path: string;
  /** The line in HEAD. */
  readonly head: string;
  /** Length of HEAD's reflog. */
  readonly logBytes: number;
  readonly isMain: boolean;
}

export interface WorktreesAftermath {
  readonly violations: readonly string[];
  readonly doubts: readonly string[];
}

export function readWorktrees(run: GitRun): Worktrees {
  const seen: Record<string, WorktreeSeen> = {};
  const root = ownRoot(run);
  const main = mainWorktreeOf(run.commonDir);
  if (main !== null) seen[run.commonDir] = readWorktree(run.commonDir, main, true);
  for (const adminDir of listAdminDirs(run.commonDir)) {
    const path = worktreeOf(adminDir);
    if (path === null || (isInside(root, path) && isOfThisRun(run, adminDir))) continue;
    if (isOfOtherRun(run, adminDir)) continue;
    seen[adminDir] = readWorktree(adminDir, path, false);
  }
  return seen;
}

/** Branches that other runs hold just now. */
export function refsOfOtherRuns(run: GitRun): readonly string[] {
  return listAdminDirs(run.commonDir)
    .filter((adminDir) => isOfOtherRun(run, adminDir))
    .flatMap((adminDir) => /^ref: (.+)$/.exec(readLine(join(adminDir, "HEAD")) ?? "")?.[1] ?? []);
}

/** Refs that are checked out in a worktree of the builder. */
export function checkedOutRefs(worktrees: Worktrees): readonly string[] {
  return Object.values(worktrees).flatMap(({ head }) => /^ref: (.+)$/.exec(head)?.[1] ?? []);
}

export function judgeWorktrees(
  run: GitRun,
  at: { readonly before: Worktrees; readonly dispatch: string | null },
): WorktreesAftermath {
  const after = readWorktrees(run);
  const violations: string[] = [];
  const doubts: string[] = [];
  for (const [adminDir, worktree] of Object.entries(at.before)) {
    if (!(adminDir in after)) doubts.push(`git no longer knows the worktree "${worktree.path}"`);
    for (const line of linesSince(adminDir, worktree.logBytes)) {
      if (!isLineOf(run, line, at.dispatch)) continue;
      const [from, to] = line.split(" ", 2);
      violations.push(
        from === to
          ? `HEAD of ${nameOf(worktree)} was set anew at ${from} (${/\t(.*)$/.exec(line)?.[1] ?? "no word why"})`
          : `HEAD of ${nameOf(worktree)} was moved from ${from} to ${to}`,
      );
    }
  }
  for (const [adminDir, worktree] of Object.entries(after)) {
    if (adminDir in at.before) continue;
    if (linesSince(adminDir, 0).some((line) => isLineOf(run, line, at.dispatch))) {
      forget(run, adminDir);
      violations.push(
        `a worktree was added in "${worktree.path}"; git was made to forget it, its files stay`,
      );
    } else doubts.push(`a worktree was added in "${worktree.path}"`);
  }
  return { violations, doubts };
}

function readWorktree(gitDir: string, path: string, isMain: boolean): WorktreeSeen {
  const log = unless(["ENOENT", "ENOTDIR"], () => fs.statSync(headLog(gitDir)));
  return { path, head: readLine(join(gitDir, "HEAD")) ?? "", logBytes: log?.size ?? 0, isMain };
}

/** Where lanes and holder of this run lie. */
function ownRoot(run: GitRun): string {
  const root = join(run.worktreeRoot, `${run.slug}-${run.runId}`);
  return unless(["ENOENT", "ENOTDIR"], () => fs.realpathSync(root)) ?? root;
}

/** Made by the program itself, which locks them at once: the first line of such a HEAD's log is of no dispatch. */
function isOfThisRun(run: GitRun, adminDir: string): boolean {
  const reason = readLine(join(adminDir, "locked")) ?? "";
  const [first] = linesSince(adminDir, 0);
  return reason.endsWith(`(${run.runId})`) && (first === undefined || !isLineOf(run, first, null));
}

/** Of another run, whose own guards look after it; an agent of this run that only says so is found out. */
function isOfOtherRun(run: GitRun, adminDir: string): boolean {
  const reason = readLine(join(adminDir, "locked")) ?? "";
  if (!reason.startsWith("execute-prd run ") || reason.includes(run.runId)) return false;
  return !linesSince(adminDir, 0).some((line) => isLineOf(run, line, null));
}

function nameOf({ path, isMain }: WorktreeSeen): string {
  return isMain ? "the main checkout" : `worktree "${path}"`;
}

function headLog(gitDir: string): string {
  return join(gitDir, "logs", "HEAD");
}

function linesSince(gitDir: string, bytes: number): readonly string[] {
  return readLogAt(headLog(gitDir), bytes);
}

/** Git's folder of the worktree goes to `salvage/`, so that the list of worktrees is as it was. */
function forget(run: GitRun, adminDir: string): void {
  const folder = join(run.runFolder, "salvage", "metadata");
  fs.mkdirSync(folder, { recursive: true });
  for (let k = 1; ; k++) {
    const to = join(folder, `worktree-${basename(adminDir)}-${k}`);
    if (fs.existsSync(to)) continue;
    fs.cpSync(adminDir, to, { recursive: true, verbatimSymlinks: true });
    fs.rmSync(adminDir, { recursive: true, force: true });
    return;
  }
}
