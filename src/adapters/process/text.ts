// Output of children as text that is safe to show: no terminal sequences, no half characters, bounded.

import { StringDecoder } from "node:string_decoder";
import { stripVTControlCharacters } from "node:util";

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const hasControl = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

/** What a terminal would show of a line: no colours, no control characters, the last state of a progress bar. */
export function toVisibleLine(line: string): string {
  if (!hasControl.test(line)) return line; // as most lines: a flood of short ones stays cheap
  // Not by a pattern with `\r+$`, which takes quadratic time on a line of carriage returns.
  const shown =
    stripVTControlCharacters(line)
      .split("\r")
      .findLast((part) => part !== "") ?? "";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed here
  return shown.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "");
}

export interface LineSplitter {
  /** Calls back for each line that `chunk` ends; a line longer than the bound comes in parts. */
  take(chunk: Buffer): void;
  /** Hands over what came after the last newline. */
  end(): void;
}

export function splitLines(maxChars: number, onLine: (line: string) => void): LineSplitter {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  function takeText(text: string): void {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) handOver(line);
    while (rest.length > maxChars) {
      const part = cutHead(rest, maxChars);
      onLine(part);
      rest = rest.slice(part.length);
    }
  }
  function handOver(line: string): void {
    let left = line;
    while (left.length > maxChars) {
      const part = cutHead(left, maxChars);
      onLine(part);
      left = left.slice(part.length);
    }
    onLine(left);
  }
  return {
    take: (chunk) => takeText(decoder.write(chunk)),
    end: () => {
      takeText(decoder.end());
      if (rest !== "") handOver(rest);
      rest = "";
    },
  };
}

export interface Tail {
  add(line: string): void;
  text(): string;
}

/** Keeps the last `maxChars` characters of whole lines. */
export function keepTail(maxChars: number): Tail {
  let lines: string[] = [];
  let chars = 0;
  return {
    add: (line) => {
      lines.push(line);
      chars += line.length + 1;
      if (chars < 4 * maxChars) return; // trimmed now and then only: a flood of short lines stays cheap
      lines = [cutTail(lines.join("\n"), maxChars)];
      chars = maxChars;
    },
    text: () => cutTail(lines.join("\n"), maxChars),
  };
}

function cutHead(text: string, maxChars: number): string {
  return text.slice(0, isHighSurrogate(text.charCodeAt(maxChars - 1)) ? maxChars - 1 : maxChars);
}

function cutTail(text: string, maxChars: number): string {
  const start = Math.max(0, text.length - maxChars);
  return text.slice(start > 0 && isHighSurrogate(text.charCodeAt(start - 1)) ? start + 1 : start);
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
