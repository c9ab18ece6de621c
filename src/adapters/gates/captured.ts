// What is kept of a gate's output while it runs, to look for a report of its tests afterwards. Bounded: output that
// is longer is counted by its closing lines only.

import { limits } from "../../core/limits.ts";
import type { StreamName } from "../process/output.ts";
import { toVisibleLine } from "../process/text.ts";
import { isClosingLine } from "./counts.ts";
import type { ReportText } from "./reports/read.ts";

export interface Captured {
  takeChunk(chunk: Buffer, stream: StreamName): void;
  takeLine(line: string, stream: StreamName): void;
  /** null: there was too much. */
  report(): ReportText | null;
  closingLines(): readonly string[];
}

const closingLinesKept = 1_000;

export function captureOutput(): Captured {
  const closing: string[] = [];
  const text = new BoundedText();
  const lines = new BoundedLines();
  const allLines = new BoundedLines();
  return {
    takeChunk: (chunk, stream) => {
      if (stream === "stdout") text.take(chunk);
    },
    takeLine: (line, stream) => {
      if (closing.length < closingLinesKept && isClosingLine(line)) closing.push(line);
      allLines.take(line);
      if (stream === "stdout") lines.take(line);
    },
    report: () => {
      if (text.isTooMuch || allLines.isTooMuch) return null;
      return { text: text.read(), lines: lines.read(), allLines: allLines.read() };
    },
    closingLines: () => closing,
  };
}

/** A report that was written to a file; null: it has too many lines. */
export function toReportText(bytes: Buffer): ReportText | null {
  const text = bytes.toString("utf8");
  const lines = new BoundedLines();
  for (let at = 0; at < text.length && !lines.isTooMuch; ) {
    const found = text.indexOf("\n", at);
    const end = found === -1 ? text.length : found;
    // What is longer than any name is part of no report that is made of lines.
    if (end > at) lines.take(toVisibleLine(text.slice(at, Math.min(end, at + limits.outputTailChars))));
    at = end + 1;
  }
  return lines.isTooMuch ? null : { text, lines: lines.read(), allLines: lines.read() };
}

class BoundedText {
  #chunks: Buffer[] = [];
  #bytes = 0;
  isTooMuch = false;

  take(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.isTooMuch ||= this.#bytes > limits.testReportBytes;
    if (this.isTooMuch) this.#chunks = [];
    else this.#chunks.push(chunk);
  }

  read(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }
}

class BoundedLines {
  #lines: string[] = [];
  #chars = 0;
  isTooMuch = false;

  take(line: string): void {
    if (line.trim() === "" || this.isTooMuch) return;
    this.#chars += line.length;
    this.isTooMuch = this.#chars > limits.testReportBytes || this.#lines.length >= limits.testReportLines;
    if (this.isTooMuch) this.#lines = [];
    else this.#lines.push(line);
  }

  read(): readonly string[] {
    return this.#lines;
  }
}
