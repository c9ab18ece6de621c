// The lock: one owner per run folder, and one per branch; a dead owner is replaced, a live one never.
//
// The lock is one empty file, `lock/<token>`, whose name says who owns. Both ways to it are one rename, which the
// system lets exactly one starter win, and which leaves no moment in which the lock stands without its owner:
//
//   nobody owns:      .lock-<mine>/<mine>  ──rename──▶  lock/<mine>     fails while `lock` has content
//   a dead one owns:  lock/<dead>          ──rename──▶  lock/<mine>     fails when another starter was first
//
// `owner-<token>.json` is written and flushed before either and says which process a token is. A lock folder
// without content (mkdir to take, rmdir to free) does not do: between "its owner is dead" and "remove it" another
// starter can have become the owner.

import fs from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { assert, failed, type Result, success } from "../core/result.ts";
import type { Owner } from "../schema/owner.ts";
import type { LockRefusal } from "./lock-refusal.ts";
import {
  isToken,
  listOwnerTokens,
  lockName,
  lookAtOwner,
  ownerPath,
  pointerPath,
  readHolder,
  wordOwner,
  writeOwner,
} from "./owner.ts";
import { thisProcess } from "./process-identity.ts";
import { attemptStorage, errorCode, removeTemporaryFiles, unless } from "./storage.ts";

export interface LockRequest {
  /** Must exist. */
  readonly folder: string;
  /** Unique for ever; names this start in every journal line. Letters, digits, hyphens. */
  readonly token: string;
  readonly toolVersion: string;
  /** What is owned, for people: `run "feature-x" in /path`. */
  readonly about: string;
}

export interface RunLock {
  readonly token: string;
  /** The dead owner that was replaced, in words; null when nobody owned. */
  readonly takenOverFrom: string | null;
  /** Two file look-ups: cheap enough before each append. */
  isStillOwner(): boolean;
  /** Gives the lock back and removes every file of it. Never fails; repeating it is harmless. */
  release(): void;
}

export async function acquireRunLock(request: LockRequest): Promise<Result<RunLock, LockRefusal>> {
  assert(isToken(request.token), "a lock's token is made of letters, digits and hyphens");
  const claim: Claim = { ...request, owner: toOwner(request) };
  for (let tries = 1; tries <= triesOfOneStart; tries += 1) {
    const step = attemptStorage({ doing: "taking the lock in", path: claim.folder }, () =>
      take(claim, tries),
    );
    if (step.ok && step.value.kind === "again") {
      await wait(tries % 5);
      continue;
    }
    if (step.ok && step.value.kind === "taken") return success(toLock(claim, step.value.from));
    removeTraces(claim);
    if (!step.ok) return failed({ kind: "storage", failure: step.failure });
    if (step.value.kind === "refused") return failed(step.value.refusal);
  }
  removeTraces(claim);
  return failed({ kind: "unusable", path: join(claim.folder, lockName), detail: "it keeps changing hands" });
}

/** Each further try means that another starter or the owner did something meanwhile. */
const triesOfOneStart = 200;
/** An owner removes its file just before its lock: a lock without one is left over only if it stays so. */
const sightingsOfOrphan = 20;

interface Claim extends LockRequest {
  readonly owner: Owner;
}

type Step =
  | { readonly kind: "taken"; readonly from: string | null }
  | { readonly kind: "refused"; readonly refusal: LockRefusal }
  | { readonly kind: "again" };

const again: Step = { kind: "again" };

function take(claim: Claim, tries: number): Step {
  if (!announce(claim)) return again;
  if (takeFree(claim)) return confirm(claim, null);
  const path = join(claim.folder, lockName);
  const holder = unless(["ENOTDIR"], () => readHolder(claim.folder));
  if (holder === undefined) return refuse({ kind: "unusable", path, detail: "it is not a folder" });
  switch (holder.kind) {
    case "nobody":
      // Where an empty folder cannot be replaced by a rename (Windows), it has to go first.
      unless(["ENOENT", "ENOTEMPTY", "EEXIST"], () => fs.rmdirSync(path));
      return again;
    case "foreign content":
      return refuse({ kind: "unusable", path, detail: `it holds ${holder.names.join(", ")}` });
    case "token":
      return takeFrom(claim, holder.token, tries);
  }
}

/** Writes the owner file. False when an owner that tidied up removed it half-written. */
function announce(claim: Claim): boolean {
  if (fs.existsSync(ownerPath(claim.folder, claim.token))) return true;
  const isWritten = unless(["ENOENT"], () => writeOwner(claim.folder, claim.owner) ?? true) === true;
  if (!isWritten) fs.accessSync(claim.folder);
  return isWritten;
}

function takeFree(claim: Claim): boolean {
  const staging = stagingPath(claim.folder, claim.token);
  unless(["EEXIST"], () => fs.mkdirSync(staging));
  fs.writeFileSync(join(staging, claim.token), "");
  const occupied = process.platform === "win32" ? ["EPERM", "EACCES"] : ["ENOTDIR"];
  return (
    unless(["ENOTEMPTY", "EEXIST", ...occupied], () => {
      fs.renameSync(staging, join(claim.folder, lockName));
      return true;
    }) ?? false
  );
}

function takeFrom(claim: Claim, holder: string, tries: number): Step {
  const seen = lookAtOwner(claim.folder, holder);
  const file = ownerPath(claim.folder, holder);
  if (!seen.ok) return refuse({ kind: "unreadable", file, detail: seen.failure });
  if (seen.value === null && tries < sightingsOfOrphan) return again;
  if (seen.value !== null && seen.value.liveness !== "dead") {
    const isCertain = seen.value.liveness === "alive";
    return refuse({ kind: "owned", owner: seen.value.owner, isCertain, file });
  }
  const from = seen.value === null ? `an owner without a file (${holder})` : wordOwner(seen.value.owner);
  const isWon = unless(["ENOENT"], () => {
    fs.renameSync(pointerPath(claim.folder, holder), pointerPath(claim.folder, claim.token));
    return true;
  });
  return isWon === true ? confirm(claim, from) : again;
}

/**
 * The lock is ours. If it was free because somebody removed the folder under a live owner, that owner's file tells,
 * and the lock is given back. What dead starters left is removed.
 */
function confirm(claim: Claim, from: string | null): Step {
  let foundDead = from;
  for (const token of listOwnerTokens(claim.folder)) {
    if (token === claim.token) continue;
    const file = ownerPath(claim.folder, token);
    const seen = lookAtOwner(claim.folder, token);
    if (!seen.ok) return refuse({ kind: "unreadable", file, detail: seen.failure });
    if (seen.value === null) continue;
    const { owner, liveness } = seen.value;
    if (liveness === "dead") {
      fs.rmSync(file, { force: true });
      if (owner.isHolding) foundDead ??= wordOwner(owner);
    } else if (owner.isHolding) {
      return refuse({ kind: "owned", owner, isCertain: liveness === "alive", file });
    }
  }
  writeOwner(claim.folder, { ...claim.owner, isHolding: true });
  sweep(claim);
  return { kind: "taken", from: foundDead };
}

/** A live competitor has an owner file as long as it has a staging folder. */
function sweep({ folder, token: mine }: Claim): void {
  for (const name of fs.readdirSync(folder)) {
    const token = name.startsWith(stagingPrefix) ? name.slice(stagingPrefix.length) : "";
    if (!isToken(token)) continue;
    if (token === mine || !fs.existsSync(ownerPath(folder, token))) {
      fs.rmSync(join(folder, name), { recursive: true, force: true });
    }
  }
  removeTemporaryFiles(folder);
}

function refuse(refusal: LockRefusal): Step {
  return { kind: "refused", refusal };
}

function toLock(claim: Claim, takenOverFrom: string | null): RunLock {
  const files = [ownerPath(claim.folder, claim.token), pointerPath(claim.folder, claim.token)];
  return {
    token: claim.token,
    takenOverFrom,
    isStillOwner: () => files.every((file) => fs.existsSync(file)),
    release: () => removeTraces(claim),
  };
}

/**
 * The owner file goes before the lock: a file that says "holding" without a lock then always means that somebody
 * else removed the lock. A competitor's goes after its staging folder, which `sweep` relies on.
 */
function removeTraces({ folder, token }: Claim): void {
  const staging = stagingPath(folder, token);
  const steps = [
    () => fs.rmSync(staging, { recursive: true, force: true }),
    () => fs.rmSync(ownerPath(folder, token), { force: true }),
    () => fs.rmSync(pointerPath(folder, token), { force: true }),
    () => fs.rmdirSync(join(folder, lockName)),
  ];
  for (const step of steps) {
    try {
      step();
    } catch (error) {
      // What cannot be removed (a full or read-only disk) is taken over by the next start, as after a crash.
      if (errorCode(error) === null) throw error;
    }
  }
}

const stagingPrefix = ".lock-";

function stagingPath(folder: string, token: string): string {
  return join(folder, `${stagingPrefix}${token}`);
}

function toOwner({ token, toolVersion, about }: LockRequest): Owner {
  const startedAt = new Date().toISOString();
  return { ...thisProcess(), token, startedAt, toolVersion, about, isHolding: false };
}
