// The refs around a dispatch. What a dispatch did is told from what the builder did beside it:
//
//   the run's own refs and its branch   nobody else writes them: any change is put back and fails the attempt
//   replace refs                        put back, fails the attempt
//   new branch, stash entry             the dispatch's when its reflog entry carries the dispatch's identity:
//                                       moved below the attempt's ref, told
//   new tag                             has no reflog: the dispatch's when the tagged commit's committer is it
//   existing ref moved                  fails the attempt when its last reflog entry carries the identity
//   everything else                     may be the builder's own work: left alone
//
// Run after the metadata has been put back, so git can be trusted again.

import fs from "node:fs";
import { join } from "node:path";
import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import { isSha, shortSha } from "../../core/ids.ts";
import type { Result } from "../../core/result.ts";
import { success } from "../../core/result.ts";
import { unless } from "../storage.ts";
import { isDispatchEmail } from "./dispatch-identity.ts";
import { type GitRun, runRefPrefix } from "./git-run.ts";
import { listRefs, type RefChange, toRef, updateRefs } from "./refs.ts";
import { readGit, runGit } from "./run-git.ts";

/** Name to object id. */
export type RefSnapshot = Readonly<Record<string, string>>;

export interface RefsBefore {
  readonly refs: RefSnapshot;
  /** Length of the reflog of the main worktree's HEAD. */
  readonly headLogBytes: number;
  readonly stashLines: readonly string[];
  /** Id of the dispatch; null: any of the run. */
  readonly dispatch: string | null;
}

export interface RefsAftermath {
  readonly violations: readonly string[];
  readonly notes: readonly string[];
  /** Branches that were moved away, by ref, with their last commit. */
  readonly movedAway: ReadonlyMap<string, Sha>;
}

export async function readRefsBefore(
  run: GitRun,
  dispatch: string | null,
): Promise<Result<RefsBefore, Failure>> {
  const refs = await listRefs(run, null);
  if (!refs.ok) return refs;
  const headLog = unless(["ENOENT"], () => fs.statSync(join(run.commonDir, "logs", "HEAD")));
  return success({
    refs: Object.fromEntries(refs.value),
    headLogBytes: headLog?.size ?? 0,
    stashLines: readLog(run, stashRef),
    dispatch,
  });
}

/**
 * `isSameProgram` is false when the program died in between: then its own ref changes meanwhile are not known, and
 * the run's refs are left to the recovery, which compares them with the journal.
 */
export async function judgeRefs(
  run: GitRun,
  at: { readonly before: RefsBefore; readonly refPrefix: string; readonly isSameProgram: boolean },
): Promise<Result<RefsAftermath, Failure>> {
  const listed = await listRefs(run, null);
  if (!listed.ok) return listed;
  const verdict = new Verdict(run, { ...at, after: listed.value });
  for (const change of diffRefs(at.before.refs, listed.value)) await verdict.judge(change);
  verdict.judgeMainHead();
  const applied = await verdict.apply();
  if (!applied.ok) return applied;
  const stashed = await takeStashEntries(run, { ...at, after: listed.value });
  if (!stashed.ok) return stashed;
  return success({
    violations: verdict.violations,
    notes: [...verdict.notes, ...stashed.value],
    movedAway: verdict.movedAway,
  });
}

const stashRef = "refs/stash";

interface RefDifference {
  readonly ref: string;
  readonly from: Sha | null;
  readonly to: Sha | null;
}

function diffRefs(before: RefSnapshot, after: ReadonlyMap<string, string>): RefDifference[] {
  const toSha = (text: string | undefined): Sha | null => (text !== undefined && isSha(text) ? text : null);
  return [...new Set([...Object.keys(before), ...after.keys()])]
    .map((ref) => ({ ref, from: toSha(before[ref]), to: toSha(after.get(ref)) }))
    .filter(({ from, to }) => from !== to);
}

interface Compared {
  readonly before: RefsBefore;
  readonly after: ReadonlyMap<string, string>;
  readonly refPrefix: string;
  readonly isSameProgram: boolean;
}

/** Collects what is to be said and done about each difference; nothing is done before `apply`. */
class Verdict {
  readonly violations: string[] = [];
  readonly notes: string[] = [];
  readonly movedAway = new Map<string, Sha>();
  readonly #changes: RefChange[] = [];
  readonly #run: GitRun;
  readonly #at: Compared;

  constructor(run: GitRun, at: Compared) {
    this.#run = run;
    this.#at = at;
  }

  async judge(change: RefDifference): Promise<void> {
    const { ref, from, to } = change;
    const isOfRun = ref.startsWith(`${runRefPrefix(this.#run)}/`);
    if (isOfRun || [...this.#run.held].some((branch) => toRef(branch) === ref)) {
      if (this.#at.isSameProgram) this.#judgeOwn(change);
      return;
    }
    if (ref.startsWith("refs/replace/")) return this.#putBack(change);
    if (ref === stashRef || ref.startsWith("refs/remotes/") || ref.startsWith("refs/execute-prd/")) return;
    if (from === null && to !== null) return this.#judgeNew(ref, to);
    if (to === null) {
      const was = from === null ? "" : `, which was ${shortSha(from)}`;
      this.notes.push(`"${ref}"${was}, is gone since the dispatch began`);
      return;
    }
    if (this.#isByDispatch(ref)) {
      this.violations.push(`"${ref}" was moved from ${from ?? "nothing"} to ${to}`);
    }
  }

  judgeMainHead(): void {
    const log = unless(["ENOENT"], () => fs.readFileSync(join(this.#run.commonDir, "logs", "HEAD")));
    const added = log?.subarray(this.#at.before.headLogBytes).toString("utf8") ?? "";
    for (const line of added.split("\n").filter((each) => this.#isOfDispatch(each))) {
      const [from = "", to = ""] = line.split(" ", 2);
      this.violations.push(`HEAD of the main checkout was moved from ${from} to ${to}`);
    }
  }

  async apply(): Promise<Result<void, Failure>> {
    const doing = "putting refs back after a dispatch";
    return updateRefs(this.#run, { changes: this.#changes, doing });
  }

  /** Compared with what the program itself wrote meanwhile, for another lane. */
  #judgeOwn({ ref, from, to }: RefDifference): void {
    const written = this.#run.written.get(ref);
    const expected = written === undefined ? from : written;
    if (expected === to) return;
    this.#putBack({ ref, from: expected, to });
  }

  #putBack({ ref, from, to }: RefDifference): void {
    const verb = from === null ? "made" : to === null ? "deleted" : "moved";
    this.violations.push(`"${ref}" was ${verb}${to === null ? "" : ` (${shortSha(to)})`} and put back`);
    if (to !== null) this.#changes.push({ ref: this.#freeRef("foreign"), to });
    this.#changes.push({ ref, to: from, from: to });
  }

  async #judgeNew(ref: string, to: Sha): Promise<void> {
    if (!(this.#isByDispatch(ref) || (await this.#isTaggedByDispatch(ref, to)))) {
      if (ref.startsWith("refs/tags/")) this.notes.push(`new tag "${ref}" was left where it is`);
      return;
    }
    const kept = `${this.#at.refPrefix}/agent-refs/${ref.slice("refs/".length)}`;
    this.#changes.push({ ref: kept, to }, { ref, to: null, from: to });
    this.movedAway.set(ref, to);
    this.notes.push(`"${ref}", made by the agent, was moved to "${kept}"`);
  }

  #freeRef(name: string): string {
    const taken = new Set([...this.#at.after.keys(), ...this.#changes.map(({ ref }) => ref)]);
    for (let k = 1; ; k++) {
      const ref = `${this.#at.refPrefix}/${name}-${k}`;
      if (!taken.has(ref)) return ref;
    }
  }

  #isByDispatch(ref: string): boolean {
    const last = readLog(this.#run, ref).at(-1);
    return last !== undefined && this.#isOfDispatch(last);
  }

  #isOfDispatch(line: string): boolean {
    return isLineOf(this.#run, line, this.#at.before.dispatch);
  }

  async #isTaggedByDispatch(ref: string, to: Sha): Promise<boolean> {
    if (!ref.startsWith("refs/tags/")) return false;
    const read = await runGit({
      gitDir: this.#run.commonDir,
      args: ["cat-file", "--batch"],
      input: `${to}\n${to}^{commit}\n`,
      doing: `reading tag "${ref}"`,
    });
    if (!read.ok) return false;
    const people = read.value.stdout.toString("utf8").matchAll(/^(?:tagger|committer) .*<([^>\n]*)> \d+/gm);
    const { dispatch } = this.#at.before;
    return [...people].some((match) => isDispatchEmail(match[1] ?? "", { runId: this.#run.runId, dispatch }));
  }
}

/** Keeps stash entries of the dispatch below the attempt's ref and takes them from the builder's list. */
async function takeStashEntries(
  run: GitRun,
  at: {
    readonly before: RefsBefore;
    readonly after: ReadonlyMap<string, string>;
    readonly refPrefix: string;
  },
): Promise<Result<readonly string[], Failure>> {
  const notes: string[] = [];
  if (at.after.get(stashRef) === at.before.refs[stashRef]) return success(notes);
  const isTaken = (line: string): boolean =>
    !at.before.stashLines.includes(line) && isLineOf(run, line, at.before.dispatch);
  // Read again for each: the builder may stash at the same time, which shifts the numbers.
  for (let lines = readLog(run, stashRef); lines.some(isTaken); lines = readLog(run, stashRef)) {
    const position = lines.findIndex(isTaken);
    const commit = lines[position]?.split(" ", 2)[1] ?? "";
    if (!isSha(commit)) break;
    const ref = `${at.refPrefix}/agent-refs/stash-${shortSha(commit)}`;
    const kept = await updateRefs(run, {
      changes: [{ ref, to: commit }],
      doing: "keeping the agent's stash entry",
    });
    if (!kept.ok) return kept;
    const dropped = await dropStashEntry(run, {
      number: lines.length - 1 - position,
      isLast: lines.length === 1,
    });
    if (!dropped.ok) return dropped;
    notes.push(`a stash entry made by the agent was moved to "${ref}"`);
  }
  return success(notes);
}

async function dropStashEntry(
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

/** Lines `<old> <new> <name> <<email>> <time> <zone>\t<message>`, oldest first. */
function readLog(run: GitRun, ref: string): string[] {
  const path = join(run.commonDir, "logs", ref);
  const text = unless(["ENOENT", "ENOTDIR", "EISDIR"], () => fs.readFileSync(path, "utf8")) ?? "";
  return text.split("\n").filter((line) => line !== "");
}

function isLineOf(run: GitRun, line: string, dispatch: string | null): boolean {
  const email = /<([^>]*)> \d+ [+-]\d+(?:\t|$)/.exec(line)?.[1];
  return email !== undefined && isDispatchEmail(email, { runId: run.runId, dispatch });
}
