// The tools `glob` and `grep`: which files there are, and what is in them.

import { lstat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { z } from "zod";
import { limits } from "../../../core/limits.ts";
import { speaksOf, toFileFilter } from "./file-pattern.ts";
import { searchFiles } from "./grep.ts";
import { answered, defineTool, refused, type ToolPlace } from "./tool.ts";
import { resolveToRead, toShownPath } from "./tool-path.ts";
import { toBoundedText } from "./tool-text.ts";
import { type Walked, walk } from "./walk.ts";

const longestPatternChars = 1_000;
const pattern = z.string().min(1).max(longestPatternChars);
const folder = z
  .string()
  .nullish()
  .describe("Folder or file to look in; the working directory where missing");

export const globTool = defineTool({
  name: "glob",
  description:
    'Lists files by the pattern of their path: "*" for any name, "**" for any folders, "{a,b}" for one of them. A pattern without a slash is about names in any folder. node_modules is left out unless the pattern or path names it.',
  input: z.object({ pattern: pattern.describe('For example "src/**/*.ts"'), path: folder }),
  run: async (place, input) => {
    const found = await findFiles(place, { path: input.path ?? ".", pattern: input.pattern });
    if (typeof found === "string") return refused(found);
    const names = found.files.map((file) => toShownPath(place, `${found.folder}/${file}`));
    const text = names.length === 0 ? "(no file)" : names.join("\n");
    return answered(`${toBoundedText(place.run.options.redaction.text(text))}${found.isCut ? toldCut : ""}`);
  },
});

export const grepTool = defineTool({
  name: "grep",
  description: `Looks for a regular expression (of JavaScript) in the lines of text files and gives path, number and text of the lines, at most ${limits.searchHits}. node_modules is left out unless the path or "files" names it.`,
  input: z.object({
    pattern: pattern.describe("The regular expression"),
    path: folder,
    files: pattern.nullish().describe('Pattern of the files to look in, as for glob, for example "*.ts"'),
    ignoreCase: z.boolean().nullish(),
  }),
  run: async (place, input) => {
    const flags = input.ignoreCase === true ? "i" : "";
    const problem = regExpProblem(input.pattern, flags);
    if (problem !== null) return refused(`the pattern is no regular expression: ${problem}`);
    const found = await findFiles(place, { path: input.path ?? ".", pattern: input.files ?? null });
    if (typeof found === "string") return refused(found);
    const hits = await searchFiles({ ...found, source: input.pattern, flags, signal: place.signal });
    if (typeof hits === "string") return refused(hits);
    const lines = hits.hits.map(
      ({ file, line, text }) => `${toShownPath(place, `${found.folder}/${file}`)}:${line}: ${text}`,
    );
    const text = lines.length === 0 ? "(nothing found)" : lines.join("\n");
    const told = hits.isCut || found.isCut ? toldCut : "";
    return answered(`${toBoundedText(place.run.options.redaction.text(text))}${told}`);
  },
});

const toldCut = "\n[there is more than was looked at: narrow it down]";

interface Found extends Walked {
  readonly folder: string;
}

/** The files of a folder that the pattern names, or a single file; a sentence where the path cannot be used. */
async function findFiles(
  place: ToolPlace,
  wanted: { path: string; pattern: string | null },
): Promise<Found | string> {
  const found = await resolveToRead(place, wanted.path);
  if (!found.ok) return found.failure;
  if ((await lstat(found.value).catch(() => null))?.isFile()) {
    return { folder: dirname(found.value), files: [basename(found.value)], isCut: false };
  }
  const asked = wanted.pattern ?? "";
  const isAsked = speaksOf(asked, "node_modules") || found.value.includes("node_modules");
  const skip = (name: string): boolean => name === ".git" || (name === "node_modules" && !isAsked);
  const walked = await walk(found.value, { skip, signal: place.signal });
  if (wanted.pattern === null) return { folder: found.value, ...walked };
  const isWanted = toFileFilter(wanted.pattern);
  return { folder: found.value, files: walked.files.filter(isWanted), isCut: walked.isCut };
}

function regExpProblem(source: string, flags: string): string | null {
  try {
    new RegExp(source, flags);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 200) : "it cannot be read";
  }
}
