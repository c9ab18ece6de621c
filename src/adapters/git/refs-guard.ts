// The refs around a dispatch. What a dispatch did is told from what the builder did beside it:
//
//   the run's own refs and its branch   nobody else writes them: any change is put back and fails the attempt
//   replace refs                        put back, fails the attempt
//   new branch                          the dispatch's when its reflog entry carries the dispatch's identity:
//                                       moved below the attempt's ref, told
//   new tag                             has no reflog: the dispatch's when the tagged commit's committer is it
//   existing branch or tag moved        by the same signs the dispatch's: fails the attempt, and is put back where
//                                       no work of the builder hangs on it; else it may be the builder's own doing
//   branch or tag deleted               fails the attempt when it was renamed by the dispatch; else it may be the
//                                       builder's own doing; its commit is kept
//   everything else                     is left alone
//
// Run after the metadata has been put back, so git can be trusted again.

import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import { isSha, shortSha } from "../../core/ids.ts";
import type { Result } from "../../core/result.ts";
import { success } from "../../core/result.ts";
import type { Aftermath } from "../../ports.ts";
import { isDispatchEmail } from "./dispatch-identity.ts";
import type { GitRun } from "./git-run.ts";
import { namesToCompare, type RefLook, refIn, refsOf } from "./ref-look.ts";
import { isLineOf, readLog } from "./reflog.ts";
import { isOfRun, type RefChange, readRefs, toRef, tryRefs, updateRefs } from "./refs.ts";
import { runGit } from "./run-git.ts";
import { judgeStash, stashRef } from "./stash-guard.ts";
import { checkedOutRefs, refsOfOtherRuns, type Worktrees } from "./worktrees-guard.ts";

export interface RefsBefore {
  readonly refs: RefLook;
  readonly stashLines: readonly string[];
  /** Branches of other runs, which move them. */
  readonly others: readonly string[];
  /** Id of the dispatch; null: any of the run. */
  readonly dispatch: string | null;
}

/** As it lies in a file for the next program, which judges neither the run's refs nor those of others. */
export type StoredRefs = Omit<RefsBefore, "refs"> & { readonly refs: Readonly<Record<string, string>> };

export interface RefsAftermath extends Aftermath {
  /** Branches that were moved away, by ref, with their last commit. */
  readonly movedAway: ReadonlyMap<string, Sha>;
}

export async function readRefsBefore(
  run: GitRun,
  dispatch: string | null,
): Promise<Result<RefsBefore, Failure>> {
  const refs = await readRefs(run);
  if (!refs.ok) return refs;
  return success({
    refs: refs.value,
    stashLines: readLog(run, stashRef),
    others: refsOfOtherRuns(run),
    dispatch,
  });
}

export function toStoredRefs(before: RefsBefore): StoredRefs {
  const judged = [...refsOf(before.refs)].filter(([ref]) => !isLeftAlone(ref));
  return { ...before, refs: Object.fromEntries(judged) };
}

export function fromStoredRefs(stored: StoredRefs): RefsBefore {
  return { ...stored, refs: { loose: new Map(Object.entries(stored.refs)), packed: new Map() } };
}

export interface RefsWanted {
  readonly before: RefsBefore;
  readonly refPrefix: string;
  /**
   * False when the program died in between: then its own ref changes meanwhile are not known, and the run's refs are
   * left to the recovery, which compares them with the journal.
   */
  readonly isSameProgram: boolean;
  /** The builder's worktrees before the dispatch. */
  readonly worktrees: Worktrees;
  /** Whether a worktree of the builder was looked at and is as it was. */
  readonly isUntouched: (path: string) => boolean;
}

export async function judgeRefs(run: GitRun, at: RefsWanted): Promise<Result<RefsAftermath, Failure>> {
  const listed = await readRefs(run);
  if (!listed.ok) return listed;
  const verdict = new Verdict(run, { ...at, after: listed.value });
  for (const change of diffRefs(at.before.refs, listed.value)) await verdict.judge(change);
  const applied = await verdict.apply();
  if (!applied.ok) return applied;
  const stash = await judgeStash(run, {
    linesBefore: at.before.stashLines,
    dispatch: at.before.dispatch,
    refPrefix: at.refPrefix,
    buildersRefs: checkedOutRefs(at.worktrees),
  });
  if (!stash.ok) return stash;
  return success({
    violations: [...verdict.violations, ...stash.value.violations],
    notes: [...verdict.notes, ...stash.value.notes],
    doubts: [...verdict.doubts, ...stash.value.doubts],
    movedAway: verdict.movedAway,
  });
}

/** The builder fetches, and other runs have their own refs. */
function isLeftAlone(ref: string): boolean {
  return ref.startsWith("refs/remotes/") || ref.startsWith("refs/execute-prd/");
}

interface RefDifference {
  readonly ref: string;
  readonly from: Sha | null;
  readonly to: Sha | null;
}

interface Moved {
  readonly ref: string;
  readonly from: Sha;
  readonly to: Sha;
}

function diffRefs(before: RefLook, after: RefLook): RefDifference[] {
  const toSha = (text: string | undefined): Sha | null => (text !== undefined && isSha(text) ? text : null);
  return [...namesToCompare(before, after)]
    .map((ref) => ({ ref, from: toSha(refIn(before, ref)), to: toSha(refIn(after, ref)) }))
    .filter(({ from, to }) => from !== to);
}

interface Compared extends RefsWanted {
  readonly after: RefLook;
}

/** A change that the builder's own may get ahead of: it is made alone, and told as it came out. */
interface Attempted {
  readonly changes: readonly RefChange[];
  readonly tell: (isDone: boolean) => void;
}

/** Collects what is to be said and done about each difference; nothing is done before `apply`. */
class Verdict {
  readonly violations: string[] = [];
  readonly notes: string[] = [];
  readonly doubts: string[] = [];
  readonly movedAway = new Map<string, Sha>();
  readonly #changes: RefChange[] = [];
  readonly #attempted: Attempted[] = [];
  readonly #run: GitRun;
  readonly #at: Compared;

  constructor(run: GitRun, at: Compared) {
    this.#run = run;
    this.#at = at;
  }

  async judge(change: RefDifference): Promise<void> {
    const { ref, from, to } = change;
    if (isOfRun(this.#run, ref) || [...this.#run.held].some((branch) => toRef(branch) === ref)) {
      if (this.#at.isSameProgram) this.#judgeOwn(change);
      return;
    }
    if (ref.startsWith("refs/replace/")) return this.#putBack(change);
    if (ref === stashRef || isLeftAlone(ref)) return;
    if (to === null) {
      if (from !== null) this.#judgeGone(ref, from);
    } else if (from === null) await this.#judgeNew(ref, to);
    else await this.#judgeMoved({ ref, from, to });
  }

  async apply(): Promise<Result<void, Failure>> {
    const doing = "putting refs back after a dispatch";
    const applied = await updateRefs(this.#run, { changes: this.#changes, doing });
    if (!applied.ok) return applied;
    for (const { changes, tell } of this.#attempted) tell(await tryRefs(this.#run, changes));
    return applied;
  }

  #judgeGone(ref: string, from: Sha): void {
    if (!isBuilders(ref)) {
      this.notes.push(`"${ref}", which was ${shortSha(from)}, is gone since the dispatch began`);
      return;
    }
    const heir = this.#renamedTo(ref);
    if (heir !== null) {
      const tell = (isDone: boolean): void => {
        this.violations.push(`"${ref}" was renamed to "${heir}"${isDone ? " and put back" : ""}`);
      };
      this.#attempted.push({ changes: [{ ref, to: from, from: null }], tell });
      return;
    }
    const kept = this.#freeRef("lost");
    const tell = (isDone: boolean): void => {
      const where = isDone ? `; its commit is kept as "${kept}"` : "";
      this.doubts.push(`"${ref}" (${shortSha(from)}) was deleted${where}`);
    };
    this.#attempted.push({ changes: [{ ref: kept, to: from, from: null }], tell });
  }

  /** The branch that the dispatch renamed it to: that branch's reflog says so. */
  #renamedTo(ref: string): string | null {
    const isRename = (line: string): boolean => line.includes(`\tBranch: renamed ${ref} to `);
    for (const [other] of refsOf(this.#at.after)) {
      if (refIn(this.#at.before.refs, other) !== undefined || !other.startsWith("refs/heads/")) continue;
      if (readLog(this.#run, other).some((line) => isRename(line) && this.#isOfDispatch(line))) return other;
    }
    return null;
  }

  async #judgeMoved({ ref, from, to }: Moved): Promise<void> {
    const what = `"${ref}" was moved from ${from} to ${to}`;
    if (!(this.#isByDispatch(ref) || (await this.#isTaggedByDispatch(ref, to)))) {
      const isOthers = () => [...this.#at.before.others, ...refsOfOtherRuns(this.#run)].includes(ref);
      if (isBuilders(ref) && !isOthers()) this.doubts.push(what);
      return;
    }
    if (!this.#isSafeToPutBack({ ref, from, to })) {
      this.violations.push(what);
      return;
    }
    const tell = (isDone: boolean): void => {
      this.violations.push(isDone ? `${what} and put back` : what);
      if (isDone) this.movedAway.set(ref, to);
    };
    const changes = [
      { ref: this.#freeRef("foreign"), to },
      { ref, to: from, from: to },
    ];
    this.#attempted.push({ changes, tell });
  }

  /** Nobody but the dispatch moved it, and in no worktree of the builder does anything hang on where it is. */
  #isSafeToPutBack({ ref, from, to }: Moved): boolean {
    const { worktrees, isUntouched } = this.#at;
    const users = Object.values(worktrees).filter(({ head }) => head === `ref: ${ref}`);
    if (!users.every(({ path }) => isUntouched(path))) return false;
    if (ref.startsWith("refs/tags/")) return true;
    let expected: string = to;
    for (const line of readLog(this.#run, ref).reverse()) {
      if (expected === from) break;
      const [old = "", now = ""] = line.split(" ", 2);
      if (now !== expected || !this.#isOfDispatch(line)) return false;
      expected = old;
    }
    return expected === from;
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
    const planned = [...this.#changes, ...this.#attempted.flatMap(({ changes }) => changes)];
    const taken = new Set(planned.map(({ ref }) => ref));
    for (let k = 1; ; k++) {
      const ref = `${this.#at.refPrefix}/${name}-${k}`;
      if (!taken.has(ref) && refIn(this.#at.after, ref) === undefined) return ref;
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

function isBuilders(ref: string): boolean {
  return ref.startsWith("refs/heads/") || ref.startsWith("refs/tags/");
}
