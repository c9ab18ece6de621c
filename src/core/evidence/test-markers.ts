// Marks that keep a test from running, or all others: `.skip`, `.only`, `.todo`, `@Disabled`, `#[ignore]` …

import type { Language } from "./language.ts";
import { firstMatches, withoutSpace } from "./lines.ts";
import { linesFrom, type Source } from "./source.ts";

export interface TestMarker {
  readonly kind: "test-skipped" | "test-focused";
  readonly line: number;
  /** The mark as it is written. */
  readonly mark: string;
  /** The mark and what it stands at: the same mark at the same test has the same key, wherever it is. */
  readonly key: string;
}

export function findMarkers(source: Source): TestMarker[] {
  const patterns = marks[source.language];
  const inCode = patterns.flatMap((pattern) => firstMatches(source.code, pattern));
  const inComments = source.language === "go" ? firstMatches(source.comments, goBuild) : [];
  return [...inCode, ...inComments]
    .map((match) => toMarker(source, match))
    .sort((left, right) => left.line - right.line);
}

function toMarker(source: Source, match: RegExpExecArray): TestMarker {
  const mark = withoutSpace(match[0])
    .replace(/[([{,`:=]+$|^[{,]/g, "")
    .slice(0, 60);
  const isFocus = /\bonly\b|focus|^f(?:it|describe|context|test)|^F(?:It|Describe|Context|Entry)/i.test(mark);
  const [rest, next] = linesFrom(source, match.index);
  const target = /^[@#[]/.test(mark) ? next : ""; // an annotation stands above its test
  return {
    kind: isFocus ? "test-focused" : "test-skipped",
    line: source.lineOf(match.index),
    mark,
    key: `${mark}\0${withoutSpace(rest + target).slice(0, 300)}`,
  };
}

const suites = String.raw`(?:describe|context|suite|it|test|specify|Deno\.test|t\.test)`;
const chained = String.raw`(?:\s{0,20}\.\s{0,20}\w{1,30}){0,3}?`;
/** Not those of systems, which say where a test belongs. */
const goBuild =
  /^\/\/(?:go:build| \+build) (?!(?:[!(\s]{0,5}(?:aix|android|darwin|dragonfly|\w{0,10}bsd|illumos|ios|js|linux|plan9|solaris|unix|wasip1|windows|386|amd64|arm|arm64|\w{0,10}mips\w{0,10}|ppc64\w{0,5}|riscv64|s390x|wasm|cgo|race|go1\.\d{1,3})[)\s&|,]{0,5}){1,20}$)[^\n]*/gm;

const marks: Readonly<Record<Language, readonly RegExp[]>> = {
  other: [
    /(?<!\w)(?:skip(?:_\w{1,20})?|x(?:it|describe)|pending)\b(?=\s{0,5}[(\x22'=:;])|\bSkipZigTest\b|@test_(?:skip|broken)\b|\$TODO\b/g,
  ],
  document: [],
  data: [],
  js: [
    new RegExp(
      String.raw`(?<![\w$.])${suites}${chained}\s{0,20}\.\s{0,20}(?:skip|only|todo|fixme|fails|failing|skipIf|runIf|ignore)\b`,
      "g",
    ),
    /(?<![\w$.])(?:x(?:it|test|describe|context|specify)|f(?:it|test|describe|context))\s{0,10}[(.`]/g,
    /(?<![\w$])(?:t|ctx|context|this|testInfo)\.(?:skip|todo|fixme)\s{0,5}\(/g,
    /[{,]\s{0,50}(?:skip|todo|fixme)\s{0,5}:\s{0,5}(?:true\b|[\x22'\x60!]|process\b)/g,
    /[{,]\s{0,50}only\s{0,5}:\s{0,5}true\b/g,
    /(?<![\w$.])pending\s{0,5}\(/g,
  ],
  python: [
    /(?:@|\bmarks\s{0,3}=\s{0,3})(?:\w{1,30}\.){0,3}(?:skip|skipif|xfail|skipIf|skipUnless|expectedFailure)\b/g,
    /\b(?:pytest\.(?:skip|xfail|importorskip)|self\.skipTest)\s{0,3}\(/g,
    /\braise\s{1,5}(?:unittest\.)?SkipTest\b/g,
    /^pytestmark\s{0,5}=[^\n]{0,60}(?:skip|xfail)/gm,
    /\b__test__\s{0,5}=\s{0,5}False|\bcollect_ignore(?:_glob)?\b/g,
  ],
  go: [
    /\b\w{1,10}\.(?:Skip|Skipf|SkipNow)\s{0,3}\(/g,
    /(?<![\w.])[PXF](?:It|Describe|Context|Entry)\s{0,3}\(/g,
  ],
  rust: [
    /#\[\s{0,5}ignore\b/g,
    /#\[\s{0,5}cfg_attr\([^\]\n]{0,100}\bignore\b/g,
    /#\[cfg\(\s{0,5}(?:any\(\)|not\(test\)|FALSE|all\([^\]\n]{0,100}\btest\b)/g,
  ],
  jvm: [
    /@(?:\w{1,40}\.){0,8}(?:Disabled|Ignore|Ignored|DisabledOn\w{0,30}|DisabledIf\w{0,30}|EnabledIf\w{0,30}|EnabledOn\w{0,30})\b/g,
    /@Test\s{0,5}\([^)\n]{0,100}enabled\s{0,3}=\s{0,3}false/g,
    /(?<!\w)(?:Assumptions?\.\w{1,40}|assumeTrue|assumeFalse|assumeThat)\s{0,3}\(/g,
  ],
  csharp: [/\bSkip\s{0,3}=(?!=)/g, /\[(?:Ignore|Explicit)\b/g, /\bAssert\.(?:Ignore|Inconclusive)\s{0,3}\(/g],
  php: [
    /\b(?:markTest(?:Skipped|Incomplete)|expectNotToPerformAssertions)\s{0,3}\(/g,
    /->(?:skip|only|todo)\s{0,3}\(/g,
  ],
  ruby: [
    /@(?:tag|moduletag|describetag)\s{1,5}:?skip\b/g,
    /(?<![\w.:])(?:x(?:it|describe|context|specify|scenario)|f(?:it|describe|context|specify)|skip|pending)\b(?=[\s(]{1,5}["'({]|\s{0,5}$)/gm,
    /\b(?:focus|skip|pending):\s{0,3}(?:true|["'])|(?<!\w):(?:focus|skip)\b/g,
  ],
  shell: [/(?<=^\s{0,40})skip\b/gm],
  c: [
    /\bGTEST_SKIP\s{0,3}\(/g,
    /^TEST\w{0,3}\s{0,3}\([^)\n]{0,100}\bDISABLED_\w{1,60}/gm,
    /\bXCTSkip\w{0,10}/g,
    /^[ \t]{0,20}#[ \t]{0,5}if[ \t]{1,5}0\b/gm,
  ],
};

/** What a mark does, in words. */
export function markerText(marker: TestMarker): string {
  const verb = marker.kind === "test-focused" ? "only this test runs" : "a test is skipped";
  return `${verb}: ${marker.mark}`;
}
