// Reading git's index file (versions 2 to 4): which files a tree has, what they looked like when git last saw them,
// and which of its folders are known as tree objects. Only of indexes that this program had git write.
//
// Format: https://git-scm.com/docs/index-format

import type { Sha } from "../../core/ids.ts";
import { isSha } from "../../core/ids.ts";

export interface IndexEntry {
  /** Byte path. */
  readonly path: string;
  /** As in a tree object: 0o100644, 0o100755, 0o120000, 0o160000. */
  readonly mode: number;
  readonly blob: string;
  /** Milliseconds, as in fs.Stats. */
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  /** The lower 32 bits of each. */
  readonly ino: number;
  readonly size: number;
  readonly uid: number;
  readonly gid: number;
}

export interface IndexFile {
  readonly entries: readonly IndexEntry[];
  /** Folders ("" the whole, "a/b") that are unchanged since their tree object was read or written. */
  readonly trees: ReadonlyMap<string, Sha>;
  /** Where the entries end in the file. */
  readonly entriesEnd: number;
}

/** null: it has something that only git understands (conflicts, sparse or split parts), or is no index at all. */
export function parseIndex(bytes: Buffer, idBytes: 20 | 32): IndexFile | null {
  if (bytes.length < 12 + idBytes || bytes.toString("latin1", 0, 4) !== "DIRC") return null;
  const version = bytes.readUInt32BE(4);
  if (version < 2 || version > 4) return null;
  try {
    const read = readEntries({ bytes, idBytes, version, count: bytes.readUInt32BE(8) });
    if (read === null) return null;
    const trees = readExtensions(bytes.subarray(0, bytes.length - idBytes), read.end, idBytes);
    return trees === null ? null : { entries: read.entries, trees, entriesEnd: read.end };
  } catch (error) {
    // A length in it leads beyond its end.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

const extendedFlag = 0x4000;
/** Assumed valid, or a side of a conflict. */
const oddFlags = 0x8000 | 0x3000;

interface Entries {
  readonly bytes: Buffer;
  readonly idBytes: number;
  readonly version: number;
  readonly count: number;
}

function readEntries(at: Entries): { readonly entries: readonly IndexEntry[]; readonly end: number } | null {
  const { bytes, idBytes, version, count } = at;
  const entries: IndexEntry[] = [];
  let offset = 12;
  let before = "";
  for (let k = 0; k < count; k += 1) {
    const flagsAt = offset + 40 + idBytes;
    const flags = bytes.readUInt16BE(flagsAt);
    const isExtended = (flags & extendedFlag) !== 0;
    if ((flags & oddFlags) !== 0 || (isExtended && bytes.readUInt16BE(flagsAt + 2) !== 0)) return null;
    const pathAt = flagsAt + (isExtended ? 4 : 2);
    const named = version === 4 ? readShortened(bytes, pathAt, before) : readPath(bytes, pathAt);
    entries.push(toEntry({ bytes, offset, idBytes, path: named.path }));
    before = named.path;
    // Up to version 3 entries are filled up with 1 to 8 zeros to a multiple of eight bytes.
    offset = version === 4 ? named.end + 1 : offset + (Math.floor((named.end - offset) / 8) + 1) * 8;
  }
  return { entries, end: offset };
}

function toEntry(at: { bytes: Buffer; offset: number; idBytes: number; path: string }): IndexEntry {
  const { bytes, offset, idBytes, path } = at;
  const number = (index: number): number => bytes.readUInt32BE(offset + index * 4);
  return {
    path,
    ctimeMs: number(0) * 1_000 + number(1) / 1_000_000,
    mtimeMs: number(2) * 1_000 + number(3) / 1_000_000,
    ino: number(5),
    mode: number(6),
    uid: number(7),
    gid: number(8),
    size: number(9),
    blob: bytes.toString("hex", offset + 40, offset + 40 + idBytes),
  };
}

function readPath(bytes: Buffer, from: number): { readonly path: string; readonly end: number } {
  const end = bytes.indexOf(0, from);
  if (end === -1) throw new RangeError("a path without an end");
  return { path: bytes.toString("latin1", from, end), end };
}

/** In version 4 a path is the one before without so many bytes at its end, and what comes then. */
function readShortened(bytes: Buffer, from: number, before: string): ReturnType<typeof readPath> {
  let offset = from;
  let byte = bytes.readUInt8(offset);
  let cut = byte & 0x7f;
  while ((byte & 0x80) !== 0) {
    offset += 1;
    byte = bytes.readUInt8(offset);
    cut = ((cut + 1) << 7) | (byte & 0x7f);
  }
  const { path, end } = readPath(bytes, offset + 1);
  return { path: before.slice(0, before.length - cut) + path, end };
}

/** The tree objects of folders; null when there is an extension that must not be passed over. */
function readExtensions(bytes: Buffer, from: number, idBytes: number): ReadonlyMap<string, Sha> | null {
  const trees = new Map<string, Sha>();
  for (let offset = from; offset < bytes.length; ) {
    const name = bytes.toString("latin1", offset, offset + 4);
    const length = bytes.readUInt32BE(offset + 4);
    if (!/^[A-Z]/.test(name)) return null;
    if (name === "TREE") readTrees(bytes.subarray(offset + 8, offset + 8 + length), idBytes, trees);
    offset += 8 + length;
  }
  return trees;
}

/** Folders before what is in them: `<name>\0<entries> <folders in it>\n<object id>`; entries -1: not known. */
function readTrees(bytes: Buffer, idBytes: number, trees: Map<string, Sha>): void {
  const open: { readonly path: string; left: number }[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const { path: name, end } = readPath(bytes, offset);
    const lineEnd = bytes.indexOf(10, end);
    const [entries = -1, folders = 0] = bytes
      .toString("latin1", end + 1, lineEnd)
      .split(" ")
      .map(Number);
    const isKnown = entries >= 0;
    offset = lineEnd + 1 + (isKnown ? idBytes : 0);
    const around = open.at(-1);
    const path = around === undefined || around.path === "" ? name : `${around.path}/${name}`;
    const id = isKnown ? bytes.toString("hex", lineEnd + 1, offset) : "";
    if (isSha(id)) trees.set(path, id);
    if (around !== undefined) around.left -= 1;
    open.push({ path, left: folders });
    while (open.at(-1)?.left === 0) open.pop();
  }
}
