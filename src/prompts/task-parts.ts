// What a task is, as parts of a prompt: the builder's words, in the order of their importance.

import type { DispatchRequest, FileToRead } from "../core/request.ts";
import { assert } from "../core/result.ts";
import type { TaskRecord } from "../core/state.ts";
import { type Part, toChunks } from "./fit.ts";
import { toBlockQuote, toCode, toLine, toListItem, toUntrusted } from "./quote.ts";

const titleChars = 500;

export function recordOf(request: DispatchRequest): TaskRecord {
  assert(request.record !== null, `the stage ${request.intent.stage} is about a task`);
  return request.record;
}

/** A title that fits into a heading. */
export function toTitle(title: string): string {
  const line = toLine(title);
  return line.length <= titleChars ? line : `${line.slice(0, titleChars - 1)}…`;
}

export function taskParts(request: DispatchRequest): readonly Part[] {
  const { task } = recordOf(request);
  return [
    quotePart("description", task.description, "task.description"),
    listPart("criteria", numbered(task.acceptanceCriteria), "task.acceptanceCriteria"),
    quotePart("goal", request.goal, "goal"),
    listPart("constraints", bullets(request.constraints), "constraints"),
    listPart("warnings", bullets(task.warnings), "task.warnings"),
    listPart("mitigations", bullets(task.mitigations), "task.mitigations"),
    listPart("scope", bullets(task.filesTouched.map(toCode)), "task.filesTouched"),
  ];
}

/** What the pre-mortem adds to the task's own mitigations, which lead the request's list. */
export function risksPart(request: DispatchRequest): Part {
  const own = recordOf(request).task.mitigations.length;
  return untrustedPart("risks", request.mitigations.slice(own), "mitigations");
}

export function filesPart(files: readonly FileToRead[]): Part {
  return listPart("files", bullets(files.map(({ path, why }) => `${toCode(path)}: ${why}`)), "files");
}

/** What the program saw itself at the base: facts, whatever the plan says. */
export function seenPart({ seen }: DispatchRequest): Part {
  const files = seen.files.map(
    ({ path, exists }) => `${toCode(path)} ${exists ? "exists" : "does not exist"}`,
  );
  const names = seen.names.map(({ name, foundIn }) =>
    foundIn.length === 0
      ? `${toCode(name)} is named nowhere`
      : `${toCode(name)} is named in ${foundIn.map(toCode).join(", ")}`,
  );
  return listPart("seen", bullets([...files, ...names]), "seen");
}

/** Numbered from 0, as the review report names them. */
export function numbered(texts: readonly string[]): readonly string[] {
  return texts.map((text, index) => toListItem(`${index}.`, text));
}

export function bullets(texts: readonly string[]): readonly string[] {
  return texts.map((text) => toListItem("-", text));
}

export function quotePart(name: string, text: string, whole: string): Part {
  return { name, items: toChunks(text), show: (chunks) => toBlockQuote(chunks.join("")), whole };
}

export function listPart(name: string, items: readonly string[], whole: string): Part {
  return { name, items, show: (kept) => kept.join("\n"), whole };
}

export function untrustedText(name: string, text: string, whole: string): Part {
  return { name, items: toChunks(text), show: (chunks) => toUntrusted(chunks.join("")), whole };
}

/** All items in one fenced block. */
export function untrustedPart(name: string, items: readonly string[], whole: string): Part {
  return { name, items, show: (kept) => toUntrusted(kept.join("\n\n")), whole };
}
