// Paths that a model wrote, resolved inside the lane or refused.
//
// A path may be relative to the lane or absolute inside it. Links on the way are followed with the system's own eyes
// (`realpath` of the deepest folder that is there) and must end inside. The last part is opened without following
// anything, and only a regular file is worked on: never a pipe without an end, never a device.

import { constants } from "node:fs";
import { type FileHandle, lstat, open, realpath } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { failed, type Result, success } from "../../../core/result.ts";
import { codeOf } from "../../process/output.ts";
import { isInside } from "../confined.ts";
import type { ToolPlace } from "./tool.ts";

const longestPathChars = 4_096;

/** A path to read from: what it finally names lies in the lane or among the files handed over. */
export async function resolveToRead(place: ToolPlace, path: string): Promise<Result<string, string>> {
  const meant = toMeant(place, path);
  if (!meant.ok) return meant;
  try {
    const real = await realpath(meant.value);
    return isReadable(place, real) ? success(real) : failed(`"${path}" leads out of the working directory`);
  } catch (error) {
    return failed(toProblem(path, codeOf(error)));
  }
}

/** A path to write to: its folder as far as it is there, and the parts that are not, lie in the lane. */
export async function resolveToWrite(place: ToolPlace, path: string): Promise<Result<string, string>> {
  const meant = toMeant(place, path);
  if (!meant.ok) return meant;
  if (meant.value === place.root) return failed(`"${path}" is the working directory itself`);
  const parent = await toRealParent(dirname(meant.value));
  if (parent === null) return failed(`"${path}" has no folder that can be used`);
  const real = join(parent, basename(meant.value));
  if (!isInside(real, place.root)) return failed(`"${path}" leads out of the working directory`);
  if (isOfGit(relative(place.root, real))) return failed(`"${path}" belongs to git and is not for writing`);
  return success(real);
}

/** Opens a regular file, not through a link and without waiting for anything. */
export async function openRegular(path: string, flags: number): Promise<Result<FileHandle, string>> {
  const careful = flags | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  let file: FileHandle;
  try {
    file = await open(path, careful, 0o666);
  } catch (error) {
    return failed(codeOf(error));
  }
  if ((await file.stat()).isFile()) return success(file);
  await file.close();
  return failed("EFTYPE");
}

/** The path as the model should see it. */
export function toShownPath({ root }: ToolPlace, path: string): string {
  return isInside(path, root) ? relative(root, path).split(sep).join("/") || "." : path;
}

export function toProblem(path: string, code: string): string {
  if (code === "ENOENT" || code === "ENOTDIR") return `"${path}" does not exist`;
  if (code === "EISDIR") return `"${path}" is a folder`;
  if (code === "ELOOP" || code === "EMLINK") return `"${path}" is a link`;
  if (code === "EFTYPE" || code === "ENXIO") return `"${path}" is not a regular file`;
  return `"${path}" cannot be used: ${code}`;
}

/** What the text of the path means, going by its text alone. */
function toMeant(place: ToolPlace, path: string): Result<string, string> {
  if (path === "" || path.includes("\0")) return failed("the path must not be empty");
  if (path.length > longestPathChars) return failed(`the path is longer than ${longestPathChars} characters`);
  const given = resolve(place.run.request.cwd, path);
  // The lane may have been named through a link of the builder's.
  const meant = isInside(given, place.run.request.cwd)
    ? join(place.root, relative(place.run.request.cwd, given))
    : given;
  return isReadable(place, meant)
    ? success(meant)
    : failed(`"${path}" lies outside of the working directory`);
}

function isReadable({ root, handedOver }: ToolPlace, path: string): boolean {
  return isInside(path, root) || (handedOver !== null && isInside(path, handedOver));
}

/** The folder with links resolved as far as it is there; null where something else is in the way. */
async function toRealParent(folder: string): Promise<string | null> {
  const missing: string[] = [];
  for (let at = folder; ; at = dirname(at)) {
    const found = await lstat(at).catch(() => null);
    if (found !== null) {
      const real = await realpath(at).catch(() => null); // null: a link to nowhere
      return real === null ? null : join(real, ...missing);
    }
    if (dirname(at) === at) return null;
    missing.unshift(basename(at));
  }
}

// Also as a file system without letter case has it.
function isOfGit(path: string): boolean {
  return path.split(sep).some((part) => part.toLowerCase().replace(/[. ]+$/, "") === ".git");
}
