// `init`: writes what a repository needs to be worked on; never overwrites without being told to.

import { existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { detectGates } from "../adapters/gates/detect.ts";
import { inspectCheckout } from "../adapters/git/inspect.ts";
import { failed, type Result, success } from "../core/result.ts";
import { configFileName } from "../schema/config.ts";
import { checkoutRefusal } from "./checkout-refusal.ts";
import { type InitFile, initAdvice, initFiles } from "./init-files.ts";
import { codeOf } from "./locate.ts";
import { problem, type Refusal, refuse } from "./refusal.ts";

export interface InitResult {
  readonly written: readonly string[];
  /** Files that were there already and were left as they are. */
  readonly kept: readonly string[];
  /** What the builder has to do next. */
  readonly advice: readonly string[];
}

export async function initialise(at: {
  cwd?: string;
  force?: boolean;
}): Promise<Result<InitResult, Refusal>> {
  const checkout = await inspectCheckout(at.cwd ?? process.cwd());
  if (!checkout.ok) return failed(checkoutRefusal(checkout.failure));
  const root = checkout.value.topLevel;
  const detected = await detectGates(root);
  const answers = {
    agents: null,
    gates: detected.gates.map(({ name, command }) => ({ name, command })),
    setup: detected.setup,
  };
  const written: string[] = [];
  const kept: string[] = [];
  for (const file of initFiles(answers)) {
    try {
      const isWritten = write(root, file, at.force === true);
      (isWritten ? written : kept).push(file.path);
    } catch (error) {
      return failed(
        refuse([problem({ file: file.path, expected: "a file that can be written", hint: codeOf(error) })]),
      );
    }
  }
  return success({ written, kept, advice: initAdvice(kept.includes(configFileName) ? null : answers) });
}

/** False: the file is there and stays as it is. A link is never written through. */
function write(root: string, file: InitFile, force: boolean): boolean {
  const path = join(root, ...file.path.split("/"));
  refuseLinks(root, file.path);
  const present = existsSync(path) ? readFileSync(path, "utf8") : null;
  if (file.mode === "append-lines") return appendLines(path, file.text, present ?? "");
  if (present !== null && (!force || present === file.text)) return false;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, file.text);
  return true;
}

function appendLines(path: string, text: string, present: string): boolean {
  const lines = present.split(/\r?\n/);
  const missing = text.split("\n").filter((line) => line !== "" && !lines.includes(line));
  if (missing.length === 0) return false;
  const start = present === "" || present.endsWith("\n") ? present : `${present}\n`;
  writeFileSync(path, `${start}${missing.join("\n")}\n`);
  return true;
}

function refuseLinks(root: string, name: string): void {
  const parts = name.split("/");
  for (let count = 1; count <= parts.length; count += 1) {
    const path = join(root, ...parts.slice(0, count));
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
      throw new Error(`"${path}" is a link`);
    }
  }
}
