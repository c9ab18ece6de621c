// How much a piece of test code checks: assertions by how exact they are, and what keeps them from failing.

import type { Language } from "./language.ts";
import type { Source } from "./source.ts";

export interface Strength {
  readonly assertions: number;
  readonly exact: number;
  readonly partial: number;
  readonly weak: number;
  /** Handlers that swallow what an assertion throws. */
  readonly swallows: number;
  /** Ways out of the test before an assertion. */
  readonly exits: number;
}

export function measure(source: Source, from: number, to: number): Strength {
  const code = source.code.slice(from, to);
  return {
    assertions: countAssertions(code, source.language),
    exact: countMatches(code, exact),
    partial: countMatches(code, partial),
    weak: countMatches(code, weak),
    swallows: countSwallows(source, from, to),
    exits: countExits(source, from, to),
  };
}

export function countAssertions(code: string, language: Language): number {
  const own = assertions[language];
  return countMatches(code, own ?? anyAssertion);
}

function countMatches(code: string, pattern: RegExp): number {
  let count = 0;
  for (const _match of code.matchAll(pattern)) count += 1;
  return count;
}

const called = String.raw`\s{0,10}[(.<]`;
const words = String.raw`(?<!\b(?:function|def|func|fn|fun|void)\s{1,5})(?<![A-Za-z0-9_$])(?:[Aa]ssert|[Ee]xpect|[Vv]erify|[Ee]nsure|[Ss]hould|[Cc]heck)\w{0,60}${called}`;
const anyAssertion = new RegExp(words, "g");

const assertions: Readonly<Partial<Record<Language, RegExp>>> = {
  js: new RegExp(
    String.raw`${words}|(?<![\w$.])(?:t|tap)\.(?:is|ok|not|notOk|equal|same|deepEqual|true|false|truthy|falsy|throws\w{0,10}|rejects|match|like|regex|pass|fail)\s{0,3}\(|(?<![\w$.])(?:equal|deepEqual|strictEqual|deepStrictEqual|notEqual|ok|throws|rejects)\s{0,3}\(`,
    "g",
  ),
  python:
    /(?<![\w.])assert\b|\.assert\w{1,60}\s{0,3}\(|\bself\.fail\s{0,3}\(|\bpytest\.(?:raises|warns|fail)\b|(?<!\w)(?:assert|check|verify|expect)_\w{1,60}\s{0,3}\(/g,
  go: /\.(?:Errorf?|Fatalf?|Fail|FailNow)\s{0,3}\(|(?<![\w.])(?:assert|require|is|qt|must|check|expect|verify)(?:\.\w{1,60}|[A-Z]\w{0,60})?\s{0,3}\(/g,
  rust: /(?<!\w)\w{0,30}assert\w{0,30}!|(?<!\w)panic!|\bshould_panic\b|(?<!\w)(?:assert|check|expect|verify)_\w{1,60}\s{0,3}\(/g,
  ruby: /(?<![\w.])(?:assert|refute|expect|flunk)\w{0,60}\b|\.(?:must|wont|should)\w{0,60}\b/g,
  other: new RegExp(
    String.raw`${words}|(?<![\w.$@>])(?:is|ok|isnt|like|is_deeply|cmp_ok|lives_ok|dies_ok|@test\w{0,10})(?=\s{0,5}[(\s])|\bshouldBe\b`,
    "g",
  ),
  shell:
    /^\s{0,40}(?:\[|assert|refute|test\s)|(?<=(?:\|\||&&|;|if|!)\s{0,5})(?:\[|assert\w*|refute\w*|test\s)|(?<!\w)(?:grep\s{1,5}-q|diff\s|cmp\s)/gm,
};

const exact =
  /\b(?:toBe|toEqual|toStrictEqual|toHaveBeenCalledWith|toHaveBeenCalledTimes|toHaveLength|toThrowError|toMatchInlineSnapshot|(?!\w{0,20}[nN]ot)\w{0,30}[eE]quals?\w{0,20}|assert_eq|AreSame|assertSame|assertIs|(?:EXPECT|ASSERT)_(?:STR)?EQ|eql?)\b(?=!?\s{0,5}[(<.])|\bassert\b[^\n=!<>]{1,300}==|\bto\s{1,5}eql?\b|\bassert_(?:equal|same)\b|\b(?:raises|toThrow(?:Error)?|assertThrows)\s{0,3}\(\s{0,3}(?!(?:Base)?Exception\b|Throwable\b|RuntimeException\b)[\w"'`/]/g;

const partial =
  /\b(?:toMatchObject|toContain\w{0,10}|toMatch|objectContaining|arrayContaining|stringContaining|stringMatching|toHaveProperty|assertIn|assertContains|assertRegex|[Cc]ontains|[Ii]ncludes?)\b(?=\s{0,5}[(<])|\bassert\b[^\n]{1,300}\sin\s/g;

const weak =
  /\b(?:not_to\s{1,5}be_nil|refute_nil)\b|\b(?:raises|assertThrows)\s{0,3}\(\s{0,3}(?:(?:Base)?Exception\b|Throwable\b|RuntimeException\b)|\btoThrow(?:Error)?\s{0,3}\(\s{0,3}\)|\b(?:toBeDefined|toBe(?:Greater|Less)Than\w{0,10}|toBeInstanceOf|assert_ne|(?:EXPECT|ASSERT)_(?:NE|TRUE|GE|GT|LE|LT)|\w{0,10}NotEqual\w{0,10}|XCTAssertTrue|XCTAssertNotNil|isNotNull|isNotNil|toBeTruthy|toBeFalsy|anything|any|assertTrue|assertFalse|assertIsNotNone|assertNotNull|assertNotNil|NotNull|NotNil|NoError|IsTrue|IsNotNull|be_truthy|exist|ok|True|is_ok|is_some)\b(?=!?\s{0,5}[(<;\n)]|$)|\bassert\b(?!\s{0,5}\.|[^\n]{1,300}\sin\s)[^\n=!<>]{0,300}(?:\bis\s{1,5}not\s{1,5}None\b|(?=\n|$))/g;

/** `try { …assertion… } catch { nothing that fails }`, `.catch(() => {})`, `except: pass`, `|| true`. */
function countSwallows(source: Source, from: number, to: number): number {
  const code = source.code.slice(from, to);
  if (source.language === "rust") return countMatches(code, rustSwallow);
  if (source.language === "python") return countPythonSwallows(code);
  if (source.language === "shell") return countMatches(code, /\|\|\s{0,5}(?:true|:)(?!\S)/g);
  let count = countMatches(
    code,
    /\.\s{0,5}catch\s{0,5}\(\s{0,5}(?:\(\s{0,5}\w{0,30}\s{0,5}\)|\w{1,30})\s{0,5}=>\s{0,5}\{\s{0,50}\}/g,
  );
  for (const match of [...code.matchAll(/\btry\s{0,20}\{/g)].slice(0, mostTries)) {
    const open = from + match.index + match[0].length - 1;
    const close = source.closeOf(open);
    const handler = /^\s*catch\b[^{]{0,200}\{/.exec(source.code.slice(close + 1, close + 300));
    if (handler === null) continue;
    const handlerOpen = close + handler[0].length;
    const handled = source.code.slice(
      handlerOpen,
      Math.min(source.closeOf(handlerOpen), handlerOpen + longestTry),
    );
    const tried = source.code.slice(open, Math.min(close, open + longestTry));
    if (countAssertions(tried, source.language) > 0 && !canFail(handled, source.language)) count += 1;
  }
  return count;
}

/** A panic that is wanted or caught, where an assertion is what panics. */
const rustSwallow = /\bshould_panic\b(?=[\s\S]{0,2000}assert)|\bcatch_unwind\b(?=[^;]{0,300}assert)/g;

const mostTries = 200;
const longestTry = 20_000;

function canFail(code: string, language: Language): boolean {
  return countAssertions(code, language) > 0 || /\b(?:throw|fail|reject|done|raise|panic|next)\b/.test(code);
}

function countPythonSwallows(code: string): number {
  const swallowed = /^[ \t]*except\b[^\n]{0,200}:[ \t]*(?:\n\s*)?(?:pass|\.\.\.|return|continue)\b/gm;
  return (
    countMatches(code, swallowed) +
    countMatches(
      code,
      /\bsuppress\s{0,3}\(\s{0,3}(?:Base)?Exception|\bsuppress\s{0,3}\(\s{0,3}AssertionError|\braises\s{0,3}\(\s{0,3}AssertionError\b[^\n]{0,200}\n\s*assert\b/g,
    )
  );
}

/** `return` on the level of the test itself, with an assertion behind it. */
function countExits(source: Source, from: number, to: number): number {
  const code = source.code.slice(from, to);
  let count = 0;
  for (const at of source.language === "python" ? pythonExits(code) : bracedExits(code, source.language)) {
    // Each look is at the rest of the text; when nothing is checked there, nothing is behind a later exit either.
    if (count >= enough || countAssertions(code.slice(at), source.language) === 0) break;
    count += 1;
  }
  return count;
}

const enough = 20;

/**
 * In the first braces and in none within. `if (!read.ok) return;` behind an assertion is no way out: it tells the
 * compiler what the assertion has made sure of.
 */
function bracedExits(code: string, language: Language): number[] {
  const asserted = code.search(assertions[language] ?? anyAssertion);
  const exits: number[] = [];
  let depth = 0;
  for (const match of code.matchAll(exitOrBrace)) {
    if (match[0] === "{") depth += 1;
    else if (match[0] === "}") depth -= 1;
    else if (depth === 1 && (asserted > match.index || !isConditional(code, match.index)))
      exits.push(match.index);
  }
  return exits;
}

function isConditional(code: string, at: number): boolean {
  return /\bif\s{0,5}\([^;{}]{0,200}\)\s{0,20}$/.test(code.slice(Math.max(0, at - 230), at));
}

const exitOrBrace =
  /[{}]|\breturn\b(?=[ \t]{0,20}(?:;|\n|\}|(?:true|null|undefined|void 0|nil)\b[ \t]{0,20}(?:;|\n|\})))/g;

function pythonExits(code: string): number[] {
  const indent = /\n([ \t]*)\S/.exec(code)?.[1];
  const exits = [...code.matchAll(/^([ \t]*)return\b[ \t]*(?:None\b|True\b)?[ \t]*$/gm)];
  return exits.filter((match) => match[1] === indent).map((match) => match.index);
}
