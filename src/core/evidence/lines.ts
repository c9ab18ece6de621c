// Text by lines and offsets, whatever its line ends; every function here is linear in the text.

/** Without a byte order mark and without line ends of other systems. */
export function toPlainText(text: string): string {
  return text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
}

/** The lines without their ends; the end of the last line begins no further line. */
export function splitLines(text: string): string[] {
  const lines = toPlainText(text).split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** Without any white space, so that formatting makes no difference. */
export function withoutSpace(text: string): string {
  return text.replace(/\s+/g, "");
}

/** A capture of a match; empty where it took no part. */
export function group(match: readonly (string | undefined)[], index: number): string {
  return match[index] ?? "";
}

/** The first few thousand matches: more of one kind in one file would only cost time. */
export function firstMatches(text: string, pattern: RegExp): RegExpExecArray[] {
  const matches: RegExpExecArray[] = [];
  for (const match of text.matchAll(pattern)) {
    if (matches.push(match) >= mostMatches) break;
  }
  return matches;
}

const mostMatches = 3_000;

/** Finds the line, from 1, of an offset in the text. */
export function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (Number(starts[middle]) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}
