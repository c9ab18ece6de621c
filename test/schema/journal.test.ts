// The journal's lines: what was written is read back exactly; what was damaged is refused with its line, and only
// a torn end is left out.
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Entry, RunEvent } from "../../src/core/event.ts";
import type { RunId, Slug } from "../../src/core/ids.ts";
import { viewVersion } from "../../src/core/view-version.ts";
import {
  type DecodedJournal,
  decodeJournal,
  encodeEntry,
  encodeHeader,
  eventKinds,
  hashLine,
} from "../../src/schema/journal.ts";

const header = { runId: "20261121T112413Z-3fa9c1" as RunId, slug: "feature-x" as Slug }; // by their form they are

const told = (text: string): RunEvent => ({ kind: "told", text });
const texts = ["one", 'ünï "😀"\n,"sum":"00000000"}', "three", "", "five", "x".repeat(300)];
const journal = write(texts.map(told));
const whole = decode(journal);

describe("a line", () => {
  test("of the header has format, version, view version, run and slug", () => {
    const text = '{"format":"execute-prd-journal","version":3,"viewVersion":7,"runId":"r","slug":"s"';
    const line = encodeHeader({ runId: "r" as RunId, slug: "s" as Slug });
    expect(line).toBe(`${text},"sum":"${crc32(text).toString(16).padStart(8, "0")}"}\n`);
  });

  test("of an entry has number, time, session, the hash of the line before, the event and a checksum", () => {
    const entry: Entry = { seq: 7, atMs: 1_767_225_600_001, session: "s1", event: told("a\nb") };
    const prev = "0".repeat(64);
    const text = `{"seq":7,"at":"2026-01-01T00:00:00.001Z","session":"s1","prev":"${prev}","event":{"kind":"told","text":"a\\nb"}`;
    const line = encodeEntry({ entry, prev });
    expect(line).toBe(`${text},"sum":"${crc32(text).toString(16).padStart(8, "0")}"}\n`);
    expect(hashLine(line)).toBe(createHash("sha256").update(line.trimEnd()).digest("hex"));
    expect(hashLine(line.trimEnd())).toBe(hashLine(line));
  });
});

describe("a whole journal", () => {
  test("is read back entry by entry", () => {
    expect(whole.header).toEqual({ ...header, version: 3, viewVersion });
    expect(whole.entries).toEqual(texts.map((text, index) => toEntry(told(text), index)));
    expect(whole).toMatchObject({ validBytes: journal.length, tornBytes: 0, needsNewline: false });
  });

  test("says the hash that the next line needs", () => {
    const next = encodeEntry({ entry: toEntry(told("next"), texts.length), prev: whole.lastHash });
    expect(decode(Buffer.concat([journal, Buffer.from(next)])).entries).toHaveLength(texts.length + 1);
  });

  test("may consist of its header", () => {
    const bytes = write([]);
    expect(decode(bytes)).toMatchObject({
      entries: [],
      lastHash: hashLine(encodeHeader(header)),
      tornBytes: 0,
    });
  });

  test("is read back whatever its events say", () => {
    const event = fc.record({
      kind: fc.constantFrom(...eventKinds),
      data: fc.jsonValue(),
      text: fc.string(),
    });
    const entries = fc.array(
      fc.tuple(event, fc.integer({ min: -1, max: 8.64e15 }), fc.string({ unit: "binary" })),
    );
    fc.assert(
      fc.property(entries, (written) => {
        const asWritten = written.map(([data, atMs, session], index) => {
          const entry = { seq: index + 1, atMs, session, event: data as unknown as RunEvent };
          return JSON.parse(JSON.stringify(entry)) as Entry; // -0 becomes 0, as in every JSON
        });
        expect(decode(encode(asWritten)).entries).toEqual(asWritten);
      }),
    );
  });

  test("of 50,000 lines is read whole", () => {
    const bytes = write(Array.from({ length: 50_000 }, (_, index) => told(`${index} ${"x".repeat(300)}`)));
    expect(decode(bytes).entries).toHaveLength(50_000);
  });
});

describe("a torn end", () => {
  const starts = lineStarts(journal);

  test("is left out wherever the last three records are cut", () => {
    const from = starts.at(-4) ?? 0; // the last start is the end of the file
    for (let length = from; length < journal.length; length += 1) {
      const decoded = decode(journal.subarray(0, length));
      // A record that lacks only its newline is whole.
      const good = starts.filter((start) => start <= length + 1).length - 2;
      const isWhole = starts.includes(length + 1);
      const validBytes = isWhole ? length : (starts.findLast((start) => start <= length) ?? 0);
      expect(decoded.entries).toEqual(whole.entries.slice(0, good));
      expect(decoded).toMatchObject({ validBytes, tornBytes: length - validBytes, needsNewline: isWhole });
    }
  });

  const nextLine = Buffer.from(
    encodeEntry({ entry: toEntry(told("next"), texts.length), prev: whole.lastHash }),
  );

  test.each([
    ["zeros", Buffer.alloc(4_096)],
    ["a last record whose line break is zeros", Buffer.concat([nextLine.subarray(0, -1), Buffer.alloc(50)])],
    ["half a character", Buffer.from([0xf0, 0x9f])],
    ["a zeroed line with its newline", Buffer.concat([Buffer.alloc(100), Buffer.from("\n")])],
    ["the start of a record", Buffer.from('{"seq":7,"at":"2026')],
    ["an empty line", Buffer.from("\n")],
    ["a record without checksum", Buffer.from('{"seq":7}\n')],
  ])("of %s is counted and left out", (_what, tail) => {
    const decoded = decode(Buffer.concat([journal, tail]));
    expect(decoded.entries).toEqual(whole.entries);
    expect(decoded).toMatchObject({
      validBytes: journal.length,
      tornBytes: tail.length,
      lastHash: whole.lastHash,
    });
  });

  test("after cutting and writing on gives a journal that is whole again", () => {
    const { validBytes, lastHash, entries } = decode(Buffer.concat([journal, Buffer.from('{"seq":7,"a')]));
    const line = encodeEntry({ entry: toEntry(told("again"), entries.length), prev: lastHash });
    const repaired = Buffer.concat([journal.subarray(0, validBytes), Buffer.from(line)]);
    expect(decode(repaired)).toMatchObject({ tornBytes: 0, entries: { length: texts.length + 1 } });
  });
});

describe("refused, with its line", () => {
  const lines = journal.toString().split("\n").slice(0, -1);
  const joined = (list: readonly string[]) => `${list.join("\n")}\n`;
  const swapped = [lines[0], lines[2], lines[1], ...lines.slice(3)].map(String);
  const headerOf = (fields: object) => {
    const text = JSON.stringify({
      format: "execute-prd-journal",
      version: 1,
      viewVersion: 1,
      ...header,
      ...fields,
    });
    return sealed(text);
  };
  const entryOf = (fields: object) =>
    sealed(
      JSON.stringify({
        seq: 1,
        at: "2026-01-01T00:00:00.000Z",
        session: "s",
        prev: hashLine(lines[0] ?? ""),
        ...fields,
      }),
    );
  const withEntry = (fields: object) => joined([lines[0] ?? "", entryOf(fields)]);

  test.each<[string, string | Uint8Array, number, RegExp]>([
    ["an empty file", "", 1, /empty/],
    ["a header cut short", (lines[0] ?? "").slice(0, 50), 1, /beginning of the header/],
    ["zeros only", Buffer.alloc(100), 1, /beginning of the header/],
    ["another file", '{"a":1}\n', 1, /checksum/],
    ["another format", joined([sealed('{"format":"x","version":1}')]), 1, /no journal/],
    [
      "a newer version",
      joined([headerOf({ version: 4 }), "whatever comes"]),
      1,
      /version 4; this program reads versions up to 3/,
    ],
    ["a version of another type", joined([headerOf({ version: "1" })]), 1, /version "1"/],
    ["a header without slug", joined([headerOf({ slug: "../x" })]), 1, /no run id, slug/],
    ["a byte order mark", `\uFEFF${journal}`, 1, /byte order mark/],
    ["line ends CR LF", journal.toString().replaceAll("\n", "\r\n"), 1, /CR LF/],
    ["one CR LF in the middle", joined(lines.with(3, `${lines[3]}\r`)), 4, /CR LF/],
    ["one CR LF at the end", joined(lines.with(6, `${lines[6]}\r`)), 7, /CR LF/],
    ["the last record twice", joined([...lines, lines.at(-1) ?? ""]), 8, /sequence number 7 was expected, 6/],
    [
      "a middle record twice",
      joined(lines.toSpliced(3, 0, lines[3] ?? "")),
      5,
      /sequence number 4 was expected, 3/,
    ],
    ["a missing record", joined(lines.toSpliced(3, 1)), 4, /sequence number 3 was expected, 4/],
    ["swapped records", joined(swapped), 2, /sequence number 1 was expected, 2/],
    ["an empty line in the middle", joined(lines.toSpliced(3, 0, "")), 4, /does not end with its checksum/],
    ["two lines glued together", joined(lines.toSpliced(2, 2, `${lines[2]}${lines[3]}`)), 3, /checksum/],
    [
      "a bad line before the last",
      joined([...lines, "{}", lines.at(-1) ?? ""]),
      8,
      /does not end with its checksum/,
    ],
    ["a torn line that was written over", joined([...lines, `{"seq":7${lines[1]}`, "{}"]), 8, /checksum/],
    [
      "the last two lines glued together",
      joined(lines.toSpliced(5, 2, `${lines[5]} ${lines[6]}`)),
      6,
      /line break/,
    ],
    [
      "a torn line that a record was written behind",
      joined([...lines.slice(0, -1), `{"seq":6,"at${lines[6]}`]),
      7,
      /line break/,
    ],
    ["zeros in the middle", joined(lines.with(3, "\0".repeat(50))), 4, /does not end with its checksum/],
    ["another header", joined(lines.with(0, headerOf({ runId: "other" }))), 2, /hash of the line before/],
    [
      "an unknown kind",
      withEntry({ event: { kind: "task-teleported" } }),
      2,
      /kind "task-teleported" is not known/,
    ],
    ["a kind of Object", withEntry({ event: { kind: "constructor" } }), 2, /not known/],
    ["no event", withEntry({}), 2, /kind none/],
    ["no time", withEntry({ at: "soon", event: told("x") }), 2, /time or session/],
    ["no session", withEntry({ session: 5, event: told("x") }), 2, /time or session/],
    ["seq as a text", withEntry({ seq: "1", event: told("x") }), 2, /sequence number 1 was expected, "1"/],
  ])("%s", (_what, text, line, detail) => {
    const bytes = typeof text === "string" ? Buffer.from(text) : text;
    expect(decodeJournal(bytes)).toEqual({
      ok: false,
      failure: { line, detail: expect.stringMatching(detail) },
    });
  });

  test("a record changed with a fitting checksum breaks the chain at the next line", () => {
    const changed = (lines[3] ?? "").replace("three", "drei!").replace(/,"sum":"[0-9a-f]{8}"\}$/, "}");
    const bytes = Buffer.from(joined(lines.with(3, sealed(changed))));
    expect(decodeJournal(bytes)).toMatchObject({
      ok: false,
      failure: { line: 5, detail: /hash of the line before/ },
    });
  });
});

test("no flipped bit is ever accepted: it is refused, or the last record with it is left out", () => {
  const lastStart = lineStarts(journal).at(-2) ?? 0;
  for (let offset = 0; offset < journal.length; offset += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      const bytes = Buffer.from(journal);
      bytes[offset] = (bytes[offset] ?? 0) ^ (1 << bit);
      const result = decodeJournal(bytes);
      if (!result.ok) continue;
      expect(offset).toBeGreaterThanOrEqual(lastStart);
      expect(result.value.entries).toEqual(whole.entries.slice(0, -1));
      expect(result.value.tornBytes).toBe(journal.length - lastStart);
    }
  }
});

test("any bytes are a journal or refused, never an exception", () => {
  const edit = fc.record({
    at: fc.nat(journal.length),
    drop: fc.nat(50),
    put: fc.uint8Array({ maxLength: 50 }),
  });
  fc.assert(
    fc.property(edit, ({ at, drop, put }) => {
      const bytes = Buffer.concat([journal.subarray(0, at), put, journal.subarray(at + drop)]);
      const result = decodeJournal(bytes);
      const entries = result.ok ? result.value.entries : [];
      expect(entries).toEqual(whole.entries.slice(0, entries.length));
      expect(result.ok || result.failure.line > 0).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

function toEntry(event: RunEvent, index: number): Entry {
  return { seq: index + 1, atMs: 1_767_225_600_000 + index, session: "s1", event };
}

function write(events: readonly RunEvent[]): Buffer {
  return encode(events.map(toEntry));
}

function encode(entries: readonly Entry[]): Buffer {
  let prev = hashLine(encodeHeader(header));
  const lines = entries.map((entry) => {
    const line = encodeEntry({ entry, prev });
    prev = hashLine(line);
    return line;
  });
  return Buffer.from(encodeHeader(header) + lines.join(""));
}

function sealed(json: string): string {
  const text = json.slice(0, -1);
  return `${text},"sum":"${crc32(text).toString(16).padStart(8, "0")}"}`;
}

function decode(bytes: Uint8Array): DecodedJournal {
  const result = decodeJournal(bytes);
  if (!result.ok) throw new Error(`line ${result.failure.line}: ${result.failure.detail}`);
  return result.value;
}

/** Offsets of the lines, and the end. */
function lineStarts(bytes: Buffer): readonly number[] {
  return [0, ...[...bytes.keys()].filter((offset) => bytes[offset] === 0x0a).map((offset) => offset + 1)];
}
