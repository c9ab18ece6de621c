// Files that survive a crash: flushed writes, atomic replacement, and reads and folders that a link planted by a
// hostile program cannot redirect. Functions here throw the system's error; `attemptStorage` makes it a Failure.
//
// Calls are synchronous on purpose: they take 0.1 to 1 ms, a trip through Node's thread pool costs as much again,
// and nothing can come between the steps of one write.

import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Failure } from "../core/failure.ts";
import { assert, failed, type Result, success } from "../core/result.ts";

// Windows knows neither; there the check of the opened file remains.
const noFollow = fs.constants.O_NOFOLLOW ?? 0;
const noWait = fs.constants.O_NONBLOCK ?? 0;

/** Runs file operations; an error of the system becomes a Failure, anything else is a bug and goes on. */
export function attemptStorage<Value>(
  at: { readonly doing: string; readonly path: string },
  operation: () => Value,
): Result<Value, Failure> {
  try {
    return success(operation());
  } catch (error) {
    const code = errorCode(error);
    if (code === null) throw error;
    return failed({ reason: "storage-failed", ...at, code });
  }
}

/** The system's code of an error (`ENOSPC`), null for errors that are not the system's. */
export function errorCode(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}

/** For what the system does not refuse itself. */
export function storageError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** Undefined instead of an error with one of these codes. */
export function unless<Value>(codes: readonly string[], operation: () => Value): Value | undefined {
  try {
    return operation();
  } catch (error) {
    if (codes.includes(errorCode(error) ?? "")) return undefined;
    throw error;
  }
}

/** A text, or parts of it one after another. */
export type FileText = string | readonly string[];

/** Replaces a file by one flushed before it gets the name. A link under that name is replaced, never followed. */
export function replaceFile(path: string, data: FileText | Uint8Array, mode = 0o666): void {
  replaceButFolder(path, data, mode);
  flushFolder(dirname(path));
}

/** The same without the flush of its folder, which the caller makes for several files together. */
export function replaceButFolder(path: string, data: FileText | Uint8Array, mode = 0o666): void {
  swapIn(path, (temporary) => writeNewFile(temporary, data, mode));
}

/** Replaces a file without waiting for the disk: for what is made again when a power cut took it. */
export function replaceUnflushed(path: string, data: string): void {
  swapIn(path, (temporary) => fs.writeFileSync(temporary, data, { flag: "wx" }));
}

function swapIn(path: string, write: (temporary: string) => void): void {
  const temporary = temporaryName(path);
  try {
    write(temporary);
    fs.renameSync(temporary, path);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
}

/** Gives a new file its name once it is whole and flushed. The name must be free (EEXIST). */
export function placeNewFile(path: string, data: string | Uint8Array): void {
  const temporary = temporaryName(path);
  try {
    writeNewFile(temporary, data);
    const isLinked = unless(withoutLinks, () => fs.linkSync(temporary, path) ?? true);
    if (isLinked !== true) writeNewFile(path, data);
  } finally {
    fs.rmSync(temporary, { force: true });
  }
  flushFolder(dirname(path));
}

/** What file systems without hard links answer (exFAT, some network drives). */
const withoutLinks = ["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EMLINK"];

/** Writes and flushes a file that must not be there yet (EEXIST). The caller flushes the folder. */
export function writeNewFile(path: string, data: FileText | Uint8Array, mode = 0o666): void {
  const file = fs.openSync(path, "wx", mode);
  try {
    if (data instanceof Uint8Array) writeWhole(file, data);
    else for (const bytes of toBytes(data)) writeWhole(file, bytes);
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
}

/** Writes all bytes or throws why not: a disk that fills up first takes a part without an error. */
export function writeWhole(file: number, data: Uint8Array): void {
  let written = 0;
  while (written < data.length) {
    const count = fs.writeSync(file, data, written, data.length - written);
    if (count === 0) throw storageError("EIO");
    written += count;
  }
}

/**
 * A text in UTF-8, piece by piece in one buffer, so each is good until the next is asked for: a view of megabytes
 * that is written again and again would otherwise leave its size in garbage each time. A text in parts need not be
 * put together before.
 */
export function* toBytes(text: FileText): Generator<Uint8Array, void, undefined> {
  let used = 0;
  for (const part of typeof text === "string" ? [text] : text) {
    for (let from = 0; from < part.length; ) {
      const until = Math.min(from + pieceChars, part.length);
      // A pair of surrogates is one character and stays together.
      const isCut = until < part.length && isHighSurrogate(part.charCodeAt(until - 1));
      const end = isCut ? until - 1 : until;
      const some = part.slice(from, end);
      if (used + 3 * some.length > piece.length) {
        yield piece.subarray(0, used);
        used = 0;
      }
      used += piece.write(some, used);
      from = end;
    }
  }
  if (used > 0) yield piece.subarray(0, used);
}

const pieceChars = 64 * 1024;
const piece = Buffer.allocUnsafeSlow(3 * pieceChars);

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

/** Makes names in a folder durable: new, renamed and removed files. */
export function flushFolder(path: string): void {
  if (process.platform === "win32") return; // has no such call, and keeps names in its own log
  const folder = fs.openSync(path, "r");
  try {
    fs.fsyncSync(folder);
  } finally {
    fs.closeSync(folder);
  }
}

/**
 * Opens a regular file, not through a link (ELOOP) and without waiting for the other end of a pipe. What is no
 * regular file is refused (EFTYPE).
 */
export function openRegularFile(path: string, flags: number): number {
  const file = fs.openSync(path, flags | noFollow | noWait, 0o644);
  if (fs.fstatSync(file).isFile()) return file;
  fs.closeSync(file);
  throw storageError("EFTYPE");
}

/** The bytes of a regular file of at most `maxBytes`, else EFBIG. */
export function readRegularFile(path: string, maxBytes = Number.POSITIVE_INFINITY): Buffer {
  const file = openRegularFile(path, fs.constants.O_RDONLY);
  try {
    if (fs.fstatSync(file).size > maxBytes) throw storageError("EFBIG");
    return fs.readFileSync(file);
  } finally {
    fs.closeSync(file);
  }
}

/**
 * Makes the folder `name` (forward slashes) below `root` and returns its path. Each part must be a real folder: a
 * link in the way is refused (ENOTDIR), so that nothing is written outside `root`.
 */
export function makeFolderBelow(root: string, name: string): string {
  let path = root;
  for (const part of name.split("/").filter((each) => each !== "")) {
    assert(part !== "." && part !== ".." && !part.includes("\\"), `"${name}" is a name below its folder`);
    path = join(path, part);
    const isNew = unless(["EEXIST"], () => fs.mkdirSync(path) ?? true) === true;
    if (isNew) flushFolder(dirname(path));
    if (!fs.lstatSync(path).isDirectory()) throw storageError("ENOTDIR");
  }
  return path;
}

/** Removes what killed writers left beside the files of a folder. Only its owner may ask for it. */
export function removeTemporaryFiles(folder: string): void {
  for (const name of unless(["ENOENT"], () => fs.readdirSync(folder)) ?? []) {
    if (isTemporaryName(name)) fs.rmSync(join(folder, name), { force: true });
  }
}

/** The same in a folder and in every folder below it; links are not followed. */
export function removeTemporaryFilesBelow(folder: string): void {
  removeTemporaryFiles(folder);
  for (const entry of unless(["ENOENT"], () => fs.readdirSync(folder, { withFileTypes: true })) ?? []) {
    if (entry.isDirectory()) removeTemporaryFilesBelow(join(folder, entry.name));
  }
}

/** Whether a file of this name was on its way to another name. */
export function isTemporaryName(name: string): boolean {
  return temporaryPattern.test(name);
}

const temporaryPattern = /^\..+\.[0-9a-f]{12}\.tmp$/;

function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
}
