// What is in a folder, byte for byte, so that a test can say that nothing changed.
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** Path to kind, mode and hash of content, for everything below the folder; `leaveOut` holds paths below it. */
export function snapshot(folder: string, leaveOut: readonly string[] = []): Record<string, string> {
  const found: Record<string, string> = {};
  const walk = (below: string): void => {
    for (const name of readdirSync(join(folder, below)).toSorted()) {
      const path = below === "" ? name : `${below}/${name}`;
      if (leaveOut.includes(path)) continue;
      const stat = lstatSync(join(folder, path));
      if (stat.isDirectory()) {
        found[`${path}/`] = "folder";
        walk(path);
      } else if (stat.isSymbolicLink()) found[path] = `link to ${readlinkSync(join(folder, path))}`;
      else found[path] = `${(stat.mode & 0o777).toString(8)} ${hashOf(join(folder, path))}`;
    }
  };
  walk("");
  return found;
}

function hashOf(path: string): string {
  return lstatSync(path).isFile() ? createHash("sha256").update(readFileSync(path)).digest("hex") : "special";
}

/**
 * The main checkout as the builder sees it: every file outside of the run folders, and of the repository itself what
 * says where the builder is (HEAD, index, branches, tags, stash, configuration, hooks). The run's own branch, refs
 * and worktrees are not in it.
 */
export function checkoutSnapshot(checkout: string, at: { branch?: string } = {}): Record<string, string> {
  const own = at.branch === undefined ? [] : [`refs/heads/${at.branch}`, `logs/refs/heads/${at.branch}`];
  const files = snapshot(checkout, [".git", "dev/executions"]);
  const repository = snapshot(join(checkout, ".git"), [
    "objects",
    "worktrees",
    "refs/execute-prd",
    "logs/refs/execute-prd",
    ...own,
  ]);
  const kept = Object.entries(repository).filter(([path, what]) => what !== "folder" && !isOwnTrace(path));
  return { ...files, ...Object.fromEntries(kept.map(([path, what]) => [`.git/${path}`, what])) };
}

/** What the program keeps for itself in the common git folder. */
function isOwnTrace(path: string): boolean {
  return path.startsWith("execute-prd/");
}
