// What a developer does to the tree in which gates run, and to the settings of the builder's home.
import { appendFileSync, mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { never, refPrefix, repositoryFixture, textOf, toValue } from "../../support/git-fixture.ts";

const lane = 1;
const setup = "install";

/** A lane with both trees set up, in which a developer is about to begin. */
async function begin(isCheckIdle = true) {
  const at = repositoryFixture({ "a.txt": "a\n", ".gitignore": "node_modules/\n" }, (cwd) => {
    mkdirSync(join(cwd, "node_modules/.bin"), { recursive: true });
    writeFileSync(join(cwd, "node_modules/.bin/runner"), "run\n");
    return undefined;
  });
  const base = at.head();
  toValue(await at.repository.holdBranch({ branch: "feature/x", head: base, create: true }));
  const wanted = { lane, commit: base, setup, keep: false, baseVersions: null };
  const check = toValue(await at.repository.prepareCheck(wanted, never)).path;
  toValue(await at.repository.prepareWork({ lane, base, start: base, setup }, never));
  toValue(await at.repository.beforeDispatch({ lane, dispatch: "d1", isCheckIdle }));
  const end = async () => toValue(await at.repository.afterDispatch({ lane, refPrefix }));
  const again = async (change: { keep?: boolean } = {}) =>
    toValue(await at.repository.prepareCheck({ ...wanted, ...change }, never)).path;
  return { ...at, check, runner: join(check, "node_modules/.bin/runner"), end, again };
}

describe("in the check tree, while a developer is at work,", () => {
  test("nothing changed is nothing to tell, and the tree is used as it is", async () => {
    const at = await begin();
    expect(await at.end()).toEqual({ violations: [], notes: [], doubts: [] });
    const ran = at.setups.length;
    await at.again();
    expect(at.setups).toHaveLength(ran);
  });

  test.each<[string, string, (at: Awaited<ReturnType<typeof begin>>) => void]>([
    [
      "an installed program replaced",
      "node_modules/.bin/runner",
      ({ runner }) => writeFileSync(runner, "lie\n"),
    ],
    [
      "one replaced by as many bytes with the old times",
      "node_modules/.bin/runner",
      ({ runner }) => {
        writeFileSync(runner, "lie\n");
        utimesSync(runner, 1_000, 1_000);
      },
    ],
    ["one removed", "node_modules/.bin/runner", ({ runner }) => rmSync(runner)],
    [
      "one added",
      "node_modules/.bin/other",
      ({ runner }) => writeFileSync(join(dirname(runner), "other"), "lie\n"),
    ],
    [
      "what is remembered about it",
      "private/check.json",
      ({ check }) => appendFileSync(join(check, "../private/check.json"), " "),
    ],
    ["its index", "private/check.index", ({ check }) => rmSync(join(check, "../private/check.index"))],
  ])("%s fails the attempt by name, and the tree is made and set up anew", async (_what, name, change) => {
    const at = await begin();
    change(at);
    const { violations } = await at.end();
    expect(violations).toHaveLength(1);
    expect(violations[0]).toContain("the tree in which gates run was changed: ");
    expect(violations[0]).toContain(name);
    const check = await at.again();
    expect(textOf(join(check, "node_modules/.bin/runner"))).toBe("run\n");
    expect(textOf(join(check, "node_modules/.bin/other"))).toBeNull();
  });

  test("many changes are counted", async () => {
    const at = await begin();
    for (let k = 0; k < 30; k += 1) writeFileSync(join(dirname(at.runner), `tool-${k}`), "x");
    expect((await at.end()).violations[0]).toMatch(/ and 10 more; it is made anew$/);
  });
});

describe("in the check tree, while a gate or a reviewer is at work,", () => {
  test("caches beside the packages are theirs, and the tree is used as it is", async () => {
    const at = await begin(false);
    const packages = dirname(dirname(at.runner));
    for (const cache of [".cache", ".vite", ".vite-temp"]) mkdirSync(join(packages, cache));
    writeFileSync(join(packages, ".vite/results.json"), "{}");
    expect(await at.end()).toEqual({ violations: [], notes: [], doubts: [] });
    const ran = at.setups.length;
    await at.again();
    expect(at.setups).toHaveLength(ran);
    expect(textOf(join(packages, ".vite/results.json"))).toBe("{}");
  });

  test.each<[string, string, (at: Awaited<ReturnType<typeof begin>>) => void]>([
    ["replaced", "node_modules/.bin/runner", ({ runner }) => writeFileSync(runner, "lie\n")],
    ["removed", "node_modules/.bin/runner", ({ runner }) => rmSync(runner)],
    [
      "put before another",
      "node_modules/.bin/node",
      ({ runner }) => writeFileSync(join(dirname(runner), "node"), ""),
    ],
  ])("a program that was %s is told, and installed anew before the next", async (_what, name, change) => {
    const at = await begin(false);
    change(at);
    const ran = at.setups.length;
    expect(await at.end()).toMatchObject({
      violations: [],
      notes: [`what setup installed was changed: ${name}; it is installed anew`],
    });
    await at.again({ keep: true });
    expect(at.setups).toHaveLength(ran + 1);
    expect(textOf(at.runner)).toBe("run\n");
    expect(textOf(join(dirname(at.runner), "node"))).toBeNull();
  });
});

describe("settings in the home folder", () => {
  test.each([[".npmrc"], [".config/git/config"], [".cargo/config.toml"]])(
    "changed in %s are a doubt: it may have been the builder",
    async (name) => {
      const at = await begin();
      const file = join(homedir(), name);
      onTestFinished(() => rmSync(file, { force: true }));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, "script-shell=/bin/true\n");
      expect(await at.end()).toEqual({
        violations: [],
        notes: [],
        doubts: [`the settings "${name}" in the home folder were changed`],
      });
      expect(textOf(file)).toBe("script-shell=/bin/true\n");
    },
  );
});
