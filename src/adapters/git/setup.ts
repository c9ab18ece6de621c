// Running the builder's `setup` in a tree, and deciding when it has to run again: when the tree is new, when the
// lockfiles of the commit in it are others, or when something that it made is gone.

import { createHash } from "node:crypto";
import fs from "node:fs";
import { basename, join } from "node:path";
import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import { limits } from "../../core/limits.ts";
import type { Result } from "../../core/result.ts";
import { failed, success } from "../../core/result.ts";
import { unless } from "../storage.ts";
import { closeConfinement, openConfinement, setupRefPrefix, withUnsaid } from "./confinement.ts";
import type { GitRun } from "./git-run.ts";
import { fingerprint, inTree, type TreePlace, type TreeState, toFile } from "./lane-state.ts";
import { putBackMetadata, readMetadata, type WatchedTree } from "./metadata-guard.ts";
import { runGit } from "./run-git.ts";

/** Of the command and the lockfiles in `tree`; empty when there is no set-up. */
export async function toSetupKey(
  run: GitRun,
  at: { readonly setup: string; readonly tree: Sha },
): Promise<Result<string, Failure>> {
  if (at.setup === "") return success("");
  const lockfiles = await digestLockfiles(run, at.tree);
  return lockfiles.ok ? success(`${digest(at.setup)} ${lockfiles.value}`) : lockfiles;
}

export function isLockfile(path: string): boolean {
  return lockfileNames.has(basename(path));
}

/** Whether all that `setup` made is still there, files that are not ignored also unchanged. */
export function isSetupIntact(place: TreePlace, state: TreeState): boolean {
  const isThere = (path: string): boolean => {
    const file = toFile(place.path, path.replace(/\/$/, ""));
    return unless(["ENOENT", "ENOTDIR"], () => fs.lstatSync(file)) !== undefined;
  };
  return (
    state.ignored.every(isThere) &&
    Object.entries(state.made).every(([path, mark]) => mark === fingerprint(place.path, path))
  );
}

/**
 * Runs the command and puts back what it changed in the repository's shared configuration and hooks: hook managers
 * write there from any worktree. What was seen around it is told with the lane's next dispatch or gate.
 */
export async function runSetupIn(
  run: GitRun,
  at: { readonly place: TreePlace; readonly trees: readonly WatchedTree[]; readonly setup: string },
  signal: AbortSignal,
): Promise<Result<void, Failure>> {
  const { place, trees, setup } = at;
  const log = join(run.runFolder, "attempts", "_run", "setup", `lane-${place.lane}-${place.kind}.log`);
  fs.mkdirSync(join(log, ".."), { recursive: true });
  const opened = await openConfinement(run, { trees, dispatch: setupDispatch });
  if (!opened.ok) return opened;
  const env = {
    EXECUTE_PRD_CHECKOUT: run.checkout,
    HUSKY: "0",
    SKIP_INSTALL_SIMPLE_GIT_HOOKS: "1",
  };
  const end = await run.runSetup({ command: setup, cwd: place.path, env, log }, signal);
  const closed = await closeConfinement(run, {
    opened: opened.value,
    refPrefix: setupRefPrefix(run, place.lane),
  });
  if (!closed.ok) return closed;
  run.unsaid.set(place.lane, withUnsaid(closed.value, run.unsaid.get(place.lane)));
  const told = [...closed.value.violations, ...closed.value.notes, ...closed.value.doubts];
  const words = told.map((line) => `\n[execute-prd] ${line}`).join("");
  if (told.length > 0) fs.appendFileSync(log, run.redact?.(words) ?? words);
  if (end.kind === "ended" && end.exitCode === 0) return success(undefined);
  const exitCode = end.kind === "ended" ? end.exitCode : null;
  const tail = end.kind === "ended" ? end.tail : end.kind === "interrupted" ? "interrupted" : end.detail;
  return failed({ reason: "setup-failed", command: setup, exitCode, tail });
}

/** Set-ups have no identity of their own: no ref can be proved to be theirs. */
const setupDispatch = "setup";

/** Fills submodule folders; the addresses that git notes in the shared configuration are taken out again. */
export async function fillSubmodules(
  run: GitRun,
  at: { readonly place: TreePlace; readonly state: TreeState; readonly trees: readonly WatchedTree[] },
): Promise<Result<void, Failure>> {
  const { place, state, trees } = at;
  if (!fs.existsSync(join(place.path, ".gitmodules"))) return success(undefined);
  const before = readMetadata(run, trees);
  const updated = await runGit({
    ...inTree(place, state),
    args: ["submodule", "update", "--init", "--recursive", "--force"],
    doing: `filling the submodules of "${place.path}"`,
    timeoutMs: limits.setupTimeoutMs,
  });
  const restored = putBackMetadata(run, { before, trees });
  if (!restored.ok) return restored;
  return updated.ok ? success(undefined) : updated;
}

const lockfileNames = new Set([
  "package-lock.json",
  "npm-shrinkwrap.json",
  "pnpm-lock.yaml",
  "yarn.lock",
  "bun.lock",
  "bun.lockb",
  "Cargo.lock",
  "go.sum",
  "poetry.lock",
  "uv.lock",
  "requirements.txt",
  "Gemfile.lock",
  "composer.lock",
]);

async function digestLockfiles(run: GitRun, tree: Sha): Promise<Result<string, Failure>> {
  const known = run.lockfiles.get(tree);
  if (known !== undefined) return success(known);
  const listed = await runGit({
    gitDir: run.commonDir,
    args: ["ls-tree", "-r", "-z", "--full-tree", tree],
    doing: `looking for lockfiles in tree ${tree}`,
  });
  if (!listed.ok) return listed;
  const lines = listed.value.stdout.toString("latin1").split("\0");
  const digested = digest(lines.filter((line) => isLockfile(line.slice(line.indexOf("\t") + 1))).join("\0"));
  rememberLockfiles(run, tree, digested);
  return success(digested);
}

export function rememberLockfiles(run: GitRun, tree: string, digested: string): void {
  if (run.lockfiles.size > 1_000) run.lockfiles.clear();
  run.lockfiles.set(tree, digested);
}

function digest(text: string): string {
  return createHash("sha256").update(text, "latin1").digest("hex");
}
