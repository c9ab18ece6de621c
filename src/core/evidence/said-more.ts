// Whether a changed test still says all that it said, and only more: such a change needs no reason, also where the
// base's version of the test cannot be tried. Written for Rust, which has its tests beside the code.

import { group } from "./lines.ts";
import type { PlacedTest } from "./test-matching.ts";

/** Formatting and comments make no difference; what is new are assertions, values for them, rows and messages. */
export function saysMore(before: PlacedTest, after: PlacedTest): boolean {
  const old = statementsOf(before);
  const words = new Set(old.join("").split(/\W+/));
  let met = 0;
  for (const statement of statementsOf(after)) {
    const next = old[met];
    if (next !== undefined && (next === statement || isExtended(next, statement, old))) met += 1;
    else if (!isNewCheck(statement, words)) return false;
  }
  return met === old.length;
}

function isNewCheck(statement: string, words: ReadonlySet<string>): boolean {
  if (/\b(?:return|exit|abort|unsafe)\b/.test(statement)) return false;
  if (assertion.test(statement)) return statement.endsWith(");");
  const value = /^let (?:mut )?(\w+)\b[^{}]*;$/.exec(statement);
  return value !== null && !words.has(group(value, 1));
}

const assertion = /^(?:debug_)?assert\w*!\(/;
const text = String.raw`"(?:[^"\\]|\\[\s\S])*`;
const rows = new RegExp(String.raw`^,?(?:\((?:[^()"]|${text}")*\),?)+$`);
const message = new RegExp(String.raw`^,${text}"(?:,[\w.]+)*$`);

/** A table of cases has more rows, or an assertion a message. */
function isExtended(old: string, now: string, all: readonly string[]): boolean {
  if (assertion.test(old))
    return now.endsWith(");") && insertions(old, now).some((added) => message.test(added));
  return isTable(old, all) && insertions(old, now).some((added) => rows.test(added));
}

/** What a loop goes through; a list that an assertion names is an expectation. */
function isTable(statement: string, all: readonly string[]): boolean {
  if (/^for\b/.test(statement)) return true;
  const name = group(/^let (\w+)\b[^{}]*;$/.exec(statement) ?? [], 1);
  if (name === "") return false;
  const named = new RegExp(String.raw`\b${name}\b`);
  const isLooped = all.some((each) => new RegExp(String.raw`^for\b.{1,200}\bin\b.?${name}\b`).test(each));
  return isLooped && !all.some((each) => assertion.test(each) && named.test(each));
}

/** Every text that, put into the old one at one place, makes the new one: "(1),(2)" has "(2)," more or ",(2)". */
function insertions(old: string, now: string): string[] {
  const more = now.length - old.length;
  if (more <= 0) return [];
  let from = 0;
  while (from < old.length && old[from] === now[from]) from += 1;
  if (old.slice(from) !== now.slice(from + more)) return [];
  const found = [now.slice(from, from + more)];
  while (from > 0 && now[from - 1] === now[from - 1 + more]) {
    from -= 1;
    found.push(now.slice(from, from + more));
  }
  return found.slice(0, mostPlaces);
}

const mostPlaces = 100;

/** Cut behind each semicolon and brace that is code; without comments, and without space that means nothing. */
function statementsOf({ source, from, end }: PlacedTest): string[] {
  const isComment = (index: number): boolean => /\S/.test(source.comments.charAt(from + index));
  const written = source.text
    .slice(from, end)
    .replace(/\S/g, (char, index) => (isComment(index) ? "" : char));
  const spaced = written.replace(new RegExp(String.raw`(${text}"?)|\s+`, "g"), (_, literal?: string) =>
    literal === undefined ? " " : literal.replace(/[;{}]/g, (char) => marks.charAt(";{}".indexOf(char))),
  );
  const tight = spaced.replace(new RegExp(String.raw`(${text}"?)| ?([^\w\s"]) ?`, "g"), "$1$2");
  return tight.replace(/,(?=[)\]])/g, "").split(/(?<=[;{}])/);
}

/** Stand for what cuts code, in texts. */
const marks = "\u0001\u0002\u0003";
