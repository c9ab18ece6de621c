// Untrusted text as part of a Markdown file. No line of it may become a heading, a label, a rule, a fence, a
// comment or a table's end: neither for a reader of the bytes (nothing of it begins at the start of a line) nor
// for a renderer (what would begin a block is escaped).

import { toLine, toSafeText, toShownPath } from "./text.ts";

const blockStart = /^[#*_=~`>|:+[-]/;
const bullets = /^(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*/;
const rule = /^[-*_=\s]+$/;

/** One line for the middle of a line: a title, a reason. */
export function toInline(text: string, maxChars?: number): string {
  return escapeMarkup(toLine(text, maxChars));
}

/** A list item; further lines are indented below its first. */
export function toItem(text: string): string {
  const [first = "", ...rest] = toLines(text);
  return [`- ${first}`, ...rest.map(indent)].join("\n");
}

/** A list item with one line: a file. */
export function toPathItem(path: string, note: string): string {
  return `- ${escapeLine(toShownPath(path))} (${note})`;
}

/** A paragraph or several, every line indented. */
export function toBlock(text: string): string {
  return toLines(text).map(indent).join("\n");
}

/** Words of an agent, marked as such for whoever reads them later: data, no instructions. */
export function toQuote(text: string): string {
  return toLines(text)
    .map((line) => (line === "" ? ">" : `> ${line}`))
    .join("\n");
}

/** One cell of a table. */
export function toCell(text: string, maxChars?: number): string {
  return escapeMarkup(toLine(text, maxChars).replace(/[\\|]/g, "\\$&"));
}

/** A table with a head; the cells are safe already. */
export function toTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function toLines(text: string): readonly string[] {
  const safe = toSafeText(text)
    .replace(/\t/g, "  ")
    .replace(/\n{3,}/g, "\n\n");
  return safe.trim().split("\n").map(escapeLine);
}

function indent(line: string): string {
  return line === "" ? "" : `  ${line}`;
}

function escapeLine(line: string): string {
  const text = line.trimStart();
  const space = line.slice(0, line.length - text.length);
  const mark = rule.test(text) ? "" : (bullets.exec(text)?.[0] ?? "");
  const rest = escapeMarkup(text.slice(mark.length));
  return (space + mark + (blockStart.test(rest) ? `\\${rest}` : rest)).trimEnd();
}

/** Tags, comments and images: a renderer would act on them wherever they stand. */
function escapeMarkup(text: string): string {
  // Backslashes that stand before a tag already are doubled, else they would undo the one put there.
  return text.replace(/(?<!\\)(\\*)<(?=[A-Za-z/!?])/g, "$1$1\\<").replaceAll("![", "!\\[");
}
