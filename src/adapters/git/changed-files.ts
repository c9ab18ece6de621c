// The changed files of a candidate with both of their texts, from the object store: what the rules of evidence look
// at. The list is the one that came with the patch where that was read, and objects are read through the one git that
// stays. Lines are compared by the rules themselves, because attributes of a repository shape what git prints.

import type { ChangedFile } from "../../core/evidence/changed-file.ts";
import { submoduleMode } from "../../core/evidence/changed-file.ts";
import type { CollectedChanges, Definition } from "../../core/evidence/context.ts";
import { lostBytes } from "../../core/evidence/deletions.ts";
import { diffLines } from "../../core/evidence/diff-lines.ts";
import { isToolFile, mayLeadToTools } from "../../core/evidence/gate-imports.ts";
import { findMoves } from "../../core/evidence/moves.ts";
import type { Failure } from "../../core/failure.ts";
import type { Sha } from "../../core/ids.ts";
import { limits } from "../../core/limits.ts";
import type { Result } from "../../core/result.ts";
import { success } from "../../core/result.ts";
import { toPatchKey, unquote } from "./diff.ts";
import { type GitRun, gitFailure } from "./git-run.ts";
import { findKnownSecrets } from "./known-secrets.ts";
import { runGit } from "./run-git.ts";

type Where = Pick<GitRun, "commonDir" | "objects" | "lists" | "redact">;

export interface CollectingBounds {
  readonly files: number;
  readonly fileBytes: number;
  readonly bytes: number;
}

const usualBounds: CollectingBounds = {
  files: limits.examinedFiles,
  fileBytes: limits.examinedFileBytes,
  bytes: limits.examinedBytes,
};

/** Files beyond the bounds are left out, or come without their texts; `isComplete` is false then. */
export async function collectChanges(
  run: Where,
  at: { readonly base: Sha; readonly commit: Sha },
  bounds: CollectingBounds = usualBounds,
): Promise<Result<CollectedChanges, Failure>> {
  const raw = await readRaw(run, at);
  if (!raw.ok) return raw;
  const kept = raw.value.slice(0, bounds.files);
  const ids = kept.flatMap((file) => [
    ...idOf(file.beforeId, file.beforeMode),
    ...idOf(file.afterId, file.afterMode),
  ]);
  const tools = await listTools(run, at.base, kept);
  if (!tools.ok) return tools;
  const paths = [...new Set([...definitionPaths, ...tools.value])];
  const sizes = await readSizes(run, [...ids, ...paths.map((path) => `${at.base}:${path}`)]);
  if (!sizes.ok) return sizes;
  const wanted = chooseObjects(sizes.value.bySize, ids, bounds);
  const found = paths.flatMap((path) => {
    const object = sizes.value.byName.get(`${at.base}:${path}`);
    const most = definitionPaths.includes(path) ? bounds.fileBytes : limits.examinedToolBytes;
    return object === undefined || object.size > most ? [] : [{ path, id: object.id }];
  });
  const texts = await readObjects(run, [...new Set([...wanted.ids, ...found.map(({ id }) => id)])]);
  if (!texts.ok) return texts;
  const changes = kept.map((file) =>
    toChangedFile(file, { sizes: sizes.value.bySize, objects: texts.value }),
  );
  const defined = found.flatMap(({ path, id }) => toDefinition(path, texts.value.get(id)));
  const baseBytes = await measureBase(run, at.base, changes);
  if (!baseBytes.ok) return baseBytes;
  return success({
    changes,
    changeCount: raw.value.length,
    deletions: raw.value.filter(({ change }) => change === "deleted").length,
    baseBytes: baseBytes.value,
    definitions: defined.filter(({ path }) => definitionPaths.includes(path)),
    tools: defined.filter(({ path }) => !definitionPaths.includes(path)),
    knownSecrets: run.redact === undefined ? [] : findKnownSecrets(changes, run.redact),
    isComplete: wanted.isComplete && kept.length === raw.value.length,
  });
}

/** Where gates are usually defined, for what a gate comes to though its definition did not change. */
const definitionPaths = [
  "package.json",
  "composer.json",
  "deno.json",
  "Makefile",
  "makefile",
  "GNUmakefile",
  "justfile",
];

/** The base's files through which a gate may come to a changed one, where one of their kind changed. */
async function listTools(
  run: Where,
  base: Sha,
  changes: readonly RawChange[],
): Promise<Result<readonly string[], Failure>> {
  if (!changes.some(({ path }) => isToolFile(path))) return success([]);
  const args = ["ls-tree", "-r", "-z", "--name-only", base];
  const read = await runGit({ gitDir: run.commonDir, args, doing: `listing ${base}` });
  if (!read.ok) return read;
  const paths = read.value.stdout.toString("utf8").split("\0");
  // A name with a line end cannot be asked for; gates do not take in such.
  return success(
    paths.filter((path) => mayLeadToTools(path) && !path.includes("\n")).slice(0, limits.examinedTools),
  );
}

type RawChange = Pick<ChangedFile, "path" | "change" | "beforeMode" | "afterMode" | "beforeId" | "afterId">;

const changeNames: Readonly<Record<string, ChangedFile["change"]>> = {
  A: "added",
  D: "deleted",
  M: "modified",
  T: "type changed",
};

async function readRaw(
  run: Where,
  { base, commit }: { readonly base: Sha; readonly commit: Sha },
): Promise<Result<RawChange[], Failure>> {
  const known = run.lists.get(toPatchKey({ base, commit }));
  if (known !== undefined) return success(known.map(parseLine));
  const args = ["diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", base, commit];
  const read = await runGit({ gitDir: run.commonDir, args, doing: `comparing ${base} with ${commit}` });
  if (!read.ok) return read;
  // Byte by byte, because a path may be no UTF-8.
  const parts = read.value.stdout.toString("latin1").split("\0");
  const changes: RawChange[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2)
    changes.push(parseRaw(parts[at] ?? "", parts[at + 1] ?? ""));
  return success(changes);
}

/** The same in one line, where unusual paths are quoted. */
function parseLine(line: string): RawChange {
  const tab = line.indexOf("\t");
  return parseRaw(line.slice(0, tab), unquote(line.slice(tab + 1)));
}

/** `:100644 100644 <id> <id> M` and a path. */
function parseRaw(facts: string, path: string): RawChange {
  const [before = "", after = "", beforeId = "", afterId = "", letter = ""] = facts.slice(1).split(" ");
  const isAbsent = (mode: string): boolean => mode === "000000";
  return {
    path: Buffer.from(path, "latin1").toString("utf8"),
    change: changeNames[letter.charAt(0)] ?? "modified",
    beforeMode: isAbsent(before) ? null : before,
    afterMode: isAbsent(after) ? null : after,
    beforeId: isAbsent(before) ? null : beforeId,
    afterId: isAbsent(after) ? null : afterId,
  };
}

function idOf(id: string | null, mode: string | null): string[] {
  return id === null || mode === submoduleMode ? [] : [id];
}

interface Sizes {
  /** Bytes of an object by its id. */
  readonly bySize: ReadonlyMap<string, number>;
  readonly byName: ReadonlyMap<string, { readonly id: string; readonly size: number }>;
}

async function readSizes(run: Where, names: readonly string[]): Promise<Result<Sizes, Failure>> {
  const doing = "reading sizes of changed files";
  const read = await run.objects.ask("info", { names, doing });
  if (!read.ok) return read;
  const bySize = new Map<string, number>();
  const byName = new Map<string, { id: string; size: number }>();
  for (const [index, line] of read.value.toString("latin1").trimEnd().split("\n").entries()) {
    const [id = "", kind, bytes] = line.split(" ");
    const name = names[index] ?? "";
    if (kind === "blob") {
      bySize.set(id, Number(bytes));
      byName.set(name, { id, size: Number(bytes) });
    } else if (!name.includes(":")) return gitFailure(doing, `object ${name} is missing`);
  }
  return success({ bySize, byName });
}

/** In the order of the diff, as far as the bounds go. */
function chooseObjects(
  sizes: ReadonlyMap<string, number>,
  ids: readonly string[],
  bounds: CollectingBounds,
): { ids: readonly string[]; isComplete: boolean } {
  const chosen = new Set<string>();
  let bytes = 0;
  for (const id of ids) {
    const size = sizes.get(id) ?? 0;
    if (chosen.has(id) || size > bounds.fileBytes) continue;
    bytes += size;
    if (bytes > bounds.bytes) return { ids: [...chosen], isComplete: false };
    chosen.add(id);
  }
  return { ids: [...chosen], isComplete: true };
}

async function readObjects(
  run: Where,
  ids: readonly string[],
): Promise<Result<ReadonlyMap<string, Buffer>, Failure>> {
  const objects = new Map<string, Buffer>();
  const doing = "reading changed files";
  const read = await run.objects.ask("contents", { names: ids, doing });
  if (!read.ok) return read;
  const bytes = read.value;
  let at = 0;
  for (const id of ids) {
    const lineEnd = bytes.indexOf("\n", at);
    const size = Number(bytes.toString("latin1", at, lineEnd).split(" ")[2]);
    if (!Number.isInteger(size)) return gitFailure(doing, `object ${id} is missing`);
    objects.set(id, bytes.subarray(lineEnd + 1, lineEnd + 1 + size));
    at = lineEnd + 1 + size + 1;
  }
  return success(objects);
}

function toChangedFile(
  raw: RawChange,
  at: { readonly sizes: ReadonlyMap<string, number>; readonly objects: ReadonlyMap<string, Buffer> },
): ChangedFile {
  const before = at.objects.get(raw.beforeId ?? "");
  const after = at.objects.get(raw.afterId ?? "");
  const text = { before: toText(before), after: toText(after) };
  return {
    ...raw,
    ...text,
    ...diffLines(text.before ?? "", text.after ?? ""),
    isBinary: isBinary(before) || isBinary(after),
    beforeBytes: at.sizes.get(raw.beforeId ?? "") ?? 0,
    afterBytes: at.sizes.get(raw.afterId ?? "") ?? 0,
  };
}

/** Where git itself looks for it. */
const binaryLookBytes = 8_000;

function isBinary(content: Buffer | undefined): boolean {
  return content?.subarray(0, binaryLookBytes).includes(0) === true;
}

function toText(content: Buffer | undefined): string | null {
  return content === undefined || isBinary(content) ? null : content.toString("utf8");
}

function toDefinition(path: string, content: Buffer | undefined): Definition[] {
  const text = toText(content);
  return text === null ? [] : [{ path, text }];
}

/** Size of everything in the base, where so much was taken away that its share matters. */
async function measureBase(
  run: Where,
  base: Sha,
  changes: readonly ChangedFile[],
): Promise<Result<number | null, Failure>> {
  if (lostBytes(changes, findMoves(changes)) < limits.deletedShareFloorBytes) return success(null);
  const args = ["ls-tree", "-r", "-z", "--format=%(objectsize)", base];
  const read = await runGit({ gitDir: run.commonDir, args, doing: `measuring ${base}` });
  if (!read.ok) return read;
  const sizes = read.value.stdout.toString("latin1").split("\0");
  return success(sizes.reduce((sum, size) => sum + (Number.parseInt(size, 10) || 0), 0));
}
