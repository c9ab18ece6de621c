// What is wrong with something the builder wrote: one problem is one place, what is there, what was expected
// and what to do. Values come from hostile text, so they are shown bounded and with every control escaped.

import { limits } from "../core/limits.ts";

export interface InputProblem {
  readonly file: string;
  /** Like `userStories[3].acceptanceCriteria`; `line 3, column 7` for text that is no JSON; empty for the whole. */
  readonly path: string;
  /** JSON of what is there, at most 200 characters; empty when nothing is. */
  readonly value: string;
  readonly expected: string;
  /** What to do about it; may be empty. */
  readonly hint: string;
}

export type PathPart = string | number;

const excerptChars = 200;
const nearestChars = 100;
const namePattern = /^[A-Za-z_$][A-Za-z0-9_$-]*$/;

/** One line for people: where, what is there, what was expected, what to do. */
export function describeProblem(problem: InputProblem): string {
  const place = [problem.file, problem.path].filter((part) => part !== "").map((part) => `${part}: `);
  const found = problem.value === "" ? "" : `, found ${problem.value}`;
  const hint = problem.hint === "" ? "" : ` (${problem.hint})`;
  return `${place.join("")}expected ${problem.expected}${found}${hint}`;
}

/** `["userStories", 3, "title"]` to `userStories[3].title`. */
export function toPath(parts: readonly PathPart[]): string {
  return parts.reduce<string>((path, part) => {
    if (typeof part === "number") return `${path}[${part}]`;
    if (!namePattern.test(part) || part.length > excerptChars) return `${path}[${toExcerpt(part)}]`;
    return path === "" ? part : `${path}.${part}`;
  }, "");
}

/** The beginning of a value's JSON on one line, at most 200 characters; empty for `undefined`. */
export function toExcerpt(value: unknown): string {
  if (value === undefined) return "";
  const text = escapeControls(writeStart(value, excerptChars + 1));
  if (text.length <= excerptChars) return text;
  return `${dropHalfCharacter(text.slice(0, excerptChars - 1))}…`;
}

/** Without a character whose second half was cut off. */
export function dropHalfCharacter(text: string): string {
  return /[\uD800-\uDBFF]$/.test(text) ? text.slice(0, -1) : text;
}

/** The one of `known` that `name` most likely was meant to be, if any is near. */
export function nearest(name: string, known: Iterable<string>): string | null {
  if (name.length > nearestChars) return null;
  const wanted = name.toLowerCase();
  const furthest = Math.min(3, Math.max(1, Math.floor(wanted.length / 3)));
  let best: { readonly candidate: string; readonly distance: number } | null = null;
  for (const candidate of known) {
    if (Math.abs(candidate.length - wanted.length) > furthest) continue;
    const distance = editDistance(...withoutSameEnds(wanted, candidate.toLowerCase()), furthest);
    if (distance <= furthest && (best === null || distance < best.distance)) best = { candidate, distance };
  }
  return best?.candidate ?? null;
}

export function didYouMean(name: string, known: Iterable<string>): string {
  const near = nearest(name, known);
  return near === null ? "" : `did you mean ${toExcerpt(near)}?`;
}

/** Collects the problems of one file; keeps the first ones and counts the rest (I11). */
export class ProblemList {
  readonly #file: string;
  readonly #kept: InputProblem[] = [];
  #dropped = 0;

  constructor(file: string) {
    this.#file = file;
  }

  get isEmpty(): boolean {
    return this.#kept.length === 0;
  }

  /** The problem is made only when it is kept: hints can be dear. */
  add(at: readonly PathPart[], toProblem: () => { value: unknown; expected: string; hint?: string }): void {
    if (this.#kept.length >= limits.inputProblems) {
      this.#dropped += 1;
      return;
    }
    const { value, expected, hint = "" } = toProblem();
    this.#kept.push({ file: this.#file, path: toPath(at), value: toExcerpt(value), expected, hint });
  }

  all(): readonly InputProblem[] {
    if (this.#dropped === 0) return this.#kept;
    const expected = `no further problems, but there are ${this.#dropped} more`;
    return [...this.#kept, { file: this.#file, path: "", value: "", expected, hint: "" }];
  }
}

/** Writes JSON until `room` characters are full: a value may be millions of characters long. */
function writeStart(value: unknown, room: number): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, room));
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return `[${writeParts(value, room, (item, left) => writeStart(item, left))}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? String(value);
  const source: Readonly<Record<string, unknown>> = { ...value };
  const writePair = (key: string, left: number) =>
    `${JSON.stringify(key.slice(0, left))}:${writeStart(source[key], left)}`;
  return `{${writeParts(Object.keys(source), room, writePair)}}`;
}

function writeParts<Part>(parts: readonly Part[], room: number, write: (part: Part, room: number) => string) {
  let text = "";
  for (const part of parts) {
    if (text.length >= room) break;
    text += `${text === "" ? "" : ","}${write(part, room - text.length)}`;
  }
  return text;
}

/** JSON escapes only U+0000 to U+001F; a terminal also obeys these, and some turn the direction of the line. */
function escapeControls(json: string): string {
  return json.replace(
    /[\u007F-\u009F\u061C\u200B-\u200F\u2028-\u202E\u2060-\u2069\uFEFF]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function withoutSameEnds(one: string, other: string): readonly [string, string] {
  const most = Math.min(one.length, other.length);
  let start = 0;
  while (start < most && one[start] === other[start]) start += 1;
  let end = 0;
  while (end < most - start && one.at(-1 - end) === other.at(-1 - end)) end += 1;
  return [one.slice(start, one.length - end), other.slice(start, other.length - end)];
}

/**
 * Insertions, deletions, replacements and swaps of neighbours that make `from` into `to`; anything beyond `limit`
 * counts as infinite, and only the cells near the diagonal are looked at: names come by the thousand.
 */
function editDistance(from: string, to: string, limit: number): number {
  const far = limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 2 }, (_, column) => Math.min(column, far));
  let current: number[] = [];
  for (let row = 1; row <= from.length; row += 1) {
    const first = Math.max(1, row - limit);
    const end = Math.min(to.length, row + limit);
    current[first - 1] = first === 1 ? Math.min(row, far) : far;
    let least = current[first - 1] ?? far;
    for (let column = first; column <= end; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwap = row > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      let best = (last[column - 1] ?? far) + (isSame ? 0 : 1);
      best = Math.min(best, (last[column] ?? far) + 1, (current[column - 1] ?? far) + 1);
      if (isSwap) best = Math.min(best, (beforeLast[column - 2] ?? far) + 1);
      current[column] = best;
      least = Math.min(least, best);
    }
    if (least > limit) return far;
    current[end + 1] = far;
    [beforeLast, last, current] = [last, current, beforeLast];
  }
  return last[to.length] ?? far;
}
