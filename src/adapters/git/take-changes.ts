// Taking what changed in a tree into its private index, and the tree of that.
//
// Usually one command does it: `git add --all`, after which the two indexes say what changed. Where something about
// the tree is special (files that were dirty when it became ready, submodules, nested repositories, line endings that
// git would store otherwise, very many files), changes are looked for first and then added one by one.

import fs from "node:fs";
import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import { isSha } from "../../core/ids.ts";
import { limits } from "../../core/limits.ts";
import type { Result } from "../../core/result.ts";
import { failed, success } from "../../core/result.ts";
import { attemptStorage } from "../storage.ts";
import { type GitRun, gitFailure } from "./git-run.ts";
import { type IndexFile, parseIndex } from "./index-file.ts";
import { ensureIndex, inTree, type TreePlace, type TreeState, toText } from "./lane-state.ts";
import { runGit } from "./run-git.ts";
import { isVerbatim, noChanges, readChanges, type TreeChanges, withoutKnown } from "./tree-changes.ts";
import { isUntouched, readOwnIndex } from "./tree-look.ts";
import { withTrees, writeTrees } from "./tree-objects.ts";

export interface Taken {
  /** With an index that is the one we had git write. */
  readonly state: TreeState;
  readonly tree: Sha;
  /** Byte paths of what was added, changed or removed. */
  readonly paths: readonly string[];
  /** What was seen in the tree, where nothing was taken. */
  readonly strays: TreeChanges | null;
}

interface At {
  readonly place: TreePlace;
  readonly state: TreeState;
  /** Leftovers are looked for: there are none as a rule, and nested repositories are left where they are. */
  readonly isSalvage: boolean;
}

export async function takeChanges(run: GitRun, at: At): Promise<Result<Taken, Failure>> {
  const { place } = at;
  const indexed = await ensureIndex(place, at.state);
  if (!indexed.ok) return indexed;
  const state = indexed.value;
  if (at.isSalvage && isUntouched(place, state)) {
    return success({ state, tree: state.tree, paths: [], strays: noChanges });
  }
  const added = at.isSalvage ? null : await addAll(place, state);
  if (added !== null) return toTaken(run, place, { state, paths: added });
  return takeOneByOne(run, { ...at, state });
}

/** Byte paths of what changed; null: the tree is special, and what was added is forgotten. */
async function addAll(place: TreePlace, state: TreeState): Promise<readonly string[] | null> {
  const before = readOwnIndex(place, state);
  if (before === null || !isPlain(before, state)) return null;
  const call = { ...inTree(place, state), doing: `collecting the changes in "${place.path}"` };
  const added = await runGit({ ...call, args: ["add", "--all"] });
  const after = added.ok ? parseIndex(fs.readFileSync(place.indexFile), idBytesOf(state)) : null;
  const paths = after === null ? null : changedPaths(place, before, after);
  if (paths === null) fs.rmSync(place.indexFile, { force: true });
  return paths;
}

function isPlain(index: IndexFile, { dirty, made }: TreeState): boolean {
  if (index.entries.length > limits.plainLookFiles) return false;
  if (Object.keys(dirty).length > 0 || Object.keys(made).length > 0) return false;
  return index.entries.every(({ mode, path }) => mode !== gitlink && path !== ".gitmodules");
}

const gitlink = 0o160000;

/** null: a nested repository, or a file that nobody changed and git would store otherwise. */
function changedPaths(place: TreePlace, before: IndexFile, after: IndexFile): readonly string[] | null {
  const old = new Map(before.entries.map((entry) => [entry.path, entry]));
  const paths: string[] = [];
  for (const entry of after.entries) {
    const was = old.get(entry.path);
    old.delete(entry.path);
    if (was?.blob === entry.blob && was.mode === entry.mode) continue;
    if (entry.mode === gitlink) return null;
    if (was?.mode === entry.mode && isVerbatim(place, entry.path, was.blob)) return null;
    paths.push(entry.path);
  }
  return [...paths, ...old.keys()];
}

async function takeOneByOne(run: GitRun, at: At): Promise<Result<Taken, Failure>> {
  const { place } = at;
  const indexed = await ensureIndex(place, at.state);
  if (!indexed.ok) return indexed;
  const state = indexed.value;
  const changes = await readChanges(place, state);
  if (!changes.ok) return changes;
  const strays = withoutKnown(place, state, changes.value);
  const { changed, untracked, nested } = strays;
  if (nested.length > 0 && !at.isSalvage) {
    return failed({ reason: "nested-repository", paths: nested.map(toText) });
  }
  const paths = [...changed, ...untracked];
  if (paths.length === 0) return success({ state, tree: state.tree, paths, strays });
  const updated = await runGit({
    ...inTree(place, state),
    args: ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"],
    input: Buffer.from(paths.map((path) => `${path}\0`).join(""), "latin1"),
    doing: `collecting the changes in "${place.path}"`,
  });
  return updated.ok ? toTaken(run, place, { state, paths }) : updated;
}

/** The private index has the paths; its tree is made. */
async function toTaken(
  run: GitRun,
  place: TreePlace,
  at: { readonly state: TreeState; readonly paths: readonly string[] },
): Promise<Result<Taken, Failure>> {
  const { state, paths } = at;
  const made = attemptStorage({ doing: "collecting the changes in", path: place.path }, () =>
    makeTree(run, place, state),
  );
  if (!made.ok) return made;
  const tree = made.value === null ? await askForTree(place, state) : success(made.value);
  return tree.ok ? success({ state, tree: tree.value, paths, strays: null }) : tree;
}

/** null: git has to make it. */
function makeTree(run: GitRun, place: TreePlace, state: TreeState): Sha | null {
  const bytes = fs.readFileSync(place.indexFile);
  const index = parseIndex(bytes, idBytesOf(state));
  if (index === null || index.entries.length > limits.plainLookFiles) return null;
  const tree = writeTrees(run.commonDir, index, state.tree);
  // What is told by an index's own time stays so: the new file must not look younger than the one it is made of.
  const writtenAt = Math.floor(fs.statSync(place.indexFile).mtimeMs / 1_000);
  const temporary = `${place.indexFile}.new`;
  fs.writeFileSync(temporary, withTrees(bytes, index, tree));
  fs.utimesSync(temporary, writtenAt, writtenAt);
  fs.renameSync(temporary, place.indexFile);
  return tree.id;
}

async function askForTree(place: TreePlace, state: TreeState): Promise<Result<Sha, Failure>> {
  const doing = `making the tree of "${place.path}"`;
  const written = await runGit({ ...inTree(place, state), args: ["write-tree"], doing });
  if (!written.ok) return written;
  const tree = written.value.stdout.toString("utf8").trim();
  return isSha(tree) ? success(tree) : gitFailure(doing, `unexpected answer "${tree}"`);
}

function idBytesOf({ tree }: TreeState): 20 | 32 {
  return tree.length === 64 ? 32 : 20;
}
