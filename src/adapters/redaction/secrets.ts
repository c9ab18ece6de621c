// Which values of an environment are secrets: those of at least 12 characters under a name that looks like a key's,
// but for paths, numbers and what is one character over and over.

import type { Environment } from "../process/environment.ts";

export interface Secret {
  /** Name of the variable. */
  readonly name: string;
  readonly value: string;
}

export const minSecretChars = 12;

/** By name, so that the same environment gives the same list. */
export function secretsIn(environment: Environment): readonly Secret[] {
  const secrets: Secret[] = [];
  for (const name of Object.keys(environment).sort()) {
    const strength = strengthOf(name);
    if (strength === null) continue;
    const value = environment[name]?.trim() ?? "";
    if (value in environment) continue; // the name of another variable
    const isMeant = strength === "strong" ? isSecret(value) : isSecret(value) && isRandom(value);
    if (!isMeant) continue;
    for (const part of new Set([value, ...partsOf(value)]))
      secrets.push({ name: toShownName(name), value: part });
  }
  return secrets;
}

const strongWord = /token|secret|passw|passphrase|credential|api_?key|private_?key|keys?$/i;
const strongPart = /(?:^|[^A-Za-z])(?:keys?|pass|pat|cookie)(?:$|[^A-Za-z])|[^A-Za-z]pwd$/i;
const weakPart = /(?:^|[^A-Za-z])(?:api|o?auth)(?:$|[^A-Za-z])/i;
/** `AUTH_TYPE`, `SSH_KEY_PATH`: about a key, and not one. */
const description =
  /(?:^|[^A-Za-z])(?:path|file|dir|url|uri|host|name|type|method|mode|version|region|provider|sock|endpoint|issuer|audience|ttl)$/i;

/** null: the name does not look like a key's. A weak name can stand over much else. */
function strengthOf(name: string): "strong" | "weak" | null {
  if (description.test(name)) return null;
  if (strongWord.test(name) || strongPart.test(name)) return "strong";
  return weakPart.test(name) ? "weak" : null;
}

function isSecret(value: string): boolean {
  return (
    value.length >= minSecretChars &&
    !isNumber(value) &&
    !isPath(value) &&
    new Set(value.slice(0, 1_000)).size >= 4
  );
}

/** No words, no address. */
function isRandom(value: string): boolean {
  return /[0-9]/.test(value) && !/\s/.test(value) && !/^[a-z][a-z0-9+.-]*:\/\/[^@]*$/i.test(value);
}

function isNumber(value: string): boolean {
  return /^[+-]?[0-9][0-9.,_ ]*$/.test(value);
}

function isPath(value: string): boolean {
  if (/\n/.test(value)) return false;
  if (/^(?:~|\.{1,2})\/|^[A-Za-z]:[\\/]|^file:\/\//.test(value)) return true;
  if (value.startsWith("/")) return !isBase64(value);
  return /^[\w.@-]+(?:\/[\w.@-]+)+\.[A-Za-z]{1,5}$/.test(value);
}

/** One in 64 random keys begins with a slash; names of folders are shorter than their stretches between slashes. */
function isBase64(value: string): boolean {
  const hasAll = /^[A-Za-z0-9+/]{20,}={0,2}$/.test(value) && /[0-9]/.test(value) && /[A-Z]/.test(value);
  return hasAll && /[a-z]/.test(value) && value.split("/").some((part) => part.length >= 20);
}

/** What of a value can appear by itself: lines of a key, members of a JSON document, entries of a list. */
function partsOf(value: string): readonly string[] {
  const lines = value.includes("\n") ? value.split("\n").map((line) => line.trim()) : [];
  const entries = /\s/.test(value) ? [] : value.split(/[,;]/);
  return [
    ...lines.filter((line) => line.length >= 20 && !/\s/.test(line)),
    ...(entries.length > 1 ? entries : []),
    ...membersOf(value),
  ].filter(isSecret);
}

function membersOf(value: string): readonly string[] {
  if (!value.startsWith("{")) return [];
  try {
    const members = Object.entries(JSON.parse(value) as Record<string, unknown>); // it begins as an object
    return members.flatMap(([name, member]) =>
      typeof member === "string" && strengthOf(name) === "strong" ? [member.trim()] : [],
    );
  } catch {
    return []; // no JSON: the whole value is looked for
  }
}

function toShownName(name: string): string {
  return name.replace(/[^A-Za-z0-9_]+/g, "_").slice(0, 80);
}
