// The tests of a source text: names, bodies, and how much they check. By patterns, not by parsers: what is not
// recognised as a test is still looked at line by line (tests.ts).

import type { Language } from "./language.ts";
import { firstMatches, group, withoutSpace } from "./lines.ts";
import type { Source } from "./source.ts";

/** One test as it is written; offsets are into the source. */
export interface TestCase {
  readonly name: string;
  readonly line: number;
  readonly start: number;
  /** Where the body begins: what is before it may change with the name. */
  readonly from: number;
  readonly end: number;
  /** The lines of the body without white space; equal bodies are the same test, wherever it went. */
  readonly body: readonly string[];
  /** Rows of a table of cases written at or in the test; 0: none. */
  readonly rows: number;
}

/** In the order of the source; a test inside another belongs to that one. */
export function findTests(source: Source): readonly TestCase[] {
  const found = finders[source.language](source).sort((left, right) => left.start - right.start);
  const outermost: Span[] = [];
  for (const span of found) {
    if (span.start >= (outermost.at(-1)?.end ?? 0)) outermost.push(span);
  }
  return outermost.map((span) => toTestCase(source, span));
}

type Span = Pick<TestCase, "name" | "start" | "from" | "end" | "rows">;

function toTestCase(source: Source, { name, start, from, end, rows }: Span): TestCase {
  const lines = source.text.slice(from, end).split("\n").map(withoutSpace);
  const body = lines.filter((line) => line !== "");
  return { name: toName(name), line: source.lineOf(start), start, from, end, body, rows };
}

/** The name alone: without what says that it is a test, and without quotes. */
function toName(written: string): string {
  const declared = /^(?:async\s+)?(?:def|func|function)\s+(?:\([^)]*\)\s*)?(\w+)/.exec(written);
  const stated = /^@?\w+\s{0,5}\(?\s{0,5}(["'])(.*?)\1/.exec(written);
  const name = group(declared ?? [], 1) + group(stated ?? [], 2);
  return (name === "" ? written.replace(/^(["'`])(.*)\1$/s, "$2") : name).slice(0, longestName);
}

type Finder = (source: Source) => Span[];

const none: Finder = () => [];

const finders: Readonly<Record<Language, Finder>> = {
  js: findCalls,
  python: (source) => findIndented(source, /^([ \t]*)(?:async[ \t]+)?def[ \t]+(test\w*)[ \t]*\(/gm),
  go: (source) =>
    findBraced(
      source,
      /^func[ \t]+(?:\([^)\n]{0,100}\)[ \t]*)?((?:Test|Fuzz|Example)(?![a-z])\w*)[ \t]*\(/gm,
    ),
  rust: (source) =>
    findAttributed(
      source,
      /(?:#\[should_panic\b[^\]\n]{0,200}\]\s{0,50})?#\[(?:\w{1,30}::){0,3}(?:test|rstest|test_case)\b[^\]\n]{0,200}\]/g,
      /\bfn[ \t]{1,5}(\w{1,200})/g,
    ),
  jvm: (source) =>
    findAttributed(
      source,
      /@(?:Test|ParameterizedTest|RepeatedTest|TestFactory|Property)\b/g,
      /[\w>\]][ \t]{1,5}(\w{1,200}|`[^`\n]{1,200}`)[ \t]{0,5}\(/g,
    ),
  csharp: (source) =>
    findAttributed(
      source,
      /\[(?:Fact|Theory|Test|TestCase|TestMethod|DataTestMethod)\b/g,
      /[\w>\]][ \t]{1,5}(\w{1,200})[ \t]{0,5}\(/g,
    ),
  php: (source) => [
    ...findBraced(source, /\bfunction[ \t]{1,5}(test\w{0,200})[ \t]{0,5}\(/g),
    ...findAttributed(source, /#\[Test\]/g, /\bfunction[ \t]{1,5}(\w{1,200})[ \t]{0,5}\(/g),
    ...findCalls(source),
  ],
  ruby: (source) =>
    findIndented(source, /^([ \t]*)(?:[xf]?(?:it|specify|scenario|example|test)\b|def[ \t]+test_\w+)(.*)/gm),
  shell: (source) => findBraced(source, /^(?:@test[ \t]+([^\n{]*)|(?:function[ \t]+)?(test\w*)[ \t]*\(\))/gm),
  c: (source) => [
    ...findBraced(source, /^TEST(?:_F|_P)?[ \t]*\(([^)\n]{1,200})/gm),
    ...findBraced(source, /\bfunc[ \t]{1,5}(test\w{0,200})[ \t]{0,5}\(/g),
  ],
  other: none,
  document: none,
  data: none,
};

const call =
  /(?<![\w$.>])(?:[xf]?(?:it|test|specify)|Deno\.test|(?:t|tap)\.test)((?:\s{0,20}\.\s{0,20}[A-Za-z]{1,30}){0,4})\s{0,20}[(\x60]/g;

/** `test("name", () => { … })`, also `test.each(table)("name", …)`. */
function findCalls(source: Source): Span[] {
  const spans: Span[] = [];
  for (const match of firstMatches(source.code, call)) {
    let open = match.index + match[0].length - 1;
    let rows = 0;
    if (/\.\s*(?:each|for|skipIf|runIf)$/.test(group(match, 1))) {
      const close = closeOfTable(source, open);
      rows = countRows(source, open, close);
      const gap = /^[\s`]{0,40}\(/.exec(source.code.slice(close + 1, close + 50));
      if (gap !== null) open = close + gap[0].length;
    }
    const end = source.closeOf(open);
    const head = source.code.slice(open, Math.min(end, open + longestHead));
    const from = head.includes(",") ? open + head.indexOf(",") : end;
    const name = source.text.slice(open + 1, from).trim();
    spans.push({ name, start: match.index, from, end, rows });
  }
  return spans;
}

const longestName = 300;

function closeOfTable(source: Source, open: number): number {
  return source.code[open] === "`" ? source.code.indexOf("`", open + 1) : source.closeOf(open);
}

/** Lines of the table; a table in one line, or one that is made elsewhere, counts as one row. */
function countRows(source: Source, open: number, close: number): number {
  return source.text
    .slice(open, close)
    .split("\n")
    .filter((line) => /[\w"'`]/.test(line)).length;
}

/** From the head to where the first brace behind it closes. */
function findBraced(source: Source, head: RegExp): Span[] {
  return firstMatches(source.code, head).flatMap((match) => {
    const name = source.text.slice(match.index, match.index + match[0].length).trim();
    return toBraced(source, { name, start: match.index, from: match.index + match[0].length });
  });
}

const longestHead = 600;

function toBraced(source: Source, at: { name: string; start: number; from: number }): Span[] {
  const before = source.code.slice(at.from, at.from + longestHead);
  const brace = before.indexOf("{");
  if (brace < 0) return [];
  const end = source.closeOf(at.from + brace);
  const rows = source.code.slice(at.start, end).match(rowPattern)?.length ?? 0;
  return [{ ...at, end, rows }];
}

/** A case of a table: a line of values, or an attribute with them. */
const rowPattern =
  /^[ \t]*\{[^{}\n]{1,300}\},[ \t]*$|\[(?:InlineData|DataRow|TestCase)\b|#\[(?:test_)?case\b/gm;

const longestDistance = 2_000;

/** An attribute, and the first declaration behind it. */
function findAttributed(source: Source, attribute: RegExp, declaration: RegExp): Span[] {
  const declared = [...source.code.matchAll(declaration)];
  const spans: Span[] = [];
  let next = 0;
  for (const match of firstMatches(source.code, attribute)) {
    while (Number(declared[next]?.index) < match.index) next += 1;
    const found = declared[next];
    if (found === undefined || found.index - match.index > longestDistance) continue;
    const from = found.index + found[0].length;
    spans.push(...toBraced(source, { name: group(found, 1), start: match.index, from }));
  }
  return spans;
}

/** From the head to the first line that is not further in; a closing `end` belongs to neither. */
function findIndented(source: Source, head: RegExp): Span[] {
  return firstMatches(source.code, head).map((match) => {
    const indent = group(match, 1).length;
    const start = match.index + indent;
    const lineEnd = source.code.indexOf("\n", start);
    const name = source.text.slice(start, lineEnd < 0 ? source.text.length : lineEnd).trim();
    const end = endOfIndented(source.code, match.index + match[0].length, indent);
    return { name, start, from: lineEnd < 0 ? end : lineEnd, end, rows: 0 };
  });
}

function endOfIndented(code: string, from: number, indent: number): number {
  let at = code.indexOf("\n", from);
  while (at >= 0) {
    const end = code.indexOf("\n", at + 1);
    const line = code.slice(at + 1, end < 0 ? code.length : end);
    const isBlank = line.trim() === "";
    // A head of several lines ends with `):` where it began.
    if (!isBlank && line.length - line.trimStart().length <= indent && !/^\s*\)/.test(line)) return at;
    at = end;
  }
  return code.length;
}
