// What in a tree differs from its private index, seen by one git command; and removing what must not be there.

import { createHash } from "node:crypto";
import fs from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Failure } from "../../core/failure.ts";
import type { Result } from "../../core/result.ts";
import { success } from "../../core/result.ts";
import { unless } from "../storage.ts";
import { fingerprint, inTree, type TreePlace, type TreeState, toFile, toText } from "./lane-state.ts";
import { runGit } from "./run-git.ts";

/** Byte paths; folders end in a slash. */
export interface TreeChanges {
  /** Tracked files that are other than in the index, or gone. */
  readonly changed: readonly string[];
  readonly untracked: readonly string[];
  /** Folders with a repository of their own that are no submodule. */
  readonly nested: readonly string[];
  /** Ignored files and folders, those of `setup` too. */
  readonly ignored: readonly string[];
}

export const noChanges: TreeChanges = { changed: [], untracked: [], nested: [], ignored: [] };

export async function readChanges(place: TreePlace, state: TreeState): Promise<Result<TreeChanges, Failure>> {
  const status = await runGit({
    ...inTree(place, state),
    args: [
      "status",
      "--porcelain=v2",
      "-z",
      "--untracked-files=all",
      "--ignored=matching",
      "--no-renames",
      "--ignore-submodules=dirty",
    ],
    doing: `looking for changes in "${place.path}"`,
  });
  return status.ok ? success(parseStatus(place, status.value.stdout.toString("latin1"))) : status;
}

/** Without what was dirty when the tree became ready and has not changed since. */
export function withoutKnown(place: TreePlace, state: TreeState, changes: TreeChanges): TreeChanges {
  const isForeign = (path: string): boolean => {
    const known = state.dirty[path] ?? state.made[path];
    return known === undefined || known !== fingerprint(place.path, path);
  };
  return {
    changed: changes.changed.filter(isForeign),
    untracked: changes.untracked.filter(isForeign),
    nested: changes.nested.filter(isForeign),
    ignored: changes.ignored.filter((path) => !state.ignored.includes(path)),
  };
}

/** What paths look like now. */
export function toMarks(place: TreePlace, paths: readonly string[]): Record<string, string> {
  return Object.fromEntries(paths.map((path) => [path, fingerprint(place.path, path)]));
}

/**
 * Takes untracked and ignored things away. In a work tree nested repositories are moved aside instead, because no
 * object of ours holds what is in them.
 */
export async function removeStrays(place: TreePlace, strays: TreeChanges): Promise<void> {
  for (const path of strays.nested) {
    if (place.kind === "work") moveAside(place, toFile(place.path, path.replace(/\/$/, "")), toText(path));
    else await remove(place, path);
  }
  for (const path of [...strays.untracked, ...strays.ignored]) await remove(place, path);
}

/** Moves a file or folder of the lane out of the way, to `aside/<k>-<name>`, and returns where it is now. */
export function moveAside(place: TreePlace, from: string | Buffer, name: string): string {
  fs.mkdirSync(place.asideFolder, { recursive: true });
  const label = basename(name).replace(/[^A-Za-z0-9._-]/g, "_");
  for (let k = 1; ; k++) {
    const to = join(place.asideFolder, `${k}-${label}`);
    if (fs.existsSync(to)) continue;
    fs.renameSync(from, to);
    return to;
  }
}

async function remove(place: TreePlace, path: string): Promise<void> {
  const bare = path.replace(/\/$/, "");
  await fs.promises.rm(toFile(place.path, bare), { recursive: true, force: true });
  // git knows no empty folders, so nothing else would ever take these away.
  for (let folder = dirname(bare); folder !== "."; folder = dirname(folder)) {
    const gone = unless(["ENOTEMPTY", "EEXIST", "ENOTDIR", "ENOENT"], () => {
      fs.rmdirSync(toFile(place.path, folder));
      return true;
    });
    if (gone !== true) return;
  }
}

function parseStatus(place: TreePlace, text: string): TreeChanges {
  const changed: string[] = [];
  const untracked: string[] = [];
  const folders: string[] = [];
  const ignored: string[] = [];
  for (const line of text.split("\0")) {
    const path = line.slice(2);
    if (line.startsWith("! ")) ignored.push(path);
    // Files are listed one by one, so a folder is one that git does not look into: it has its own repository.
    else if (line.startsWith("? ")) (path.endsWith("/") ? folders : untracked).push(path);
    else if (line.startsWith("1 ")) changed.push(...parseChanged(place, line));
  }
  const submodules = folders.length === 0 ? [] : readSubmodulePaths(place);
  const isSubmodule = (path: string): boolean => submodules.includes(path.replace(/\/$/, ""));
  return {
    changed,
    untracked: [...untracked, ...folders.filter(isSubmodule).map((path) => path.replace(/\/$/, ""))],
    nested: folders.filter((path) => !isSubmodule(path)),
    ignored,
  };
}

/** `1 <XY> <sub> <mH> <mI> <mW> <hH> <hI> <path>`: Y, mI, mW and hI are about the tree and our index. */
function parseChanged(place: TreePlace, line: string): string[] {
  const [, states = "..", , , indexMode, fileMode, , blob = "", ...rest] = line.split(" ");
  const path = rest.join(" ");
  if (states[1] === ".") return [];
  return indexMode === fileMode && isVerbatim(place, path, blob) ? [] : [path];
}

/**
 * Whether a file is byte for byte what the index has. git calls such a file changed where line ending rules would
 * store it otherwise than it is stored, but only when it happens to look: nobody has changed it.
 */
export function isVerbatim(place: TreePlace, path: string, blob: string): boolean {
  const file = toFile(place.path, path);
  const found = unless(["ENOENT", "ENOTDIR"], () => fs.lstatSync(file));
  if (found?.isFile() !== true) return false;
  const bytes = fs.readFileSync(file);
  const hash = createHash(blob.length === 64 ? "sha256" : "sha1");
  return hash.update(`blob ${bytes.length}\0`).update(bytes).digest("hex") === blob;
}

function readSubmodulePaths(place: TreePlace): string[] {
  const file = join(place.path, ".gitmodules");
  const text = unless(["ENOENT", "EISDIR"], () =>
    fs.lstatSync(file).isFile() ? fs.readFileSync(file, "latin1") : "",
  );
  return [...(text ?? "").matchAll(/^\s*path\s*=\s*(.+?)\s*$/gm)].map((match) => match[1] ?? "");
}
