// Derived files of one told run, to the byte. A difference that is meant needs a new VIEW_VERSION.
import { expect, test } from "vitest";
import { derivedFiles } from "../../src/views/derived-files.ts";
import { toMemoryEntry } from "../../src/views/memory-entry.ts";
import { progressParts } from "../../src/views/progress-md.ts";
import { inWords } from "../../src/views/words.ts";
import type { RunStory } from "../support/run-story.ts";
import { blockedStory, completedStory, stateOf } from "./feature-story.ts";

test.each([
  ["blocked", blockedStory],
  ["completed", completedStory],
] as const)("the files of the %s run are as they were", async (name, tell) => {
  const state = stateOf(tell());
  for (const file of derivedFiles(state)) await expectGolden(`${name}/${file.name}`, file.text);
  await expectGolden(`${name}/progress.md`, [...progressParts(state)].join(""));
});

test("what the run taught and the journal in words are as they were", async () => {
  const story = completedStory();
  await expectGolden("completed/memory-entry.md", toMemoryEntry(stateOf(story), "2026-01-31").text);
  await expectGolden("completed/words.txt", toLines(story));
});

test("the same journal gives the same files, however often and whatever was made in between", () => {
  const once = derivedFiles(stateOf(completedStory()));
  const story = completedStory();
  for (const state of story.states) derivedFiles(state);
  expect(derivedFiles(story.state)).toEqual(once);
});

test("a report is among them when the run has stopped, and only then", () => {
  for (const state of completedStory().states) {
    const isStopped = state.phase.kind !== "queued" && state.phase.kind !== "running";
    expect(derivedFiles(state).some(({ name }) => name === "report.md")).toBe(isStopped);
  }
});

function toLines(story: RunStory): string {
  return `${story.entries.map(inWords).join("\n")}\n`;
}

async function expectGolden(name: string, text: string): Promise<void> {
  await expect(text).toMatchFileSnapshot(`../golden/views/${name}`);
}
