// Files that this program writes into a repository itself, in git's own forms: loose objects (which are named by
// their content) and loose refs of the run. Each of them would otherwise cost a process. Git's rules are kept: whole
// and flushed before it has its name, a ref not while it is locked, nothing written through a link.

import { createHash, randomBytes } from "node:crypto";
import fs from "node:fs";
import { dirname, join } from "node:path";
import { deflateSync } from "node:zlib";
import type { Sha } from "../../core/ids.ts";
import { isSha } from "../../core/ids.ts";
import { assert } from "../../core/result.ts";
import { errorCode, storageError, unless, writeNewFile } from "../storage.ts";

export type ObjectKind = "commit" | "tree";

/** Stores an object and returns its id; one that is there already is left as it is. Throws the system's error. */
export function writeObject(
  at: { readonly commonDir: string; readonly algorithm: "sha1" | "sha256" },
  kind: ObjectKind,
  content: Uint8Array,
): Sha {
  const bytes = Buffer.concat([Buffer.from(`${kind} ${content.length}\0`), content]);
  const id = createHash(at.algorithm).update(bytes).digest("hex");
  assert(isSha(id), "a digest is an object id");
  const objects = join(at.commonDir, "objects");
  const path = join(objects, id.slice(0, 2), id.slice(2));
  // As git does it: an object that is wanted again is not old, so that nobody's clean-up takes it.
  const isThere = unless(["ENOENT", "ENOTDIR"], () => fs.utimesSync(path, new Date(), new Date()) ?? true);
  if (isThere === true) return id;
  makeFolderLike(objects, dirname(path));
  // By this name git knows what a killed writer left, and its clean-up takes it away.
  const temporary = join(dirname(path), `tmp_obj_${randomBytes(6).toString("hex")}`);
  try {
    // The level that git itself takes for loose objects by default.
    writeNewFile(temporary, deflateSync(bytes, { level: 1 }), 0o444);
    fs.renameSync(temporary, path);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
  return id;
}

/** The way object ids of this length are made. */
export function algorithmOf(sha: Sha): "sha1" | "sha256" {
  return sha.length === 64 ? "sha256" : "sha1";
}

/**
 * Lets a ref that nobody else writes stand for a commit, whatever it was. False: something is in the way, or it is no
 * repository with refs as files; nothing was changed, and git knows better what to do.
 *
 * Not under git's lock for the ref: of a program that is killed it would be left, and keep the next one waiting. The
 * file it is made in has a name that git takes for a lock of nothing and passes over.
 */
export function writeLooseRef(commonDir: string, ref: string, to: Sha): boolean {
  const path = join(commonDir, ref);
  const temporary = `${path}.${randomBytes(6).toString("hex")}.lock`;
  try {
    const refs = join(commonDir, "refs");
    if (!fs.statSync(join(refs, "heads")).isDirectory()) return false;
    makeFolderLike(refs, dirname(path));
    if (fs.realpathSync(dirname(path)) !== dirname(path) || fs.existsSync(`${path}.lock`)) return false;
    writeNewFile(temporary, `${to}\n`);
    fs.renameSync(temporary, path);
    return true;
  } catch (error) {
    if (errorCode(error) === null) throw error;
    unless(["ENOENT", "ENOTDIR"], () => fs.unlinkSync(temporary));
    return false;
  }
}

/** Folders below `root`, which exists, with its mode: that is how a shared repository stays shared. */
function makeFolderLike(root: string, folder: string): void {
  if (folder === root || fs.existsSync(folder)) return;
  makeFolderLike(root, dirname(folder));
  const isNew = unless(["EEXIST"], () => fs.mkdirSync(folder) ?? true) === true;
  if (isNew) fs.chmodSync(folder, fs.statSync(root).mode & 0o7777);
  else if (!fs.statSync(folder).isDirectory()) throw storageError("ENOTDIR");
}
