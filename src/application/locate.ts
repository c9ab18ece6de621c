// Finding a plan from what the builder typed: a slug or a path.

import { readFileSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { isSlug, type Slug, toSlug } from "../core/ids.ts";
import { limits } from "../core/limits.ts";
import type { Prd } from "../core/prd.ts";
import { failed, type Result, success } from "../core/result.ts";
import { readPrd } from "../schema/prd.ts";
import type { InputProblem } from "../schema/problem.ts";
import { problem, type Refusal, refuse } from "./refusal.ts";

export interface Plan {
  readonly slug: Slug;
  /** Absolute path of the prd.json. */
  readonly file: string;
  /** The same, relative to the checkout where it lies in it. */
  readonly shownFile: string;
  readonly prd: Prd;
  readonly told: readonly string[];
}

const plansFolder = join("dev", "work", "plans");

/** Where the PRD of `plan` (a slug or a path to a prd.json) lies. */
function planFile(at: { checkout: string; cwd: string; plan: string }): string {
  const looksLikePath = at.plan.endsWith(".json") || at.plan.includes("/") || at.plan.includes(sep);
  if (!looksLikePath) return join(at.checkout, plansFolder, at.plan, "prd.json");
  const path = resolve(at.cwd, at.plan);
  return isFolder(path) ? join(path, "prd.json") : path;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // that it is not there is said when it is read
  }
}

/** Reads the PRD of a plan; every problem in it at once. */
export function readPlan(at: { checkout: string; cwd: string; plan: string }): Result<Plan, Refusal> {
  const file = planFile(at);
  const shownFile = isInside(at.checkout, file) ? relative(at.checkout, file) : file;
  const bytes = readBytes(file, shownFile);
  if (!bytes.ok) return bytes;
  const read = readPrd({ text: bytes.value, file: shownFile });
  if (!read.ok) return failed(refuse(read.failure));
  const slug = slugOf({ checkout: at.checkout, file, prd: read.value.prd });
  if (slug !== null) return success({ slug, file, shownFile, prd: read.value.prd, told: read.value.told });
  return failed(refuse([slugProblem({ checkout: at.checkout, file, shownFile, prd: read.value.prd })]));
}

function slugProblem(at: { checkout: string; file: string; shownFile: string; prd: Prd }): InputProblem {
  if (isPlanFile(at)) {
    const folder = basename(dirname(at.file));
    const expected = `a plan's folder with a name such as "my-plan", which also names the run: ${slugRule}`;
    return problem({ file: at.shownFile, path: "", value: folder, expected, hint: "rename the folder" });
  }
  return problem({
    file: at.shownFile,
    path: "name",
    value: at.prd.name,
    expected: `a name that can be made the run's: with letters or digits, and no reserved device name`,
    hint: `or put the file into ${plansFolder}/<slug>/prd.json`,
  });
}

const slugRule =
  "1 to 100 of A-Z a-z 0-9 . _ -, starting with a letter or digit, no '..', no '.' or '.lock' at the end, no device name";

function isPlanFile(at: { checkout: string; file: string }): boolean {
  return dirname(dirname(at.file)) === join(at.checkout, plansFolder);
}

function readBytes(file: string, shownFile: string): Result<Uint8Array, Refusal> {
  try {
    const found = statSync(file);
    if (!found.isFile()) return notReadable(shownFile, "it is not a file");
    if (found.size > limits.prdBytes)
      return notReadable(shownFile, `it has ${found.size} bytes, more than 8 MiB`);
    return success(readFileSync(file));
  } catch (error) {
    return notReadable(shownFile, codeOf(error));
  }
}

function notReadable(file: string, why: string): Result<never, Refusal> {
  const hint = why === "ENOENT" ? "there is no such file; give a slug of dev/work/plans or a path" : why;
  return failed(refuse([problem({ file, expected: "a readable prd.json", hint })]));
}

function slugOf(at: { checkout: string; file: string; prd: Prd }): Slug | null {
  const folder = dirname(at.file);
  const text = isPlanFile(at)
    ? basename(folder)
    : toSlug(at.prd.name === "" ? basename(folder) : at.prd.name);
  return isSlug(text) ? text : null;
}

export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== "" && !way.startsWith("..") && !isAbsolute(way);
}

export function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return String(error);
}
