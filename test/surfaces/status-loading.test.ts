// What `status` loads: programs ask it often, and loading is most of what it does.
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SOURCES = fileURLToPath(new URL("../../src", import.meta.url));

test("status loads neither the schema library nor the engine nor the library's other commands", () => {
  const { files, packages } = loadedBy("surfaces/cli/status-command.ts");
  expect(packages).toEqual([]);
  expect(files.filter((file) => /^(?:engine|prompts|library)/.test(file))).toEqual([]);
  expect(files).toContain("adapters/run-folder.ts");
});

test("a command that reads a plan does load the schema library", () => {
  expect(loadedBy("surfaces/cli/look-commands.ts").packages).toContain("zod");
});

/** Everything that is imported at once, not only for its types. */
function loadedBy(first: string): { files: readonly string[]; packages: readonly string[] } {
  const files = new Set([first]);
  const packages = new Set<string>();
  for (const file of files) {
    for (const target of staticImports(readFileSync(join(SOURCES, file), "utf8"))) {
      if (target.startsWith(".")) files.add(relative(SOURCES, join(SOURCES, dirname(file), target)));
      else if (!target.startsWith("node:")) packages.add(target);
    }
  }
  return { files: [...files], packages: [...packages] };
}

function staticImports(text: string): string[] {
  const statements = text.matchAll(/^(?:import|export)\b(?! type)[^;"]*?from "([^"]+)"/gm);
  return [...statements].map(([, target = ""]) => target);
}
