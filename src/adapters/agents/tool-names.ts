// The words for tools in role files, and what they are called in each program.

/** Commands that look at a repository and change nothing. */
export const lookingCommands = [
  "git diff",
  "git log",
  "git show",
  "git status",
  "git blame",
  "git grep",
  "git ls-files",
  "git rev-parse",
] as const;

/** Common words become the program's own; any other name is the program's own already. null: none were named. */
export function toolNames(
  tools: readonly string[] | null,
  names: Readonly<Record<string, readonly string[]>>,
): readonly string[] | null {
  if (tools === null) return null;
  const own = tools.flatMap((tool) => {
    const word = tool.toLowerCase();
    return Object.hasOwn(names, word) ? (names[word] ?? []) : [tool];
  });
  return [...new Set(own)];
}
