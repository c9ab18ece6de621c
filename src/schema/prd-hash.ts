// The identity of a PRD's content: the same for every way to write it down, whatever progress it claims.

import { createHash } from "node:crypto";
import { type Prd, withoutProgress } from "../core/prd.ts";

/** SHA-256 in hex over the canonical JSON of the PRD without progress. */
export function hashPrd(prd: Prd): string {
  return createHash("sha256")
    .update(toCanonicalJson(withoutProgress(prd)))
    .digest("hex");
}

/** JSON without spaces, keys sorted by UTF-16 units. */
function toCanonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toCanonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${toCanonicalJson(item)}`).join(",")}}`;
}
