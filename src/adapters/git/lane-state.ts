// What is remembered about a tree of a lane: where git keeps its folder, which commit and tree it was left at, what
// was dirty when it became ready, and what its `setup` made. Kept beside the lane, never in it.
//
// Paths inside a tree are byte strings (latin1), because file names need not be UTF-8; `toText` is for showing them.

import { createHash } from "node:crypto";
import fs from "node:fs";
import { join } from "node:path";
import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import { isSha } from "../../core/ids.ts";
import type { Result } from "../../core/result.ts";
import { success } from "../../core/result.ts";
import { attemptStorage, removeTemporaryFiles, replaceFile, replaceUnflushed, unless } from "../storage.ts";
import type { GitRun } from "./git-run.ts";
import { openRunRoot } from "./git-run.ts";
import type { GitCall } from "./run-git.ts";
import { runGit } from "./run-git.ts";

export type TreeKind = "work" | "check";

export interface TreePlace {
  readonly lane: number;
  readonly kind: TreeKind;
  /** `<root>/lane-<n>`. */
  readonly laneFolder: string;
  /** Where what is in the way is moved to. */
  readonly asideFolder: string;
  /** `<root>/lane-<n>/work` or `check`, links resolved. */
  readonly path: string;
  readonly stateFile: string;
  readonly indexFile: string;
}

export interface TreeState {
  /** Git's folder for this worktree: `<common>/worktrees/<id>`. */
  readonly adminDir: string;
  /** Content of the tree's `.git` file. */
  readonly gitFile: string;
  /** Commit that HEAD was put at. */
  readonly head: Sha;
  /** Tree that the private index stands for: what the tree was put at, or what was last collected from it. */
  readonly tree: Sha;
  /** False while it is being made or put somewhere: nothing in it is anybody's work. */
  readonly ready: boolean;
  /** Ref prefix of the attempt for which it was made ready; null: nobody said. */
  readonly attempt: string | null;
  /** Digest of the set-up command and lockfiles for which `setup` ran; null: it has to run. */
  readonly setupKey: string | null;
  /** Tracked paths that differ from the index without an agent's doing, with what they looked like. */
  readonly dirty: Readonly<Record<string, string>>;
  /** Untracked paths that `setup` made, with what they looked like. */
  readonly made: Readonly<Record<string, string>>;
  /** Ignored files and folders that `setup` made. */
  readonly ignored: readonly string[];
  /** Of the private index: its stat data are only believed while it is the one that we wrote. */
  readonly indexSha256: string;
}

export function placeTree(run: GitRun, lane: number, kind: TreeKind): Result<TreePlace, Failure> {
  const root = openRunRoot(run);
  if (!root.ok) return root;
  const laneFolder = join(root.value, `lane-${lane}`);
  const privateFolder = join(laneFolder, "private");
  const made = attemptStorage({ doing: "making", path: privateFolder }, () => {
    if (run.swept.has(privateFolder) && fs.existsSync(privateFolder)) return;
    fs.mkdirSync(privateFolder, { recursive: true, mode: 0o700 });
    removeTemporaryFiles(privateFolder);
    // Nobody but this program uses these indexes, and the gits of a dead one are waited for before.
    for (const each of ["work", "check"])
      fs.rmSync(join(privateFolder, `${each}.index.lock`), { force: true });
    run.swept.add(privateFolder);
  });
  if (!made.ok) return made;
  return success({
    lane,
    kind,
    laneFolder,
    asideFolder: join(laneFolder, "aside"),
    path: join(laneFolder, kind),
    stateFile: join(privateFolder, `${kind}.json`),
    indexFile: join(privateFolder, `${kind}.index`),
  });
}

/** null: no state, or none that can be used. */
export function loadState(place: TreePlace): TreeState | null {
  const text = unless(["ENOENT"], () => fs.readFileSync(place.stateFile, "utf8"));
  if (text === undefined) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isState(value) ? value : null;
  } catch {
    return null; // a broken state is as good as none: the tree is set aside and made again
  }
}

/** After a power cut it may be an earlier one, or none: then the tree is looked at anew, or made anew. */
export function saveState(place: TreePlace, state: TreeState): Result<TreeState, Failure> {
  return storeState(place, state, replaceUnflushed);
}

/** On the disk before an agent begins: what it leaves is then known to be its work, whatever happens. */
export function saveReadyState(place: TreePlace, state: TreeState): Result<TreeState, Failure> {
  return storeState(place, state, place.kind === "work" ? replaceFile : replaceUnflushed);
}

function storeState(
  place: TreePlace,
  state: TreeState,
  replace: (path: string, text: string) => void,
): Result<TreeState, Failure> {
  return attemptStorage({ doing: "writing", path: place.stateFile }, () => {
    const text = JSON.stringify(state);
    const present = unless(["ENOENT"], () => fs.readFileSync(place.stateFile, "utf8"));
    if (present !== text) replace(place.stateFile, text);
    return state;
  });
}

/** How git is called for a tree: never through the tree's own `.git` file or index. */
export function inTree(place: TreePlace, state: TreeState): Omit<GitCall, "args" | "doing"> {
  return { gitDir: state.adminDir, workTree: place.path, indexFile: place.indexFile };
}

export function digestIndex(place: TreePlace): string {
  const bytes = unless(["ENOENT"], () => fs.readFileSync(place.indexFile));
  return bytes === undefined ? "" : createHash("sha256").update(bytes).digest("hex");
}

/** Makes sure that the private index is ours; else a new one without stat data, so that git looks at every file. */
export async function ensureIndex(place: TreePlace, state: TreeState): Promise<Result<TreeState, Failure>> {
  if (state.indexSha256 !== "" && digestIndex(place) === state.indexSha256) return success(state);
  fs.rmSync(place.indexFile, { force: true });
  fs.rmSync(`${place.indexFile}.lock`, { force: true });
  const read = await runGit({
    ...inTree(place, state),
    args: ["read-tree", state.tree],
    doing: `reading tree ${state.tree} for "${place.path}"`,
  });
  return read.ok ? success({ ...state, indexSha256: digestIndex(place) }) : read;
}

/** What a path looks like, to tell later whether it changed. */
export function fingerprint(root: string, path: string): string {
  const file = toFile(root, path);
  const found = unless(["ENOENT", "ENOTDIR"], () => fs.lstatSync(file));
  if (found === undefined) return "absent";
  if (found.isSymbolicLink()) return `link ${fs.readlinkSync(file)}`;
  if (!found.isFile()) return found.isDirectory() ? "folder" : "special";
  const sha256 = createHash("sha256").update(fs.readFileSync(file)).digest("hex");
  return `file ${(found.mode & 0o111) === 0 ? "-" : "x"} ${sha256}`;
}

/** A path of a tree for the file system, byte for byte. */
export function toFile(root: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, "latin1")]);
}

export function toText(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8");
}

function isState(value: unknown): value is TreeState {
  if (typeof value !== "object" || value === null) return false;
  const state: Partial<Record<keyof TreeState, unknown>> = value;
  const isText = (item: unknown): item is string => typeof item === "string";
  return (
    isText(state.adminDir) &&
    isText(state.gitFile) &&
    isText(state.indexSha256) &&
    isText(state.head) &&
    isSha(state.head) &&
    isText(state.tree) &&
    isSha(state.tree) &&
    typeof state.ready === "boolean" &&
    (state.attempt === null || isText(state.attempt)) &&
    (state.setupKey === null || isText(state.setupKey)) &&
    Array.isArray(state.ignored) &&
    state.ignored.every(isText) &&
    isMarks(state.dirty) &&
    isMarks(state.made)
  );
}

function isMarks(value: unknown): value is Readonly<Record<string, string>> {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every((mark) => typeof mark === "string")
  );
}
