// Whether there is room is tried by writing, without touching what others wrote.
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { checkRoom } from "../../../src/adapters/git/storage-trouble.ts";
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
  expect(checkRoom([folder]).ok).toBe(true);
  expect(readdirSync(folder).sort()).toEqual([name, "important"]);
  expect(textOf(join(folder, "important"))).toBe("important");
});
