// The home of a dispatch, with the login that the agent needs and nothing else of the builder's.
//
// The credential file is lent as a copy and given back when it was renewed: programs renew by writing a new file over
// the old one, which neither a link nor a mount of the file survives. What was lent is written down first, so that a
// login that was renewed by a dispatch whose program died is given back before the home is used again. A file of the
// builder's that changed meanwhile is never written over.

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Failure } from "../../core/failure.ts";
import { failed, type Result, success } from "../../core/result.ts";
import type { AgentRequest } from "../../ports.ts";
import { readPlainFile } from "../plain-file.ts";
import type { Environment } from "../process/environment.ts";
import { codeOf } from "../process/output.ts";
import { homeNameOf, openHome } from "../process/run-home.ts";
import { replaceFile } from "../storage.ts";
import { resolveInside } from "./confined.ts";
import { credentialsFor, type FoundCredential } from "./logins.ts";

export interface AgentHome {
  readonly path: string;
  /** To be called once, after the agent's process group has ended. */
  close(): Promise<void>;
}

export async function openAgentHome(
  homes: string,
  request: AgentRequest,
  environment: Environment,
): Promise<Result<AgentHome, Failure>> {
  const name = homeNameOf(request.cwd, request.role);
  const list = join(homes, `${name}${listEnding}`);
  const path = join(homes, name);
  try {
    await giveBack(path, list);
    openHome(homes, name);
    await lend(path, list, credentialsFor(request.agent, environment));
    return success({ path, close: () => giveBack(path, list).catch(() => {}) }); // the next opening tries again
  } catch (error) {
    return failed({ reason: "storage-failed", doing: "making the home folder", path, code: codeOf(error) });
  }
}

const listEnding = ".lent.json";

/** Takes all homes away; a login that a killed program had not given back is given back first. Never fails. */
export async function dropHomes(homes: string): Promise<void> {
  try {
    const names = await readdir(homes).catch(() => []);
    for (const name of names.filter((each) => each.endsWith(listEnding))) {
      await giveBack(join(homes, name.slice(0, -listEnding.length)), join(homes, name));
    }
    await rm(homes, { recursive: true, force: true });
  } catch {
    // What cannot be removed stays with the run's worktrees.
  }
}

interface Lent extends FoundCredential {
  readonly sha256: string;
}

async function lend(home: string, list: string, found: readonly FoundCredential[]): Promise<void> {
  const read = await Promise.all(
    found.map(async (each) => ({ each, content: await readPlainFile(each.from, credentialBytes) })),
  );
  const files = read.flatMap(({ each, content }) =>
    content.kind === "read" ? [{ ...each, bytes: content.bytes, sha256: hash(content.bytes) }] : [],
  );
  if (files.length === 0) return;
  await writeFile(list, JSON.stringify(files.map(({ bytes: _, ...lent }): Lent => lent)), { mode: 0o600 });
  for (const { path, bytes } of files) {
    const file = join(home, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, bytes, { mode: 0o600 });
  }
}

const credentialBytes = 1024 * 1024;

/** Takes the copies away. Without a list nothing was lent. */
async function giveBack(home: string, list: string): Promise<void> {
  for (const lent of await readList(list)) {
    // A link on the way would lead to the builder's own file.
    const file = await resolveInside(home, lent.path);
    if (!file.ok) continue;
    const now = await readPlainFile(file.value, credentialBytes);
    if (now.kind === "read" && hash(now.bytes) !== lent.sha256) await renew(lent, now.bytes);
    await rm(file.value, { force: true, recursive: true });
  }
  await rm(list, { force: true });
}

async function readList(list: string): Promise<readonly Lent[]> {
  try {
    return JSON.parse(await readFile(list, "utf8")) as readonly Lent[]; // written by `lend`, out of agents' reach
  } catch {
    return []; // nothing was lent, or the program died before it was
  }
}

async function renew({ from, sha256 }: Lent, bytes: Buffer): Promise<void> {
  const own = await readPlainFile(from, credentialBytes);
  if (own.kind !== "read" || hash(own.bytes) !== sha256 || !isRenewalOf(own.bytes, bytes)) return;
  try {
    replaceFile(from, bytes, 0o600);
  } catch {
    // The builder's file cannot be written: the old login stays, and the program asks for a new one when it must.
  }
}

/** Whether nothing of the login is missing: what an agent broke must not log the builder out. */
function isRenewalOf(old: Buffer, renewed: Buffer): boolean {
  const [before, after] = [keysOf(old), keysOf(renewed)];
  return before !== null && after !== null && before.every((key) => after.includes(key));
}

function keysOf(bytes: Buffer): readonly string[] | null {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : null;
  } catch {
    return null; // half written
  }
}

function hash(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
