// Comments and attributes that tell a compiler or linter to look away.

import { limits } from "../limits.ts";
import type { ChangedFile } from "./changed-file.ts";
import { groupBy, withoutKeys } from "./collections.ts";
import { counted, type Observation, quoted } from "./finding.ts";
import { isCode, languageOf } from "./language.ts";
import { firstMatches, withoutSpace } from "./lines.ts";
import { linesFrom, readSource, type Source } from "./source.ts";

/** One for each file with new suppressions; from so many in all on, each must be justified. */
export function findSuppressions(changes: readonly ChangedFile[]): Observation[] {
  const code = changes.filter(({ path }) => isCode(path));
  const known = code.flatMap((file) => suppressionsOf(file, "before")).map(({ key }) => key);
  const added = withoutKeys(
    code.flatMap((file) => suppressionsOf(file, "after")),
    known,
    ({ key }) => key,
  );
  const effect = added.length >= limits.suppressionsToJustify ? "justify" : "note";
  return [...groupBy(added, ({ path }) => path)].map(([path, found]) => {
    const marks = [...new Set(found.map(({ mark }) => mark))].join(", ");
    const text = `${counted(found.length, "new suppression")} in ${quoted(path)}: ${marks}`;
    return {
      kind: "suppression-added",
      file: path,
      line: found.reduce((first, { line }) => Math.min(first, line), Number.POSITIVE_INFINITY),
      text,
      effect,
    };
  });
}

interface Suppression {
  readonly path: string;
  readonly line: number;
  readonly mark: string;
  /** The mark with its line: a line that moved is not new. */
  readonly key: string;
}

const inComments =
  /@ts-(?:ignore|nocheck|expect-error)\b|\beslint-disable(?:-next-line|-line)?\b|\bbiome-ignore(?:-all|-start)?\b|\b(?:tslint|oxlint|stylelint|deno-lint|jshint|jscs)[-:](?:disable|ignore)\w{0,20}|\bprettier-ignore\b|\b(?:istanbul|c8|v8|node:coverage) (?:ignore|disable)\b|#\s{0,3}type:\s{0,3}ignore\b|#\s{0,3}noqa\b|\bpylint:\s{0,3}disable\b|\bpyright:\s{0,3}ignore\b|\bpragma:\s{0,3}no cover\b|\bmypy:\s{0,3}ignore\b|#\s{0,3}nosec\b|\bruff:\s{0,3}noqa\b|\/\/\s{0,3}nolint\b|\bNOLINT\w{0,10}|\bnoinspection\b|\bNOSONAR\b|\brubocop:(?:disable|todo)\b|@phpstan-ignore[\w-]{0,20}|@psalm-suppress\b|\bshellcheck disable\b|\bswiftlint:disable\b|\bktlint-disable\b|\bReSharper disable\b|@codeCoverageIgnore\b/g;
const inCode =
  /#!?\[\s{0,5}allow\s{0,3}\(|@(?:SuppressWarnings|Suppress|SuppressLint|SuppressFBWarnings)\b|\[(?:assembly:\s{0,3})?SuppressMessage\b|^\s{0,40}#pragma\s{1,5}(?:warning disable|GCC diagnostic ignored|clang diagnostic ignored)\b/gm;

function suppressionsOf({ path, before, after }: ChangedFile, side: "before" | "after"): Suppression[] {
  const text = side === "before" ? before : after;
  if (text === null || !mayHave(text)) return [];
  const source = readSource(text, languageOf(path));
  return [...read(source, source.comments, inComments), ...read(source, source.code, inCode)].map(
    (found) => ({
      ...found,
      path,
    }),
  );
}

/** A quick look, so that most files are not read closely. */
function mayHave(text: string): boolean {
  return /ignore|disable|noqa|nolint|suppress|allow|@ts-|pragma|nosec|NOSONAR|noinspection|rubocop/i.test(
    text,
  );
}

const longestLook = 200;

function read(source: Source, part: string, pattern: RegExp): Omit<Suppression, "path">[] {
  return firstMatches(part, pattern).map((match) => {
    const before = source.text.slice(Math.max(0, match.index - longestLook), match.index).split("\n");
    const [behind] = linesFrom(source, match.index);
    const mark = match[0].replace(/[\s(]+$/, "").trim();
    const written = `${before.at(-1)}${behind}`;
    return { line: source.lineOf(match.index), mark, key: `${mark}\0${withoutSpace(written)}` };
  });
}
