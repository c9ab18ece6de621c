// Texts of files for a model: read with a bound, and shown with line numbers in parts that fit an answer.

import { constants } from "node:fs";
import { limits } from "../../../core/limits.ts";
import { failed, type Result, success } from "../../../core/result.ts";
import { codeOf } from "../../process/output.ts";
import { openRegular, toProblem } from "./tool-path.ts";

/** The text of a regular file, its permissions and how many names it has; or why it cannot be had. */
export async function readText(
  path: string,
  shownAs: string,
): Promise<Result<{ text: string; mode: number; names: number }, string>> {
  const opened = await openRegular(path, constants.O_RDONLY);
  if (!opened.ok) return failed(toProblem(shownAs, opened.failure));
  const file = opened.value;
  try {
    const { size, mode, nlink } = await file.stat();
    if (size > limits.toolFileBytes)
      return failed(`"${shownAs}" is larger than ${limits.toolFileBytes} bytes`);
    const text = toText(await file.readFile());
    return text === null ? failed(`"${shownAs}" is no text`) : success({ text, mode, names: nlink });
  } catch (error) {
    return failed(toProblem(shownAs, codeOf(error)));
  } finally {
    await file.close();
  }
}

/** Head and tail of a text that is too long for an answer. */
export function toBoundedText(text: string, maxChars: number = limits.toolResultChars): string {
  if (text.length <= maxChars) return text;
  const half = Math.floor(maxChars / 2);
  const left = text.length - 2 * half;
  return toWholeCharacters(`${text.slice(0, half)}\n[… ${left} characters left out …]\n${text.slice(-half)}`);
}

/** Numbered lines from `from` (1 is the first), as many as are wanted and fit. */
export function toNumberedLines(text: string, wanted: { from: number; count: number }): string {
  if (text === "") return "(the file is empty)";
  const lines = text.endsWith("\n") ? text.slice(0, -1).split("\n") : text.split("\n");
  if (wanted.from > lines.length) return `(the file has only ${lines.length} lines)`;
  const shown: string[] = [];
  let chars = 0;
  for (const line of lines.slice(wanted.from - 1, wanted.from - 1 + wanted.count)) {
    const numbered = `${wanted.from + shown.length}\t${cutLine(line)}`;
    chars += numbered.length + 1;
    if (chars > limits.toolResultChars && shown.length > 0) break;
    shown.push(numbered);
  }
  const next = wanted.from + shown.length;
  if (next <= lines.length)
    shown.push(`[lines ${next} to ${lines.length} follow: read on from line ${next}]`);
  return shown.join("\n");
}

function cutLine(line: string): string {
  if (line.length <= limits.toolLineChars) return line;
  const left = line.length - limits.toolLineChars;
  return `${toWholeCharacters(line.slice(0, limits.toolLineChars))} [… ${left} more characters]`;
}

/** A service refuses halves of characters, which a cut leaves. */
function toWholeCharacters(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\uFFFD");
}

function toText(bytes: Buffer): string | null {
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
