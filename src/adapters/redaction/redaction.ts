// Redaction: secrets of an environment, and whatever has the shape of a well-known token, taken out of all that the
// program writes. `[redacted NAME]` stands for the value of a variable, `[redacted token]` for a token.

import type { Environment } from "../process/environment.ts";
import { type Finder, findSecrets, findTokens } from "./finder.ts";
import { redactJson, redactJsonBytes } from "./redact-json.ts";
import { openTextStream } from "./redact-stream.ts";
import { redactBeforeCuts, redactText } from "./redact-text.ts";
import { toForms } from "./secret-forms.ts";
import { secretsIn } from "./secrets.ts";

export interface Redaction {
  text(text: string): string;
  /** Of data that is to be encoded: its texts and names. The same value where nothing is found. */
  json<Value>(value: Value): Value;
  /** Of any bytes; what is no text stays as it is. */
  bytes(bytes: Buffer): Buffer;
  /** Of bytes that should be JSON: read, redacted and written again. */
  jsonBytes(bytes: Buffer): Buffer;
  /** Of bytes that come in pieces: the same as of the whole. */
  stream(): ByteStream;
  /** Variables whose values are part of the run's own names, and therefore stay. */
  readonly spared: readonly string[];
}

export interface ByteStream {
  take(chunk: Buffer): Buffer;
  end(): Buffer;
}

/** `ownNames`: names of the run (slug, branch, folders, ids) that must stay what they are, whatever a variable holds. */
export function createRedaction(environment: Environment, ownNames: readonly string[] = []): Redaction {
  const all = secretsIn(environment);
  const isSpared = ({ value }: { value: string }): boolean => ownNames.some((name) => name.includes(value));
  const forms = toForms(all.filter((secret) => !isSpared(secret)));
  const tokens = findTokens();
  const ofTexts = toFinders(forms, tokens);
  const ofBytes = toFinders(new Map([...forms].map(([form, name]) => [toLatin1(form), name])), tokens);
  const values = forms.size === 0 ? null : findSecrets(forms);
  const text = (whole: string): string => {
    const redacted = redactText(whole, ofTexts);
    return values === null ? redacted : redactBeforeCuts(redacted, values);
  };
  return {
    text,
    json: (value) => redactJson(value, text),
    bytes: (bytes) => {
      const whole = bytes.toString("latin1");
      const redacted = redactText(whole, ofBytes);
      return redacted === whole ? bytes : Buffer.from(redacted, "latin1");
    },
    jsonBytes: (bytes) => redactJsonBytes(bytes, text),
    stream: () => openByteStream(ofBytes),
    spared: [...new Set(all.filter(isSpared).map(({ name }) => name))],
  };
}

function toFinders(forms: ReadonlyMap<string, string>, tokens: Finder): readonly Finder[] {
  return forms.size === 0 ? [tokens] : [findSecrets(forms), tokens];
}

/** Bytes as a text of as many characters: then any bytes come out as they went in. */
function toLatin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function openByteStream(finders: readonly Finder[]): ByteStream {
  const stream = openTextStream(finders);
  return {
    take: (chunk) => {
      const text = chunk.toString("latin1");
      const taken = stream.take(text);
      return taken === text ? chunk : Buffer.from(taken, "latin1");
    },
    end: () => Buffer.from(stream.end(), "latin1"),
  };
}
