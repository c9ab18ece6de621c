// Bytes or text to a JSON value, or the place where it stops being JSON. Does not read the runtime's own error
// messages, which differ between versions: when parsing fails, `findJsonError` looks for the place itself.

import { limits } from "../core/limits.ts";
import { failed, type Result, success } from "../core/result.ts";
import { findJsonError, findTooDeep } from "./json-error.ts";
import { type InputProblem, toExcerpt } from "./problem.ts";

export interface JsonSource {
  readonly text: string | Uint8Array;
  readonly file: string;
}

const excerptOfText = 40;

/** A byte order mark is tolerated; anything that is not UTF-8, too long or nested too deeply is not. */
export function decodeJson(source: JsonSource, maxBytes: number): Result<unknown, InputProblem> {
  const text = decodeText(source, maxBytes);
  if (!text.ok) return text;
  const tooDeep = findTooDeep(text.value, limits.jsonDepth);
  if (tooDeep !== null) {
    return failed({
      ...problemAt({ file: source.file, text: text.value, offset: tooDeep }),
      expected: `at most ${limits.jsonDepth} objects and lists inside one another`,
      hint: "",
    });
  }
  try {
    return success(JSON.parse(text.value));
  } catch (cause) {
    const error = findJsonError(text.value);
    // A text that the grammar allows and the parser refuses: nothing but its length could be the reason.
    if (error === null) return failed(toProblem(source.file, "readable JSON", String(cause)));
    const place = problemAt({ file: source.file, text: text.value, offset: error.offset });
    return failed({ ...place, expected: error.expected, hint: error.hint });
  }
}

/** UTF-8, without its byte order mark. */
export function decodeText({ text, file }: JsonSource, maxBytes: number): Result<string, InputProblem> {
  const bytes = typeof text === "string" ? Buffer.byteLength(text) : text.length;
  if (bytes > maxBytes) {
    const found = `it has ${bytes} bytes`;
    return failed(toProblem(file, `at most ${maxBytes} bytes (${toMebibytes(maxBytes)})`, found));
  }
  if (typeof text === "string") return success(text.replace(/^\uFEFF/, ""));
  const decoded = decodeUtf8(text);
  if (decoded === null) return failed(toProblem(file, "text in UTF-8", utf16Hint(text)));
  return success(decoded);
}

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function utf16Hint(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  return isUtf16 ? "it is UTF-16: save it as UTF-8" : "it has bytes that are no UTF-8: is it the right file?";
}

function toMebibytes(bytes: number): string {
  return `${Math.round((bytes / 1024 / 1024) * 100) / 100} MiB`;
}

function toProblem(file: string, expected: string, hint: string): InputProblem {
  return { file, path: "", value: "", expected, hint };
}

function problemAt(at: { file: string; text: string; offset: number }) {
  const before = at.text.slice(0, at.offset);
  const line = before.split("\n").length;
  const column = at.offset - before.lastIndexOf("\n");
  const rest = at.text.slice(at.offset, at.offset + excerptOfText).replace(/[\r\n].*$/s, "");
  const value = rest === "" ? "" : toExcerpt(rest);
  return { file: at.file, path: `line ${line}, column ${column}`, value };
}
