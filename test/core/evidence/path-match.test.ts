// Which names of files, folders and patterns name a path.
import { expect, test } from "vitest";
import { isNamed, isNamedPlainly } from "../../../src/core/evidence/path-match.ts";
import { timed } from "../../support/processor-time.ts";

test.each([
  ["src/a.ts", "src/a.ts", true],
  ["src/a.ts", "./src/a.ts", true],
  ["src/a.ts", "src", true],
  ["src/a.ts", "src/", true],
  ["src/a.ts", "sr", false],
  ["src/a.ts", ".", true],
  ["src/a.ts", "./", true],
  ["src/a.ts", "src/*.ts", true],
  ["src/b/a.ts", "src/*.ts", false],
  ["src/b/a.ts", "src/**/*.ts", true],
  ["src/a.ts", "src/**/*.ts", true],
  ["src/ba.ts", "src/**/a.ts", false],
  ["src/b/a.ts", "src/**", true],
  ["src/b/a.ts", "**/a.ts", true],
  ["a.ts", "**/a.ts", true],
  ["src/a.tsx", "src/*.ts", false],
  ["src/a.ts", "*", false],
  ["a.ts", "*", true],
  ["src/a.ts", `${"*a".repeat(600)}`, false],
  ["s".repeat(1_001), "s*", false],
])("%s by %s: %s", (path, name, isIt) => {
  expect(isNamed(path, ["other", name])).toBe(isIt);
});

test("a pattern of many stars is no slower than long", () => {
  const isIt = () => isNamed("a".repeat(900), [`${"*a".repeat(450)}b`]);
  const { value, ms } = timed(isIt);
  expect(value).toBe(false);
  expect(ms).toBeLessThan(2_000);
});

test.each([
  [".claude/agents/x.md", ".claude/", true],
  ["AGENTS.md", "AGENTS.md", true],
  ["AGENTS.md", "agents.md", false],
  ["AGENTS.md", ".", false],
  ["AGENTS.md", "*.md", false],
  ["AGENTS.md", "", false],
])("a permission for %s is not given by everything that contains it, as in %s: %s", (path, name, isIt) => {
  expect(isNamedPlainly(path, [name])).toBe(isIt);
});
