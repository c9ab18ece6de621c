// Whether there is room, and whether git could write: without touching what others wrote, and without a trace.
import { mkdirSync, readdirSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { checkRoom, findStorageTrouble } from "../../../src/adapters/git/storage-trouble.ts";
import { textOf } from "../../support/git-fixture.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const name = `.tmp_execute-prd_${process.pid}`;

it.each([
  ["a file", (path: string) => writeFileSync(path, "mine")],
  ["a folder", (path: string) => mkdirSync(path)],
  ["a link", (path: string) => symlinkSync("important", path)],
])("%s that looks like a trial of this program's is nobody's to remove, and is in no way", (_what, plant) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "important"), "important");
  plant(join(folder, name));
  expect(findStorageTrouble({ gitDir: folder })).toBe(null);
  expect(readdirSync(folder).sort()).toEqual([name, "important"]);
  expect(textOf(join(folder, "important"))).toBe("important");
});

it("room is looked for without writing, so a program killed right there leaves nothing", () => {
  const folder = temporaryFolder();
  utimesSync(folder, 1, 1);
  expect(checkRoom([folder, join(folder, "not there")]).ok).toBe(true);
  expect(statSync(folder).mtimeMs).toBe(1_000);
});
