// Paths that others wrote, resolved inside a folder or refused.

import { lstat } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";
import { failed, type Result, success } from "../../core/result.ts";

/** Why `path` cannot name something inside a folder, going by its text alone; null when it can. */
export function confinedPathProblem(path: string): string | null {
  if (path === "" || path.includes("\0")) return "must not be empty";
  if (isAbsolute(path) || /^[A-Za-z]:/.test(path) || path.startsWith("\\")) return "must not be absolute";
  if (path.split(/[\\/]/).includes("..")) return 'must not contain ".."';
  return null;
}

/** The absolute path of `path` inside `root`. Refused where a link is on the way or at its end. */
export async function resolveInside(root: string, path: string): Promise<Result<string, string>> {
  const problem = confinedPathProblem(path);
  if (problem !== null) return failed(`path "${path}" ${problem}`);
  let place = root;
  for (const part of path.split("/").filter((each) => each !== "" && each !== ".")) {
    place = join(place, part);
    if (await isLink(place))
      return failed(`path "${path}" leads through the link "${relative(root, place)}"`);
  }
  return success(place);
}

/** Whether `path` is `folder` or lies in it; both absolute, links resolved. */
export function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === "" || !(way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way));
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch {
    return false; // does not exist yet
  }
}
