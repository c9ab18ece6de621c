// What every part of the git adapter knows about the run it works for: where things lie, what it has written to
// refs itself, and what it has looked up and cannot change (commits, trees).

import fs from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import type { Failure } from "../../core/failure.ts";
import type { RunId, Sha } from "../../core/ids.ts";
import { isSha } from "../../core/ids.ts";
import type { Result } from "../../core/result.ts";
import { failed, success } from "../../core/result.ts";
import type { Aftermath } from "../../ports.ts";
import {
  attemptStorage,
  errorCode,
  isTemporaryName,
  readRegularFile,
  removeTemporaryFiles,
  replaceFile,
  unless,
} from "../storage.ts";
import { listAdminDirs, worktreeOf } from "./admin-dirs.ts";
import type { CheckoutCache } from "./checkout-look.ts";
import type { Kept } from "./file-mark.ts";
import type { MetadataEntry } from "./metadata.ts";
import { type ObjectReader, openObjectReader } from "./object-reader.ts";
import { emptyRefCache, type RefCache } from "./ref-look.ts";
import { runGit } from "./run-git.ts";

export interface RepositoryOptions {
  /** The repository's common git directory, absolute. */
  readonly gitCommonDir: string;
  /** Top level of the worktree in which the run was started. */
  readonly checkout: string;
  /** Folder in which the run's own folder `<slug>-<run id>` is made. */
  readonly worktreeRoot: string;
  readonly runId: RunId;
  readonly slug: string;
  /** Absolute path of `dev/executions/<slug>`. */
  readonly runFolder: string;
  readonly runSetup: RunSetup;
  /** Takes secrets out of a text for reading (patches); refs keep the bytes. */
  readonly redact?: (text: string) => string;
  /** Whether agents, gates and set-ups run where the builder's checkout, refs and home cannot be written. */
  readonly isConfined?: boolean;
}

/** Runs the builder's `setup` command line in a tree; wired to the one launcher of processes. */
export type RunSetup = (
  at: {
    readonly command: string;
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    /** Absolute path of a file of the run folder. */
    readonly log: string;
  },
  signal: AbortSignal,
) => Promise<SetupEnd>;

export type SetupEnd =
  | { readonly kind: "ended"; readonly exitCode: number | null; readonly tail: string }
  | { readonly kind: "interrupted" }
  | { readonly kind: "cannot start"; readonly detail: string };

export interface CommitFacts {
  readonly tree: Sha;
  readonly parents: readonly Sha[];
  /** Seconds since 1970. */
  readonly committedAt: number;
}

export interface GitRun extends RepositoryOptions {
  readonly commonDir: string;
  /** What this program last wrote to a ref; null: deleted. Tells its own changes from an agent's. */
  readonly written: Map<string, Sha | null>;
  readonly commits: Map<string, CommitFacts>;
  /** Digest of the lockfiles of a tree. */
  readonly lockfiles: Map<string, string>;
  /** The last patches that were read, for writing them down without asking git again. */
  readonly patches: Map<string, string>;
  /** The last lists of what differs between two commits, as git gave them with their patch. */
  readonly lists: Map<string, readonly string[]>;
  readonly objects: ObjectReader;
  /** What is known about ref files that nobody has touched since. */
  readonly refCache: RefCache;
  /** Files of the repository's metadata that nobody has touched since they were read. */
  readonly metadata: Map<string, Kept<MetadataEntry>>;
  /** Branches that this run holds now. */
  readonly held: Set<string>;
  /** Trees of which an index lies somewhere, by its path. */
  readonly indexes: Map<string, string>;
  /** The last looks at the builder's checkouts. */
  readonly checkouts: CheckoutCache;
  /** What was seen around the set-ups of a lane, until its next dispatch or gate tells it. */
  readonly unsaid: Map<number, Aftermath>;
  /** The run's own folder, once it was found to be ours, and which folder that is. */
  readonly root: { path: string; mark: string };
  /** Folders of ours in which nothing of a killed program is left. */
  readonly swept: Set<string>;
}

export function openGitRun(options: RepositoryOptions): GitRun {
  const commonDir = unless(["ENOENT"], () => fs.realpathSync(options.gitCommonDir)) ?? options.gitCommonDir;
  return {
    ...options,
    commonDir,
    objects: openObjectReader(commonDir),
    lists: new Map(),
    written: new Map(),
    commits: new Map(),
    lockfiles: new Map(),
    indexes: new Map(),
    patches: new Map(),
    refCache: emptyRefCache(),
    metadata: new Map(),
    held: new Set(),
    checkouts: new Map(),
    unsaid: new Map(),
    root: { path: "", mark: "" },
    swept: new Set(),
  };
}

/** `refs/execute-prd/<run id>`, without a slash at the end. */
export function runRefPrefix(run: GitRun): string {
  return `refs/execute-prd/${run.runId}`;
}

/**
 * The run's own folder below the worktree root, links resolved, made when missing. A marker file says that it is
 * ours; a folder that has content but no such marker, or that lies in the main checkout, is refused.
 */
export function openRunRoot(run: GitRun): Result<string, Failure> {
  if (run.root.mark !== "" && markOf(run.root.path) === run.root.mark) return success(run.root.path);
  const opened = checkRunRoot(run);
  if (opened.ok) Object.assign(run.root, { path: opened.value, mark: markOf(opened.value) });
  return opened;
}

/** Empty for what is no folder itself. */
function markOf(path: string): string {
  const found = fs.lstatSync(path, { throwIfNoEntry: false });
  return found?.isDirectory() === true ? `${found.dev} ${found.ino}` : "";
}

function checkRunRoot(run: GitRun): Result<string, Failure> {
  const wanted = join(run.worktreeRoot, `${run.slug}-${run.runId}`);
  const made = attemptStorage({ doing: "making", path: wanted }, () => {
    fs.mkdirSync(wanted, { recursive: true });
    return fs.realpathSync(wanted);
  });
  if (!made.ok) return made;
  const root = made.value;
  const unusable = (detail: string) => failed({ reason: "lane-unusable" as const, path: root, detail });
  if (fs.lstatSync(wanted).isSymbolicLink()) return unusable("it is a link");
  const around = checkoutsOf(run).find((folder) => isInside(folder, root));
  if (around !== undefined) {
    return unusable(`it lies inside "${around}"; set worktreeRoot to a folder outside of the checkout`);
  }
  const marker = join(root, markerName);
  const found = unless(noMarkerCodes, () => readRegularFile(marker, maxMarkerBytes).toString("utf8"));
  if (found === markerText(run)) return success(root);
  const owner = found === undefined ? null : repositoryIn(run, found);
  const isMoved = owner !== null && !hasTreesIn(owner, root);
  if (owner !== null && !isMoved) {
    return unusable(`it belongs to the repository "${owner}", of which this is a copy; resume there`);
  }
  if (!isMoved && !fs.readdirSync(root).every(isTemporaryName)) {
    return unusable("it was not made by this run; move it away, then resume");
  }
  return attemptStorage({ doing: "writing", path: marker }, () => {
    removeTemporaryFiles(root); // of a program that was killed right here
    if (isMoved) forgetDispatches(root);
    replaceFile(marker, markerText(run));
    return root;
  });
}

/** Tree, parents and date of a commit; looked up once. */
export async function readCommit(run: GitRun, commit: string): Promise<Result<CommitFacts, Failure>> {
  const known = run.commits.get(commit);
  if (known !== undefined) return success(known);
  const doing = `reading commit ${commit}`;
  const read = await runGit({ gitDir: run.commonDir, args: ["cat-file", "commit", commit], doing });
  if (!read.ok) return read;
  const facts = parseCommit(read.value.stdout.toString("latin1"));
  if (facts === null) return gitFailure(doing, "the commit cannot be read");
  rememberCommit(run, commit, facts);
  return success(facts);
}

export function rememberCommit(run: GitRun, commit: string, facts: CommitFacts): void {
  if (run.commits.size > cacheEntries) run.commits.clear();
  run.commits.set(commit, facts);
}

export function gitFailure(doing: string, detail: string): Result<never, Failure> {
  return failed({ reason: "git-failed", doing, exitCode: null, detail });
}

/** Turns an exception of the file system in `operation` into a failure; anything else is a bug and goes on. */
export async function attemptFiles<Value>(
  at: { readonly doing: string; readonly path: string },
  operation: () => Promise<Result<Value, Failure>>,
): Promise<Result<Value, Failure>> {
  try {
    return await operation();
  } catch (error) {
    const code = errorCode(error);
    if (code === null) throw error;
    return failed({ reason: "storage-failed", ...at, path: pathOf(error) ?? at.path, code });
  }
}

/** The path that the system's error is about. */
function pathOf(error: unknown): string | null {
  return error instanceof Error && "path" in error && typeof error.path === "string" ? error.path : null;
}

/** Whether `path` is `folder` or lies below it; both absolute, links resolved. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`));
}

/** Path of the main worktree; null when the repository is bare. */
export function mainWorktreeOf(commonDir: string): string | null {
  if (basename(commonDir) === ".git") return dirname(commonDir);
  const config = unless(["ENOENT"], () => fs.readFileSync(join(commonDir, "config"), "utf8")) ?? "";
  return /^\s*bare\s*=\s*(?:true|yes|on|1)\s*$/im.test(config) ? null : commonDir;
}

const markerName = ".execute-prd";
const maxMarkerBytes = 65_536;
/** Missing, or put there by somebody else: a folder, a link, a pipe, a socket, something large. */
const noMarkerCodes = ["ENOENT", "ELOOP", "EFTYPE", "ENXIO", "EFBIG"];
const cacheEntries = 1_000;

/** What was remembered of the metadata is about another place: put back, it would be taken from where it is now. */
function forgetDispatches(root: string): void {
  const lanes = fs.readdirSync(root).filter((name) => name.startsWith("lane-"));
  for (const lane of lanes) fs.rmSync(dispatchFile(join(root, lane)), { force: true });
}

/** What a lane's dispatch found before it began. */
export function dispatchFile(laneFolder: string): string {
  return join(laneFolder, "private", "dispatch.json");
}

/** The repository for which this run, and no other, left the marker: the one before it was moved or copied. */
function repositoryIn(run: GitRun, found: string): string | null {
  try {
    const { repository } = JSON.parse(found);
    return typeof repository === "string" && markerText({ ...run, commonDir: repository }) === found
      ? repository
      : null;
  } catch {
    return null; // written by nobody of us
  }
}

/** Another repository may stand by now where a moved one was: only its own books tell them apart. */
function hasTreesIn(repository: string, root: string): boolean {
  return listAdminDirs(repository).some((adminDir) => {
    const tree = worktreeOf(adminDir);
    return tree !== null && isInside(root, tree);
  });
}

function markerText(run: Pick<GitRun, "runId" | "slug" | "commonDir">): string {
  return `${JSON.stringify({ runId: run.runId, slug: run.slug, repository: run.commonDir })}\n`;
}

function checkoutsOf(run: GitRun): string[] {
  const main = mainWorktreeOf(run.commonDir);
  const checkout = unless(["ENOENT"], () => fs.realpathSync(run.checkout)) ?? run.checkout;
  return [checkout, run.commonDir, ...(main === null ? [] : [main])];
}

function parseCommit(text: string): CommitFacts | null {
  const head = text.split("\n\n", 1)[0] ?? "";
  const tree = /^tree ([0-9a-f]+)$/m.exec(head)?.[1] ?? "";
  const parents = [...head.matchAll(/^parent ([0-9a-f]+)$/gm)].map((match) => match[1] ?? "").filter(isSha);
  const committedAt = Number(/^committer .* (\d+) [+-]\d+$/m.exec(head)?.[1] ?? Number.NaN);
  return isSha(tree) && Number.isFinite(committedAt) ? { tree, parents, committedAt } : null;
}
