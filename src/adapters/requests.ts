// Requests of other commands to the live program. One small file each in `requests/`, made complete by a rename;
// claimed by a rename to `requests/claimed/`, where it stays as evidence; what is no request goes to
// `requests/refused/`. Nothing found here is trusted: links and pipes are moved, never opened or waited for.

import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { basename, join } from "node:path";
import type { Failure } from "../core/failure.ts";
import { limits } from "../core/limits.ts";
import type { Result } from "../core/result.ts";
import type { BuilderRequest, Requests } from "../ports.ts";
import { decodeRequest, encodeRequest } from "../schema/request.ts";
import type { Redaction } from "./redaction/redaction.ts";
import { folderNames } from "./run-folder.ts";
import {
  attemptStorage,
  errorCode,
  flushFolder,
  makeFolderBelow,
  readRegularFile,
  replaceFile,
  unless,
  writeNewFile,
} from "./storage.ts";

/** The live program's end. A folder that cannot be read or written has no requests: the run must not stop for it. */
export function openRequests(folder: string, redaction: Pick<Redaction, "json"> | null = null): Requests {
  return {
    claim: async () => claim(folder, redaction),
    claimedBefore: async () => claimedBefore(folder),
    watch: (callback) => watch(folder, callback),
  };
}

/** The other end: leaves a request for the program that owns the run folder. */
export function sendRequest(at: {
  readonly folder: string;
  readonly request: BuilderRequest;
}): Result<void, Failure> {
  return attemptStorage(
    { doing: "leaving a request in", path: join(at.folder, folderNames.requests) },
    () => {
      const requests = makeFolderBelow(at.folder, folderNames.requests);
      const name = newName();
      // The name ends in ".json" only once the file is whole; nobody takes it before.
      writeNewFile(join(requests, `.${name}.tmp`), encodeRequest(at.request));
      fs.renameSync(join(requests, `.${name}.tmp`), join(requests, name));
      flushFolder(requests);
    },
  );
}

const claimedName = `${folderNames.requests}/claimed`;
const refusedName = `${folderNames.requests}/refused`;

/** More than this at once is left for the next claim. */
const claimedAtOnce = 100;

let sent = 0;

/** Sorts by time, and in order of sending within one program. */
function newName(): string {
  sent += 1;
  const time = new Date().toISOString().replaceAll(/[-:.]/g, "");
  return `${time}-${String(sent).padStart(6, "0")}-${randomBytes(4).toString("hex")}.json`;
}

function claim(folder: string, redaction: Pick<Redaction, "json"> | null): readonly BuilderRequest[] {
  const names = waitingNames(folder).toSorted().slice(0, claimedAtOnce);
  const requests = names.flatMap((name) => {
    try {
      return claimOne({ folder, name, redaction }) ?? [];
    } catch (error) {
      if (errorCode(error) === null) throw error;
      return []; // claimed by another program, or a disk that cannot take it now: the next claim tries again
    }
  });
  if (names.length > 0) attemptStorage({ doing: "flushing", path: folder }, () => flushRequests(folder));
  return requests;
}

interface Claim {
  readonly folder: string;
  readonly name: string;
  readonly redaction: Pick<Redaction, "json"> | null;
}

function claimOne({ folder, name, redaction }: Claim): BuilderRequest | null {
  const source = join(folder, folderNames.requests, name);
  const claimed = moveInto(source, makeFolderBelow(folder, claimedName));
  const request = readRequest(claimed);
  if (request === null) {
    moveInto(claimed, makeFolderBelow(folder, refusedName));
    return null;
  }
  const redacted = redaction?.json(request) ?? request;
  if (redacted === request) return request;
  // The shell it was sent from did not know the secret.
  const { id: _id, ...stored } = redacted;
  replaceFile(claimed, encodeRequest(stored));
  return redacted;
}

function claimedBefore(folder: string): readonly BuilderRequest[] {
  const claimed = join(folder, claimedName);
  const names = attemptStorage({ doing: "reading", path: claimed }, () => fs.readdirSync(claimed));
  if (!names.ok) return []; // nothing was ever claimed
  return names.value.toSorted().flatMap((name) => readRequest(join(claimed, name)) ?? []);
}

function readRequest(path: string): BuilderRequest | null {
  const bytes = attemptStorage({ doing: "reading", path }, () =>
    readRegularFile(path, limits.requestFileBytes),
  );
  if (!bytes.ok) return null;
  const decoded = decodeRequest(bytes.value.toString("utf8"));
  return decoded.ok ? { ...decoded.value, id: basename(path) } : null;
}

/** Moves a file under its own name, or a similar one where that is taken: evidence is never overwritten. */
function moveInto(path: string, folder: string): string {
  const target = join(folder, basename(path));
  const isTaken = unless(["ENOENT"], () => fs.lstatSync(target)) !== undefined;
  const free = isTaken ? `${target}.${randomBytes(4).toString("hex")}` : target;
  fs.renameSync(path, free);
  return free;
}

function flushRequests(folder: string): void {
  for (const name of [folderNames.requests, claimedName, refusedName]) {
    unless(["ENOENT"], () => flushFolder(join(folder, name)));
  }
}

/** A request that is still being written has another ending. */
function waitingNames(folder: string): readonly string[] {
  const requests = join(folder, folderNames.requests);
  const names = attemptStorage({ doing: "reading", path: requests }, () =>
    fs.lstatSync(requests).isDirectory() ? fs.readdirSync(requests) : [],
  );
  return names.ok ? names.value.filter((name) => name.endsWith(".json")) : [];
}

/** Looking ten times a second costs nothing, and works on every file system and however often the folder is replaced. */
function watch(folder: string, callback: () => void): () => void {
  const timer = setInterval(() => {
    if (waitingNames(folder).length > 0) callback();
  }, limits.requestPollMs);
  return () => clearInterval(timer);
}
