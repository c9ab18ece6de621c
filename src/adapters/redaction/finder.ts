// Finding what is to be taken out of a text, and where a text that goes on may not be decided yet. There are two
// finders, used one after the other: values of variables first, so that no shape takes a half of one.

import { tokenChars, tokenContextChars, tokenShapes } from "../../core/evidence/token-shapes.ts";

interface Found {
  readonly start: number;
  readonly end: number;
  /** What stands in its place. */
  readonly mark: string;
}

export interface Finder {
  /** The first one that begins at `from` or later. */
  find(text: string, from: number): Found | null;
  /** Where, at `from` or later, something begins that more text could make a find, or a longer one; else the length. */
  firstOpen(text: string, from: number): number;
  /** How many characters before `from` have to be there for the same answer as in the whole text. */
  readonly contextChars: number;
}

/**
 * Finds the forms of secrets, each with the name of its variable; the longest of those that begin at one place.
 *
 * By the table of Wu and Manber (A fast algorithm for multi-pattern searching, 1994): the last three characters of a
 * window as long as the shortest form say how far it can be moved on without passing one. A pattern of hundreds of
 * alternatives would try each of them at each character.
 */
export function findSecrets(forms: ReadonlyMap<string, string>): Finder {
  const longestFirst = [...forms.keys()].sort((a, b) => b.length - a.length);
  const longest = longestFirst[0]?.length ?? 0;
  const windowChars = Math.min(longestFirst.at(-1)?.length ?? blockChars, maxWindowChars);
  const shifts = toShifts(longestFirst, windowChars);
  const byWindowEnd = groupBy(longestFirst, (form) => String(blockAt(form, windowChars - 1)));
  const byFirst = groupBy(longestFirst, (form) => form.charAt(0));
  return {
    contextChars: 0,
    find: (text, from) => {
      let end = from + windowChars - 1;
      while (end < text.length) {
        const block = blockAt(text, end);
        const shift = shifts[block] ?? 0;
        const start = end - windowChars + 1;
        const form =
          shift > 0
            ? undefined
            : byWindowEnd.get(String(block))?.find((each) => text.startsWith(each, start));
        if (form !== undefined) {
          return { start, end: start + form.length, mark: `[redacted ${forms.get(form) ?? "secret"}]` };
        }
        end += Math.max(1, shift);
      }
      return null;
    },
    firstOpen: (text, from) => {
      for (let at = Math.max(from, text.length - longest + 1); at < text.length; at += 1) {
        const candidates = byFirst.get(text.charAt(at));
        if (candidates === undefined) continue;
        const rest = text.slice(at);
        if (candidates.some((form) => form.length > rest.length && form.startsWith(rest))) return at;
      }
      return text.length;
    },
  };
}

const blockChars = 3;
/** So that a shift fits into a byte. */
const maxWindowChars = 64;
const blocks = 2 ** 16;

/** A number for the three characters that end at `end`. */
function blockAt(text: string, end: number): number {
  const [a, b, c] = [text.charCodeAt(end - 2), text.charCodeAt(end - 1), text.charCodeAt(end)];
  return (a ^ (b << 5) ^ (c << 10)) & (blocks - 1);
}

function toShifts(forms: readonly string[], windowChars: number): Uint8Array {
  const shifts = new Uint8Array(blocks).fill(windowChars - blockChars + 1);
  for (const form of forms) {
    for (let end = blockChars - 1; end < windowChars; end += 1) {
      const block = blockAt(form, end);
      shifts[block] = Math.min(shifts[block] ?? 0, windowChars - 1 - end);
    }
  }
  return shifts;
}

/** Finds what has the shape of a well-known token. */
export function findTokens(): Finder {
  const pattern = new RegExp(tokenShapes.map((shape) => shape.pattern).join("|"), "g");
  const open = new RegExp(`(?:${tokenShapes.map((shape) => shape.open).join("|")})$`, "g");
  return {
    contextChars: tokenContextChars,
    find: (text, from) => {
      pattern.lastIndex = from;
      const match = pattern.exec(text);
      if (match === null) return null;
      return { start: match.index, end: match.index + match[0].length, mark: "[redacted token]" };
    },
    firstOpen: (text, from) => {
      open.lastIndex = Math.max(from, text.length - tokenChars);
      const inside = open.exec(text);
      const places = headStarts
        .filter((start) => text.endsWith(start))
        .map((start) => text.length - start.length)
        .filter((place) => place >= from);
      return Math.min(text.length, ...places, ...(inside === null ? [] : [inside.index]));
    },
  };
}

/** Every beginning of a head. */
const headStarts: readonly string[] = [
  ...new Set(
    tokenShapes.flatMap(({ heads }) =>
      heads.flatMap((head) =>
        Array.from({ length: head.length - 1 }, (_none, index) => head.slice(0, index + 1)),
      ),
    ),
  ),
];

function groupBy(texts: readonly string[], toKey: (text: string) => string): ReadonlyMap<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const text of texts) groups.set(toKey(text), [...(groups.get(toKey(text)) ?? []), text]);
  return groups;
}
