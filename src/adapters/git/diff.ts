// The facts of a change: what differs between a base and a commit, its digest, its patch id, and a patch for
// reading. One git command gives list and patch together.
//
// Attributes (`*.lock -diff`) shape a patch. They are taken from the base's own .gitattributes, by an index of the
// base and an empty folder as work tree: so the digest depends on the two commits and on nothing else, and is what
// the documented command prints in a checkout of the base.

import { createHash } from "node:crypto";
import fs from "node:fs";
import { dirname, join, resolve } from "node:path";
import { StringDecoder } from "node:string_decoder";
import type { FileChange } from "../../core/event.ts";
import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import { limits } from "../../core/limits.ts";
import type { Result } from "../../core/result.ts";
import { failed, success } from "../../core/result.ts";
import { attemptStorage, replaceFile } from "../storage.ts";
import { attemptFiles, type GitRun, isInside, openRunRoot, readCommit } from "./git-run.ts";
import { algorithmOf } from "./own-files.ts";
import { openPatchId } from "./patch-id.ts";
import { type GitCall, runGit } from "./run-git.ts";

export interface DiffFacts {
  readonly changes: readonly FileChange[];
  /** All changed files, also those beyond `limits.changesKept`. */
  readonly changeCount: number;
  readonly deletions: number;
  /** SHA-256 (hex) of what `diffCommand` prints. */
  readonly diffSha256: string;
  /** `git patch-id --stable`; empty for an empty diff. */
  readonly patchId: string;
}

/** The documented command whose output `diffSha256` is of, without base and commit. */
export const diffCommand: readonly string[] = [
  "diff-tree",
  "-r",
  "-p",
  "--binary",
  "--full-index",
  "--no-renames",
  "--no-ext-diff",
  "--no-textconv",
  "--src-prefix=a/",
  "--dst-prefix=b/",
];

export async function readDiff(
  run: GitRun,
  at: { readonly base: Sha; readonly commit: Sha },
): Promise<Result<DiffFacts, Failure>> {
  const place = await placeDiff(run, at.base);
  if (!place.ok) return place;
  const doing = `comparing ${at.base} with ${at.commit}`;
  const patchId = openPatchId(algorithmOf(at.base));
  const hash = createHash("sha256");
  const kept = keepPatch(run, at);
  const list = splitList((patch) => {
    kept.write(patch);
    hash.update(patch);
    patchId.write(patch);
  });
  const [command = "diff-tree", ...rest] = diffCommand;
  const compared = await runGit({
    ...place.value.call,
    args: [command, "--raw", "--no-abbrev", ...rest, at.base, at.commit],
    onOutput: list.write,
    doing,
  });
  if (place.value.toRemove !== null) fs.rmSync(place.value.toRemove, { force: true });
  if (!compared.ok) return compared;
  if (run.patches.size >= patchesKept) run.patches.clear();
  run.patches.set(toPatchKey(at), kept.end());
  const lines = list.end();
  if (run.lists.size >= patchesKept) run.lists.clear();
  run.lists.set(toPatchKey(at), lines);
  const changes = lines.map(parseRaw);
  return success({
    changes: changes.slice(0, limits.changesKept),
    changeCount: changes.length,
    deletions: changes.filter(({ change }) => change === "deleted").length,
    diffSha256: hash.digest("hex"),
    patchId: patchId.end(),
  });
}

/** A patch for reading, secrets taken out, cut at `patchBytes`; `file` is a name in the run folder. */
export function writePatchFile(
  run: GitRun,
  at: { readonly base: Sha; readonly commit: Sha; readonly file: string },
): Promise<Result<void, Failure>> {
  const path = resolve(run.runFolder, at.file);
  return attemptFiles({ doing: "writing", path }, async () => {
    if (!isInside(run.runFolder, path)) {
      return failed({ reason: "storage-failed", doing: "writing", path, code: "EPERM" });
    }
    const known = run.patches.get(toPatchKey(at));
    const read = known === undefined ? await readDiff(run, at) : success(undefined);
    if (!read.ok) return read;
    const text = known ?? run.patches.get(toPatchKey(at)) ?? "";
    return attemptStorage({ doing: "writing", path }, () => {
      fs.mkdirSync(dirname(path), { recursive: true });
      replaceFile(path, text);
    });
  });
}

const patchBytes = 1024 * 1024;
const patchesKept = 4;

/** More than the longest secret: it is taken out before the patch is cut. */
const overlapChars = 64 * 1024;

/** Collects the beginning of a patch, without secrets, and says at its end when there was more. */
function keepPatch(
  run: GitRun,
  at: { readonly base: Sha; readonly commit: Sha },
): {
  write(chunk: Buffer): void;
  end(): string;
} {
  const decoder = new StringDecoder("utf8");
  const cutLine = `\n[cut here; the whole: git diff ${at.base} ${at.commit}]\n`;
  let text = "";
  let isWhole = true;
  return {
    write(chunk) {
      if (text.length <= patchBytes + overlapChars) text += decoder.write(chunk);
      else isWhole = false;
    },
    end() {
      text += decoder.end();
      const redact = run.redact ?? ((same: string) => same);
      const clean = redact(text);
      if (isWhole && clean.length <= patchBytes) return clean;
      // At the end of what was taken there may be a half of a secret: what more text does not change has none.
      const end = isWhole ? clean.length : sameStart(clean, redact(text.slice(0, -overlapChars)));
      return clean.slice(0, Math.min(end, patchBytes - cutLine.length)) + cutLine;
    },
  };
}

/** How many characters both texts begin with. */
function sameStart(one: string, other: string): number {
  let chars = 0;
  while (chars < one.length && one[chars] === other[chars]) chars += 1;
  return chars;
}

export function toPatchKey(at: { readonly base: Sha; readonly commit: Sha }): string {
  return `${at.base}..${at.commit}`;
}

interface DiffPlace {
  readonly call: Omit<GitCall, "args" | "doing">;
  /** An index made for this one diff. */
  readonly toRemove: string | null;
}

/** How git is called so that attributes come from the base alone. */
async function placeDiff(run: GitRun, base: Sha): Promise<Result<DiffPlace, Failure>> {
  const root = openRunRoot(run);
  if (!root.ok) return root;
  const facts = await readCommit(run, base);
  if (!facts.ok) return facts;
  const workTree = join(root.value, "diff", "empty");
  const made = attemptStorage({ doing: "making", path: workTree }, () => {
    fs.mkdirSync(workTree, { recursive: true });
  });
  if (!made.ok) return made;
  const call = { gitDir: run.commonDir, workTree };
  const known = run.indexes.get(facts.value.tree);
  if (known !== undefined && fs.existsSync(known)) {
    return success({ call: { ...call, indexFile: known }, toRemove: null });
  }
  const indexFile = join(root.value, "diff", `${base}-${process.hrtime.bigint()}.index`);
  const doing = `reading commit ${base}`;
  const read = await runGit({ ...call, indexFile, args: ["read-tree", base], doing });
  return read.ok ? success({ call: { ...call, indexFile }, toRemove: indexFile }) : read;
}

/** Parts the list of changed files, which ends with an empty line, from the patch behind it. */
function splitList(onPatch: (chunk: Buffer) => void): { write(chunk: Buffer): void; end(): string[] } {
  const head: Buffer[] = [];
  let isPatch = false;
  return {
    write(chunk) {
      if (isPatch) return onPatch(chunk);
      head.push(chunk);
      const all = Buffer.concat(head);
      const end = all.indexOf("\n\n");
      if (end < 0) return;
      isPatch = true;
      head.splice(0, head.length, all.subarray(0, end));
      if (all.length > end + 2) onPatch(all.subarray(end + 2));
    },
    end: () =>
      Buffer.concat(head)
        .toString("latin1")
        .split("\n")
        .filter((line) => line !== ""),
  };
}

/** `:100644 100644 <sha> <sha> M<tab>path`, as bytes; without renames there is one path. */
function parseRaw(line: string): FileChange {
  const tab = line.indexOf("\t");
  const path = Buffer.from(unquote(line.slice(tab + 1)), "latin1").toString("utf8");
  return { path, change: changeNames[line[tab - 1] ?? ""] ?? "modified" };
}

const changeNames: Readonly<Record<string, FileChange["change"]>> = {
  A: "added",
  D: "deleted",
  M: "modified",
  T: "type changed",
};

/** Undoes git's quoting of unusual names: a byte path. */
export function unquote(name: string): string {
  if (!name.startsWith('"')) return name;
  return name.slice(1, -1).replace(/\\([0-7]{3}|.)/g, (_whole, code: string) => {
    if (code.length === 3) return String.fromCharCode(Number.parseInt(code, 8));
    return escapes[code] ?? code;
  });
}

const escapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};
