// Text of others inside a prompt: whole, and unable to pose as a part of the prompt. The builder's words are block
// quotes and list items; words of agents, tools and the repository stand in fenced blocks marked as untrusted.

/** Without control characters and half characters; every kind of line end becomes "\n". */
export function toPlain(text: string): string {
  return text
    .replace(/\r\n?|[\u2028\u2029\u0085]/g, "\n")
    .replace(/[^\P{Cc}\n\t]/gu, "")
    .replace(/\p{Surrogate}/gu, "\uFFFD");
}

/** One line: for headings, table cells and the starts of list items. */
export function toLine(text: string): string {
  return toPlain(text).replace(/\s+/g, " ").trim();
}

/** A fence longer than any run of backticks inside cannot be closed from inside. */
export function toUntrusted(text: string): string {
  return toFenced(toPlain(text).trimEnd(), "untrusted");
}

export function toFenced(text: string, label: string): string {
  const fence = "`".repeat(Math.max(3, longestBacktickRun(text) + 1));
  return `${fence}${label}\n${text}\n${fence}`;
}

/** A block quote: headings and fences of the text stay inside it. */
export function toBlockQuote(text: string): string {
  return toPlain(text)
    .trim()
    .split("\n")
    .map((line) => `> ${line}`.trimEnd())
    .join("\n");
}

/** One item of a list; further lines are indented below the first, so that none begins a line of the prompt. */
export function toListItem(marker: string, text: string): string {
  const [first = "", ...rest] = toPlain(text).trim().split("\n");
  const indent = " ".repeat(marker.length + 1);
  return [`${marker} ${first}`, ...rest.map((line) => `${indent}${line}`.trimEnd())].join("\n");
}

/** A code span that no backtick of the text ends. */
export function toCode(text: string): string {
  const line = toLine(text);
  const ticks = "`".repeat(longestBacktickRun(line) + 1);
  const pad = line.startsWith("`") || line.endsWith("`") ? " " : "";
  return `${ticks}${pad}${line}${pad}${ticks}`;
}

/** A cell of a table: a bar would begin the next one. */
export function toCell(text: string): string {
  return toLine(text).replaceAll("|", "\\|");
}

function longestBacktickRun(text: string): number {
  let longest = 0;
  for (const [run] of text.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  return longest;
}
