// Everything a child writes: a bounded log on disk with its hash, a bounded tail, and whole lines for live views.

import { createHash } from "node:crypto";
import { closeSync, constants, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { limits } from "../../core/limits.ts";
import { failed, type Result, success } from "../../core/result.ts";
import type { ByteStream, Redaction } from "../redaction/redaction.ts";
import { keepTail, splitLines, toVisibleLine } from "./text.ts";

export type StreamName = "stdout" | "stderr";

export interface OutputSummary {
  readonly tail: string;
  /** All bytes that were written, also those beyond the bound. */
  readonly outputBytes: number;
  /** Bytes that are not in the log. */
  readonly droppedBytes: number;
  /** SHA-256 (hex) of the log as stored. */
  readonly outputSha256: string;
}

export interface Output {
  take(stream: StreamName, chunk: Buffer): void;
  end(): OutputSummary;
}

export interface OutputWanted {
  /** Absolute path; null: nothing is stored. */
  readonly log: string | null;
  /** `raw`: the bytes as they came; `json lines`: `{ atMs, stream, text }` for each line. */
  readonly format: "raw" | "json lines";
  /** Gets each line as a terminal would show it. */
  readonly onLine: (line: string, stream: StreamName) => void;
  /** Takes secrets out before anything is stored, cut or shown; null: nothing is taken out. */
  readonly redaction?: Redaction | null;
}

/** Fails with the error's code when the log cannot be made. */
export function openOutput(wanted: OutputWanted): Result<Output, string> {
  const opened = openLog(wanted.log);
  if (!opened.ok) return opened;
  const log = opened.value;
  const tail = keepTail(limits.outputTailChars);
  const cleaners = openCleaners(wanted.redaction ?? null);
  let outputBytes = 0;
  function takeLine(stream: StreamName, line: string): void {
    if (wanted.format === "json lines" && !log.drop(line)) log.add(toRecord(stream, line));
    const visible = cleaners.line(line);
    tail.add(visible);
    wanted.onLine(visible, stream);
  }
  const splitters = {
    stdout: splitLines(limits.outputTailChars, (line) => takeLine("stdout", line)),
    stderr: splitLines(limits.outputTailChars, (line) => takeLine("stderr", line)),
  };
  function takeClean(stream: StreamName, chunk: Buffer): void {
    if (wanted.format === "raw") log.addPart(chunk);
    splitters[stream].take(chunk);
  }
  return success({
    take: (stream, chunk) => {
      outputBytes += chunk.length;
      takeClean(stream, cleaners[stream].take(chunk));
    },
    end: () => {
      for (const stream of ["stdout", "stderr"] as const) {
        takeClean(stream, cleaners[stream].end());
        splitters[stream].end();
      }
      const stored = log.close((dropped) => toClosingLine(wanted.format, dropped));
      return { tail: tail.text(), outputBytes, ...stored };
    },
  });
}

/**
 * Each stream by itself, so that a piece of the other one between two halves hides nothing. Halves in two streams do
 * not meet in the log either: the first one is held back until its own stream goes on.
 */
function openCleaners(redaction: Redaction | null) {
  const open = (): ByteStream => redaction?.stream() ?? unchanged;
  return {
    stdout: open(),
    stderr: open(),
    /** Again, because what a terminal does not show may have stood in the middle of a secret. */
    line: (line: string): string => {
      const visible = toVisibleLine(line);
      return visible === line ? line : (redaction?.text(visible) ?? visible);
    },
  };
}

const unchanged: ByteStream = { take: (chunk) => chunk, end: () => Buffer.alloc(0) };

interface Log {
  /** Stores as much as there is room for. */
  addPart(bytes: Buffer): void;
  /** Stores all or nothing. */
  add(bytes: Buffer): void;
  /** Whether the log is full, so that the line need not be made ready for it: most of what a flood costs. */
  drop(line: string): boolean;
  close(toLastLine: (droppedBytes: number) => Buffer): { droppedBytes: number; outputSha256: string };
}

function openLog(path: string | null): Result<Log, string> {
  if (path === null) return success(toLog(null));
  try {
    mkdirSync(dirname(path), { recursive: true });
    // A link at this place could only be somebody else's: never written through.
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | (constants.O_NOFOLLOW ?? 0);
    return success(toLog(openSync(path, flags, 0o600)));
  } catch (error) {
    return failed(codeOf(error));
  }
}

// Written synchronously: a child that floods us is slowed down by its full pipe, and nothing piles up in memory.
function toLog(file: number | null): Log {
  const hash = createHash("sha256");
  let room: number = limits.outputBytes;
  let droppedBytes = 0;
  let isBroken = false;
  function store(bytes: Buffer): void {
    const written = file === null ? bytes.length : writeAll(file, bytes);
    hash.update(bytes.subarray(0, written));
    room -= written;
    droppedBytes += bytes.length - written;
    isBroken ||= written < bytes.length;
  }
  return {
    addPart: (bytes) => {
      const fits = isBroken ? 0 : Math.min(room, bytes.length);
      droppedBytes += bytes.length - fits;
      if (fits > 0) store(bytes.subarray(0, fits));
    },
    add: (bytes) => {
      if (isBroken || droppedBytes > 0 || bytes.length > room) droppedBytes += bytes.length;
      else store(bytes);
    },
    drop: (line) => {
      if (!isBroken && droppedBytes === 0) return false;
      droppedBytes += line.length + 1;
      return true;
    },
    close: (toLastLine) => {
      const dropped = droppedBytes;
      if (dropped > 0) store(toLastLine(dropped));
      if (file !== null) closeSync(file);
      return { droppedBytes: dropped, outputSha256: hash.digest("hex") };
    },
  };
}

/** How many bytes could be written: fewer than all on a full disk, which the journal will meet and tell. */
function writeAll(file: number, bytes: Buffer): number {
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(file, bytes, written);
  } catch {
    return written;
  }
  return written;
}

function toRecord(stream: StreamName | "execute-prd", text: string): Buffer {
  return Buffer.from(`${JSON.stringify({ atMs: Date.now(), stream, text })}\n`);
}

function toClosingLine(format: OutputWanted["format"], dropped: number): Buffer {
  const text = `[execute-prd: ${dropped} more bytes of output were not kept]`;
  return format === "raw" ? Buffer.from(`\n${text}\n`) : toRecord("execute-prd", text);
}

/** The system's name of an error (`ENOSPC`), or its message. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}
