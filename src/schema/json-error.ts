// Where a text stops being JSON (RFC 8259) and what would have to stand there. One pass, without recursion, so
// that neither length nor nesting of a hostile text can hurt.

export interface JsonError {
  /** In UTF-16 units from the start; the text's length when it ends too early. */
  readonly offset: number;
  readonly expected: string;
  readonly hint: string;
}

/** null when the text is JSON. */
export function findJsonError(text: string): JsonError | null {
  const scan: Scan = { text, offset: 0, open: [] };
  let next: Step | null = readValue;
  while (next !== null) {
    skipWhitespace(scan);
    const result: Step | JsonError | null = next(scan);
    if (result !== null && typeof result === "object") return result;
    next = result;
  }
  return null;
}

/** Offset of the first bracket that opens more than `maxDepth` levels; null when there is none. */
export function findTooDeep(text: string, maxDepth: number): number | null {
  let depth = 0;
  let isInString = false;
  for (let offset = 0; offset < text.length; offset += 1) {
    const code = text.charCodeAt(offset);
    if (isInString) {
      if (code === backslash) offset += 1;
      else if (code === quote) isInString = false;
    } else if (code === quote) isInString = true;
    else if (code === openBrace || code === openBracket) {
      depth += 1;
      if (depth > maxDepth) return offset;
    } else if (code === closeBrace || code === closeBracket) depth -= 1;
  }
  return null;
}

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = [
  0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d,
];

interface Scan {
  readonly text: string;
  offset: number;
  /** The closing bracket of everything that is open. */
  readonly open: ("}" | "]")[];
}

/** Reads one thing and says what comes next; null at the end of the text. */
type Step = (scan: Scan) => Step | JsonError | null;

function readValue(scan: Scan): Step | JsonError | null {
  const character = scan.text[scan.offset];
  if (character === "{") return open(scan, "}", readFirstKey);
  if (character === "[") return open(scan, "]", readFirstItem);
  if (character === '"') return readString(scan) ?? afterValue(scan);
  if (character === "-" || isDigit(character)) return readNumber(scan) ?? afterValue(scan);
  for (const word of ["true", "false", "null"]) {
    if (!scan.text.startsWith(word, scan.offset)) continue;
    scan.offset += word.length;
    return afterValue(scan);
  }
  return errorAt(scan, "a JSON value");
}

function open(scan: Scan, closing: "}" | "]", next: Step): Step {
  scan.offset += 1;
  scan.open.push(closing);
  return next;
}

function afterValue(scan: Scan): Step {
  return scan.open.length === 0 ? readEnd : readCommaOrClose;
}

function readEnd(scan: Scan): JsonError | null {
  return scan.offset === scan.text.length ? null : errorAt(scan, "nothing after the JSON value");
}

function readFirstItem(scan: Scan): Step | JsonError | null {
  return scan.text[scan.offset] === "]" ? close(scan) : readValue(scan);
}

function readFirstKey(scan: Scan): Step | JsonError | null {
  if (scan.text[scan.offset] === "}") return close(scan);
  return readKeyOr(scan, 'a key in double quotes or "}"');
}

function readKey(scan: Scan): Step | JsonError | null {
  return readKeyOr(scan, "a key in double quotes");
}

function readKeyOr(scan: Scan, expected: string): Step | JsonError | null {
  if (scan.text[scan.offset] !== '"') return errorAt(scan, expected);
  return readString(scan) ?? readColon;
}

function readColon(scan: Scan): Step | JsonError {
  if (scan.text[scan.offset] !== ":") return errorAt(scan, '":" after the key');
  scan.offset += 1;
  return readValue;
}

function readCommaOrClose(scan: Scan): Step | JsonError {
  const closing = scan.open.at(-1);
  if (scan.text[scan.offset] === closing) return close(scan);
  if (scan.text[scan.offset] !== ",") return errorAt(scan, `"," or "${closing}"`);
  scan.offset += 1;
  return closing === "}" ? readKey : readValue;
}

function close(scan: Scan): Step {
  scan.offset += 1;
  scan.open.pop();
  return afterValue(scan);
}

function skipWhitespace(scan: Scan): void {
  while (" \t\n\r".includes(scan.text[scan.offset] ?? "x")) scan.offset += 1;
}

function readString(scan: Scan): JsonError | null {
  scan.offset += 1;
  for (;;) {
    const code = scan.text.charCodeAt(scan.offset);
    if (Number.isNaN(code)) return errorAt(scan, "the closing double quote of the text");
    if (code < 0x20) return errorAt(scan, "no line break or control character inside a text");
    scan.offset += 1;
    if (code === quote) return null;
    if (code === backslash && !skipEscape(scan)) {
      scan.offset -= 1;
      return errorAt(scan, 'an escape: \\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u and four hex digits');
    }
  }
}

function skipEscape(scan: Scan): boolean {
  const match = /^(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(scan.text.slice(scan.offset, scan.offset + 5));
  scan.offset += match?.[0].length ?? 0;
  return match !== null;
}

function readNumber(scan: Scan): JsonError | null {
  if (scan.text[scan.offset] === "-") scan.offset += 1;
  const isZero = scan.text[scan.offset] === "0";
  if (isZero) scan.offset += 1;
  else if (!skipDigits(scan)) return errorAt(scan, "a digit");
  if (isZero && isDigit(scan.text[scan.offset])) return errorAt(scan, "a number without zeros in front");
  if (scan.text[scan.offset] === ".") {
    scan.offset += 1;
    if (!skipDigits(scan)) return errorAt(scan, "a digit after the decimal point");
  }
  if (scan.text[scan.offset]?.toLowerCase() !== "e") return null;
  scan.offset += 1;
  if ("+-".includes(scan.text[scan.offset] ?? "x")) scan.offset += 1;
  return skipDigits(scan) ? null : errorAt(scan, "a digit of the exponent");
}

/** Whether there was at least one. */
function skipDigits(scan: Scan): boolean {
  const from = scan.offset;
  while (isDigit(scan.text[scan.offset])) scan.offset += 1;
  return scan.offset > from;
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= "0" && character <= "9";
}

function errorAt(scan: Scan, expected: string): JsonError {
  return { offset: scan.offset, expected: `valid JSON: ${expected}`, hint: toHint(scan) };
}

function toHint(scan: Scan): string {
  const { text, offset } = scan;
  if (text.trim() === "") return "the file is empty";
  if (offset === text.length) return "the text ends too early: is the file complete?";
  if (text.startsWith("//", offset) || text.startsWith("/*", offset)) return "JSON has no comments";
  if (text[offset] === "'") return "JSON wants double quotes";
  const isClosing = text[offset] === "}" || text[offset] === "]";
  if (isClosing && /,[ \t\n\r]*$/.test(text.slice(Math.max(0, offset - 200), offset)))
    return "drop the last comma";
  if (/^(?:<{7}|={7}|>{7})/.test(text.slice(offset, offset + 7))) return "it has conflict markers";
  return "";
}
