// A tree that looks untouched is one in which git sees no change; what was changed in any way never looks so.
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { SetupEnd } from "../../../src/adapters/git/git-run.ts";
import { openGitRun } from "../../../src/adapters/git/git-run.ts";
import { loadState, placeTree } from "../../../src/adapters/git/lane-state.ts";
import { readChanges, withoutKnown } from "../../../src/adapters/git/tree-changes.ts";
import { isUntouched } from "../../../src/adapters/git/tree-look.ts";
import { never, repositoryFixture, toValue } from "../../support/git-fixture.ts";

const files = {
  "a.txt": "a\n",
  "src/deep/b.txt": "b\n",
  "src/\u00e4 c.txt": "c\n",
  "run.sh": "#!/bin/sh\n",
  ".gitignore": "*.log\nnode_modules/\n",
};

async function lane(at: { config?: readonly string[]; setup?: (cwd: string) => SetupEnd | undefined } = {}) {
  const fixture = repositoryFixture(files, at.setup);
  for (const setting of at.config ?? []) fixture.git(["config", ...setting.split("=")]);
  symlinkSync("a.txt", join(fixture.checkout, "link"));
  const base = fixture.commit({});
  const setup = at.setup === undefined ? "" : "make it";
  toValue(
    await fixture.repository.prepareCheck(
      { lane: 1, commit: base, setup, keep: false, baseVersions: null },
      never,
    ),
  );
  const place = toValue(placeTree(openGitRun(fixture.options), 1, "check"));
  return {
    path: place.path,
    indexFile: place.indexFile,
    async look() {
      const state = loadState(place);
      if (state === null) throw new Error("the tree has no state");
      const { changed, untracked, nested, ignored } = withoutKnown(
        place,
        state,
        toValue(await readChanges(place, state)),
      );
      return {
        untouched: isUntouched(place, state),
        git: [...changed, ...untracked, ...nested, ...ignored],
      };
    },
  };
}

describe.each(["2", "3", "4"])("with an index of version %s", (version) => {
  test("a tree that was just made ready is untouched, also after its clock has moved on", async () => {
    const at = await lane({ config: [`index.version=${version}`] });
    expect(await at.look()).toEqual({ untouched: true, git: [] });
    const long = new Date(Date.now() + 60_000);
    utimesSync(at.indexFile, long, long);
    expect(await at.look()).toEqual({ untouched: true, git: [] });
  });
});

const touches: Readonly<Record<string, (path: string) => void>> = {
  "a file with other content": (path) => writeFileSync(join(path, "a.txt"), "other\n"),
  "other content of the same length": (path) => writeFileSync(join(path, "a.txt"), "b\n"),
  "another mode": (path) => chmodSync(join(path, "run.sh"), 0o755),
  "a file that is gone": (path) => rmSync(join(path, "src/deep/b.txt")),
  "a file instead of a link": (path) => {
    rmSync(join(path, "link"));
    writeFileSync(join(path, "link"), "a.txt");
  },
  "a link that leads elsewhere": (path) => {
    rmSync(join(path, "link"));
    symlinkSync("b.txt", join(path, "link"));
  },
  "a linked folder with the same files": (path) => {
    renameSync(join(path, "src/deep"), join(path, "src/away"));
    symlinkSync("away", join(path, "src/deep"));
  },
  "a new file": (path) => writeFileSync(join(path, "src/new.txt"), ""),
  "a new folder with a file": (path) => {
    mkdirSync(join(path, "new/deep"), { recursive: true });
    writeFileSync(join(path, "new/deep/file"), "");
  },
  "an ignored file": (path) => writeFileSync(join(path, "x.log"), ""),
  "a repository": (path) => {
    mkdirSync(join(path, "nested/.git"), { recursive: true });
    writeFileSync(join(path, "nested/.git/HEAD"), "ref: refs/heads/main\n");
    writeFileSync(join(path, "nested/a.txt"), "a\n");
  },
};

test.each(Object.keys(touches))("%s is seen", async (name) => {
  const at = await lane();
  touches[name]?.(at.path);
  const { untouched, git } = await at.look();
  expect(untouched).toBe(false);
  expect(git.length).toBeGreaterThan(0);
});

test("content that is changed in place, with the old times put back, is seen", async () => {
  const at = await lane();
  const file = join(at.path, "a.txt");
  const long = new Date(Date.now() - 60_000);
  utimesSync(file, long, long);
  writeFileSync(file, "b\n");
  utimesSync(file, long, long);
  expect((await at.look()).untouched).toBe(false);
});

test("a file that was written in the same moment as the index is judged by its content", async () => {
  const at = await lane();
  // As if everything had been written in one tick of the clock.
  utimesSync(at.indexFile, new Date(0), new Date(0));
  expect((await at.look()).untouched).toBe(true);
});

test("folders without files are nothing, as for git", async () => {
  const at = await lane();
  mkdirSync(join(at.path, "empty/deep"), { recursive: true });
  expect(await at.look()).toEqual({ untouched: true, git: [] });
});

test("what the set-up made belongs to the tree while it is as it was made", async () => {
  const setup = (cwd: string): undefined => {
    mkdirSync(join(cwd, "node_modules/x"), { recursive: true });
    writeFileSync(join(cwd, "node_modules/x/index.js"), "");
    writeFileSync(join(cwd, "made.txt"), "made\n");
    writeFileSync(join(cwd, "a.txt"), "made dirty\n");
  };
  const at = await lane({ setup });
  expect(await at.look()).toEqual({ untouched: true, git: [] });
  appendFileSync(join(at.path, "node_modules/x/index.js"), "more");
  expect(await at.look()).toEqual({ untouched: true, git: [] });
  appendFileSync(join(at.path, "made.txt"), "more");
  expect(await at.look()).toEqual({ untouched: false, git: ["made.txt"] });
  writeFileSync(join(at.path, "made.txt"), "made\n");
  writeFileSync(join(at.path, "a.txt"), "a\n");
  expect((await at.look()).untouched).toBe(false);
});

test("an index that is not the one we had git write is not believed", async () => {
  const at = await lane();
  writeFileSync(at.indexFile, Buffer.concat([readFileSync(at.indexFile), Buffer.from("x")]));
  expect((await at.look().catch(() => ({ untouched: false }))).untouched).toBe(false);
});
