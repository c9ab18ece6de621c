// The tools `read`, `write` and `edit`.

import { constants } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { limits } from "../../../core/limits.ts";
import { codeOf } from "../../process/output.ts";
import { answered, defineTool, refused, type ToolAnswer, type ToolPlace } from "./tool.ts";
import { openRegular, resolveToRead, resolveToWrite, toProblem } from "./tool-path.ts";
import { readText, toNumberedLines } from "./tool-text.ts";

const path = z.string().describe("Path of the file, relative to the working directory or absolute inside it");
const line = z.int().min(1);

export const readTool = defineTool({
  name: "read",
  description: `Reads a text file and gives its lines with their numbers, which are not part of the file. Long files come in parts of at most ${limits.toolResultChars} characters: read on with "from".`,
  input: z.object({
    path,
    from: line.nullish().describe("Number of the first line; 1 where missing"),
    lines: line.nullish().describe("How many lines"),
  }),
  run: async (place, input) => {
    const found = await resolveToRead(place, input.path);
    if (!found.ok) return refused(found.failure);
    const read = await readText(found.value, input.path);
    if (!read.ok) return refused(read.failure);
    // Secrets go before anything is cut: half of one would not be known again.
    const text = place.run.options.redaction.text(read.value.text);
    return answered(
      toNumberedLines(text, { from: input.from ?? 1, count: input.lines ?? limits.toolFileLines }),
    );
  },
});

export const writeTool = defineTool({
  name: "write",
  description:
    "Writes a whole text file, with its folders where they are missing. A file that is there is replaced.",
  isChanging: true,
  input: z.object({ path, text: z.string().describe("The whole new content") }),
  run: async (place, input) => {
    const found = await resolveToWrite(place, input.path);
    if (!found.ok) return refused(found.failure);
    return replaceText({ place, to: found.value, shownAs: input.path, text: input.text });
  },
});

export const editTool = defineTool({
  name: "edit",
  description:
    'Replaces a piece of a text file. "old" must be in the file exactly as given, white space included, and only once unless "all" is true.',
  isChanging: true,
  input: z.object({
    path,
    old: z.string().describe("The text to replace, exactly as it stands in the file, without line numbers"),
    new: z.string().describe("The text that takes its place"),
    all: z.boolean().nullish().describe("Replace every occurrence"),
  }),
  run: async (place, input) => {
    if (input.old === "") return refused('"old" must not be empty; use write for a new file');
    if (input.old === input.new) return refused('"old" and "new" are the same');
    const found = await resolveToWrite(place, input.path);
    if (!found.ok) return refused(found.failure);
    const read = await readText(found.value, input.path);
    if (!read.ok) return refused(read.failure);
    const pieces = read.value.text.split(input.old);
    const count = pieces.length - 1;
    if (count === 0) return refused(`"old" is not in "${input.path}"; read the file again`);
    if (count > 1 && input.all !== true) {
      return refused(
        `"old" is ${count} times in "${input.path}"; give more of its surroundings, or "all": true`,
      );
    }
    return replaceText({ place, to: found.value, shownAs: input.path, text: pieces.join(input.new) });
  },
});

interface Replacing {
  readonly place: ToolPlace;
  readonly to: string;
  readonly shownAs: string;
  readonly text: string;
}

async function replaceText({ place, to, shownAs, text }: Replacing): Promise<ToolAnswer> {
  const bytes = Buffer.from(text);
  if (bytes.length > limits.toolFileBytes)
    return refused(`the text is larger than ${limits.toolFileBytes} bytes`);
  if (place.signal.aborted) return refused("stopped");
  try {
    await mkdir(dirname(to), { recursive: true });
    const problem = await writeRegular(to, bytes);
    if (problem !== null) return refused(toProblem(shownAs, problem));
    return answered(`wrote "${shownAs}", ${bytes.length} bytes`);
  } catch (error) {
    return refused(toProblem(shownAs, codeOf(error)));
  }
}

/** The error's code, or null. Nothing is truncated before it is known to be a plain file of one name. */
async function writeRegular(to: string, bytes: Buffer): Promise<string | null> {
  const opened = await openRegular(to, constants.O_WRONLY | constants.O_CREAT);
  if (!opened.ok) return opened.failure;
  const file = opened.value;
  try {
    const { nlink, mode } = await file.stat();
    if (nlink > 1) return await writeAnew(to, bytes, mode & 0o777);
    await file.truncate(0);
    await file.writeFile(bytes);
    return null;
  } finally {
    await file.close();
  }
}

/** A file with a second name somewhere else gets a content of its own here, and the other keeps what it has. */
async function writeAnew(to: string, bytes: Buffer, mode: number): Promise<string | null> {
  await rm(to);
  const opened = await openRegular(to, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
  if (!opened.ok) return opened.failure;
  try {
    await opened.value.writeFile(bytes);
    await opened.value.chmod(mode);
    return null;
  } finally {
    await opened.value.close();
  }
}
