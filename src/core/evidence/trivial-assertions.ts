// Assertions that cannot fail: `expect(true).toBe(true)`, `assert True`, `assertEquals(x, x)`.

import { firstMatches, group, withoutSpace } from "./lines.ts";
import type { Source } from "./source.ts";

export interface TrivialAssertion {
  readonly line: number;
  /** As it is written, in one line. */
  readonly text: string;
}

export function findTrivialAssertions(source: Source): TrivialAssertion[] {
  const found = firstMatches(source.code, callPattern)
    .filter((match) => !isValue(source, match))
    .flatMap((match) => readCall(source, match));
  return source.language === "python" ? [...found, ...findStatements(source)] : found;
}

const callPattern =
  /(?<![\w$])(expect(?:_\w{1,40})?|(?:XCT)?assert\w{0,40}|ok|equal|deepEqual|strictEqual|deepStrictEqual|is)(!|\.\w{1,40}|->\w{1,40})?\s{0,5}\(|(?<![\w$])(?:\$this->|self\.)(assert\w{1,40})()\s{0,5}\(/gi;

/** `Ok(1)` in Rust, and the `ok(1)` that an assertion expects, are results and check nothing. */
function isValue({ code, language }: Source, match: RegExpExecArray): boolean {
  if (language === "rust") return group(match, 2) !== "!";
  const before = code.slice(Math.max(0, match.index - 50), match.index).trimEnd();
  return /^ok$/i.test(group(match, 1)) && /[(,[]$/.test(before);
}

const longestCall = 2_000;

function readCall(source: Source, match: RegExpExecArray): TrivialAssertion[] {
  const open = match.index + match[0].length - 1;
  const close = source.closeOf(open);
  if (close - open > longestCall) return [];
  const name = `${group(match, 1)}${group(match, 2)}${group(match, 3)}`;
  const args = splitArguments(source, open, close);
  const rest = source.text.slice(close + 1, close + longestCall);
  const isTrivial = /^expect$/i.test(name) ? isTrivialExpect(args, source, close) : isTrivialCall(name, args);
  const text = toOneLine(source.text.slice(match.index, close + 1) + firstChain(rest));
  return isTrivial ? [{ line: source.lineOf(match.index), text }] : [];
}

function toOneLine(text: string): string {
  return text.trim().replace(/\s+/g, " ");
}

function firstChain(rest: string): string {
  return rest.split(/[;\n]/, 1).join("").slice(0, 200);
}

/** By the commas that are in no brackets and no strings; without white space. */
function splitArguments(source: Source, open: number, close: number): string[] {
  const args: string[] = [];
  let from = open + 1;
  for (let at = from; at < close; at++) {
    const letter = source.code.charAt(at);
    if ("([{".includes(letter)) at = Math.min(source.closeOf(at), close);
    if (letter !== ",") continue;
    args.push(withoutSpace(source.text.slice(from, at)));
    from = at + 1;
  }
  args.push(withoutSpace(source.text.slice(from, close)));
  return args.filter((arg) => arg !== "");
}

const chain =
  /^(?:\s{0,100}\.\s{0,20}(?:to|be|resolves|rejects|and|have|been|deep)\b){0,10}(?:\s{0,100}\.\s{0,20}(\w{1,40})\s{0,5}(\(?)|\s{1,5}to\s{1,5}(eql?|be)\s{0,5}(\())/;

/** `expect(A).matcher(B)`: constant, or the same thing on both sides. */
function isTrivialExpect(args: readonly string[], source: Source, close: number): boolean {
  const [actual] = args;
  if (actual === undefined) return false;
  if (alwaysTrue.test(actual)) return true;
  const found = chain.exec(source.code.slice(close + 1, close + longestCall));
  if (found === null) return false;
  const matcher = group(found, 1) + group(found, 3);
  const open = close + found[0].length;
  const hasCall = group(found, 2) + group(found, 4) !== "";
  const expected = hasCall
    ? splitArguments(source, open, Math.min(source.closeOf(open), open + longestCall))
    : [];
  if (/^not/i.test(matcher)) return false;
  if (expected.length > 0) return expected[0] === actual;
  if (/falsy|false|undefined|null/i.test(matcher)) return /^(?:false|null|undefined|0)$/.test(actual);
  return literal.test(actual) && !/^(?:false|null|undefined|0)$/.test(actual);
}

const literal = /^(?:true|false|True|False|null|undefined|nil|None|\d{1,20}|"[^"]*"|'[^']*')$/;
const alwaysTrue = /\|\|true$|\|\|1$|or True$|orTrue$/;

function isTrivialCall(name: string, args: readonly string[]): boolean {
  const [first = "", second, third] = args;
  if (/not|ne\b|fail|throw|raises|false|null|nil|none|reject|differ/i.test(name)) return false;
  if (/eq|same|^is$|identical/i.test(name))
    return third !== undefined && first === "t" ? second === third : first === second;
  const condition = first === "t" && second !== undefined ? second : first;
  return alwaysTrue.test(condition) || (isTruthCheck(name) && isTrueLiteral(condition));
}

function isTruthCheck(name: string): boolean {
  return /^(?:assert|ok)!?$|\W(?:ok|true|isTrue|assert|truthy)$|true$/i.test(name);
}

function isTrueLiteral(condition: string): boolean {
  return /^(?:true|True|!0|!!1|!false|[1-9]\d{0,15})$/.test(condition) || /^["'].+["']$/.test(condition);
}

/** Python's statement: a true literal, a tuple with a message, the same on both sides, `or True`. */
function findStatements(source: Source): TrivialAssertion[] {
  return firstMatches(source.code, /^[ \t]*assert\b([^\n]{0,1000})/gm).flatMap((match) => {
    const start = match.index + match[0].length - group(match, 1).length;
    const written = source.text.slice(start, start + group(match, 1).length).trim();
    const text = toOneLine(`assert ${written}`);
    return isTrivialStatement(written) ? [{ line: source.lineOf(start), text }] : [];
  });
}

function isTrivialStatement(written: string): boolean {
  const [condition = ""] = written.split(/,(?=\s*f?["'])/, 1);
  const sides = condition.split(/==|\bis\b(?!\s+not)/).map(withoutSpace);
  const isTuple = /^\(.*,\s*f?["'].*["']\s*\)$/.test(written);
  const isSame = sides.length === 2 && sides[0] === sides[1];
  return isTuple || isSame || /\bor\s+True$/.test(condition.trim()) || isTrueLiteral(withoutSpace(condition));
}
