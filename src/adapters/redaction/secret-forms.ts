// The texts in which a secret can be met: as it is, escaped in JSON, in a URL, in base64.

import { minSecretChars, type Secret } from "./secrets.ts";

/** Each form to the name of its variable. */
export function toForms(secrets: readonly Secret[]): ReadonlyMap<string, string> {
  const forms = new Map<string, string>();
  for (const { name, value } of secrets) {
    for (const form of formsOf(value)) {
      if (form.length >= minSecretChars && !forms.has(form)) forms.set(form, name);
    }
  }
  return forms;
}

function formsOf(value: string): readonly string[] {
  const json = escapeJson(value);
  const url = encodeURIComponent(value.replace(/\p{Surrogate}/gu, "\uFFFD"));
  return [
    value,
    json,
    escapeJson(json),
    url,
    url.replaceAll("%20", "+"),
    url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    ...base64Forms(value),
  ];
}

function escapeJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Lines in which programs break base64. */
const base64LineChars = [76, 64];

/**
 * The whole, as its tools write it, and what is the same of it wherever in a longer text it begins: three bytes are
 * four characters, so there are three ways to begin.
 */
function base64Forms(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  const whole = bytes.toString("base64");
  const inside = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    const first = Math.ceil((before * 8) / 6);
    return text.slice(first, Math.floor(((before + bytes.length) * 8) / 6));
  });
  const lines = base64LineChars.flatMap((chars) =>
    whole.length > chars ? (whole.match(new RegExp(`.{${minSecretChars},${chars}}`, "g")) ?? []) : [],
  );
  const standard = [whole, ...inside, ...lines];
  return [
    ...standard,
    ...standard.map((text) => text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")),
  ];
}
