// The lines of a journal (execution.log.jsonl), as text and back.
//
//   {"format":"execute-prd-journal","version":3,"viewVersion":2,"runId":…,"slug":…,"sum":…}
//   {"seq":1,"at":…,"session":…,"prev":…,"event":{"kind":…},"sum":…}
//
// `sum` is the last member of every line: the CRC-32 (8 hex digits) of the line's bytes before `,"sum":`. `prev`
// is the SHA-256 (hex) of the line before, without its newline. Every line ends with one "\n".
//
// I4: a kind of event that is not known is refused. I15: a torn last line is counted and left out; any other
// line that is not exactly as it was written is refused with its number.

import { hash as digest } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Entry, RunEvent } from "../core/event.ts";
import { isSlug, type RunId, type Slug } from "../core/ids.ts";
import { limits } from "../core/limits.ts";
import { assert, failed, type Result, success } from "../core/result.ts";
import { viewVersion } from "../core/view-version.ts";
import { isReadableVersion, journalVersion, migrateEvent } from "./migrations.ts";
import { toExcerpt } from "./problem.ts";
import { valueAt } from "./value-at.ts";

export interface JournalHeader {
  readonly runId: RunId;
  readonly slug: Slug;
  readonly version: number;
  readonly viewVersion: number;
}

export interface DecodedJournal {
  readonly header: JournalHeader;
  readonly entries: readonly Entry[];
  /** Of the last good line: what the next line's `prev` has to be. */
  readonly lastHash: string;
  /** Length of the good lines. */
  readonly validBytes: number;
  /** What stands behind them and has to be cut off before the next line is written. */
  readonly tornBytes: number;
  /** The last good line is whole but for its newline, which has to be written before the next line. */
  readonly needsNewline: boolean;
}

/** Why a journal is refused; `line` counts from 1. */
export interface JournalRefusal {
  readonly line: number;
  readonly detail: string;
}

// A record and no list, so that the types hold it to be exactly the kinds of RunEvent.
const kinds: Readonly<Record<RunEvent["kind"], true>> = {
  "run-created": true,
  "session-started": true,
  "ownership-taken": true,
  "journal-repaired": true,
  "foreign-commits-adopted": true,
  "stage-ended": true,
  "dispatch-started": true,
  "dispatch-ended": true,
  "checkout-doubted": true,
  "candidate-started": true,
  "candidate-made": true,
  "gate-started": true,
  "gate-ended": true,
  "gates-judged": true,
  "integration-started": true,
  "integration-ended": true,
  "attempt-ended": true,
  "question-asked": true,
  "question-answered": true,
  "task-retried": true,
  "task-skipped": true,
  "follow-ups-added": true,
  "memory-started": true,
  "memory-ended": true,
  "wait-started": true,
  "budget-warned": true,
  "pause-requested": true,
  "run-cancelled": true,
  told: true,
  "run-paused": true,
  "run-blocked": true,
  "run-failed": true,
  "run-completed": true,
  "base-compared": true,
  "plan-changed": true,
};

export const eventKinds: ReadonlySet<string> = new Set(Object.keys(kinds));

const format = "execute-prd-journal";
const newline = 0x0a;
const carriageReturn = 0x0d;
const sumStart = ',"sum":"';
const sumLength = `${sumStart}00000000"}`.length;
const recordStart = '{"seq":';
const maxLooks = 20;

/** The first line, with its newline. */
export function encodeHeader({ runId, slug }: { readonly runId: RunId; readonly slug: Slug }): string {
  return withSum({ format, version: journalVersion, viewVersion, runId, slug });
}

/** One line, with its newline. `prev` is the hash of the line before. */
export function encodeEntry({ entry, prev }: { readonly entry: Entry; readonly prev: string }): string {
  const { seq, atMs, session, event } = entry;
  const line = withSum({ seq, at: new Date(atMs).toISOString(), session, prev, event });
  assert(
    Buffer.byteLength(line) <= limits.journalLineBytes,
    "a journal line fits into limits.journalLineBytes",
  );
  return line;
}

/** The `prev` of the line after this one, which may end with its newline. */
export function hashLine(line: string): string {
  return hash(line.endsWith("\n") ? line.slice(0, -1) : line);
}

/** Reads a whole journal. What it returns was written by `encodeHeader` and `encodeEntry`, every byte of it. */
export function decodeJournal(bytes: Uint8Array): Result<DecodedJournal, JournalRefusal> {
  const lines = new Lines(bytes);
  const first = lines.next();
  if (first === null) return refuse(1, "the file is empty: it has no header line");
  const header = decodeHeader(first);
  if (!header.ok) return header;
  const entries: Entry[] = [];
  let last = first;
  let lastHash = hash(first.bytes);
  for (let line = lines.next(); line !== null; line = lines.next()) {
    if (line.isLast && isTorn(line)) {
      if (!hasWholeRecord(line.bytes)) break;
      return refuse(
        line.number,
        "a whole record stands in this line with something else: a line break was changed",
      );
    }
    const { version } = header.value;
    const entry = decodeEntry(line, { prev: lastHash, seq: entries.length + 1, version });
    if (!entry.ok) return entry;
    entries.push(entry.value);
    lastHash = hash(line.bytes);
    last = line;
  }
  return success({
    header: header.value,
    entries,
    lastHash,
    validBytes: last.end,
    tornBytes: bytes.length - last.end,
    needsNewline: !last.hasNewline,
  });
}

interface Line {
  /** From 1. */
  readonly number: number;
  /** Without the newline. */
  readonly bytes: Buffer;
  readonly hasNewline: boolean;
  /** Offset behind the line and its newline. */
  readonly end: number;
  readonly isLast: boolean;
}

class Lines {
  readonly #bytes: Buffer;
  #offset = 0;
  #number = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  next(): Line | null {
    const start = this.#offset;
    if (start >= this.#bytes.length) return null;
    const found = this.#bytes.indexOf(newline, start);
    const hasNewline = found !== -1;
    const stop = hasNewline ? found : this.#bytes.length;
    const end = hasNewline ? stop + 1 : stop;
    this.#offset = end;
    this.#number += 1;
    const isLast = end === this.#bytes.length;
    return { number: this.#number, bytes: this.#bytes.subarray(start, stop), hasNewline, end, isLast };
  }
}

/** A last line that its writing did not finish: its checksum says so. A converted line ending is no accident. */
function isTorn(line: Line): boolean {
  return sumProblem(line.bytes) !== null && !hasCarriageReturn(line);
}

/**
 * Whether a torn line begins or ends with a record that was written to its end. No crash leaves that (zeros apart,
 * where the line break was not yet on the disk), and leaving it out would lose what was acknowledged.
 */
function hasWholeRecord(torn: Buffer): boolean {
  const ends = offsetsOf(torn, sumStart).map((offset) => offset + sumLength);
  const isWhole = (from: number, to: number) => sumProblem(torn.subarray(from, to)) === null;
  if (ends.some((end) => isWhole(0, end) && !isZeros(torn.subarray(end)))) return true;
  return offsetsOf(torn, recordStart).some((start) => isWhole(start, torn.length));
}

/** The first places of `wanted`, as many as are worth a look. */
function offsetsOf(bytes: Buffer, wanted: string): readonly number[] {
  const offsets: number[] = [];
  let offset = bytes.indexOf(wanted);
  while (offset !== -1 && offsets.length < maxLooks) {
    offsets.push(offset);
    offset = bytes.indexOf(wanted, offset + 1);
  }
  return offsets;
}

function isZeros(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

function hasCarriageReturn({ bytes }: Line): boolean {
  return bytes.at(-1) === carriageReturn && sumProblem(bytes.subarray(0, -1)) === null;
}

/** null when the line is as it was written. */
function sumProblem(bytes: Buffer): string | null {
  const content = bytes.length - sumLength;
  const tail = bytes.toString("latin1", Math.max(0, content));
  const written = /^,"sum":"([0-9a-f]{8})"\}$/.exec(tail)?.[1];
  if (content < 1 || written === undefined) return 'the line does not end with its checksum ("sum")';
  const found = toSum(bytes.subarray(0, content));
  return found === written ? null : `the line has the checksum ${written}, but its text has ${found}`;
}

function decodeHeader(line: Line): Result<JournalHeader, JournalRefusal> {
  const raw = parse(line.bytes);
  const version = valueAt(raw, ["version"]);
  if (valueAt(raw, ["format"]) === format && !isReadableVersion(version)) {
    return refuse(
      1,
      `the journal has version ${toExcerpt(version)}; this program reads versions up to ${journalVersion}`,
    );
  }
  const problem = lineProblem(line);
  if (problem !== null && line.isLast && !line.hasNewline) {
    return refuse(
      1,
      "only the beginning of the header line was written: the run had not begun, nothing is in it",
    );
  }
  if (problem !== null) return refuse(1, problem);
  if (valueAt(raw, ["format"]) !== format) return refuse(1, "this is no journal of execute-prd");
  const [runId, slug, views] = ["runId", "slug", "viewVersion"].map((key) => valueAt(raw, [key]));
  const isWhole = typeof runId === "string" && typeof slug === "string" && isSlug(slug);
  if (!isWhole || typeof views !== "number" || !Number.isSafeInteger(views)) {
    return refuse(1, "the header line has no run id, slug or view version");
  }
  // isReadableVersion has looked at the version.
  return success({ runId: runId as RunId, slug, version: Number(version), viewVersion: views }); // its checksum says we wrote it
}

function decodeEntry(
  line: Line,
  wanted: { readonly prev: string; readonly seq: number; readonly version: number },
): Result<Entry, JournalRefusal> {
  const problem = lineProblem(line);
  if (problem !== null) return refuse(line.number, problem);
  const raw = parse(line.bytes);
  const [seq, at, session, prev, event] = memberNames.map((name) => valueAt(raw, [name]));
  if (seq !== wanted.seq) {
    return refuse(
      line.number,
      `sequence number ${wanted.seq} was expected, ${toExcerpt(seq) || "none"} is there`,
    );
  }
  if (prev !== wanted.prev) {
    return refuse(
      line.number,
      'the hash of the line before ("prev") does not fit: a line was changed, lost or moved',
    );
  }
  const migrated = migrateEvent(event, wanted.version);
  const kind = valueAt(migrated, ["kind"]);
  if (typeof kind !== "string" || !eventKinds.has(kind)) {
    return refuse(line.number, `the event kind ${toExcerpt(kind) || "none"} is not known to this version`);
  }
  const atMs = typeof at === "string" ? Date.parse(at) : Number.NaN;
  if (Number.isNaN(atMs) || typeof session !== "string")
    return refuse(line.number, "time or session is missing");
  return success({ seq: wanted.seq, atMs, session, event: migrated as RunEvent }); // checksum and chain: we wrote it
}

const memberNames = ["seq", "at", "session", "prev", "event"] as const;

/** What is wrong with a line as bytes; null when it is as it was written. */
function lineProblem(line: Line): string | null {
  const [first, second, third] = line.bytes;
  if (first === 0xef && second === 0xbb && third === 0xbf) {
    return "it starts with a byte order mark: an editor has changed the file";
  }
  if (hasCarriageReturn(line)) return "it ends with CR LF: an editor or git has changed the file";
  if (line.bytes.length > limits.journalLineBytes)
    return `it is longer than ${limits.journalLineBytes} bytes`;
  return sumProblem(line.bytes);
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

function withSum(content: object): string {
  const text = JSON.stringify(content).slice(0, -1);
  return `${text},"sum":"${toSum(text)}"}\n`;
}

function toSum(content: string | Uint8Array): string {
  return crc32(content).toString(16).padStart(8, "0");
}

function hash(line: string | Uint8Array): string {
  return digest("sha256", line, "hex");
}

function refuse(line: number, detail: string) {
  return failed({ line, detail });
}
