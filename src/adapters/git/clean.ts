// Cleaning up after a run: lanes and refs go when what they hold is proved to be kept elsewhere.
//
// Proof that a commit is kept: it is an ancestor of the run's branch, that branch's upstream, HEAD or the default
// branch; or its tree is the tree of a commit there that came after the base (a squash merge makes new commits with
// the same trees). What is proved by nothing goes into a verified bundle first, or stays and is named.

import fs from "node:fs";
import { join } from "node:path";
import type { Failure } from "../../core/failure.ts";
import { isSha, type Sha } from "../../core/ids.ts";
import { type Result, success } from "../../core/result.ts";
import { salvageUncollected } from "./collect.ts";
import {
  attemptFiles,
  type GitRun,
  gitFailure,
  openGitRun,
  openRunRoot,
  type RepositoryOptions,
  runRefPrefix,
} from "./git-run.ts";
import { defaultBranch, resolveCommit } from "./inspect.ts";
import { forgetWorktree } from "./lanes.ts";
import { toRef, updateRefs } from "./refs.ts";
import { readGit, runGit } from "./run-git.ts";

export interface CleanWanted {
  readonly branch: string;
  /** Where the run left the branch. */
  readonly head: Sha;
  readonly base: Sha;
  /** Whether refs that nothing proves go into a bundle and are deleted; else they stay. */
  readonly mayBundle: boolean;
}

export interface Cleaned {
  readonly lanes: readonly string[];
  readonly refs: readonly string[];
  /** Refs that are in the bundle now; of `refs`. */
  readonly bundled: readonly string[];
  readonly bundle: string | null;
  readonly kept: readonly { readonly what: string; readonly why: string }[];
}

export function cleanRun(options: RepositoryOptions, at: CleanWanted): Promise<Result<Cleaned, Failure>> {
  const run = openGitRun(options);
  return attemptFiles({ doing: "cleaning", path: options.worktreeRoot }, async () => {
    const lanes = await removeLanes(run);
    if (!lanes.ok) return lanes;
    const refs = await removeRefs(run, at);
    if (!refs.ok) return refs;
    const kept = [...lanes.value.kept, ...refs.value.kept];
    return success({ ...refs.value, lanes: lanes.value.removed, kept });
  });
}

/** How many refs there are of each run, by run id. */
export async function listRunRefs(
  gitCommonDir: string,
): Promise<Result<ReadonlyMap<string, number>, Failure>> {
  const args = ["for-each-ref", "--format=%(refname)", "refs/execute-prd/"];
  const listed = await readGit({ gitDir: gitCommonDir, args, doing: "listing the refs of runs" });
  if (!listed.ok) return listed;
  const counts = new Map<string, number>();
  for (const ref of listed.value.split("\n").filter((line) => line !== "")) {
    const runId = ref.split("/")[2] ?? "";
    counts.set(runId, (counts.get(runId) ?? 0) + 1);
  }
  return success(counts);
}

interface Lanes {
  readonly removed: readonly string[];
  readonly kept: Cleaned["kept"];
}

/** Whatever a work tree holds that no ref has is made a ref first; then the trees are no loss. */
async function removeLanes(run: GitRun): Promise<Result<Lanes, Failure>> {
  const folder = join(run.worktreeRoot, `${run.slug}-${run.runId}`);
  if (!fs.existsSync(folder)) return success({ removed: [], kept: [] });
  const root = openRunRoot(run);
  if (!root.ok) return root;
  const removed: string[] = [];
  const kept: { what: string; why: string }[] = [];
  for (const name of fs.readdirSync(root.value)) {
    const lane = Number(/^lane-(\d+)$/.exec(name)?.[1] ?? Number.NaN);
    if (!Number.isInteger(lane)) continue;
    const salvaged = await salvageUncollected(run, lane);
    if (!salvaged.ok) return salvaged;
    const aside = join(root.value, name, "aside");
    for (const kind of ["work", "check"]) {
      const path = join(root.value, name, kind);
      forgetWorktree(run, path);
      if (fs.existsSync(path)) removed.push(path);
      fs.rmSync(path, { recursive: true, force: true });
    }
    fs.rmSync(join(root.value, name, "private"), { recursive: true, force: true });
    if (isEmptyOrGone(aside)) fs.rmSync(join(root.value, name), { recursive: true, force: true });
    else
      kept.push({
        what: aside,
        why: "trees that were set aside lie there; look at them, then remove the folder",
      });
  }
  removeRoot(run, root.value);
  return success({ removed, kept });
}

function isEmptyOrGone(folder: string): boolean {
  return !fs.existsSync(folder) || fs.readdirSync(folder).length === 0;
}

/** What this program made beside the lanes, none of it anybody's work: the holder, private indexes. */
const scratchNames = ["holder", "diff", "home", "memory.index"];

/** The run's own folder goes when nothing but its marker is left. */
function removeRoot(run: GitRun, root: string): void {
  forgetWorktree(run, join(root, "holder"));
  for (const name of scratchNames) fs.rmSync(join(root, name), { recursive: true, force: true });
  const names = fs.readdirSync(root);
  if (names.every((name) => name === ".execute-prd")) fs.rmSync(root, { recursive: true, force: true });
}

type Refs = Pick<Cleaned, "refs" | "bundled" | "bundle" | "kept">;

async function removeRefs(run: GitRun, at: CleanWanted): Promise<Result<Refs, Failure>> {
  const all = await listWithTrees(run);
  if (!all.ok) return all;
  const proved = await findProved(run, at, all.value);
  if (!proved.ok) return proved;
  const unproved = all.value.filter(({ ref }) => !proved.value.has(ref));
  const safe = all.value.filter(({ ref }) => proved.value.has(ref)).map(({ ref }) => ref);
  if (unproved.length === 0 || !at.mayBundle) {
    const deleted = await deleteRefs(run, safe);
    if (!deleted.ok) return deleted;
    const why = "its commit is in no branch that stays";
    return success({
      refs: safe,
      bundled: [],
      bundle: null,
      kept: unproved.map(({ ref }) => ({ what: ref, why })),
    });
  }
  const names = unproved.map(({ ref }) => ref);
  const bundle = await makeBundle(run, { refs: names, base: at.base });
  if (!bundle.ok) return bundle;
  const deleted = await deleteRefs(run, [...safe, ...names]);
  if (!deleted.ok) return deleted;
  return success({ refs: [...safe, ...names], bundled: names, bundle: bundle.value, kept: [] });
}

interface FoundRef {
  readonly ref: string;
  readonly tree: string;
}

async function listWithTrees(run: GitRun): Promise<Result<readonly FoundRef[], Failure>> {
  const args = ["for-each-ref", "--format=%(tree) %(refname)", `${runRefPrefix(run)}/`];
  const listed = await readGit({ gitDir: run.commonDir, args, doing: "listing the run's refs" });
  if (!listed.ok) return listed;
  const lines = listed.value.split("\n").filter((line) => line !== "");
  return success(
    lines.map((line) => ({ tree: line.slice(0, line.indexOf(" ")), ref: line.slice(line.indexOf(" ") + 1) })),
  );
}

async function findProved(
  run: GitRun,
  at: CleanWanted,
  all: readonly FoundRef[],
): Promise<Result<ReadonlySet<string>, Failure>> {
  const targets = await findTargets(run, at);
  if (!targets.ok) return targets;
  const trees = await treesSince(run, { base: at.base, targets: targets.value });
  if (!trees.ok) return trees;
  const proved = new Set(all.filter(({ tree }) => trees.value.has(tree)).map(({ ref }) => ref));
  const headTree = await treeOf(run, at.head);
  if (!headTree.ok) return headTree;
  const isSquashed = headTree.value !== null && trees.value.has(headTree.value);
  for (const target of isSquashed ? [...targets.value, at.head] : targets.value) {
    const args = ["for-each-ref", `--merged=${target}`, "--format=%(refname)", `${runRefPrefix(run)}/`];
    const merged = await readGit({ gitDir: run.commonDir, args, doing: "looking which refs are merged" });
    if (!merged.ok) return merged;
    for (const ref of merged.value.split("\n")) if (ref !== "") proved.add(ref);
  }
  return success(proved);
}

/** Commits of the run's branch, its upstream, the builder's HEAD and the default branch, those that there are. */
async function findTargets(run: GitRun, at: CleanWanted): Promise<Result<readonly Sha[], Failure>> {
  const place = { gitCommonDir: run.commonDir };
  const standard = await defaultBranch(place);
  if (!standard.ok) return standard;
  const names = [
    toRef(at.branch),
    `${at.branch}@{upstream}`,
    ...(standard.value === null ? [] : [toRef(standard.value)]),
  ];
  const targets = new Set<Sha>();
  for (const name of names) {
    const commit = await resolveCommit(place, name);
    if (commit.ok && commit.value !== null) targets.add(commit.value); // a name that leads nowhere proves nothing
  }
  const head = await readGit({
    gitDir: null,
    cwd: run.checkout,
    args: ["rev-parse", "HEAD"],
    doing: "reading HEAD",
  });
  if (head.ok && isSha(head.value.trim())) targets.add(head.value.trim() as Sha); // isSha has looked at it
  return success([...targets]);
}

async function treesSince(
  run: GitRun,
  at: { base: Sha; targets: readonly Sha[] },
): Promise<Result<ReadonlySet<string>, Failure>> {
  if (at.targets.length === 0) return success(new Set());
  const args = ["log", "--format=%T", ...at.targets, `^${at.base}`];
  const listed = await readGit({ gitDir: run.commonDir, args, doing: "listing the trees since the base" });
  if (!listed.ok) return listed;
  const baseTree = await treeOf(run, at.base);
  if (!baseTree.ok) return baseTree;
  return success(new Set([...listed.value.split("\n").filter((line) => line !== ""), baseTree.value ?? ""]));
}

async function treeOf(run: GitRun, commit: Sha): Promise<Result<string | null, Failure>> {
  const args = ["rev-parse", "--verify", "--quiet", `${commit}^{tree}`];
  const answer = await runGit({
    gitDir: run.commonDir,
    args,
    okCodes: [0, 1, 128],
    doing: `reading ${commit}`,
  });
  if (!answer.ok) return answer;
  return success(answer.value.exitCode === 0 ? answer.value.stdout.toString("utf8").trim() : null);
}

/** A bundle of the refs with all their commits since the base; verified, and every ref found in it. */
async function makeBundle(
  run: GitRun,
  at: { refs: readonly string[]; base: Sha },
): Promise<Result<string, Failure>> {
  const path = freeName(run.runFolder);
  const doing = "bundling superseded attempts";
  const created = await runGit({
    gitDir: run.commonDir,
    args: ["bundle", "create", "--quiet", path, "--stdin"],
    input: [...at.refs, `^${at.base}`].map((line) => `${line}\n`).join(""),
    doing,
  });
  if (!created.ok) return created;
  const verified = await runGit({
    gitDir: run.commonDir,
    args: ["bundle", "verify", "--quiet", path],
    doing,
  });
  if (!verified.ok) return verified;
  const heads = await readGit({ gitDir: run.commonDir, args: ["bundle", "list-heads", path], doing });
  if (!heads.ok) return heads;
  const found = new Set(heads.value.split("\n").map((line) => line.slice(line.indexOf(" ") + 1)));
  const missing = at.refs.filter((ref) => !found.has(ref));
  if (missing.length > 0)
    return gitFailure(doing, `the bundle lacks ${missing.join(", ")}; nothing was deleted`);
  flush(path);
  return success(path);
}

function freeName(folder: string): string {
  for (let number = 1; ; number += 1) {
    const path = join(folder, number === 1 ? "attempts.bundle" : `attempts-${number}.bundle`);
    if (!fs.existsSync(path)) return path;
  }
}

function flush(path: string): void {
  const file = fs.openSync(path, "r");
  try {
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
}

function deleteRefs(run: GitRun, refs: readonly string[]): Promise<Result<void, Failure>> {
  return updateRefs(run, {
    changes: refs.map((ref) => ({ ref, to: null })),
    doing: "deleting refs of the run",
  });
}
