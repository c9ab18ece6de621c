// The check tree of a lane while its developer is at work. Nobody else is in it then, so what `setup` made in it, and
// what is remembered about it, must stay as it is: gates run with it, and no diff shows it. Where something changed,
// the tree is forgotten, so that it is made and set up anew.

import fs from "node:fs";
import { limits } from "../../core/limits.ts";
import { unless } from "../storage.ts";
import type { GitRun } from "./git-run.ts";
import { loadState, placeTree, type TreePlace, toFile, toText } from "./lane-state.ts";

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

/** What was changed, as parts of sentences. */
export function judgeCheck(run: GitRun, lane: number, before: CheckSeen | null): readonly string[] {
  const place = placeTree(run, lane, "check");
  if (before === null || !place.ok) return [];
  const after = lookAtCheck(run, lane) ?? new Map<string, string>();
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => before.get(path) !== after.get(path),
  );
  if (changed.length === 0) return [];
  fs.rmSync(place.value.stateFile, { force: true });
  const names = changed.slice(0, limits.namesInSentence).map(toText).join(", ");
  const more = changed.length - limits.namesInSentence;
  return [
    `the tree in which gates run was changed: ${names}${more > 0 ? ` and ${more} more` : ""}; it is made anew`,
  ];
}

function lookBelow(place: TreePlace, path: string, seen: Map<string, string>): void {
  const file = toFile(place.path, path);
  const mark = markOf(file);
  seen.set(path, mark);
  if (!mark.startsWith("folder") || seen.size >= limits.installedFilesWatched) return;
  for (const name of unless(["ENOENT", "EACCES"], () => fs.readdirSync(file, "latin1")) ?? []) {
    lookBelow(place, `${path}/${name}`, seen);
  }
}

function markOf(file: string | Buffer): string {
  const stat = unless(["ENOENT", "ENOTDIR"], () => fs.lstatSync(file));
  if (stat === undefined) return "absent";
  // A folder's own times change with what is made and removed in it, which is seen by itself.
  if (stat.isDirectory()) return `folder ${stat.ino}`;
  return [stat.ino, stat.mode, stat.size, stat.ctimeMs].join(" ");
}
