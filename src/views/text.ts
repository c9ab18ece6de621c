// Text that agents, plans and repositories wrote, made safe to show, and the few ways in which numbers and times
// are put into words. Nothing here knows the clock: milliseconds come from the journal.

const escapeSequences =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal control sequences are what it looks for
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b\]|\u009d)[^\u0007\u001b\u009c\n]*(?:\u0007|\u001b\\|\u009c)/g;
const lineEnds = /\r\n?|[\u0085\u2028\u2029]/g;
// Control characters but tab and line feed; invisible format characters (among them every override of the writing
// direction) but the joiners that scripts and emoji need; halves of surrogate pairs.
const unseen = /(?![\t\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}]/gu;

const ellipsis = "…";
const lineChars = 400;
const maxDateMs = 8_640_000_000_000_000;

/** Several lines, ended by line feeds, without anything that a terminal or a reader could be tricked by. */
export function toSafeText(text: string): string {
  return text.replace(escapeSequences, "").replace(lineEnds, "\n").replace(unseen, "");
}

/** One line of at most `maxChars` characters. */
export function toLine(text: string, maxChars: number = lineChars): string {
  // Cut first, generously: what is thrown away need not be looked at.
  const line = toSafeText(text.slice(0, 4 * maxChars + 1_000))
    .replace(/\s+/g, " ")
    .trim();
  return line.length <= maxChars ? line : `${cut(line, maxChars - 1)}${ellipsis}`;
}

/** A path as git names it: shown as it is, or quoted with every unseen character named by its code. */
export function toShownPath(path: string): string {
  const shown = path.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return shown === path && path.trim() === path ? path : `"${shown}"`;
}

/** A word for a POSIX shell's command line, quoted where it has to be. */
export function toShellWord(word: string): string {
  return /^[A-Za-z0-9_@%+:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** RFC 3339 in UTC; a time that no calendar has is shown as the nearest one it has. */
export function toIso(atMs: number): string {
  const inCalendar = Number.isNaN(atMs) ? 0 : Math.max(-maxDateMs, Math.min(maxDateMs, atMs));
  return new Date(inCalendar).toISOString();
}

export function toDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.round(durationMs / 1_000));
  if (seconds < 60) return durationMs > 0 && durationMs < 1_000 ? "under 1 s" : `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Digits in groups of three, the same on every machine. */
export function toNumber(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** What is less than a cent is not nothing. */
export function toUsd(amount: number): string {
  return amount > 0 && amount < 0.01 ? "under $0.01" : `$${amount.toFixed(2)}`;
}

/** `1 task`, `2 tasks`. */
export function toCount(count: number, noun: string): string {
  return `${toNumber(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Never leaves half a surrogate pair. */
function cut(text: string, chars: number): string {
  const end = text.slice(0, chars);
  return /[\uD800-\uDBFF]$/.test(end) ? end.slice(0, -1) : end;
}
