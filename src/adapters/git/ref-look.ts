// All refs of a repository by plain reads, so that looking at them before and after each agent starts no process.
// What was read once is kept by what the file system says about it (inode, size, times): refs that nobody touched
// cost one look-up each, packed ones together one.
//
// Only what git itself writes is read here. Anything else (links, a name or a content that git would not write,
// another kind of ref storage) is left to git: the caller then asks `git for-each-ref`.

import fs from "node:fs";
import { join } from "node:path";
import { isSha } from "../../core/ids.ts";
import { unless } from "../storage.ts";
import { isSettled, type Kept, toMark } from "./file-mark.ts";

/** Names to object ids. A loose ref is the one that counts where the name is packed as well. */
export interface RefLook {
  readonly loose: ReadonlyMap<string, string>;
  /** The same map as long as the file of packed refs is the same. */
  readonly packed: ReadonlyMap<string, string>;
}

/** What was read before, by path. */
export interface RefCache {
  readonly folders: Map<string, Kept<readonly Named[]>>;
  readonly files: Map<string, Kept<string>>;
  packed: Kept<ReadonlyMap<string, string>> | null;
}

export function emptyRefCache(): RefCache {
  return { folders: new Map(), files: new Map(), packed: null };
}

/** null: there is something that only git can read. */
export function lookAtRefs(commonDir: string, cache: RefCache): RefLook | null {
  const loose = new Map<string, string>();
  const symbolic = new Map<string, string>();
  // Loose ones first: a ref that is packed meanwhile is then seen twice, in the other order it would be missed.
  if (!readBelow({ commonDir, cache, loose, symbolic }, "refs", 0)) return null;
  const packed = readPacked(commonDir, cache);
  if (packed === null) return null;
  for (const [ref, target] of symbolic) {
    if (!target.startsWith("refs/") || symbolic.has(target)) return null;
    const value = loose.get(target) ?? packed.get(target);
    if (value !== undefined) loose.set(ref, value);
  }
  return { loose, packed };
}

/** The object id of one ref of a look. */
export function refIn(look: RefLook, ref: string): string | undefined {
  return look.loose.get(ref) ?? look.packed.get(ref);
}

export function* refsOf(look: RefLook): Generator<readonly [string, string]> {
  yield* look.loose;
  for (const entry of look.packed) if (!look.loose.has(entry[0])) yield entry;
}

/** Names that may stand for something else than before. */
export function namesToCompare(before: RefLook, after: RefLook): ReadonlySet<string> {
  const names = new Set([...before.loose.keys(), ...after.loose.keys()]);
  if (before.packed === after.packed) return names;
  for (const packed of [before.packed, after.packed]) for (const name of packed.keys()) names.add(name);
  return names;
}

interface Named {
  readonly name: string;
  readonly isFolder: boolean;
}

interface Walk {
  readonly commonDir: string;
  readonly cache: RefCache;
  readonly loose: Map<string, string>;
  readonly symbolic: Map<string, string>;
}

const maxDepth = 32;
const maxRefBytes = 4_096;

/** False: something in here is not as git writes it. */
function readBelow(walk: Walk, name: string, depth: number): boolean {
  const path = join(walk.commonDir, name);
  const names = depth > maxDepth ? null : listFolder(walk.cache, path);
  if (names === null) return false;
  return names.every((entry) => {
    const ref = `${name}/${entry.name}`;
    return entry.isFolder ? readBelow(walk, ref, depth + 1) : readLoose(walk, ref);
  });
}

function readLoose(walk: Walk, ref: string): boolean {
  const content = readKept(walk.cache.files, join(walk.commonDir, ref), (path, stat) =>
    stat.isFile() && stat.size <= maxRefBytes ? fs.readFileSync(path, "latin1") : null,
  );
  if (content === undefined) return true; // gone meanwhile
  const value = content?.trimEnd() ?? "";
  if (value.startsWith("ref: ")) walk.symbolic.set(ref, value.slice("ref: ".length));
  else if (isObjectId(value)) walk.loose.set(ref, value);
  else return false;
  return true;
}

function listFolder(cache: RefCache, path: string): readonly Named[] | null {
  const names = readKept(cache.folders, path, (folder, stat) => {
    if (!stat.isDirectory()) return null;
    const entries = fs.readdirSync(folder, { withFileTypes: true });
    // git passes over these two itself.
    const named = entries.filter(({ name }) => !name.startsWith(".") && !name.endsWith(".lock"));
    const isPlain = named.every((entry) => isRefPart(entry.name) && (entry.isFile() || entry.isDirectory()));
    return isPlain ? named.map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() })) : null;
  });
  return names === undefined ? [] : names;
}

function readPacked(commonDir: string, cache: RefCache): ReadonlyMap<string, string> | null {
  const path = join(commonDir, "packed-refs");
  const stat = statOf(path);
  if (stat === undefined) return nothing;
  if (!stat.isFile()) return null;
  const mark = toMark(stat);
  if (cache.packed?.mark === mark) return cache.packed.value;
  const value = parsePacked(fs.readFileSync(path, "latin1"));
  cache.packed = value === null || !isSettled(stat) ? null : { mark, value };
  return value;
}

const nothing: ReadonlyMap<string, string> = new Map();

/** Lines `<object id> <name>`; `#` starts the head, `^` what a tag before it stands for. */
function parsePacked(text: string): ReadonlyMap<string, string> | null {
  const refs = new Map<string, string>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#") || line.startsWith("^")) continue;
    const end = line.indexOf(" ");
    const value = line.slice(0, end);
    if (!isObjectId(value)) return null;
    refs.set(toUtf8(line.slice(end + 1)), value);
  }
  return refs;
}

/** The kept value while the file is the same one; undefined when it is gone; null is not kept. */
function readKept<Value>(
  kept: Map<string, Kept<Value>>,
  path: string,
  read: (path: string, stat: fs.Stats) => Value | null,
): Value | null | undefined {
  const stat = statOf(path);
  if (stat === undefined) {
    kept.delete(path);
    return undefined;
  }
  const mark = toMark(stat);
  const before = kept.get(path);
  if (before?.mark === mark) return before.value;
  const value = unless(["ENOENT", "ENOTDIR"], () => read(path, stat));
  if (value === undefined || value === null || !isSettled(stat)) kept.delete(path);
  else kept.set(path, { mark, value });
  return value;
}

function statOf(path: string): fs.Stats | undefined {
  return fs.lstatSync(path, { throwIfNoEntry: false });
}

function isObjectId(text: string): boolean {
  return isSha(text) && !/^0+$/.test(text);
}

// Names that git refuses in a ref, and those that are not UTF-8.
function isRefPart(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return !/[\u0000-\u0020\u007f~^:?*[\\\ufffd]|\.\.|@\{|\.$/.test(name);
}

function toUtf8(text: string): string {
  return Buffer.from(text, "latin1").toString("utf8");
}
