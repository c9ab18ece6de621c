// Which files a gate's files take in, by their texts alone.
import { expect, test } from "vitest";
import { mayLeadToTools, takenIn } from "../../../src/core/evidence/gate-imports.ts";

test.each([
  ["scripts/check.mjs", true],
  ["check.mjs", true],
  ["main.py", true],
  ["notes.txt", false],
  ["src/main.ts", false],
  ["src/scripts/rules.js", false],
])("%s may lead to tools: %s", (path, may) => expect(mayLeadToTools(path)).toBe(may));

test("a name that leads out of the repository, or to its top, names nothing", () => {
  const texts = [
    {
      path: "scripts/check.mjs",
      text: 'import "../../scripts/rules.mjs"; import "../"; import "./rules.mjs";',
    },
    { path: "scripts/rules.mjs", text: "" },
    { path: "scripts/other.mjs", text: "" },
  ];
  expect([...takenIn(["scripts/check.mjs"], texts)]).toEqual(["scripts/rules.mjs"]);
  expect([
    ...takenIn(["scripts/check.mjs"], [{ path: "scripts/check.mjs", text: 'import "../../x/rules.mjs"' }]),
  ]).toEqual([]);
});

test("what is not there takes in nothing", () => {
  expect([...takenIn(["gone.mjs"], [])]).toEqual([]);
});
