// Redaction for this program: by the environment it was started with.

import { redactJson } from "../adapters/redaction/redact-json.ts";
import { createRedaction, type Redaction } from "../adapters/redaction/redaction.ts";

let known: Redaction | null = null;

/** For what no run is behind: the terminal, requests. */
export function programRedaction(): Redaction {
  known ??= createRedaction(process.env);
  return known;
}

/** Where secrets stand in a value: a path like `gates[0].command`, and the text with marks in their place. */
export function findSecretPlaces(
  value: unknown,
): readonly { readonly path: string; readonly text: string }[] {
  return placesIn(value, "");
}

function placesIn(value: unknown, path: string): { path: string; text: string }[] {
  if (typeof value === "string") {
    const text = programRedaction().text(value);
    return text === value ? [] : [{ path, text }];
  }
  if (typeof value !== "object" || value === null || redactJson(value, programRedaction().text) === value)
    return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const place = Array.isArray(value) ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`;
    return [...placesIn(name, place), ...placesIn(member, place)];
  });
}
