// The stash around a dispatch. It belongs to the builder; agents in lanes share it with him.
//
//   entry made by the dispatch in its lane     moved below the attempt's ref, told
//   entry made by it from a builder's tree     stays, because it holds the builder's work; fails the attempt
//   entry gone, or added by anybody else       may be the builder's own doing; the commit of one that is gone is kept

import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import { isSha, shortSha } from "../../core/ids.ts";
import type { Result } from "../../core/result.ts";
import { success } from "../../core/result.ts";
import type { Aftermath } from "../../ports.ts";
import type { GitRun } from "./git-run.ts";
import { isLineOf, readLog } from "./reflog.ts";
import { tryRefs, updateRefs } from "./refs.ts";
import { readGit } from "./run-git.ts";

export const stashRef = "refs/stash";

export interface StashCompared {
  readonly linesBefore: readonly string[];
  readonly dispatch: string | null;
  readonly refPrefix: string;
  /** Refs that were checked out in worktrees of the builder. */
  readonly buildersRefs: readonly string[];
}

/** What is said about the stash; entries of the dispatch are taken from it. */
export async function judgeStash(run: GitRun, at: StashCompared): Promise<Result<Aftermath, Failure>> {
  const told = { violations: [] as string[], notes: [] as string[], doubts: [] as string[] };
  const lines = readLog(run, stashRef);
  const known = new Set(at.linesBefore.map(commitOf));
  const present = new Set(lines.map(commitOf));
  for (const line of at.linesBefore) {
    if (present.has(commitOf(line)) || isLineOf(run, line, null)) continue;
    told.doubts.push(await keepLost(run, at, line));
  }
  for (const line of lines.filter((each) => !known.has(commitOf(each)))) {
    if (isOfBuildersTree(at, line) && isLineOf(run, line, at.dispatch)) {
      told.violations.push(`the builder's changes were stashed ("${messageOf(line)}")`);
    } else if (!isLineOf(run, line, null)) {
      told.doubts.push(`a stash entry was made ("${messageOf(line)}")`);
    }
  }
  const taken = await takeEntries(run, at, known);
  return taken.ok ? success({ ...told, notes: taken.value }) : taken;
}

async function keepLost(run: GitRun, at: StashCompared, line: string): Promise<string> {
  const commit = commitOf(line);
  const gone = `the stash entry "${messageOf(line)}" is gone`;
  if (!isSha(commit)) return gone;
  const ref = `${at.refPrefix}/lost/stash-${shortSha(commit)}`;
  return (await tryRefs(run, [{ ref, to: commit }])) ? `${gone}; it is kept as "${ref}"` : gone;
}

/** `git stash` says on which branch it was made; a branch of a builder's worktree is checked out in no lane. */
function isOfBuildersTree(at: StashCompared, line: string): boolean {
  const branch = /^(?:WIP on|On) ([^:]+):/.exec(messageOf(line))?.[1];
  return branch !== undefined && at.buildersRefs.includes(`refs/heads/${branch}`);
}

/** Keeps stash entries of the dispatch below the attempt's ref and takes them from the builder's list. */
async function takeEntries(
  run: GitRun,
  at: StashCompared,
  known: ReadonlySet<string>,
): Promise<Result<readonly string[], Failure>> {
  const notes: string[] = [];
  const isTaken = (line: string): boolean =>
    !known.has(commitOf(line)) && isLineOf(run, line, at.dispatch) && !isOfBuildersTree(at, line);
  // Read again for each: the builder may stash at the same time, which shifts the numbers.
  for (let lines = readLog(run, stashRef); lines.some(isTaken); lines = readLog(run, stashRef)) {
    const position = lines.findIndex(isTaken);
    const commit = commitOf(lines[position] ?? "");
    if (!isSha(commit)) break;
    const ref = `${at.refPrefix}/agent-refs/stash-${shortSha(commit)}`;
    const kept = await keepEntry(run, ref, commit);
    if (!kept.ok) return kept;
    const number = lines.length - 1 - position;
    const dropped = await dropEntry(run, { number, isLast: lines.length === 1 });
    if (!dropped.ok) return dropped;
    notes.push(`a stash entry made by the agent was moved to "${ref}"`);
  }
  return success(notes);
}

function keepEntry(run: GitRun, ref: string, commit: Sha): Promise<Result<void, Failure>> {
  return updateRefs(run, { changes: [{ ref, to: commit }], doing: "keeping the agent's stash entry" });
}

async function dropEntry(
  run: GitRun,
  at: { readonly number: number; readonly isLast: boolean },
): Promise<Result<void, Failure>> {
  const doing = "taking the agent's entry from the stash";
  const args = ["reflog", "delete", "--updateref", "--rewrite", `${stashRef}@{${at.number}}`];
  const deleted = await readGit({ gitDir: run.commonDir, args, doing });
  if (!deleted.ok) return deleted;
  if (!at.isLast) return success(undefined);
  const cleared = await readGit({ gitDir: run.commonDir, args: ["update-ref", "-d", stashRef], doing });
  return cleared.ok ? success(undefined) : cleared;
}

// The first field of a line changes when an entry before it is dropped.
function commitOf(line: string): string {
  return line.split(" ", 2)[1] ?? "";
}

function messageOf(line: string): string {
  return line.slice(line.indexOf("\t") + 1);
}
