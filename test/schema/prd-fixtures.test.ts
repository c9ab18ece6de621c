// Plans that other programs and people have written: each is read, or refused for the right reasons.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readPrd } from "../../src/schema/prd.ts";

const folder = new URL("../../../shared/fixtures/prds/", import.meta.url);
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")) : [];

// Both were written without a single acceptance criterion.
const refused: Readonly<Record<string, number>> = {
  "09-reimagine-v2.tasks-key.json": 6,
  "12-process-meeting-refactor.dependencies.json": 5,
};

if (files.length === 0) {
  test("the collected PRDs are not here: skipped", () => {
    expect(files).toEqual([]);
  });
} else {
  describe("a collected PRD", () => {
    test.each(files)("%s", (file) => {
      const bytes = readFileSync(new URL(file, folder));
      const result = readPrd({ text: bytes, file });
      const tasks = refused[file];
      if (tasks === undefined) return expect(result).toMatchObject({ ok: true, value: { told: [] } });
      const wanted = Array.from({ length: tasks }, (_, index) => ({
        path: `tasks[${index}].acceptanceCriteria`,
        value: "",
        expected: "at least one acceptance criterion, in a list",
      }));
      expect(result).toMatchObject({ ok: false, failure: wanted });
    });

    test("keeps every field that is not known", () => {
      const bytes = readFileSync(new URL("16-plan-context-injection.globalConstraints.json", folder));
      const result = readPrd({ text: bytes, file: "16" });
      const extra = result.ok ? result.value.prd.tasks[0]?.extra : {};
      expect(Object.keys(extra ?? {})).toEqual(["workstream", "area", "tests"]);
    });
  });
}
