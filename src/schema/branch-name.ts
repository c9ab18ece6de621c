// Which texts can be the name of a new branch: the rules of `git check-ref-format --branch`, without git, and
// without what git takes but no builder means: "@", control characters beyond ASCII, half characters.

// Names become files below refs/heads; with ".lock" behind it a part must fit into 255 bytes.
const maxPartBytes = 250;

/** Why `name` cannot be a branch, or null when it can. */
export function branchNameProblem(name: string): string | null {
  if (name === "" || name === "@" || name === "HEAD") return 'a name other than "", "@" and "HEAD"';
  if (name.startsWith("-")) return "no '-' at the start";
  if (/[\p{Cc} ~^:?*[\\]/u.test(name)) return "no space, control character or any of ~ ^ : ? * [ \\";
  if (/\p{Surrogate}/u.test(name)) return "whole characters only";
  if (name.includes("..") || name.includes("@{")) return "no '..' and no '@{'";
  if (name.endsWith(".")) return "no '.' at the end";
  const parts = name.split("/");
  if (parts.includes("")) return "no '/' at the start or end and no two in a row";
  if (parts.some((part) => part.startsWith("."))) return "no part that starts with '.'";
  if (parts.some((part) => part.endsWith(".lock"))) return "no part that ends in '.lock'";
  if (parts.some((part) => Buffer.byteLength(part) > maxPartBytes)) {
    return `no part longer than ${maxPartBytes} bytes`;
  }
  return null;
}
