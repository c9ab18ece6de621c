// Lines of JSON out of a stream of bytes: whole, bounded, and without a word about those that are none.

import type { JsonObject } from "../../core/json.ts";

export interface JsonLines {
  take(chunk: Buffer): void;
  /** Hands over what came after the last newline. */
  end(): void;
  /** Lines that were no JSON object, or too long. */
  skipped(): number;
}

export function readJsonLines(maxBytes: number, onObject: (value: JsonObject) => void): JsonLines {
  let parts: Buffer[] = [];
  let bytes = 0;
  let skipped = 0;
  function add(part: Buffer): void {
    bytes += part.length;
    if (bytes <= maxBytes) parts.push(part);
    else parts = []; // its end is still looked for, and then it is skipped
  }
  function endLine(): void {
    const line = bytes > maxBytes ? null : Buffer.concat(parts).toString("utf8").trim();
    parts = [];
    bytes = 0;
    if (line === "") return;
    const value = line === null ? null : toObject(line);
    if (value === null) skipped += 1;
    else onObject(value);
  }
  return {
    take: (chunk) => {
      let from = 0;
      for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
        add(chunk.subarray(from, at));
        endLine();
        from = at + 1;
      }
      add(chunk.subarray(from));
    },
    end: endLine,
    skipped: () => skipped,
  };
}

const newline = 0x0a;

function toObject(line: string): JsonObject | null {
  if (!line.startsWith("{")) return null;
  try {
    const value: JsonObject = JSON.parse(line); // begins with a brace: parsed, it is an object
    return value;
  } catch {
    return null;
  }
}
