// What changed in the builder's checkouts between two looks, in words. Who changed it cannot be told from here.

import fs from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { shortSha } from "../../core/ids.ts";
import { limits } from "../../core/limits.ts";
import { unless } from "../storage.ts";
import { readLine } from "./admin-dirs.ts";
import { type CheckoutLook, type CheckoutPlace, lookAtCheckout } from "./checkout-look.ts";
import { type GitRun, isInside } from "./git-run.ts";
import { toText } from "./lane-state.ts";

/** By the checkout's path. */
export type CheckoutLooks = ReadonlyMap<
  string,
  { readonly place: CheckoutPlace; readonly look: CheckoutLook }
>;

/**
 * Looks at the main checkout, and at the one in which the run was started when that is another. One that git cannot
 * read is left out: that is the builder's to mend, and nothing of the run depends on it.
 */
export async function lookAtCheckouts(
  run: GitRun,
  places: readonly CheckoutPlace[] = placeCheckouts(run),
): Promise<CheckoutLooks> {
  const looks = new Map<string, { place: CheckoutPlace; look: CheckoutLook }>();
  for (const place of places) {
    const look = await lookAtCheckout(place, run.checkouts);
    if (look.ok) looks.set(place.path, { place, look: look.value });
  }
  return looks;
}

/** Sentences about each checkout that is other than it was; a checkout without a sentence is untouched. */
export function compareCheckouts(
  run: GitRun,
  at: { readonly before: CheckoutLooks; readonly after: CheckoutLooks },
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const [path, { place, look }] of at.before) {
    const now = at.after.get(path)?.look;
    if (now === look) continue;
    if (now === undefined) {
      found.set(path, [`git cannot read ${place.name} any more`]);
      continue;
    }
    const told = [
      ...compareHead(place, look, now),
      ...compareFiles(run, place, { before: look, after: now }),
    ];
    if (told.length > 0) found.set(path, told);
  }
  return found;
}

function placeCheckouts(run: GitRun): CheckoutPlace[] {
  const main = basename(run.commonDir) === ".git" ? dirname(run.commonDir) : null;
  const places: CheckoutPlace[] = [];
  if (main !== null) places.push({ name: "the main checkout", path: main, gitDir: run.commonDir });
  const path = unless(["ENOENT"], () => fs.realpathSync(run.checkout)) ?? run.checkout;
  if (path === main) return places;
  const gitDir = /^gitdir: (.+)$/.exec(readLine(join(path, ".git")) ?? "")?.[1];
  if (gitDir !== undefined) places.push({ name: `checkout "${path}"`, path, gitDir: resolve(path, gitDir) });
  return places;
}

function compareHead(place: CheckoutPlace, before: CheckoutLook, after: CheckoutLook): string[] {
  if (before.head === after.head) return [];
  return [`${place.name} was switched from ${toName(before.head)} to ${toName(after.head)}`];
}

function toName(head: string): string {
  return head.startsWith("ref: ") ? `"${head.replace(/^ref: (?:refs\/heads\/)?/, "")}"` : shortSha(head);
}

function compareFiles(
  run: GitRun,
  place: CheckoutPlace,
  { before, after }: { readonly before: CheckoutLook; readonly after: CheckoutLook },
): string[] {
  const staged = before.index === after.index ? [] : differing(before.index, after.index);
  const paths = [...new Set([...before.files.keys(), ...after.files.keys(), ...staged])];
  const own = ownFolder(run, place);
  const changes = paths
    .filter((path) => own === null || !path.startsWith(own))
    .map((path) => ({ path, from: contentOf(before, path), to: contentOf(after, path) }))
    .filter(({ from, to }) => from !== to)
    .map(({ path, from, to }) => `${toText(path)} (${toVerb(from, to)})`);
  return [
    ...(changes.length === 0 ? [] : [`files of ${place.name} changed: ${listSome(changes)}`]),
    ...(staged.length === 0 ? [] : [`the index of ${place.name} changed: ${listSome(staged.map(toText))}`]),
  ];
}

function differing(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const gone = [...before.keys()].filter((path) => !after.has(path));
  return [...gone, ...[...after].filter(([path, entry]) => before.get(path) !== entry).map(([path]) => path)];
}

/** A file without a mark of its own is as the index has it. */
function contentOf(look: CheckoutLook, path: string): string | null {
  const content = look.files.get(path) ?? look.index.get(path)?.replace(/^[a-zA-Z] /, "");
  return content === undefined || content === "gone" ? null : content;
}

function toVerb(from: string | null, to: string | null): string {
  if (from === null) return "added";
  return to === null ? "removed" : "changed";
}

function listSome(items: readonly string[]): string {
  const rest = items.length - limits.pathsNamed;
  const named = items.toSorted().slice(0, limits.pathsNamed).join(", ");
  return rest > 0 ? `${named} and ${rest} more` : named;
}

/** The folder of all runs, as a path prefix in the checkout; null when it is not in it. */
function ownFolder(run: GitRun, place: CheckoutPlace): string | null {
  const folder = dirname(run.runFolder);
  if (folder === place.path || !isInside(place.path, folder)) return null;
  return `${relative(place.path, folder).split(sep).join("/")}/`;
}
