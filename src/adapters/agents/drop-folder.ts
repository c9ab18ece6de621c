// The drop folder of one dispatch: the only place outside its lane that an agent is told of. The request and copies
// of files lie there, and the agent leaves its report there.
//
// What comes back is hostile: the report may be a link, a pipe without an end, a device, or huge. It is opened once,
// without following links and without blocking, and judged by what the open file is, never by its name.

import { randomBytes } from "node:crypto";
import { realpathSync } from "node:fs";
import { chmod, lstat, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Failure } from "../../core/failure.ts";
import { limits } from "../../core/limits.ts";
import { failed, type Result, success } from "../../core/result.ts";
import { type PlainFileFound, readPlainFile } from "../plain-file.ts";
import { codeOf } from "../process/output.ts";
import type { Redaction } from "../redaction/redaction.ts";
import { confinedPathProblem, isInside } from "./confined.ts";

export interface HandedOver {
  readonly name: string;
  /** Absolute path of the read-only copy. */
  readonly path: string;
}

export interface DropFolder {
  readonly path: string;
  readonly requestPath: string;
  readonly reportPath: string;
  /** Copies files read-only into the folder, without secrets; what cannot be copied is left out and told. */
  handOver(
    files: readonly { readonly from: string; readonly name: string }[],
    redaction: Pick<Redaction, "bytes">,
  ): Promise<{ readonly handed: readonly HandedOver[]; readonly told: readonly string[] }>;
  writeRequest(text: string): Promise<Result<void, Failure>>;
  /** What counts is what is there after the agent's process group has ended. */
  readReport(): Promise<PlainFileFound>;
  /** Never fails and never takes long; what cannot be removed stays. */
  remove(): Promise<void>;
}

/** Makes a fresh folder, mode 0700 with a random name, in a temporary folder that lies in none of `outside`. */
export async function openDropFolder(wanted: {
  runId: string;
  outside: readonly string[];
}): Promise<Result<DropFolder, Failure>> {
  const parent = findParent(wanted.outside);
  if (parent === null) return storageFailed("making a drop folder in", tmpdir(), "EINSIDE");
  try {
    const path = await mkdtemp(join(parent, `${prefixOf(wanted.runId)}${randomBytes(8).toString("hex")}-`));
    await chmod(path, 0o700);
    const { dev, ino } = await lstat(path);
    return success(toDropFolder(path, `${dev}:${ino}`));
  } catch (error) {
    return storageFailed("making a drop folder in", parent, codeOf(error));
  }
}

/** Removes the drop folders that a killed program left behind. */
export async function removeLeftDropFolders(wanted: {
  runId: string;
  outside: readonly string[];
}): Promise<void> {
  const parent = findParent(wanted.outside);
  if (parent === null) return;
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(prefixOf(wanted.runId)))) {
    const found = await lstat(join(parent, name)).catch(() => null);
    if (found?.isDirectory() && found.uid === process.getuid?.()) await removeFolder(join(parent, name));
  }
}

function prefixOf(runId: string): string {
  return `execute-prd-${runId}-`;
}

// TMPDIR may point into the repository; then the usual places are tried.
function findParent(outside: readonly string[]): string | null {
  const forbidden = outside.map(toRealPath);
  const places = process.platform === "win32" ? [tmpdir()] : [tmpdir(), "/tmp", "/var/tmp"];
  for (const place of places) {
    const parent = toRealPath(place);
    if (!forbidden.some((folder) => isInside(parent, folder))) return parent;
  }
  return null;
}

// Synchronous: a few microseconds, and a trip through Node's thread pool is a hundred.
function toRealPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path; // it does not exist
  }
}

function toDropFolder(path: string, identity: string): DropFolder {
  const requestPath = join(path, "request.json");
  const reportPath = join(path, "report.json");
  return {
    path,
    requestPath,
    reportPath,
    handOver: (files, redaction) => handOver({ path, files, redaction }),
    writeRequest: async (text) => {
      try {
        await writeFile(requestPath, text, { mode: 0o400 });
        return success(undefined);
      } catch (error) {
        return storageFailed("writing the request", requestPath, codeOf(error));
      }
    },
    readReport: async () => {
      const found = await lstat(path).catch(() => null);
      const isOurs = found?.isDirectory() && `${found.dev}:${found.ino}` === identity;
      return isOurs ? readReportFile(reportPath) : { kind: "unusable", problem: "its folder was replaced" };
    },
    remove: () => removeFolder(path),
  };
}

interface Handing {
  readonly path: string;
  readonly files: readonly { from: string; name: string }[];
  readonly redaction: Pick<Redaction, "bytes">;
}

async function handOver({ path, files, redaction }: Handing) {
  const handed: HandedOver[] = [];
  const told: string[] = [];
  for (const { from, name } of files) {
    const copy = join(path, "files", name);
    const problem = confinedPathProblem(name) ?? (await copyReadOnly({ from, to: copy, redaction }));
    if (problem === null) handed.push({ name, path: copy });
    else told.push(`"${name}" could not be handed over: ${problem}`);
  }
  return { handed, told };
}

interface Copying {
  readonly from: string;
  readonly to: string;
  readonly redaction: Pick<Redaction, "bytes">;
}

async function copyReadOnly({ from, to, redaction }: Copying): Promise<string | null> {
  const content = await readPlainFile(from, limits.prdBytes);
  if (content.kind === "missing") return "it does not exist";
  if (content.kind === "unusable") return content.problem;
  try {
    await mkdir(dirname(to), { recursive: true });
    await writeFile(to, redaction.bytes(content.bytes), { mode: 0o444, flag: "wx" });
    return null;
  } catch (error) {
    return codeOf(error);
  }
}

async function readReportFile(path: string): Promise<PlainFileFound> {
  return readPlainFile(path, limits.reportBytes);
}

const removalMs = 10_000;

async function removeFolder(path: string): Promise<void> {
  const timeUp = new AbortController();
  const bound = delay(removalMs, undefined, { signal: timeUp.signal, ref: false }).catch(() => {});
  await Promise.race([removeStubborn(path), bound]);
  timeUp.abort();
}

async function removeStubborn(path: string): Promise<void> {
  const remove = () => rm(path, { recursive: true, force: true });
  try {
    await remove();
  } catch {
    await makeRemovable(path).catch(() => {});
    await remove().catch(() => {}); // what still resists lies in the system's temporary folder
  }
}

/** Gives back the permission to remove what is in a folder; links are never followed. */
async function makeRemovable(path: string): Promise<void> {
  const found = await lstat(path);
  if (!found.isDirectory()) return;
  await chmod(path, 0o700);
  for (const name of await readdir(path)) await makeRemovable(join(path, name)).catch(() => {});
}

function storageFailed(doing: string, path: string, code: string) {
  return failed<Failure>({ reason: "storage-failed", doing, path, code });
}
