// What is kept of a child's output when it prints secrets: nothing of them in the log, the tail or the live lines.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type OutputWanted, openOutput, type StreamName } from "../../../src/adapters/process/output.ts";
import { createRedaction } from "../../../src/adapters/redaction/redaction.ts";
import { makeFolder } from "./programs.ts";

const key = "f3b9-only-known-by-its-name";
const [first, second] = [key.slice(0, 11), key.slice(11)];
const redaction = createRedaction({ A_TOKEN: key });

type Chunk = readonly [StreamName, string];

async function keep(format: OutputWanted["format"], chunks: readonly Chunk[]) {
  const log = join(await makeFolder(), "output.log");
  const lines: string[] = [];
  const opened = openOutput({ log, format, onLine: (line) => lines.push(line), redaction });
  if (!opened.ok) throw new Error(opened.failure);
  for (const [stream, text] of chunks) opened.value.take(stream, Buffer.from(text));
  const summary = opened.value.end();
  const stored = await readFile(log);
  expect(summary.outputSha256).toBe(createHash("sha256").update(stored).digest("hex"));
  return { ...summary, stored: stored.toString(), lines };
}

const hard: readonly (readonly [string, readonly Chunk[]])[] = [
  ["in one piece", [["stdout", `a ${key} b\n`]]],
  [
    "in two pieces",
    [
      ["stdout", `a ${first}`],
      ["stdout", `${second} b\n`],
    ],
  ],
  ["byte by byte", [...key].map((char): Chunk => ["stderr", char])],
  [
    "with the other stream in between",
    [
      ["stdout", first],
      ["stderr", "noise\n"],
      ["stdout", `${second}\n`],
    ],
  ],
  [
    "half in one stream, half in the other",
    [
      ["stdout", first],
      ["stderr", second],
    ],
  ],
  [
    "half in one stream, half in the other, and more",
    [
      ["stderr", first],
      ["stdout", `${second}\n`],
      ["stderr", "x\n"],
    ],
  ],
  ["with a colour in the middle", [["stdout", `a ${first}\u001b[31m${second}\u001b[0m\n`]]],
  [
    "at the place where a long line is broken",
    [["stdout", `${"x".repeat(3_990)}${key}${"y".repeat(5_000)}`]],
  ],
];

describe("a secret is kept nowhere when it is printed", () => {
  test.each(hard)("%s", async (_how, chunks) => {
    const isOne = new Set(chunks.map(([stream]) => stream)).size === 1;
    for (const format of ["raw", "json lines"] as const) {
      const kept = await keep(format, chunks);
      for (const text of [
        kept.stored,
        kept.tail,
        kept.lines.join("\n"),
        ...(isOne ? [kept.lines.join("")] : []),
      ]) {
        expect(text).not.toContain(key);
      }
    }
  });
});

test("What is not secret is kept as it came, and its bytes are counted as they were printed.", async () => {
  const kept = await keep("raw", [
    ["stdout", "one\n"],
    ["stderr", `${key}\n`],
    ["stdout", first],
  ]);
  expect(kept.stored).toBe(`one\n[redacted A_TOKEN]\n${first}`);
  expect(kept.lines).toEqual(["one", "[redacted A_TOKEN]", first]);
  expect(kept.outputBytes).toBe(`one\n${key}\n${first}`.length);
});

test("A line is shown as soon as it ends.", async () => {
  const lines: string[] = [];
  const opened = openOutput({ log: null, format: "raw", onLine: (line) => lines.push(line), redaction });
  if (!opened.ok) throw new Error(opened.failure);
  opened.value.take("stdout", Buffer.from("waiting for file changes\n"));
  expect(lines).toEqual(["waiting for file changes"]);
});
