// Homes of the run: what is in them, and what is not any more when the next one comes.

import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { homeNameOf, openHome, toHomeVariables } from "../../../src/adapters/process/run-home.ts";
import { makeFolder } from "./programs.ts";

test("A home is made for its owner alone, and what was obeyed in it is gone at its next use; caches stay.", async () => {
  const homes = join(await makeFolder(), "home");
  const home = openHome(homes, homeNameOf("/trees/run/lane-2/check", "gates"));
  expect(home).toBe(join(homes, "lane-2-gates"));
  expect([homes, home].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o700]);
  for (const path of [
    ".npmrc",
    ".bashrc",
    ".npm/_npx/x",
    ".npm/_cacache/x",
    ".cache/go/x",
    ".m2/settings.xml",
  ]) {
    mkdirSync(join(home, path, ".."), { recursive: true });
    writeFileSync(join(home, path), "");
  }
  openHome(homes, "lane-2-gates");
  expect(readdirSync(home, { recursive: true }).toSorted()).toEqual([
    ".cache",
    ".cache/go",
    ".cache/go/x",
    ".m2",
    ".npm",
    ".npm/_cacache",
    ".npm/_cacache/x",
  ]);
});

test("A link in the place of a home or of a cache leads nowhere.", async () => {
  const folder = await makeFolder();
  const precious = join(folder, "precious");
  mkdirSync(precious);
  writeFileSync(join(precious, "file"), "");
  const homes = join(folder, "home");
  mkdirSync(homes);
  symlinkSync(precious, join(homes, "lane-1-gates"));
  const home = openHome(homes, "lane-1-gates");
  symlinkSync(precious, join(home, ".cache"));
  openHome(homes, "lane-1-gates");
  expect(readdirSync(home)).toEqual([]);
  expect(existsSync(join(precious, "file"))).toBe(true);
});

test("Tools that live in the builder's home are found, where they are there, or where variables say so.", async () => {
  const folder = await makeFolder();
  const old = join(folder, "builder");
  for (const path of [".cargo", ".rustup", "go/pkg/mod", ".m2/repository", "elsewhere"])
    mkdirSync(join(old, path), { recursive: true });
  expect(
    toHomeVariables("/new", { HOME: old, RUSTUP_HOME: join(old, "elsewhere"), NVM_DIR: "/gone" }),
  ).toEqual({
    HOME: "/new",
    CARGO_HOME: join(old, ".cargo"),
    GOMODCACHE: join(old, "go/pkg/mod"),
    MAVEN_ARGS: `-Dmaven.repo.local.tail=${join(old, ".m2/repository")}`,
    RUSTUP_HOME: join(old, "elsewhere"),
  });
  expect(toHomeVariables("/new", {})).toEqual({ HOME: "/new" });
});
