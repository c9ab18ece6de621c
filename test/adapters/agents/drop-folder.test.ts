// Drop folders that a killed program left behind.

import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { openDropFolder, removeLeftDropFolders } from "../../../src/adapters/agents/drop-folder.ts";

async function open(runId: string) {
  const opened = await openDropFolder({ runId, outside: [] });
  if (!opened.ok) throw new Error(opened.failure.reason);
  return opened.value;
}

test("The drop folders of a run are removed at its next start, those of other runs are not.", async () => {
  const [mine, other] = [await open(`mine-${process.pid}`), await open(`other-${process.pid}`)];
  await removeLeftDropFolders({ runId: `mine-${process.pid}`, outside: [] });
  expect([mine, other].map(({ path }) => existsSync(path))).toEqual([false, true]);
  await other.remove();
  expect(existsSync(other.path)).toBe(false);
});

test("No two drop folders have the same name.", async () => {
  const [one, two] = [await open("same"), await open("same")];
  expect(one.path).not.toBe(two.path);
  await one.remove();
  await two.remove();
});
