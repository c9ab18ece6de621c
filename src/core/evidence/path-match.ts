// Whether a list of paths, folders and patterns names a path.

/** `src/a.ts`, a folder `src` or `src/`, or a pattern: `*` for what is between slashes, `**` for anything. */
export function isNamed(path: string, names: readonly string[]): boolean {
  return names.map(toName).some((name) => isWithin(path, name) || matchesPattern(path, name));
}

/** Without patterns, and without folders as wide as the whole repository: for files that need a permission. */
export function isNamedPlainly(path: string, names: readonly string[]): boolean {
  return names.map(toName).some((name) => name !== "" && name !== "." && isWithin(path, name));
}

function toName(name: string): string {
  return name.replace(/^(?:\.\/)+/, "").replace(/\/+$/, "");
}

function isWithin(path: string, name: string): boolean {
  return name === "" || name === "." || path === name || path.startsWith(`${name}/`);
}

const longestPattern = 1_000;

/** Goes back to the last star at most: the time is the product of both lengths, whatever the pattern. */
function matchesPattern(path: string, pattern: string): boolean {
  if (!pattern.includes("*") || pattern.length > longestPattern || path.length > longestPattern) return false;
  let reached = new Set([0]);
  for (const [piece] of pattern.matchAll(/\*\*\/|\*+|[^*]/g)) {
    reached = piece.startsWith("*") ? afterStar(path, reached, piece) : afterLetter(path, reached, piece);
  }
  return reached.has(path.length);
}

function afterLetter(path: string, reached: ReadonlySet<number>, letter: string): Set<number> {
  return new Set([...reached].filter((at) => path[at] === letter).map((at) => at + 1));
}

function afterStar(path: string, reached: ReadonlySet<number>, star: string): Set<number> {
  const next = new Set<number>();
  let isFree = false;
  for (let at = 0; at <= path.length; at++) {
    if (reached.has(at)) {
      isFree = true;
      next.add(at);
    }
    // `**/` stands for nothing, or for whole folders.
    if (isFree && (star !== "**/" || path[at - 1] === "/")) next.add(at);
    if (star === "*" && path[at] === "/") isFree = false;
  }
  return next;
}
