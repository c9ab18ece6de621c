// The journal as a file: the append-only truth of a run.
//
// I2: an append returns only after its line is on the disk. I3: it is refused when this program no longer owns the
// run or somebody else has written to the file. I15: a torn last line is cut off, and kept in salvage/; any other
// line that is not as it was written stops the run, the file untouched.
//
// After a failed append the journal is dead: whether the line is on the disk cannot be known (a second flush after
// a failed one reports success for bytes that the system has already given up), so only a new start may find out.

import fs from "node:fs";
import { join } from "node:path";
import type { Entry, RunEvent } from "../core/event.ts";
import type { Failure } from "../core/failure.ts";
import type { RunId, Slug } from "../core/ids.ts";
import { failed, type Result, success } from "../core/result.ts";
import type { Journal } from "../ports.ts";
import {
  type DecodedJournal,
  decodeJournal,
  encodeEntry,
  encodeHeader,
  hashLine,
  type JournalHeader,
} from "../schema/journal.ts";
import { salvageName } from "./run-files.ts";
import { folderNames } from "./run-folder.ts";
import {
  attemptStorage,
  flushFolder,
  openRegularFile,
  placeNewFile,
  readRegularFile,
  storageError,
  unless,
  writeNewFile,
  writeWhole,
} from "./storage.ts";

/** A line that is not as it was written. */
export interface JournalRefusal {
  readonly reason: "journal-refused";
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly detail: string;
}

export interface OpenJournal {
  readonly journal: Journal;
  readonly header: JournalHeader;
  readonly entries: readonly Entry[];
  /** Length of the torn last line that was cut off (kept in salvage/); 0: there was none. */
  readonly tornBytes: number;
  /** Closes the file; the journal then takes nothing more. Repeating it is harmless. */
  close(): void;
}

export interface Writer {
  readonly folder: string;
  /** Token of the lock; written in every line. */
  readonly session: string;
  /** Asked before each append. */
  readonly isOwner: () => boolean;
}

/** Starts a journal in a folder that has none (storage-failed with EEXIST where there is one). */
export function createJournal(
  at: Writer & { readonly runId: RunId; readonly slug: Slug },
): Result<OpenJournal, Failure | JournalRefusal> {
  const path = journalPath(at.folder);
  const made = attemptStorage({ doing: "starting the journal", path }, () =>
    placeNewFile(path, encodeHeader({ runId: at.runId, slug: at.slug })),
  );
  return made.ok ? openJournal(at) : made;
}

/** Removes a journal to which nothing was appended, for the owner that starts a new one; any other stays. */
export function discardEmptyJournal(at: { readonly folder: string }): Result<void, Failure> {
  const found = readJournal(at);
  if (!found.ok || found.value.entries.length > 0) return success(undefined);
  const path = journalPath(at.folder);
  return attemptStorage({ doing: "removing an empty journal", path }, () => fs.rmSync(path));
}

/** Opens a journal for its owner: reads and checks it all, and cuts off a torn last line. */
export function openJournal(at: Writer): Result<OpenJournal, Failure | JournalRefusal> {
  const path = journalPath(at.folder);
  const found = readJournal({ folder: at.folder });
  if (!found.ok) return found;
  return attemptStorage({ doing: "opening the journal", path }, () => {
    const file = openRegularFile(path, fs.constants.O_RDWR | fs.constants.O_APPEND);
    try {
      repair({ folder: at.folder, file, found: found.value });
    } catch (error) {
      fs.closeSync(file);
      throw error;
    }
    const { header, entries, tornBytes } = found.value;
    const writer = new JournalFile({ ...at, path, file, found: found.value });
    return { journal: writer, header, entries, tornBytes, close: () => writer.close() };
  });
}

/**
 * Reads and checks a journal and changes nothing; a torn last line is only counted. No journal is storage-failed
 * with ENOENT.
 */
export function readJournal(at: {
  readonly folder: string;
}): Result<DecodedJournal, Failure | JournalRefusal> {
  const file = journalPath(at.folder);
  const bytes = attemptStorage({ doing: "reading the journal", path: file }, () => readRegularFile(file));
  if (!bytes.ok) return bytes;
  const decoded = decodeJournal(bytes.value);
  return decoded.ok ? decoded : failed({ reason: "journal-refused", file, ...decoded.failure });
}

export function describeJournalRefusal({ file, line, detail }: JournalRefusal): string {
  return `the journal "${file}" cannot be used: line ${line}: ${detail}; nothing in it was changed. Put back a copy of the file as it was, or start again with "run --fresh"`;
}

interface Opened {
  readonly folder: string;
  readonly file: number;
  readonly found: DecodedJournal;
}

/** Makes the file end with a whole line. What is cut off is on the disk elsewhere before. */
function repair({ folder, file, found }: Opened): void {
  if (fs.fstatSync(file).size !== found.validBytes + found.tornBytes)
    throw storageError("EAGAIN (it was changed while it was read)");
  if (found.tornBytes > 0) {
    const tail = Buffer.alloc(found.tornBytes);
    if (fs.readSync(file, tail, 0, tail.length, found.validBytes) < tail.length) throw storageError("EIO");
    writeNewFile(join(folder, salvageName({ folder, label: "journal-tail", ending: ".bin" })), tail);
    flushFolder(join(folder, folderNames.salvage));
    fs.ftruncateSync(file, found.validBytes);
  }
  if (found.needsNewline) writeWhole(file, Buffer.from("\n"));
  if (found.tornBytes > 0 || found.needsNewline) fs.fsyncSync(file);
}

class JournalFile implements Journal {
  readonly #at: Writer & { readonly path: string; readonly file: number };
  readonly #inode: number;
  readonly #device: number;
  #size: number;
  #lastSeq: number;
  #lastHash: string;
  /** Why nothing more is taken. */
  #end: Failure | null = null;
  #isClosed = false;

  constructor({ found, ...at }: Writer & { path: string; file: number; found: DecodedJournal }) {
    this.#at = at;
    const { ino, dev } = fs.fstatSync(at.file);
    this.#inode = ino;
    this.#device = dev;
    this.#size = found.validBytes + (found.needsNewline ? 1 : 0);
    this.#lastSeq = found.entries.length;
    this.#lastHash = found.lastHash;
  }

  // No await inside: two appends at once would otherwise get one sequence number.
  async append(event: RunEvent, atMs: number): Promise<Result<Entry, Failure>> {
    if (this.#end !== null) return failed(this.#end);
    const entry: Entry = { seq: this.#lastSeq + 1, atMs, session: this.#at.session, event };
    const line = encodeEntry({ entry, prev: this.#lastHash });
    const bytes = Buffer.from(line);
    const written =
      this.#whyNotOurs() ??
      attemptStorage({ doing: appending, path: this.#at.path }, () => writeFlushed(this.#at.file, bytes));
    if (!written.ok) {
      this.#end = written.failure;
      return written;
    }
    this.#size += bytes.length;
    this.#lastSeq = entry.seq;
    this.#lastHash = hashLine(line);
    return success(entry);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#end ??= {
      reason: "storage-failed",
      doing: appending,
      path: this.#at.path,
      code: "EBADF (it is closed)",
    };
    fs.closeSync(this.#at.file);
  }

  #whyNotOurs(): { ok: false; failure: Failure } | null {
    const { path, isOwner } = this.#at;
    if (!isOwner()) return notOurs(path, "another program has taken the run over, or its lock was removed");
    const named = unless(["ENOENT"], () => fs.lstatSync(path));
    if (named?.ino !== this.#inode || named.dev !== this.#device)
      return notOurs(path, "it was moved or replaced");
    if (named.size === this.#size) return null;
    return notOurs(path, `another program changed it: it has ${named.size} bytes, ${this.#size} were left`);
  }
}

function notOurs(path: string, detail: string): { ok: false; failure: Failure } {
  return failed({ reason: "journal-not-ours", path, detail });
}

function writeFlushed(file: number, bytes: Uint8Array): void {
  writeWhole(file, bytes);
  fs.fdatasyncSync(file);
}

const appending = "appending to the journal";

function journalPath(folder: string): string {
  return join(folder, folderNames.journal);
}
