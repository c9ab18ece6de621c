// From what a process needs to a profile: looks at what exists, resolves links, and finds the paths in command lines
// and variables that would be hidden. Synchronous: a few dozen looks, about a millisecond.

import fs from "node:fs";
import { basename, delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import type { Confinement, Sandbox } from "./confinement.ts";
import type { Profile } from "./sandbox-bubblewrap.ts";
import { secretPlaces } from "./sandbox-secrets.ts";

export interface ProfileWanted {
  readonly confinement: Confinement;
  readonly cwd: string;
  /** Program and arguments. */
  readonly command: readonly string[];
  readonly path: string;
  /** Values of variables; those that are absolute paths are to be seen. */
  readonly handed: readonly string[];
}

export function toProfile(wanted: ProfileWanted): Profile {
  const { confinement, cwd } = wanted;
  const { sandbox } = confinement;
  const fresh = freshFolders.filter(isFolder).map(toRealPath);
  const metadata = laneMetadata(confinement.tree, sandbox.gitCommonDir);
  const writable = [confinement.tree, ...confinement.writable, ...metadata.writable].filter(exists);
  const seen = [...sandbox.visible, sandbox.gitCommonDir, ...ownPrograms, ...namedPaths(wanted)];
  const places = unique(seen.flatMap((path) => [path, toRealPath(path)])).filter(exists);
  const hidden = hiddenPlaces(sandbox, confinement.spared ?? []);
  return {
    network: sandbox.network,
    isRoot: process.getuid?.() === 0,
    cwd,
    fresh,
    readable: places.filter((path) => fresh.some((folder) => isBelow(path, folder))),
    hidden,
    revealed: places.filter((path) => hidden.some((place) => isInside(path, place.path))),
    writable: unique(writable.map(toRealPath)),
    kept: metadata.kept.filter(exists),
  };
}

/** Temporary files of others, and sockets of servers that would do outside what is asked of them inside. */
const freshFolders = ["/tmp", "/var/tmp", "/run"] as const;

/** This program itself, and how names of hosts are looked up. */
const ownPrograms = [process.execPath, resolve(import.meta.dirname, ".."), "/etc/resolv.conf", "/run/nscd"];

/** What git writes for this tree. Branches, tags, stash, configuration and hooks stay read-only. */
function laneMetadata(tree: string, commonDir: string): { writable: string[]; kept: string[] } {
  const gitFile = join(tree, ".git");
  const objects = join(commonDir, "objects");
  const kept = [gitFile, join(objects, "info"), join(objects, "pack")];
  const adminDir = readAdminDir(gitFile);
  const isOurs =
    adminDir !== null &&
    dirname(adminDir) === join(commonDir, "worktrees") &&
    toRealPath(adminDir) === adminDir;
  return { writable: isOurs ? [objects, adminDir] : [], kept: isOurs ? kept : [] };
}

function readAdminDir(gitFile: string): string | null {
  try {
    if (!fs.lstatSync(gitFile).isFile()) return null;
    const [, path = ""] = /^gitdir: (.+)$/m.exec(fs.readFileSync(gitFile, "utf8")) ?? [];
    return isAbsolute(path) ? path : null;
  } catch {
    return null; // no tree of a lane
  }
}

function hiddenPlaces(sandbox: Sandbox, spared: readonly string[]): Profile["hidden"] {
  const inHome = secretPlaces
    .filter((name) => !spared.includes(name))
    .map((name) => join(sandbox.home, name));
  const places = [...inHome, ...sandbox.hidden].filter(exists).map(toRealPath);
  return unique(places).map((path) => ({ path, isFolder: isFolder(path) }));
}

/** Absolute paths in the command, folders of programs and scripts, and what variables name. */
function namedPaths({ command, path, handed }: ProfileWanted): readonly string[] {
  const words = command.flatMap((each) => each.split(/[\s"'=;:|&<>()]+/)).filter(isAbsolute);
  const folders = path.split(delimiter).filter(isAbsolute);
  const [program = ""] = command;
  const found = isAbsolute(program) ? program : folders.map((each) => join(each, program)).find(exists);
  const programs = found === undefined ? [] : [found, toRealPath(found)];
  return [...folders, ...[...words, ...programs].flatMap(withFolder), ...handed.filter(isAbsolute)];
}

/** A script needs what lies beside it. */
function withFolder(path: string): readonly string[] {
  if (!exists(path) || isFolder(path)) return [path];
  const folder = dirname(path);
  return basename(folder) === ".bin" || basename(folder) === "bin"
    ? [path, folder, dirname(folder)]
    : [path, folder];
}

/** Whether `path` is `folder` or lies in it; both absolute and without detours. */
function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

function isBelow(path: string, folder: string): boolean {
  return path !== folder && isInside(path, folder);
}

function exists(path: string): boolean {
  return fs.existsSync(path);
}

function isFolder(path: string): boolean {
  return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function toRealPath(path: string): string {
  try {
    return fs.realpathSync.native(path);
  } catch {
    return path; // it does not exist
  }
}

function unique(paths: readonly string[]): string[] {
  return [...new Set(paths)];
}
