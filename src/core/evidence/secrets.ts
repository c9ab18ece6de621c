// Keys and passwords in added lines: by the shapes of known tokens, and by assignments of random-looking text. The
// finding never repeats the secret.

import type { ChangedFile, Line } from "./changed-file.ts";
import type { EvidenceContext } from "./context.ts";
import { type Observation, quoted } from "./finding.ts";
import { languageOf } from "./language.ts";
import { group } from "./lines.ts";
import { isTestPath } from "./test-path.ts";

/** Values that the builder's own variables hold need no shape. */
export function findSecretsOfBuilder(known: EvidenceContext["knownSecrets"]): Observation[] {
  return known.map(({ path, line, name }) => ({
    kind: "secret-added",
    file: path,
    line,
    text: `the value of the builder's variable ${name} in ${quoted(path)}`,
  }));
}

export function findSecrets(changes: readonly ChangedFile[]): Observation[] {
  // What stood in the base is no news, wherever the line went.
  const known = new Set(
    changes.flatMap((file) => secretsIn(file.removed, file.path)).map(({ value }) => value),
  );
  return changes.flatMap((file) => {
    const found = [...secretsInName(file), ...secretsIn(file.added, file.path)];
    return found
      .filter(({ value }) => !known.has(value))
      .map(({ line, what, isSure }) => ({
        kind: isSure ? "secret-added" : "possible-secret",
        file: file.path,
        line,
        text: `${what} in ${quoted(file.path)}`,
      }));
  });
}

/** A file that is called like a token: its name comes on the branch as well as its content. */
function secretsInName({ path, change }: ChangedFile): Secret[] {
  if (change !== "added") return [];
  return path.split("/").flatMap((part) => secretsInLine({ line: 1, text: part }, path));
}

function secretsIn(lines: readonly Line[], path: string): Secret[] {
  return [...lines.flatMap((line) => secretsInLine(line, path)), ...privateKeysIn(lines, path)];
}

interface Secret {
  readonly value: string;
  readonly line: number;
  readonly what: string;
  readonly isSure: boolean;
}

const edge = "(?<![A-Za-z0-9_+/=-])";

/** Shapes that their makers document; the rest of such a token is random. */
const shapes: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["an AWS access key", new RegExp(`${edge}(?:AKIA|ASIA)([A-Z0-9]{16})(?![A-Za-z0-9])`, "g")],
  ["a GitHub token", new RegExp(`${edge}(?:ghp|gho|ghu|ghs|ghr)_([A-Za-z0-9]{36,255})`, "g")],
  ["a GitHub token", new RegExp(`${edge}github_pat_(\\w{22,255})`, "g")],
  ["an Anthropic key", new RegExp(`${edge}sk-ant-([\\w-]{20,255})`, "g")],
  [
    "an OpenAI key",
    new RegExp(`${edge}sk-(?:proj-|svcacct-)?([A-Za-z0-9]{20,255}|[\\w-]{40,255})(?![\\w-])`, "g"),
  ],
  ["a Slack token", new RegExp(`${edge}xox[abeoprs]-([A-Za-z0-9-]{20,255})`, "g")],
  ["a Google key", new RegExp(`${edge}AIza([\\w-]{35})(?![\\w-])`, "g")],
  ["an npm token", new RegExp(`${edge}npm_([A-Za-z0-9]{36})(?![A-Za-z0-9])`, "g")],
  ["a GitLab token", new RegExp(`${edge}glpat-([\\w-]{20,255})`, "g")],
  ["a Stripe key", new RegExp(`${edge}(?:sk|rk)_live_([A-Za-z0-9]{20,255})`, "g")],
  ["a Hugging Face token", new RegExp(`${edge}hf_([A-Za-z0-9]{30,255})(?![A-Za-z0-9])`, "g")],
];

const webToken = /(?<![\w.-])eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.([\w-]{20,1000})/g;

const assignment =
  /(?:api[_-]?key|secret|token|passw(?:or)?d|pwd|credential|private[_-]?key|access[_-]?key|auth[_-]?key)\w{0,30}["'\]]{0,2}\s{0,10}(?::|:?=>?)\s{0,10}["'`]([A-Za-z0-9+/=_.-]{20,512})["'`]/gi;
/** `.env` and the like: without quotes. */
const bareAssignment =
  /^(?:export\s{1,5})?[A-Z0-9_]{0,60}(?:API_?KEY|SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|PRIVATE_?KEY|ACCESS_?KEY)[A-Z0-9_]{0,30}\s{0,5}=\s{0,5}([A-Za-z0-9+/=_.-]{20,512})\s{0,10}$/g;

/** A quick look, so that most lines are not read closely. */
const mayHold = /[A-Za-z0-9+/=_-]{16}/;

function secretsInLine({ line, text }: Line, path: string): Secret[] {
  if (!mayHold.test(text)) return [];
  const isTest = isTestPath(path);
  const found = shapes.flatMap(([what, pattern]) =>
    collect(text, pattern)
      .filter(({ body }) => isMeant(body, path))
      .map(({ value, body }) => ({ value, line, what, isSure: !isExample(body) })),
  );
  const tokens = collect(text, webToken).filter(({ body }) => !isPlaceholder(body));
  found.push(...tokens.map(({ value }) => ({ value, line, what: "a signed web token", isSure: !isTest })));
  if (found.length > 0 || isGenerated(path)) return found;
  return [...collect(text, assignment), ...collect(text, bareAssignment)]
    .filter(({ body }) => isRandom(body))
    .map(({ body }) => ({
      value: body,
      line,
      what: "a random-looking value with the name of a secret",
      isSure: !isTest && languageOf(path) !== "document" && !uuid.test(body),
    }));
}

function collect(text: string, pattern: RegExp): { value: string; body: string }[] {
  return [...text.matchAll(pattern)].map((match) => ({ value: match[0], body: group(match, 1) }));
}

const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

function isGenerated(path: string): boolean {
  return /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|Cargo\.lock|poetry\.lock|uv\.lock|composer\.lock|Gemfile\.lock|go\.sum)$|\.(?:min\.[cm]?js|map|svg|lock)$/.test(
    path,
  );
}

/**
 * Whether a text of the shape of a token may be one. What only looks made up is none in tests and documents; in what
 * is run nobody can tell it from a key that works.
 */
function isMeant(body: string, path: string): boolean {
  if (!isPlaceholder(body)) return true;
  return !isInstruction(body) && !isTestPath(path) && languageOf(path) !== "document";
}

/** To be replaced by whoever reads it. */
function isInstruction(body: string): boolean {
  return /placeholder|change-?me|your|redacted|xxxx|\*{3}|\.\.\./i.test(body);
}

function isExample(body: string): boolean {
  return /example|sample|dummy/i.test(body);
}

/** Words of examples, one letter over and over, and runs of the alphabet. */
function isPlaceholder(body: string): boolean {
  if (isInstruction(body) || isExample(body) || /fake|secret|token|test|mock|invalid/i.test(body))
    return true;
  const plain = body.toLowerCase().replace(/[^a-z0-9]/g, "");
  return new Set(plain).size <= 6 || runs(plain) * 2 >= plain.length;
}

/** How many characters follow or repeat the one before: `abcdef`, `012345`, `aaaa`. */
function runs(text: string): number {
  let count = 0;
  for (let at = 1; at < text.length; at++) {
    const step = text.charCodeAt(at) - text.charCodeAt(at - 1);
    if (step === 0 || step === 1 || step === -1) count += 1;
  }
  return count;
}

const randomBits = 3.5;

/** Many different characters, letters and digits mixed, and no words. */
function isRandom(body: string): boolean {
  const digits = body.replace(/\D/g, "").length;
  const changes = (body.match(/[A-Za-z](?=\d)|\d(?=[A-Za-z])/g) ?? []).length;
  if (digits < 3 || changes < 3 || /[a-z]{8}/i.test(body)) return false;
  return !isPlaceholder(body) && entropy(body) >= randomBits;
}

/** Bits for each character, by how often each one occurs. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const letter of text) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

/** The head of a private key with a key behind it. */
function privateKeysIn(lines: readonly Line[], path: string): Secret[] {
  return lines.flatMap(({ line, text }, at) => {
    if (!/-----BEGIN (?:[A-Z]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----/.test(text)) return [];
    const behind = lines.slice(at, at + 8).map((next) => next.text);
    const body = behind
      .join("\n")
      .replace(/-----[^\n-]{0,60}-----/g, "")
      .replace(/\\n/g, "\n");
    const key = /[A-Za-z0-9+/]{40,}/.exec(body)?.[0];
    if (key === undefined || !isMeant(key, path)) return [];
    return [{ value: key, line, what: "a private key", isSure: !isTestPath(path) && !isExample(key) }];
  });
}
