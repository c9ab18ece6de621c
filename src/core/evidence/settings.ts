// Settings of checks that were made weaker: thresholds lowered, strict options switched off, rules silenced.

import type { ChangedFile } from "./changed-file.ts";
import { groupBy } from "./collections.ts";
import { type Observation, quoted } from "./finding.ts";
import { languageOf } from "./language.ts";
import { group, lineFinder, toPlainText } from "./lines.ts";
import { isTestPath } from "./test-path.ts";

export function findWeakerSettings(file: ChangedFile): Observation[] {
  return findWeaker(file, () => true);
}

function findWeaker(file: ChangedFile, isMeant: (setting: Setting) => boolean): Observation[] {
  if (file.before === null || file.after === null) return [];
  const now = groupBy(readSettings(file.after).reverse(), ({ key }) => key);
  return readSettings(file.before)
    .filter(isMeant)
    .flatMap((old) => {
      const same = now.get(old.key)?.pop();
      // A rule that is gone may be one that is on anyway; a threshold or a switch that is gone is off.
      if (same === undefined)
        return old.isRule || old.level === 0 ? [] : [toObservation(file, { old, now: null })];
      return same.level < old.level ? [toObservation(file, { old, now: same })] : [];
    });
}

/**
 * The same in a file whose name says nothing: a check of the project's own may read it. Only what is hardly anything
 * else: a rule by its level, a threshold of coverage.
 */
export function findWeakerLevels(changes: readonly ChangedFile[], known: ReadonlySet<string>): Observation[] {
  return changes
    .filter(({ path }) => !known.has(path) && languageOf(path) === "data" && !isTestPath(path))
    .flatMap((file) => findWeaker(file, isLevel));
}

function isLevel({ key, isRule }: Setting): boolean {
  return isRule || /^(?:branches|functions|statements|fail[_-]under|cov-fail-under)$/i.test(key);
}

interface Setting {
  readonly key: string;
  /** Higher is stricter. */
  readonly level: number;
  readonly written: string;
  readonly line: number;
  readonly isRule: boolean;
}

const threshold =
  /(?<![\w-])["']?(branches|functions|lines|statements|fail[_-]under|cov-fail-under|minimum|threshold|min-?score|break|target)["']?\s{0,5}[:=]\s{0,5}["']?(\d{1,6}(?:\.\d{1,6})?)/gi;
const option =
  /(?<![\w-])["']?(strict\w{0,40}|no[A-Z]\w{2,50}|exact[A-Z]\w{2,50}|checkJs|warn_unused_\w{1,30}|disallow_\w{1,30}|check_untyped_defs|error-on-warnings|useUnknownInCatchVariables|allowUnreachableCode|skipLibCheck|passWithNoTests|enabled|recommended)["']?\s{0,5}[:=]\s{0,5}(true|false|True|False)\b/g;
const rule = /["']([@\w./-]{1,80})["']\s{0,5}:\s{0,5}\[?\s{0,5}["'](error|warn|off|info)["']/g;
const lint = /^[ \t]{0,20}([\w:]{1,60})[ \t]{0,5}=[ \t]{0,5}"(forbid|deny|warn|allow)"/gm;

/** Switches that make a check weaker when they are on. */
const weakening = new Set(["allowUnreachableCode", "skipLibCheck", "passWithNoTests", "noCheck"]);

const levels: Readonly<Record<string, number>> = {
  off: 0,
  allow: 0,
  info: 1,
  warn: 2,
  error: 3,
  deny: 3,
  forbid: 4,
};

function readSettings(raw: string): Setting[] {
  const text = toPlainText(raw);
  const lineOf = lineFinder(text);
  const read = (
    pattern: RegExp,
    isRule: boolean,
    levelOf: (key: string, value: string) => number,
  ): Setting[] =>
    [...text.matchAll(pattern)].map((match) => {
      const [key, value] = [group(match, 1), group(match, 2)];
      return { key, level: levelOf(key, value), written: value, line: lineOf(match.index), isRule };
    });
  return [
    ...read(threshold, false, (_key, value) => Number(value)),
    ...read(option, false, (key, value) => Number(/^t/i.test(value) !== weakening.has(key))),
    ...read(rule, true, (_key, value) => Number(levels[value])),
    ...read(lint, true, (_key, value) => Number(levels[value])),
  ];
}

function toObservation(file: ChangedFile, { old, now }: { old: Setting; now: Setting | null }): Observation {
  const became = now === null ? "is gone" : `is ${now.written}`;
  return {
    kind: "setting-weakened",
    file: file.path,
    line: (now ?? old).line,
    text: `the setting ${quoted(old.key)} was ${old.written} and ${became}`,
  };
}
