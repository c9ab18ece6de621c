// Looking at a repository without changing anything: what preflight, `plan`, `doctor` and `clean` ask.
//
// Commands whose exit code is the answer have that code matched exactly; anything else is a failure, never a "no".

import fs from "node:fs";
import { delimiter, join, resolve } from "node:path";
import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import { isSha } from "../../core/ids.ts";
import type { Result } from "../../core/result.ts";
import { failed, success } from "../../core/result.ts";
import { attemptStorage, unless } from "../storage.ts";
import { mainWorktreeOf } from "./git-run.ts";
import { findCheckout, toRef } from "./refs.ts";
import { readGit, runGit } from "./run-git.ts";

/** The repository in which a command was started. Paths are absolute, links resolved. */
export interface Checkout {
  /** Top level of the worktree in which the command was started. */
  readonly topLevel: string;
  readonly gitCommonDir: string;
  /** null: the repository is bare, and this is one of its linked worktrees. */
  readonly mainWorktree: string | null;
  readonly gitVersion: string;
  readonly head: Sha;
  /** null: HEAD is detached. */
  readonly branch: string | null;
  readonly uncommittedCount: number;
  /** The first of them. */
  readonly uncommitted: readonly string[];
  readonly hasSubmodules: boolean;
  /** Files at HEAD go through git-lfs. */
  readonly usesLfs: boolean;
}

/** Why no run can be started here. */
export type CheckoutRefusal =
  | { readonly kind: "git-missing"; readonly detail: string }
  | { readonly kind: "git-too-old"; readonly found: string; readonly wanted: string }
  | { readonly kind: "no-folder"; readonly path: string }
  | { readonly kind: "not-a-repository"; readonly path: string }
  | { readonly kind: "unsafe-owner"; readonly path: string; readonly detail: string }
  | { readonly kind: "bare"; readonly path: string }
  | { readonly kind: "path-unusable"; readonly path: string }
  | { readonly kind: "no-commit"; readonly path: string }
  | { readonly kind: "ref-storage-unsupported"; readonly path: string; readonly storage: string }
  | { readonly kind: "lfs-missing"; readonly path: string }
  | { readonly kind: "git-failed"; readonly failure: Failure };

const wantedGitVersion = "2.38";

export async function inspectCheckout(cwd: string): Promise<Result<Checkout, CheckoutRefusal>> {
  if (!isFolder(cwd)) return failed({ kind: "no-folder", path: cwd });
  const [version, found] = await Promise.all([readVersion(cwd), findRepository(cwd)]);
  if (!version.ok) return version;
  if (!found.ok) return found;
  const { topLevel, gitCommonDir } = found.value;
  if (fs.existsSync(join(gitCommonDir, "reftable"))) {
    return failed({ kind: "ref-storage-unsupported", path: topLevel, storage: "reftable" });
  }
  const [status, extras] = await Promise.all([readStatus(topLevel), readExtras(topLevel)]);
  if (!status.ok) return failed({ kind: "git-failed", failure: status.failure });
  const { head, branch, uncommitted } = status.value;
  if (head === null) return failed({ kind: "no-commit", path: topLevel });
  if (!extras.ok) return failed({ kind: "git-failed", failure: extras.failure });
  if (extras.value.usesLfs && !isOnPath("git-lfs")) return failed({ kind: "lfs-missing", path: topLevel });
  return success({
    topLevel,
    gitCommonDir,
    mainWorktree: mainWorktreeOf(gitCommonDir),
    gitVersion: version.value,
    head,
    branch,
    uncommittedCount: uncommitted.length,
    uncommitted: uncommitted.slice(0, uncommittedNamed),
    ...extras.value,
  });
}

function isFolder(path: string): boolean {
  try {
    return fs.statSync(path).isDirectory();
  } catch {
    return false; // not there, or not to be reached
  }
}

/** Where git is asked; a Checkout is one. */
export type At = Pick<Checkout, "gitCommonDir">;

/** The commit that a branch, tag, or any other name stands for; null: there is none. */
export async function resolveCommit(at: At, name: string): Promise<Result<Sha | null, Failure>> {
  const doing = `looking up "${name}"`;
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`];
  const answer = await runGit({ gitDir: at.gitCommonDir, args, doing, okCodes: [0, 1, 128] });
  if (!answer.ok) return answer;
  const { exitCode } = answer.value;
  const sha = answer.value.stdout.toString("utf8").trim();
  if (exitCode === 0 && isSha(sha)) return success(sha);
  // 128 with one of these messages is how --quiet still says that a name leads nowhere; any other is trouble.
  const detail = answer.value.stderr.trim();
  const isNo = exitCode === 1 || /Needed a single revision|bad object|unknown revision/.test(detail);
  return isNo ? success(null) : failed({ reason: "git-failed", doing, exitCode, detail });
}

/** null: there is no such branch. */
export function branchHead(at: At, branch: string): Promise<Result<Sha | null, Failure>> {
  return resolveCommit(at, toRef(branch));
}

/** Path of the worktree in which a branch is checked out; null: in none. */
export async function checkedOutAt(at: At, branch: string): Promise<Result<string | null, Failure>> {
  const path = at.gitCommonDir;
  return attemptStorage({ doing: "looking for worktrees in", path }, () =>
    findCheckout(at.gitCommonDir, { branch, except: null }),
  );
}

/** Names of all local branches. */
export async function listBranches(at: At): Promise<Result<readonly string[], Failure>> {
  const args = ["for-each-ref", "--format=%(refname)", "refs/heads/"];
  const listed = await readGit({ gitDir: at.gitCommonDir, args, doing: "listing the branches" });
  if (!listed.ok) return listed;
  const refs = listed.value.split("\n").filter((ref) => ref !== "");
  return success(refs.map((ref) => ref.slice("refs/heads/".length)));
}

/** Exit code 0 is yes, 1 is no, anything else is a failure and no answer. */
export async function isAncestor(
  at: At,
  of: { readonly ancestor: string; readonly of: string },
): Promise<Result<boolean, Failure>> {
  const answer = await runGit({
    gitDir: at.gitCommonDir,
    args: ["merge-base", "--is-ancestor", of.ancestor, of.of],
    okCodes: [0, 1],
    doing: `looking whether ${of.ancestor} is an ancestor of ${of.of}`,
  });
  return answer.ok ? success(answer.value.exitCode === 0) : answer;
}

/** Whether this can be a branch's name. */
export async function isBranchName(cwd: string, name: string): Promise<Result<boolean, Failure>> {
  const answer = await runGit({
    gitDir: null,
    cwd,
    args: ["check-ref-format", "--branch", name],
    okCodes: [0, 1, 128],
    doing: `checking the branch name "${name}"`,
  });
  // "@{-1}" and the like are names of other branches, which `--branch` would expand.
  if (!answer.ok) return answer;
  return success(answer.value.exitCode === 0 && answer.value.stdout.toString("utf8").trim() === name);
}

/**
 * Whether git ignores a path of the worktree (relative to its top level); the path need not exist. When git cannot
 * say it, false: then what is not ignored is made to ignore itself, which harms nothing.
 */
export async function isIgnored(checkout: Pick<Checkout, "topLevel">, path: string): Promise<boolean> {
  const answer = await runGit({
    gitDir: null,
    cwd: checkout.topLevel,
    args: ["check-ignore", "--quiet", "--no-index", "--", path],
    okCodes: [0, 1],
    doing: `looking whether "${path}" is ignored`,
  });
  return answer.ok && answer.value.exitCode === 0;
}

/** Those of the paths that a commit has, as files or folders. */
export async function pathsAt(
  at: At,
  wanted: { readonly commit: string; readonly paths: readonly string[] },
): Promise<Result<ReadonlySet<string>, Failure>> {
  const { commit, paths } = wanted;
  const plain = paths.filter((path) => !path.includes("\n"));
  const answer = await readGit({
    gitDir: at.gitCommonDir,
    args: ["cat-file", "--batch-check=%(objecttype)"],
    input: plain.map((path) => `${commit}:${path.replace(/\/+$/, "")}\n`).join(""),
    doing: `looking for files in ${commit}`,
  });
  if (!answer.ok) return answer;
  const kinds = answer.value.split("\n");
  return success(new Set(plain.filter((_path, index) => /^(?:blob|tree)$/.test(kinds[index] ?? ""))));
}

/** The repository's default branch as its remote or its names say; null: cannot be told. */
export async function defaultBranch(at: At): Promise<Result<string | null, Failure>> {
  const doing = "looking for the default branch";
  const args = ["symbolic-ref", "--quiet", "refs/remotes/origin/HEAD"];
  const answer = await runGit({ gitDir: at.gitCommonDir, args, doing, okCodes: [0, 1] });
  if (!answer.ok) return answer;
  const remote = /^refs\/remotes\/origin\/(.+)$/.exec(answer.value.stdout.toString("utf8").trim())?.[1];
  if (remote !== undefined) return success(remote);
  for (const branch of ["main", "master"]) {
    const commit = await branchHead(at, branch);
    if (!commit.ok) return commit;
    if (commit.value !== null) return success(branch);
  }
  return success(null);
}

const uncommittedNamed = 20;

async function readVersion(cwd: string): Promise<Result<string, CheckoutRefusal>> {
  const answer = await readGit({ gitDir: null, cwd, args: ["version"], doing: "asking git for its version" });
  if (!answer.ok) {
    const { failure } = answer;
    return failed({ kind: "git-missing", detail: failure.reason === "git-failed" ? failure.detail : "" });
  }
  const found = /(\d+\.\d+[\w.]*)/.exec(answer.value)?.[1] ?? answer.value;
  if (isOlder(found, wantedGitVersion)) {
    return failed({ kind: "git-too-old", found, wanted: wantedGitVersion });
  }
  return success(found);
}

export function isOlder(found: string, wanted: string): boolean {
  const [major = 0, minor = 0] = found.split(".").map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split(".").map(Number);
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}

/** Where the repository is, without a look at what is in it: all that reading a run's files needs. */
export async function findRepository(
  cwd: string,
): Promise<Result<{ readonly topLevel: string; readonly gitCommonDir: string }, CheckoutRefusal>> {
  if (!isFolder(cwd)) return failed({ kind: "no-folder", path: cwd });
  const answer = await runGit({
    gitDir: null,
    cwd,
    args: ["rev-parse", "--is-inside-work-tree", "--git-common-dir", "--show-toplevel"],
    okCodes: [0, 128],
    doing: `looking for the repository of "${cwd}"`,
  });
  if (!answer.ok) return failed({ kind: "git-failed", failure: answer.failure });
  const [isInside, commonDir, topLevel, ...more] = answer.value.stdout.toString("utf8").trimEnd().split("\n");
  if (answer.value.exitCode === 0 && commonDir !== undefined && topLevel !== undefined) {
    if (more.length > 0 || !isFolder(topLevel)) return failed({ kind: "path-unusable", path: cwd });
    return success({
      topLevel: fs.realpathSync(topLevel),
      gitCommonDir: fs.realpathSync(resolve(cwd, commonDir)),
    });
  }
  const detail = answer.value.stderr.trim();
  if (isInside === "false") return failed({ kind: "bare", path: cwd });
  if (/dubious ownership/.test(detail)) return failed({ kind: "unsafe-owner", path: cwd, detail });
  if (/not a git repository/i.test(detail)) return failed({ kind: "not-a-repository", path: cwd });
  const doing = `looking for the repository of "${cwd}"`;
  const failure: Failure = { reason: "git-failed", doing, exitCode: answer.value.exitCode, detail };
  return failed({ kind: "git-failed", failure });
}

interface Status {
  readonly head: Sha | null;
  readonly branch: string | null;
  readonly uncommitted: readonly string[];
}

async function readStatus(topLevel: string): Promise<Result<Status, Failure>> {
  const answer = await runGit({
    gitDir: null,
    cwd: topLevel,
    args: ["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal", "--no-renames"],
    doing: `looking for uncommitted changes in "${topLevel}"`,
  });
  if (!answer.ok) return answer;
  const lines = answer.value.stdout.toString("utf8").split("\0");
  const oid = findHeader(lines, "branch.oid");
  const name = findHeader(lines, "branch.head");
  return success({
    head: isSha(oid) ? oid : null,
    branch: name === "(detached)" || name === "" ? null : name,
    uncommitted: lines.filter((line) => line !== "" && !line.startsWith("#")).map(pathOfStatus),
  });
}

function findHeader(lines: readonly string[], name: string): string {
  return lines.find((line) => line.startsWith(`# ${name} `))?.slice(name.length + 3) ?? "";
}

/** `1 <XY> <sub> <mH> <mI> <mW> <hH> <hI> <path>`, `u` with two more modes and one more id, `? <path>`. */
function pathOfStatus(line: string): string {
  const fields = line.startsWith("1 ") ? 8 : line.startsWith("u ") ? 10 : 1;
  return line.split(" ").slice(fields).join(" ");
}

async function readExtras(
  topLevel: string,
): Promise<Result<{ readonly hasSubmodules: boolean; readonly usesLfs: boolean }, Failure>> {
  const answer = await runGit({
    gitDir: null,
    cwd: topLevel,
    args: ["grep", "-lzE", "filter=lfs|submodule", "HEAD", "--", ":(glob)**/.gitattributes", ".gitmodules"],
    okCodes: [0, 1, 128],
    doing: `looking for submodules and LFS in "${topLevel}"`,
  });
  if (!answer.ok) return answer;
  // 128: HEAD is unborn, which the caller finds out by itself.
  const files = answer.value.stdout.toString("utf8").split("\0");
  const isOwnAttributes = unless(["ENOENT"], () => fs.readFileSync(join(topLevel, ".gitattributes"), "utf8"));
  return success({
    hasSubmodules: files.includes("HEAD:.gitmodules"),
    usesLfs:
      files.some((file) => file.endsWith(".gitattributes")) ||
      (isOwnAttributes?.includes("filter=lfs") ?? false),
  });
}

function isOnPath(program: string): boolean {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.some((folder) => fs.existsSync(join(folder, program)));
}
