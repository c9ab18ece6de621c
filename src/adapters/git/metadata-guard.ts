// The repository's metadata around a dispatch: remembered before, compared and put back after, by plain file reads
// only. An agent has its hands on these files, and until they are compared no git command may be run: a changed
// configuration, a hook, an alternate or another `.git` file would make git do and say what the agent wants.

import fs from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import type { Failure } from "../../core/failure.ts";
import type { Result } from "../../core/result.ts";
import { attemptStorage, replaceFile, unless } from "../storage.ts";
import { isSettled, toMark } from "./file-mark.ts";
import type { GitRun } from "./git-run.ts";
import { isInside } from "./git-run.ts";
import { isFolderItself } from "./lanes.ts";
import type { Metadata, MetadataEntry } from "./metadata.ts";

export interface WatchedTree {
  /** The tree's `.git` file. */
  readonly gitFile: string;
  readonly adminDir: string;
}

export interface MetadataAftermath {
  readonly violations: readonly string[];
  readonly notes: readonly string[];
}

export function readMetadata(run: GitRun, trees: readonly WatchedTree[]): Metadata {
  const files = [
    ...listBeside(run.commonDir, (name) => /^config/.test(name) && !name.endsWith(".lock")),
    ...singleFiles.map((name) => join(run.commonDir, name)),
    ...listBelow(join(run.commonDir, "hooks"), folderDepth),
    ...listBelow(join(run.commonDir, "info"), folderDepth).filter((path) => !othersInfo.has(basename(path))),
    ...trees.filter(isThere).map(({ gitFile }) => gitFile),
    ...trees.flatMap(({ adminDir }) => adminFiles.map((name) => join(adminDir, name))),
  ];
  const entries: Record<string, MetadataEntry> = {};
  for (const path of files) {
    const entry = readEntry(run, path);
    if (entry !== null) entries[path] = entry;
  }
  return entries;
}

/** Compares with what was remembered, puts every difference back and says which were honest side effects. */
export function putBackMetadata(
  run: GitRun,
  at: { readonly before: Metadata; readonly trees: readonly WatchedTree[] },
): Result<MetadataAftermath, Failure> {
  return attemptStorage({ doing: "putting back", path: run.commonDir }, () => {
    const after = readMetadata(run, at.trees);
    const gone = at.trees.filter((tree) => tree.gitFile in at.before && !isThere(tree));
    const violations = gone.map(({ gitFile }) => `the tree "${dirname(gitFile)}" was removed or replaced`);
    const notes: string[] = [];
    // What was added goes first: a link in the place of a folder must be gone before anything is written below it.
    const added = Object.keys(after).filter((path) => !(path in at.before));
    for (const path of [...added, ...Object.keys(at.before)]) {
      const before = at.before[path] ?? null;
      const now = after[path] ?? null;
      // Put back alone, it would make of a tree that is gone one whose every file was deleted; and what stands there
      // now, or what a link there leads to, is not ours to write in.
      if (isSame(before, now) || gone.some(({ gitFile }) => gitFile === path)) continue;
      const judgement = judge(run, { path, before, now });
      if (judgement === "builder's") continue;
      const name = nameOf(run, path);
      restore(run, { path, before, now });
      if (judgement === "honest") notes.push(`"${name}", as a hook manager writes it, was put back`);
      else violations.push(`"${name}" was ${toVerb(before, now)} and put back`);
    }
    return { violations, notes };
  });
}

/** A file below a link, or below what is no folder, is not the tree's. */
function isThere({ gitFile }: WatchedTree): boolean {
  return isFolderItself(dirname(gitFile));
}

const folderDepth = 3;
const maxFileBytes = 4 * 1024 * 1024;
const singleFiles = [
  "commondir",
  "shallow",
  join("objects", "info", "alternates"),
  join("objects", "info", "http-alternates"),
] as const;
const adminFiles = ["gitdir", "commondir", "config.worktree"] as const;
// Written by `update-server-info` and by the builder's `sparse-checkout`; neither changes what our git does.
const othersInfo = new Set(["refs", "sparse-checkout"]);

interface Difference {
  readonly path: string;
  readonly before: MetadataEntry | null;
  readonly now: MetadataEntry | null;
}

function judge(run: GitRun, { path, before, now }: Difference): "builder's" | "honest" | "violation" {
  if (now?.kind !== "file") return "violation";
  const text = toBytes(now).toString("latin1");
  if (path === join(run.commonDir, "config") && before?.kind === "file") {
    return judgeConfig(toBytes(before).toString("latin1"), text);
  }
  const isHook = isInside(join(run.commonDir, "hooks"), path);
  return isHook && hookManagers.test(text) ? "honest" : "violation";
}

const hookManagers = /husky|lefthook|simple.git.hooks|pre-commit\.com|overcommit/i;

// Upstream settings and editors' notes of branches: `git push -u` and editors write them while a run goes on, and
// nothing in them is ever executed. The block must have git's own form, so that nothing else can hide in it.
const branchBlock = /^\[branch "[^"\\\n]*"\]\n(?:\t[A-Za-z][A-Za-z0-9-]* = [^\\\n"]*\n)*(?=\[|(?![\s\S]))/gm;
const huskyLine = /^\thooksPath = (?:\.\/)?\.husky(?:\/_)?\n/gm;

function judgeConfig(before: string, now: string): "builder's" | "honest" | "violation" {
  const rest = (text: string): string => text.replace(branchBlock, "");
  if (rest(before) === rest(now)) return "builder's";
  return rest(before) === rest(now.replace(huskyLine, "")) ? "honest" : "violation";
}

/** What is displaced is kept in `salvage/`, but for secrets: it may be the builder's own. */
function restore(run: GitRun, { path, before, now }: Difference): void {
  if (before?.kind === "other") return;
  if (now !== null) displace(run, path, now);
  if (before === null) return;
  fs.mkdirSync(dirname(path), { recursive: true });
  if (before.kind === "link") {
    fs.symlinkSync(before.target, path);
    return;
  }
  replaceFile(path, toBytes(before));
  fs.chmodSync(path, before.mode);
}

function displace(run: GitRun, path: string, now: MetadataEntry): void {
  const folder = join(run.runFolder, "salvage", "metadata");
  if (now.kind === "file") {
    fs.mkdirSync(folder, { recursive: true });
    const text = toBytes(now).toString("utf8");
    const redacted = run.redact?.(text) ?? text;
    replaceFile(freeName(folder, path), redacted === text ? toBytes(now) : redacted);
  }
  if (now.kind === "other") fs.renameSync(path, freeName(dirname(path), `${path}.set-aside`));
  else fs.rmSync(path, { force: true });
}

function freeName(folder: string, path: string): string {
  const label = basename(path).replace(/[^A-Za-z0-9._-]/g, "_");
  for (let k = 1; ; k++) {
    const name = join(folder, `${label}-${k}`);
    if (!fs.existsSync(name)) return name;
  }
}

/** A file that nobody has touched since it was read is not read again. */
function readEntry(run: GitRun, path: string): MetadataEntry | null {
  const found = fs.lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  const mark = `${toMark(found)} ${found.mode}`;
  const known = run.metadata.get(path);
  if (known?.mark === mark) return known.value;
  const value = readFound(path, found);
  if (isSettled(found)) run.metadata.set(path, { mark, value });
  else run.metadata.delete(path);
  return value;
}

function readFound(path: string, found: fs.Stats): MetadataEntry {
  if (found.isSymbolicLink()) return { kind: "link", target: fs.readlinkSync(path) };
  if (!found.isFile()) return { kind: "other", mark: found.isDirectory() ? "folder" : "special" };
  if (found.size > maxFileBytes) return { kind: "other", mark: `${found.size} ${found.ctimeMs}` };
  return { kind: "file", base64: fs.readFileSync(path).toString("base64"), mode: found.mode & 0o7777 };
}

function isSame(before: MetadataEntry | null, now: MetadataEntry | null): boolean {
  return before === now || JSON.stringify(before) === JSON.stringify(now);
}

function toBytes(entry: { readonly base64: string }): Buffer {
  return Buffer.from(entry.base64, "base64");
}

function toVerb(before: MetadataEntry | null, now: MetadataEntry | null): string {
  if (before === null) return "added";
  return now === null ? "removed" : "changed";
}

function nameOf(run: GitRun, path: string): string {
  return isInside(run.commonDir, path) ? relative(run.commonDir, path) : path;
}

function listBeside(folder: string, isWanted: (name: string) => boolean): string[] {
  const names = unless(["ENOENT", "ENOTDIR"], () => fs.readdirSync(folder)) ?? [];
  return names.filter(isWanted).map((name) => join(folder, name));
}

/** Files below a folder; a link in the place of the folder, or of one below it, counts as a file. */
function listBelow(folder: string, depth: number): string[] {
  const found = unless(["ENOENT", "ENOTDIR"], () => fs.lstatSync(folder));
  if (found === undefined) return [];
  if (!found.isDirectory()) return [folder];
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return [path];
    return depth > 0 ? listBelow(path, depth - 1) : [];
  });
}
