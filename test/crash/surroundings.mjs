// What lies around a run that has ended: what it should have taken away, and what was never its own.
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { branch, git } from "./crash-project.mjs";

/** @typedef {import("./crash-project.mjs").Project} Project */

/** @param {Project} project */
export function findLeftovers(project) {
  /** @type {string[]} */
  const found = [];
  const walk = (/** @type {string} */ folder) => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const shown = path.slice(project.folder.length + 1);
      if (/\.tmp$|\.lock$|^owner-|^\.lock-|^lock$|\.execute-prd$/.test(name) && !isAnnounced(shown))
        found.push(shown);
      if (lstatSync(path).isDirectory() && name !== "objects") walk(path);
    }
  };
  walk(project.folder);
  const worktrees = git(project, ["worktree", "list", "--porcelain"]);
  if (worktrees.includes(`refs/heads/${branch}`)) found.push("the holder of the branch");
  const temporary = readdirSync(join(project.folder, "tmp"));
  const locks = join(project.checkout, ".git", "execute-prd", "branches");
  return {
    files: found,
    temporary,
    branchLocks: existsSync(locks) ? readdirSync(locks) : [],
    processes: findProcesses(`${project.folder}/`),
    archived: existsSync(join(project.checkout, "dev", "executions", ".archive")),
  };
}

/** The marker of the run's own folder of worktrees stays, as its lanes do. @param {string} shown */
function isAnnounced(shown) {
  return /^project\.worktrees\/[^/]+\/\.execute-prd$/.test(shown);
}

/** Processes that carry the text in their environment. @param {string} text */
function findProcesses(text) {
  if (process.platform !== "linux") return [];
  const read = (/** @type {string} */ path) => {
    try {
      return readFileSync(path, "latin1");
    } catch {
      return "";
    }
  };
  return readdirSync("/proc")
    .filter(
      (name) =>
        /^\d+$/.test(name) && Number(name) !== process.pid && read(`/proc/${name}/environ`).includes(text),
    )
    .map((name) => `${name} ${read(`/proc/${name}/cmdline`).replaceAll("\0", " ")}`);
}

/** @param {Project} project */
export function observeBuilder(project) {
  return {
    status: git(project, ["status", "--porcelain"]),
    head: git(project, ["symbolic-ref", "HEAD"]),
    main: git(project, ["log", "--format=%T %s", "main"]),
    readme: readFileSync(join(project.checkout, "README.md"), "utf8"),
    notes: readFileSync(join(project.checkout, "notes.txt"), "utf8"),
    refs: git(project, [
      "for-each-ref",
      "--format=%(refname)",
      "refs/heads",
      "refs/tags",
      "refs/stash",
      "refs/remotes",
    ]),
    stash: git(project, ["stash", "list"]),
    config: readFileSync(join(project.checkout, ".git", "config"), "utf8"),
    hooks: readdirSync(join(project.checkout, ".git", "hooks")),
  };
}
