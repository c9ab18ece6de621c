// Who owns a folder that is guarded by run-lock: the names of its files, and reading them without taking anything.
//
//   lock/<token>          an empty file that names the one owner; this, and nothing else, is the lock
//   owner-<token>.json    who that is: of the owner, and for moments of those that compete for the lock

import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Result, success } from "../core/result.ts";
import { decodeOwner, encodeOwner, type Owner } from "../schema/owner.ts";
import { isAlive, type Liveness } from "./process-identity.ts";
import { errorCode, readRegularFile, replaceFile, storageError, unless } from "./storage.ts";

export const lockName = "lock";
const tokenPattern = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/;
const ownerPattern = /^owner-([A-Za-z0-9][A-Za-z0-9-]{0,63})\.json$/;
const ownerFileBytes = 64 * 1024;

export function isToken(text: string): boolean {
  return tokenPattern.test(text);
}

export function ownerPath(folder: string, token: string): string {
  return join(folder, `owner-${token}.json`);
}

export function pointerPath(folder: string, token: string): string {
  return join(folder, lockName, token);
}

export function writeOwner(folder: string, owner: Owner): void {
  replaceFile(ownerPath(folder, owner.token), encodeOwner(owner));
}

export interface SeenOwner {
  readonly owner: Owner;
  readonly liveness: Liveness;
}

/** null: there is no such file. The failure says why the file cannot be read. */
export function lookAtOwner(folder: string, token: string): Result<SeenOwner | null, string> {
  let text: string;
  try {
    text = readRegularFile(ownerPath(folder, token), ownerFileBytes).toString("utf8");
  } catch (error) {
    const code = errorCode(error);
    if (code === null) throw error;
    return code === "ENOENT" ? success(null) : { ok: false, failure: code };
  }
  const decoded = decodeOwner(text);
  if (!decoded.ok) return decoded;
  return success({ owner: decoded.value, liveness: isAlive(decoded.value) });
}

/** Tokens of all owner files, of the owner and of competitors. */
export function listOwnerTokens(folder: string): readonly string[] {
  const names = unless(["ENOENT"], () => readdirSync(folder)) ?? [];
  return names.flatMap((name) => ownerPattern.exec(name)?.[1] ?? []);
}

export type Holder =
  | { readonly kind: "nobody" }
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "foreign content"; readonly names: readonly string[] };

/** Whom the lock folder names. Throws ENOTDIR when something else has its name, also a link. */
export function readHolder(folder: string): Holder {
  const path = join(folder, lockName);
  if (unless(["ENOENT"], () => lstatSync(path))?.isDirectory() === false) {
    throw storageError("ENOTDIR");
  }
  const names = unless(["ENOENT"], () => readdirSync(path)) ?? [];
  const [only, ...others] = names;
  if (only === undefined) return { kind: "nobody" };
  if (others.length > 0 || !isToken(only)) return { kind: "foreign content", names };
  return { kind: "token", token: only };
}

/** `live` also stands for an owner that cannot be judged from here: a start would be refused as well. */
export interface Ownership {
  readonly state: "live" | "gone" | "none";
  readonly owner: Owner | null;
}

/** Who owns the folder now, for people; changes nothing. */
export function readOwner(folder: string): Ownership {
  const holder = unless(["ENOTDIR"], () => readHolder(folder));
  if (holder?.kind !== "token") return ownershipWithoutLock(folder);
  const seen = lookAtOwner(folder, holder.token);
  if (!seen.ok) return { state: "live", owner: null };
  if (seen.value === null) return { state: "gone", owner: null };
  return { state: seen.value.liveness === "dead" ? "gone" : "live", owner: seen.value.owner };
}

/** The lock folder may have been removed by hand: an owner file then still tells of its writer. */
function ownershipWithoutLock(folder: string): Ownership {
  const all = listHolders(folder);
  const live = all.find(({ liveness }) => liveness !== "dead");
  if (live !== undefined) return { state: "live", owner: live.owner };
  const gone = all[0];
  return gone === undefined ? { state: "none", owner: null } : { state: "gone", owner: gone.owner };
}

function listHolders(folder: string): readonly SeenOwner[] {
  return listOwnerTokens(folder).flatMap((token) => {
    const seen = lookAtOwner(folder, token);
    return seen.ok && seen.value?.owner.isHolding === true ? [seen.value] : [];
  });
}

export function wordOwner(owner: Owner): string {
  return `pid ${owner.pid} on ${owner.host}, started ${owner.startedAt}`;
}
