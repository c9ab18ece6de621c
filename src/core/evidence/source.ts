// A source text with its comments and the contents of its strings blanked out, place by place, so that a rule about
// code is not fooled by words. A tolerant reader: a string that is not closed ends with its line, and everything is
// linear, because the text may be made to be hard to read.

import type { Language } from "./language.ts";
import { lineFinder, toPlainText } from "./lines.ts";

export interface Source {
  readonly language: Language;
  readonly text: string;
  /** As long as the text: comments and string contents are blanks. */
  readonly code: string;
  /** As long as the text: everything but comments is blank. Of documents and data: the whole text. */
  readonly comments: string;
  lineOf(offset: number): number;
  /** Where the bracket that opens here closes; the text's end when it does not. */
  closeOf(offset: number): number;
}

export function readSource(raw: string, language: Language): Source {
  const text = toPlainText(raw);
  const masked = mask(text, language);
  const closes = matchBrackets(masked.code);
  return {
    language,
    text,
    ...masked,
    lineOf: lineFinder(text),
    closeOf: (offset) => closes[offset] || text.length,
  };
}

/** The text from an offset to the end of its line, and the line behind that; both bounded. */
export function linesFrom(source: Source, offset: number): readonly [string, string] {
  const [rest = "", next = ""] = source.text.slice(offset, offset + longestLook).split("\n", 2);
  return [rest.trim(), next.trim()];
}

const longestLook = 500;

// First alternatives, in parentheses: comments. No pattern can match one text in two ways, and none is repeated
// within a repetition without a bound.
const slashes = String.raw`\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)`;
const hash = String.raw`(?<![^\s;(])#(?!\[)[^\n]*`;
const double = String.raw`"[^"\\\n]*(?:\\[\s\S][^"\\\n]*)*"?`;
const single = String.raw`'[^'\\\n]*(?:\\[\s\S][^'\\\n]*)*'?`;
const backtick = String.raw`\x60[^\x60\\]*(?:\\[\s\S][^\x60\\]*)*\x60?`;
const triple = String.raw`"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)`;
const letter = String.raw`'(?:[^'\\\n]|\\[^\n']{1,10})'`;
const manyLines = String.raw`"[^"\\]*(?:\\[\s\S][^"\\]*)*"?`;
const raw = String.raw`\br(#{1,3})"[\s\S]*?(?:"\2|$)`;
const expression = String.raw`(?<=(?:^|[(,=:[!&|?{};>+]|\breturn)[ \t\n]{0,20})\/(?![*/])(?:[^/\\[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n]){0,200}\]){1,300}\/`;

const tokens: Readonly<Record<Language, RegExp | null>> = {
  js: new RegExp(`(${slashes})|${double}|${single}|${backtick}|${expression}`, "g"),
  python: new RegExp(`(#[^\\n]*)|${triple}|${double}|${single}`, "g"),
  go: new RegExp(`(${slashes})|${double}|\`[^\`]*\`?|${letter}`, "g"),
  rust: new RegExp(`(${slashes})|${raw}|${manyLines}|${letter}`, "g"),
  jvm: new RegExp(`(${slashes})|${triple}|${double}|${letter}`, "g"),
  csharp: new RegExp(`(${slashes})|${triple}|${double}|${letter}`, "g"),
  php: new RegExp(`(${slashes}|${hash})|${double}|${single}`, "g"),
  ruby: new RegExp(`(${hash})|${double}|${single}`, "g"),
  shell: new RegExp(`(${hash})|${double}|${single}`, "g"),
  c: new RegExp(`(${slashes})|${double}|${letter}`, "g"),
  other: null,
  document: null,
  data: null,
};

function mask(text: string, language: Language): { code: string; comments: string } {
  const pattern = tokens[language];
  if (pattern === null) return { code: text, comments: text };
  const code: string[] = [];
  const comments: string[] = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    const [token] = match;
    const isComment = match[1] !== undefined;
    const between = text.slice(from, match.index);
    code.push(between, isComment ? blank(token) : token.replace(/[^\n"'`]/g, " "));
    comments.push(blank(between), isComment ? token : blank(token));
    from = match.index + token.length;
  }
  code.push(text.slice(from));
  comments.push(blank(text.slice(from)));
  return { code: code.join(""), comments: comments.join("") };
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}

/** For each opening bracket where it closes; 0 where there is none. Kinds are not told apart. */
function matchBrackets(code: string): Int32Array {
  const closes = new Int32Array(code.length);
  const open: number[] = [];
  for (const match of code.matchAll(/[([{}\])]/g)) {
    if ("([{".includes(match[0])) {
      open.push(match.index);
      continue;
    }
    const start = open.pop();
    if (start !== undefined) closes[start] = match.index;
  }
  return closes;
}
