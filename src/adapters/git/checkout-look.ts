// What a checkout of the builder looks like, so that two looks can be compared. Nothing is ever written in it.
//
// A look is the HEAD, the content of the index, and what differs from the index in files that git does not ignore.
// git is only asked when something moved: the stat data of the index, of every tracked file, of every folder that
// holds one and of every untracked file are compared with those of the look before, which takes microseconds each.

import { createHash } from "node:crypto";
import fs from "node:fs";
import { dirname, join } from "node:path";
import type { Failure } from "../../core/failure.ts";
import { limits } from "../../core/limits.ts";
import type { Result } from "../../core/result.ts";
import { success } from "../../core/result.ts";
import { unless } from "../storage.ts";
import { type GitCall, runGit } from "./run-git.ts";

export interface CheckoutPlace {
  /** For sentences: "the main checkout". */
  readonly name: string;
  /** Top level, links resolved. */
  readonly path: string;
  readonly gitDir: string;
}

/** Paths are byte strings (latin1) below the top level. */
export interface CheckoutLook {
  /** The line in HEAD: `ref: refs/heads/main` or a commit. */
  readonly head: string;
  /** `<mode> <object id>`, with a flag before it and the stage behind it where they are not the usual ones. */
  readonly index: ReadonlyMap<string, string>;
  /** What files look like that are untracked or other than in the index. */
  readonly files: ReadonlyMap<string, string>;
}

/** The last look at a checkout, by its path, with all that must be as it was for the look to hold. */
export type CheckoutCache = Map<string, Seen>;

interface Seen {
  readonly look: CheckoutLook;
  readonly indexMark: string;
  readonly watched: Watched;
  readonly marks: ReadonlyMap<string, Mark>;
}

interface Watched {
  readonly files: readonly (string | Buffer)[];
  /** Four numbers a file. */
  readonly stats: Float64Array;
}

interface Mark {
  readonly stat: string;
  readonly mark: string;
}

export async function lookAtCheckout(
  place: CheckoutPlace,
  cache: CheckoutCache,
): Promise<Result<CheckoutLook, Failure>> {
  const seen = cache.get(place.path);
  const head = readHeadLine(place);
  const indexMark = numbersOf(join(place.gitDir, "index")).join(" ");
  if (seen?.indexMark === indexMark && isSame(seen.watched)) {
    return success(seen.look.head === head ? seen.look : { ...seen.look, head });
  }
  const isSameIndex = seen !== undefined && seen.indexMark === indexMark;
  const index = isSameIndex ? success(seen.look.index) : await readIndex(place);
  if (!index.ok) return index;
  const tracked = watchTracked(place, index.value);
  const status = await readStatus(place);
  if (!status.ok) return status;
  const untracked = status.value.untracked.slice(0, limits.untrackedWatched);
  const paths = [...status.value.changed, ...hiddenPaths(index.value), ...untracked];
  const marks = readMarks(place, { paths, index: index.value, known: seen?.marks });
  const look = { head, index: index.value, files: toFiles(marks) };
  cache.set(place.path, {
    look,
    indexMark,
    marks,
    watched: together(tracked, watchUntracked(place, untracked)),
  });
  return success(look);
}

const statNumbers = 4;

function readHeadLine(place: CheckoutPlace): string {
  const file = join(place.gitDir, "HEAD");
  return (unless(["ENOENT", "ENOTDIR", "EISDIR"], () => fs.readFileSync(file, "utf8")) ?? "").trim();
}

async function readIndex(place: CheckoutPlace): Promise<Result<ReadonlyMap<string, string>, Failure>> {
  const listed = await runGit({
    ...inCheckout(place),
    args: ["ls-files", "-z", "--stage", "-v"],
    doing: `reading the index of "${place.path}"`,
  });
  if (!listed.ok) return listed;
  const entries = new Map<string, string>();
  for (const line of listed.value.stdout.toString("latin1").split("\0")) {
    const tab = line.indexOf("\t");
    if (tab === -1) continue;
    const path = line.slice(tab + 1);
    const entry = line.slice(0, tab).replace(/^H /, "").replace(/ 0$/, "");
    const earlier = entries.get(path); // a conflict has up to three
    entries.set(path, earlier === undefined ? entry : `${earlier}, ${entry}`);
  }
  return success(entries);
}

/** Files that git was told to take for unchanged ("assume unchanged"): it does not say when they are changed. */
function hiddenPaths(index: ReadonlyMap<string, string>): string[] {
  return [...index].filter(([, entry]) => /^[a-z] /.test(entry)).map(([path]) => path);
}

interface Status {
  readonly changed: readonly string[];
  readonly untracked: readonly string[];
}

async function readStatus(place: CheckoutPlace): Promise<Result<Status, Failure>> {
  const status = await runGit({
    ...inCheckout(place),
    args: [
      "status",
      "--porcelain=v2",
      "-z",
      "--untracked-files=all",
      "--no-renames",
      "--ignore-submodules=dirty",
    ],
    doing: `looking for changes in "${place.path}"`,
  });
  if (!status.ok) return status;
  const changed: string[] = [];
  const untracked: string[] = [];
  for (const line of status.value.stdout.toString("latin1").split("\0")) {
    if (line.startsWith("? ")) untracked.push(line.slice(2));
    else if (line.startsWith("u ")) changed.push(afterFields(line, 10));
    else if (line.startsWith("1 ") && line[3] !== ".") changed.push(afterFields(line, 8));
  }
  return success({ changed, untracked });
}

/** What stands behind the first `count` fields, spaces and all. */
function afterFields(line: string, count: number): string {
  let at = 0;
  for (let k = 0; k < count; k++) at = line.indexOf(" ", at) + 1;
  return line.slice(at);
}

function inCheckout(place: CheckoutPlace): Omit<GitCall, "args" | "doing"> {
  return { gitDir: place.gitDir, workTree: place.path };
}

/** Before git looks at them: what changes meanwhile is then seen by the next look. */
function watchTracked(place: CheckoutPlace, index: ReadonlyMap<string, string>): Watched {
  const paths = [...index.keys()].slice(0, limits.filesWatched);
  return watch(place, [".", ...foldersOf(paths), ...paths]);
}

function watchUntracked(place: CheckoutPlace, paths: readonly string[]): Watched {
  return watch(place, [...foldersOf(paths), ...paths]);
}

function foldersOf(paths: readonly string[]): string[] {
  const folders = new Set<string>();
  for (const path of paths) {
    for (let folder = dirname(path); folder !== "." && !folders.has(folder); folder = dirname(folder)) {
      folders.add(folder);
    }
  }
  return [...folders];
}

function watch(place: CheckoutPlace, paths: readonly string[]): Watched {
  const files = paths.map((path) => toAbsolute(place, path));
  const stats = new Float64Array(files.length * statNumbers);
  files.forEach((file, k) => {
    stats.set(numbersOf(file), k * statNumbers);
  });
  return { files, stats };
}

function together(a: Watched, b: Watched): Watched {
  const stats = new Float64Array(a.stats.length + b.stats.length);
  stats.set(a.stats);
  stats.set(b.stats, a.stats.length);
  return { files: [...a.files, ...b.files], stats };
}

function isSame({ files, stats }: Watched): boolean {
  return files.every((file, k) => {
    const [a, b, c, d] = numbersOf(file);
    const at = k * statNumbers;
    return stats[at] === a && stats[at + 1] === b && stats[at + 2] === c && stats[at + 3] === d;
  });
}

const absent = [-1, -1, -1, -1] as const;

/** The time of the last change of the entry itself (ctime) is the one that no program can set. */
function numbersOf(file: string | Buffer): readonly [number, number, number, number] {
  const found = unless(unreachable, () => fs.lstatSync(file, { throwIfNoEntry: false }));
  return found === undefined ? absent : [found.mtimeMs, found.ctimeMs, found.size, found.ino];
}

const unreachable = ["ENOENT", "ENOTDIR", "EACCES", "ELOOP", "ENAMETOOLONG"];

function toAbsolute(place: CheckoutPlace, path: string): string | Buffer {
  const isPlain = /^[\x20-\x7e]*$/.test(path);
  return isPlain
    ? join(place.path, path)
    : Buffer.concat([Buffer.from(`${place.path}/`), Buffer.from(path, "latin1")]);
}

function toFiles(marks: ReadonlyMap<string, Mark>): ReadonlyMap<string, string> {
  return new Map([...marks].map(([path, { mark }]) => [path, mark]));
}

/** As the index would say it, so that a file that was only staged meanwhile is the same file. */
function readMarks(
  place: CheckoutPlace,
  at: {
    readonly paths: readonly string[];
    readonly index: ReadonlyMap<string, string>;
    readonly known: ReadonlyMap<string, Mark> | undefined;
  },
): ReadonlyMap<string, Mark> {
  const [entry] = at.index.values();
  const algorithm = entry !== undefined && /\b[0-9a-f]{64}\b/.test(entry) ? "sha256" : "sha1";
  const marks = new Map<string, Mark>();
  for (const path of at.paths) {
    const file = toAbsolute(place, path.replace(/\/$/, ""));
    const stat = numbersOf(file).join(" ");
    const known = at.known?.get(path);
    if (known?.stat === stat) marks.set(path, known);
    else marks.set(path, { stat, mark: unless(unreachable, () => readMark(file, algorithm)) ?? "gone" });
  }
  return marks;
}

function readMark(file: string | Buffer, algorithm: string): string {
  const found = fs.lstatSync(file);
  const toId = (bytes: Buffer): string =>
    createHash(algorithm).update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
  if (found.isSymbolicLink()) return `120000 ${toId(fs.readlinkSync(file, "buffer"))}`;
  if (!found.isFile()) return found.isDirectory() ? "folder" : "special";
  const mode = (found.mode & 0o111) === 0 ? "100644" : "100755";
  if (found.size > limits.hashedFileBytes) return `${mode} ${found.size} ${found.mtimeMs} ${found.ctimeMs}`;
  return `${mode} ${toId(fs.readFileSync(file))}`;
}
