// Whether a tree of a lane is exactly as its private index says, with nothing beside it but what its `setup` made:
// the usual case, and then no process of git has to look. By the rules by which git itself believes an index: what
// a file looked like when the index was written, and its content where it was written at the same moment.
//
// Anything that is not plainly so (a changed time, an unknown file, a submodule, a tree of very many files) is left
// to `git status`.

import { createHash } from "node:crypto";
import fs from "node:fs";
import { limits } from "../../core/limits.ts";
import { unless } from "../storage.ts";
import { type IndexEntry, type IndexFile, parseIndex } from "./index-file.ts";
import { fingerprint, type TreePlace, type TreeState, toFile } from "./lane-state.ts";

/** False: it has to be looked at. */
export function isUntouched(place: TreePlace, state: TreeState): boolean {
  const index = readOwnIndex(place, state);
  if (index === null || index.entries.length > limits.plainLookFiles) return false;
  const writtenMs = fs.statSync(place.indexFile).mtimeMs;
  const isAsLeft = (entry: IndexEntry): boolean => {
    const mark = state.dirty[entry.path];
    if (mark !== undefined) return mark === fingerprint(place.path, entry.path);
    return isAsIndexed(place, entry, writtenMs);
  };
  return index.entries.every(isAsLeft) && !hasStrays(place, state, index);
}

/** The private index of a tree; null when it is not the one that we had git write, or cannot be read here. */
export function readOwnIndex(place: TreePlace, state: TreeState): IndexFile | null {
  const bytes = unless(["ENOENT"], () => fs.readFileSync(place.indexFile));
  if (bytes === undefined || createHash("sha256").update(bytes).digest("hex") !== state.indexSha256) {
    return null;
  }
  return parseIndex(bytes, state.tree.length === 64 ? 32 : 20);
}

const racyBytes = 1024 * 1024;

function isAsIndexed(place: TreePlace, entry: IndexEntry, writtenMs: number): boolean {
  const found = fs.lstatSync(toPath(place.path, entry.path), { throwIfNoEntry: false });
  if (found === undefined) return false;
  const isSame =
    found.mtimeMs === entry.mtimeMs &&
    found.ctimeMs === entry.ctimeMs &&
    found.size % 2 ** 32 === entry.size &&
    found.ino % 2 ** 32 === entry.ino &&
    found.uid === entry.uid &&
    found.gid === entry.gid &&
    modeOf(found) === entry.mode;
  if (!isSame) return false;
  // A file that changes after the index was written is younger than it. Of one that is not older, time says nothing.
  return entry.mtimeMs < writtenMs || (found.size <= racyBytes && isContentAsIndexed(place, entry));
}

/** As in a tree object; 0 for what cannot be in one as a file. */
function modeOf(found: fs.Stats): number {
  if (found.isSymbolicLink()) return 0o120000;
  if (!found.isFile()) return 0;
  return (found.mode & 0o100) === 0 ? 0o100644 : 0o100755;
}

function isContentAsIndexed(place: TreePlace, { path, mode, blob }: IndexEntry): boolean {
  const file = toPath(place.path, path);
  const bytes = mode === 0o120000 ? fs.readlinkSync(file, "buffer") : fs.readFileSync(file);
  const hash = createHash(blob.length === 64 ? "sha256" : "sha1");
  return hash.update(`blob ${bytes.length}\0`).update(bytes).digest("hex") === blob;
}

/** Name to what is below it; null: a file, or something whose inside is nobody's business. */
type Names = Map<string, Names | null>;

function hasStrays(place: TreePlace, state: TreeState, index: IndexFile): boolean {
  const names: Names = new Map([[".git", null]]);
  for (const { path } of index.entries) addName(names, path);
  for (const path of [...Object.keys(state.made), ...state.ignored]) addName(names, path.replace(/\/$/, ""));
  if (Object.entries(state.made).some(([path, mark]) => isOther(place, path, mark))) return true;
  return hasUnknown(place.path, "", names);
}

/** One that is gone is no stray. */
function isOther(place: TreePlace, path: string, mark: string): boolean {
  const now = fingerprint(place.path, path.replace(/\/$/, ""));
  return now !== mark && now !== "absent";
}

function addName(names: Names, path: string): void {
  let folder = names;
  const parts = path.split("/");
  for (const [k, part] of parts.entries()) {
    if (k === parts.length - 1) {
      folder.set(part, null);
      return;
    }
    const known = folder.get(part);
    if (known === null) return; // the whole of it is known already
    const below: Names = known ?? new Map();
    folder.set(part, below);
    folder = below;
  }
}

function hasUnknown(root: string, folder: string, names: Names): boolean {
  for (const entry of listFolder(root, folder)) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    const known = names.get(entry.name);
    if (known === null) continue;
    // git sees no empty folders. An unknown one may hold others as empty; with a file in it, it is a stray.
    if (!entry.isDirectory() || hasUnknown(root, path, known ?? new Map())) return true;
  }
  return false;
}

/** Names as bytes. */
function listFolder(root: string, folder: string): fs.Dirent[] {
  const path = folder === "" ? root : toPath(root, folder);
  return fs.readdirSync(path, { encoding: "latin1", withFileTypes: true });
}

/** A Buffer only where it must be: paths as text are faster. */
function toPath(root: string, path: string): string | Buffer {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: bytes beyond ASCII are what is looked for
  return /[^\u0000-\u007f]/.test(path) ? toFile(root, path) : `${root}/${path}`;
}
