// Taking secrets out of data before it is encoded: out of every text and every name in it, so that JSON stays JSON.

import { limits } from "../../core/limits.ts";

/** The same value where nothing is found. */
export function redactJson<Value>(value: Value, redact: (text: string) => string): Value {
  return redactAt(value, redact, 0) as Value; // texts stay texts, names stay names, the rest is the same
}

/** The same bytes where nothing is found; JSON that is rewritten keeps its values but for the secrets. */
export function redactJsonBytes(bytes: Buffer, redact: (text: string) => string): Buffer {
  const text = bytes.toString("utf8");
  const value = parse(text);
  if (value === undefined) {
    const redacted = redact(text);
    return redacted === text ? bytes : Buffer.from(redacted);
  }
  const redacted = redactJson(value, redact);
  // A name that is there twice, or a text in another notation, can hold more than the value that was read.
  if (redacted === value && redact(text) === text) return bytes;
  return Buffer.from(`${JSON.stringify(redacted, null, 2)}\n`);
}

/** Words of the program itself, which a builder's secret must not make unreadable: `"kind": "session-started"`. */
const ownNames = new Set(["kind", "reason", "stage"]);
const ownWords = /^[a-z]{1,20}(?:-[a-z]{1,20}){0,5}$/;

function redactAt(value: unknown, redact: (text: string) => string, depth: number): unknown {
  if (typeof value === "string") return redact(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth > 2 * limits.jsonDepth) return "[redacted: too deep]";
  return Array.isArray(value) ? redactList(value, redact, depth) : redactObject(value, redact, depth);
}

function redactList(list: readonly unknown[], redact: (text: string) => string, depth: number) {
  const redacted = list.map((item) => redactAt(item, redact, depth + 1));
  return redacted.every((item, index) => item === list[index]) ? list : redacted;
}

function redactObject(value: object, redact: (text: string) => string, depth: number): object {
  let isChanged = false;
  const members = Object.entries(value).map(([name, member]): [string, unknown] => {
    const isOwn = ownNames.has(name) && typeof member === "string" && ownWords.test(member);
    const redactedMember = isOwn ? member : redactAt(member, redact, depth + 1);
    const redactedName = redact(name);
    isChanged ||= redactedMember !== member || redactedName !== name;
    return [redactedName, redactedMember];
  });
  return isChanged ? Object.fromEntries(members) : value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
