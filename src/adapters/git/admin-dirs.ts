// Git's own folders for linked worktrees, read without git.

import fs from "node:fs";
import { dirname, join } from "node:path";
import { unless } from "../storage.ts";

/** Git's folders for linked worktrees, of everyone. */
export function listAdminDirs(commonDir: string): string[] {
  const folder = join(commonDir, "worktrees");
  const names = unless(["ENOENT", "ENOTDIR"], () => fs.readdirSync(folder)) ?? [];
  return names.map((name) => join(folder, name));
}

/** The worktree that one of git's folders stands for. */
export function worktreeOf(adminDir: string): string | null {
  const gitFile = readLine(join(adminDir, "gitdir"));
  return gitFile === null ? null : dirname(gitFile);
}

/** First line of a small file; null when it is not there. */
export function readLine(path: string): string | null {
  const text = unless(["ENOENT", "ENOTDIR", "EISDIR", "ELOOP"], () => fs.readFileSync(path, "utf8"));
  return text === undefined ? null : (text.split("\n", 1)[0] ?? "").trimEnd();
}
