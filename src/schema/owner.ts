// The owner file `owner-<token>.json`: who owns a run, written by run-lock, read by every starter and by `status`.
//
// By hand and without the schema library: `status` would wait longer for that to load than for everything else.

import { failed, type Result, success } from "../core/result.ts";

export interface ProcessIdentity {
  readonly pid: number;
  /** As the system words it; null where it does not say. Compared for equality only. */
  readonly startTime: string | null;
  readonly bootId: string | null;
  readonly host: string;
  readonly pidNamespace: string | null;
}

export interface Owner extends ProcessIdentity {
  readonly token: string;
  readonly startedAt: string;
  readonly toolVersion: string;
  /** What is owned, for people: `run "feature-x" in /path`. */
  readonly about: string;
  /** False while its writer still competes for the lock. */
  readonly isHolding: boolean;
}

/** Owner file to owner; the failure says what is wrong with the text. */
export function decodeOwner(text: string): Result<Owner, string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return failed("it is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return failed("it is not a JSON object");
  }
  const fields: Fields = new Map(Object.entries(value));
  const problems: string[] = [];
  const owner: Owner = {
    pid: readPid(fields, problems),
    startTime: readTextOrNull(fields, "startTime", problems),
    bootId: readTextOrNull(fields, "bootId", problems),
    host: readText(fields, { name: "host", problems }),
    pidNamespace: fields.has("pidNamespace") ? readTextOrNull(fields, "pidNamespace", problems) : null,
    token: readText(fields, { name: "token", problems }),
    startedAt: readText(fields, { name: "startedAt", problems }),
    toolVersion: readText(fields, { name: "toolVersion", problems, missing: "unknown" }),
    about: readText(fields, { name: "about", problems, missing: "" }),
    isHolding: readIsHolding(fields, problems),
  };
  return problems.length === 0 ? success(owner) : failed(problems.join("; "));
}

export function encodeOwner(value: Owner): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

type Fields = ReadonlyMap<string, unknown>;

function readPid(fields: Fields, problems: string[]): number {
  const value = fields.get("pid");
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  problems.push("pid: a whole number over 0 is wanted");
  return 0;
}

function readText(
  fields: Fields,
  at: { readonly name: string; readonly problems: string[]; readonly missing?: string },
): string {
  const value = fields.get(at.name) ?? at.missing;
  if (typeof value === "string") return value;
  at.problems.push(`${at.name}: a text is wanted`);
  return "";
}

function readTextOrNull(fields: Fields, name: string, problems: string[]): string | null {
  const value = fields.get(name);
  if (value === null || typeof value === "string") return value;
  problems.push(`${name}: a text or null is wanted`);
  return null;
}

function readIsHolding(fields: Fields, problems: string[]): boolean {
  const value = fields.get("isHolding") ?? true;
  if (typeof value === "boolean") return value;
  problems.push("isHolding: true or false is wanted");
  return true;
}
