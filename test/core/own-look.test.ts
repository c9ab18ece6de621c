import { describe, expect, it } from "vitest";
import { isAllThere, nothingSeen, wantedFiles, wantedNames } from "../../src/core/own-look.ts";
import { makeTask } from "../support/run-parts.ts";

describe("before a task the program looks for", () => {
  const task = makeTask("a", {
    title: "Rename `parseDate`",
    description:
      "In `src/dates.ts` call `toDate()` instead; see `docs/dates.md`, `npm test`, `https://x.y/z`, `../out.ts`",
    acceptanceCriteria: ["`parseDate` is gone", "`README.md` says so", "`ab` and `--flag` and `a b`"],
    filesToRead: ["src/dates.ts", "src/*.ts"],
    filesTouched: ["src/new.ts"],
  });

  it("the files of its lists and the paths between backticks, once each", () => {
    expect(wantedFiles(task)).toEqual(["src/new.ts", "src/dates.ts", "docs/dates.md", "README.md"]);
  });

  it("the names of code between backticks", () => {
    expect(wantedNames(task)).toEqual(["parseDate", "toDate"]);
  });

  it("nothing where it names nothing", () => {
    expect([wantedFiles(makeTask("b")), wantedNames(makeTask("b"))]).toEqual([[], []]);
  });
});

describe("everything is there", () => {
  const file = { path: "a.ts", exists: true };
  const name = { name: "parse", foundIn: ["a.ts"] };

  it("when every file and every name is, and there was something to look for", () => {
    expect(isAllThere({ files: [file], names: [name] })).toBe(true);
    expect(isAllThere(nothingSeen)).toBe(false);
    expect(isAllThere({ files: [file, { ...file, exists: false }], names: [] })).toBe(false);
    expect(isAllThere({ files: [], names: [{ ...name, foundIn: [] }] })).toBe(false);
  });
});
