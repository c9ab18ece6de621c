// From a shape's complaints to problems in our words. In every shape the `error` text of a part is what is
// expected there; this adds the path, the value that was found, and a hint from what it looks like.

import { z } from "zod";
import { didYouMean, nearest, type PathPart, type ProblemList, toExcerpt } from "./problem.ts";
import { valueAt } from "./value-at.ts";

export interface ShapeCheck {
  readonly shape: z.ZodType;
  readonly value: unknown;
  readonly problems: ProblemList;
  /** A hint that only the caller can give; null: none. */
  readonly hintFor?: (path: readonly PathPart[], value: unknown) => string | null;
}

/** Adds one problem a place; true when the value fits the shape. */
export function checkShape(at: ShapeCheck): boolean {
  const parsed = at.shape.safeParse(at.value);
  if (parsed.success) return true;
  const seen = new Set<string>();
  for (const issue of parsed.error.issues) {
    const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
    if (issue.code === "unrecognized_keys") {
      addUnknownKeys({ ...at, path, keys: issue.keys });
      continue;
    }
    const place = JSON.stringify(path);
    if (seen.has(place)) continue;
    seen.add(place);
    const value = valueAt(at.value, path);
    at.problems.add(path, () => {
      const own = at.hintFor?.(path, value) ?? null;
      const hint = own ?? toHint({ shape: at.shape, root: at.value, path, issue, value });
      return { value, expected: issue.message, hint };
    });
  }
  return false;
}

/** The keys that a shape knows at a path; empty where it knows none by name. */
function knownKeysAt(shape: z.ZodType, path: readonly PathPart[]): readonly string[] {
  let at: unknown = shape;
  for (const part of path) {
    const inner = unwrap(at);
    if (inner instanceof z.ZodArray) at = inner.element;
    else if (inner instanceof z.ZodRecord) at = inner.valueType;
    else if (inner instanceof z.ZodObject) at = inner.shape[part];
    else return [];
  }
  const inner = unwrap(at);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

function unwrap(shape: unknown): unknown {
  let at = shape;
  while (at instanceof z.ZodOptional || at instanceof z.ZodNullable || at instanceof z.ZodCatch)
    at = at.unwrap();
  return at;
}

function addUnknownKeys(at: {
  shape: z.ZodType;
  value: unknown;
  problems: ProblemList;
  path: readonly PathPart[];
  keys: readonly string[];
}): void {
  const known = knownKeysAt(at.shape, at.path);
  for (const key of at.keys) {
    const path = [...at.path, key];
    at.problems.add(path, () => ({
      value: valueAt(at.value, path),
      expected: "no unknown key",
      hint: didYouMean(key, known) || `known: ${known.join(", ")}`,
    }));
  }
}

function toHint(at: {
  shape: z.ZodType;
  root: unknown;
  value: unknown;
  path: readonly PathPart[];
  issue: z.core.$ZodIssue;
}): string {
  const { issue, value } = at;
  if (value === undefined || value === null) return hintForMissing(at);
  if (issue.code === "invalid_value" && typeof value === "string") {
    return didYouMean(value, issue.values.map(String));
  }
  if (issue.code !== "invalid_type") return "";
  if (issue.expected === "string" && (typeof value === "number" || typeof value === "boolean")) {
    return `write it in quotes: "${value}"`;
  }
  if (issue.expected === "array" && typeof value === "string") return "write it as a list: [ … ]";
  const isBare = issue.expected === "number" || issue.expected === "int" || issue.expected === "boolean";
  return isBare && typeof value === "string" ? "write it without quotes" : "";
}

/** Something wanted is not there: is there something unknown with nearly its name? */
function hintForMissing(at: { shape: z.ZodType; root: unknown; path: readonly PathPart[] }): string {
  const parentPath = at.path.slice(0, -1);
  const name = at.path.at(-1);
  const parent = valueAt(at.root, parentPath);
  if (typeof name !== "string" || typeof parent !== "object" || parent === null) return "";
  if (valueAt(at.root, at.path) !== undefined) return ""; // it is there, and wrong
  const known = new Set(knownKeysAt(at.shape, parentPath));
  const near = nearest(
    name,
    Object.keys(parent).filter((key) => !known.has(key)),
  );
  return near === null ? "" : `there is ${toExcerpt(near)}: rename it`;
}
