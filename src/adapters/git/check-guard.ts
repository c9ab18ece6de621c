// What `setup` made in the check tree of a lane: gates run with it, and no diff shows it.
//
// While the developer is at work nobody is in the check tree, so all of it, and what is remembered about it, must stay
// as it is. Where something changed, the tree is forgotten, so that it is made and set up anew.
//
// A gate or a reviewer runs code of the candidate in it, and may fill caches and build. The packages that `setup`
// installed must stay as they are all the same: a test could put another test runner there for the next gate, or for
// the second run of its own. Where they changed they are taken away, so that they are installed anew before that.

import fs from "node:fs";
import type { Failure } from "../../core/failure.ts";
import { limits } from "../../core/limits.ts";
import { type Result, success } from "../../core/result.ts";
import { attemptStorage, unless } from "../storage.ts";
import type { GitRun } from "./git-run.ts";
import {
  loadState,
  placeTree,
  saveState,
  type TreePlace,
  type TreeState,
  toFile,
  toText,
} from "./lane-state.ts";

/** Path to what it looks like. The time of a change of the inode cannot be set back by who changes a file. */
export type CheckSeen = ReadonlyMap<string, string>;

/** null: there is no check tree, or none that anybody would believe. */
export function lookAtCheck(run: GitRun, lane: number): CheckSeen | null {
  const place = placeTree(run, lane, "check");
  const state = place.ok ? loadState(place.value) : null;
  if (!place.ok || state === null) return null;
  const seen = new Map<string, string>();
  for (const path of [place.value.stateFile, place.value.indexFile]) seen.set(path, markOf(path));
  for (const path of [...state.ignored, ...Object.keys(state.made)]) {
    lookBelow(place.value, path.replace(/\/$/, ""), seen);
  }
  return seen;
}

/** The installed packages; null as above. */
export function lookAtInstalled(run: GitRun, lane: number): CheckSeen | null {
  const place = placeTree(run, lane, "check");
  const state = place.ok ? loadState(place.value) : null;
  if (!place.ok || state === null) return null;
  const seen = new Map<string, string>();
  for (const path of installedIn(state)) lookBelow(place.value, path, seen, isCache);
  return seen;
}

/** What was changed, as parts of sentences. */
export function judgeInstalled(
  run: GitRun,
  lane: number,
  before: CheckSeen | null,
): Result<readonly string[], Failure> {
  const place = placeTree(run, lane, "check");
  const state = place.ok ? loadState(place.value) : null;
  if (before === null || !place.ok || state === null) return success([]);
  const changed = changesBetween(before, lookAtInstalled(run, lane) ?? new Map());
  if (changed.length === 0) return success([]);
  return attemptStorage({ doing: "clearing", path: place.value.path }, () => {
    for (const folder of installedIn(state)) {
      const isChanged = changed.some((path) => path === folder || path.startsWith(`${folder}/`));
      if (isChanged) fs.rmSync(toFile(place.value.path, folder), { recursive: true, force: true });
    }
    saveState(place.value, { ...state, setupKey: null });
    return [`what setup installed was changed: ${toNames(changed)}; it is installed anew`];
  });
}

/** Folders into which package managers install, at any depth. */
const packageFolders = new Set(["node_modules", ".venv", "venv", "vendor", ".yarn", "bower_components"]);

function installedIn(state: TreeState): readonly string[] {
  const paths = state.ignored.map((path) => path.replace(/\/$/, ""));
  return paths.filter((path) => path.split("/").some((name) => packageFolders.has(name)));
}

/** What tools keep for themselves beside packages: `node_modules/.cache`, `.vite` …; none of it is run by name. */
function isCache(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (name === "__pycache__") return true;
  return /(?:^|\/)node_modules\/\.[^/]+$/.test(path) && name !== ".bin" && name !== ".pnpm";
}

/** What was changed, as parts of sentences. */
export function judgeCheck(run: GitRun, lane: number, before: CheckSeen | null): readonly string[] {
  const place = placeTree(run, lane, "check");
  if (before === null || !place.ok) return [];
  const after = lookAtCheck(run, lane) ?? new Map<string, string>();
  const changed = changesBetween(before, after);
  if (changed.length === 0) return [];
  fs.rmSync(place.value.stateFile, { force: true });
  return [`the tree in which gates run was changed: ${toNames(changed)}; it is made anew`];
}

function changesBetween(before: CheckSeen, after: CheckSeen): readonly string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => before.get(path) !== after.get(path),
  );
}

function toNames(paths: readonly string[]): string {
  const names = paths.slice(0, limits.namesInSentence).map(toText).join(", ");
  const more = paths.length - limits.namesInSentence;
  return `${names}${more > 0 ? ` and ${more} more` : ""}`;
}

function lookBelow(
  place: TreePlace,
  path: string,
  seen: Map<string, string>,
  isLeftOut: (path: string) => boolean = () => false,
): void {
  if (isLeftOut(path)) return;
  const file = toFile(place.path, path);
  const mark = markOf(file);
  seen.set(path, mark);
  if (!mark.startsWith("folder") || seen.size >= limits.installedFilesWatched) return;
  for (const name of unless(["ENOENT", "EACCES"], () => fs.readdirSync(file, "latin1")) ?? []) {
    lookBelow(place, `${path}/${name}`, seen, isLeftOut);
  }
}

function markOf(file: string | Buffer): string {
  const stat = unless(["ENOENT", "ENOTDIR"], () => fs.lstatSync(file));
  if (stat === undefined) return "absent";
  // A folder's own times change with what is made and removed in it, which is seen by itself.
  if (stat.isDirectory()) return `folder ${stat.ino}`;
  return [stat.ino, stat.mode, stat.size, stat.ctimeMs].join(" ");
}
