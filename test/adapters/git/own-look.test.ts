// The program's own look for files and names, in a commit and not in a working tree.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repositoryFixture } from "../../support/git-fixture.ts";

test("files and names of a commit are found, whole words only, and none is found that is not there", async () => {
  const at = repositoryFixture({ "src/a.ts": "export const parse = 1;\n", "src/b.ts": "parser; parse\n" });
  rmSync(join(at.checkout, "src/a.ts"));
  const found = await at.repository.lookFor({
    commit: at.head(),
    paths: ["src/a.ts", "src", "src/c.ts"],
    names: ["parse", "render"],
  });
  expect(found).toEqual({
    ok: true,
    value: {
      files: [
        { path: "src/a.ts", exists: true },
        { path: "src", exists: true },
        { path: "src/c.ts", exists: false },
      ],
      names: [
        { name: "parse", foundIn: ["src/a.ts", "src/b.ts"] },
        { name: "render", foundIn: [] },
      ],
    },
  });
});
