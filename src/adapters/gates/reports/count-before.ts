// Numbers of a summary line for people.

/** `countBefore("3 failed, 12 passed", "failed")` is 3; 0 where the word has no number before it. `word` may be a pattern. */
export function countBefore(line: string, word: string): number {
  return Number(new RegExp(`(?:^|[^\\d])(\\d{1,9}) ${word}\\b`).exec(line)?.[1] ?? 0);
}
