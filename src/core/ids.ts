// Names of things: branded so that one kind of id cannot stand where another is wanted, and checked before
// they become parts of paths and git refs.

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A task's id as in prd.json; also a folder name and a part of a ref. */
export type TaskId = Branded<"TaskId">;
/** `<UTC time>-<random>`, e.g. `20261121T112413Z-3fa9c1`; unique per run, a part of refs. */
export type RunId = Branded<"RunId">;
/** Kebab-case name of a plan; the run folder's name. */
export type Slug = Branded<"Slug">;
/** A full object id in hex (40 characters for SHA-1, 64 for SHA-256 repositories). */
export type Sha = Branded<"Sha">;
/** One start of an agent program; `d<number>` counting from 1 within a run. */
export type DispatchId = Branded<"DispatchId">;

const taskIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

// Device names that Windows reserves in every folder, whatever the extension.
const reservedNames = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$/i;

/** Why `text` cannot be a task id, or null when it can. */
export function taskIdProblem(text: string): string | null {
  if (!taskIdPattern.test(text)) {
    return "1 to 100 of A-Z a-z 0-9 . _ -, starting with a letter or digit";
  }
  if (text.includes("..")) return "no two dots in a row";
  if (text.endsWith(".") || text.toLowerCase().endsWith(".lock")) return "no '.' or '.lock' at the end";
  if (reservedNames.test(text)) return "no reserved device name such as CON, NUL or COM1";
  return null;
}

/** Makes a kebab-case slug of at most 100 characters of any text; empty when nothing usable is in it. */
export function toSlug(text: string): string {
  return text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{M}+/gu, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, 100)
    .replace(/-+$/, "");
}

/** Whether `text` can be a run folder's name. */
export function isSlug(text: string): text is Slug {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(text) && taskIdProblem(text) === null;
}

export function isSha(text: string): text is Sha {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** The id of the k-th task (from 1) that a holistic review of `round` (from 1) adds. */
export function followUpId(round: number, k: number): TaskId {
  return `follow-up-${round}-${k}` as TaskId; // by its form it passes taskIdProblem
}

export function dispatchId(number: number): DispatchId {
  return `d${number}` as DispatchId;
}

/**
 * What every process of a run carries in EXECUTE_PRD_DISPATCH: `<run>.<what was started>`, unique on this machine, so
 * that what still carries it can be ended safely. For an agent it is the id of its dispatch, as in its request.
 */
export function processMark(runId: string, what: string): string {
  return `${markPrefix(runId)}${what}`;
}

/** What the marks of all processes of a run begin with. */
export function markPrefix(runId: string): string {
  return `${runId}.`;
}

/** `refs/execute-prd/<run>/<task>/<n>/<name>`: where the commits of an attempt are kept. */
export function attemptRef(at: { runId: RunId; taskId: TaskId; attempt: number; name: string }): string {
  return `refs/execute-prd/${at.runId}/${at.taskId}/${at.attempt}/${at.name}`;
}

export function shortSha(sha: string): string {
  return sha.slice(0, 7);
}
