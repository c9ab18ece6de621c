// Fields of JSON that others wrote: what is not of the wanted kind is not there.

import type { JsonObject, JsonValue } from "../../core/json.ts";
import { limits } from "../../core/limits.ts";

export function objectIn(value: JsonValue | undefined, name: string): JsonObject {
  const found = fieldOf(value, name);
  return isObject(found) ? found : {};
}

export function objectsIn(value: JsonValue | undefined, name: string): readonly JsonObject[] {
  const found = fieldOf(value, name);
  return Array.isArray(found) ? found.filter(isObject) : [];
}

export function textIn(value: JsonValue | undefined, name: string): string | null {
  const found = fieldOf(value, name);
  return typeof found === "string" ? found : null;
}

export function numberIn(value: JsonValue | undefined, name: string): number | null {
  const found = fieldOf(value, name);
  return typeof found === "number" && Number.isFinite(found) ? found : null;
}

/** A moment in milliseconds since 1970, which is told in seconds; what no calendar holds in seconds is not. */
export function momentIn(value: JsonValue | undefined, name: string): number | null {
  const found = numberIn(value, name);
  if (found === null) return null;
  return Math.round(found * 1_000 <= limits.latestMomentMs ? found * 1_000 : found);
}

/** A number of tokens; 0 where there is none. */
export function tokensIn(value: JsonValue | undefined, name: string): number {
  return Math.max(0, Math.round(numberIn(value, name) ?? 0));
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fieldOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}
