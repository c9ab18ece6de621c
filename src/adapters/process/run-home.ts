// The home folder of what agents wrote and of agents: a folder of the run, so that no settings of one process are
// obeyed by the next one, and nothing of the builder's home is read that was not handed on.

import fs from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Environment } from "./environment.ts";

/** Makes the home `name` in `homes` when it is missing; of an earlier use only caches are left in it. */
export function openHome(homes: string, name: string): string {
  fs.mkdirSync(homes, { recursive: true, mode: 0o700 });
  const home = join(homes, name);
  if (fs.lstatSync(home, { throwIfNoEntry: false })?.isDirectory() === false) fs.rmSync(home);
  fs.mkdirSync(home, { recursive: true, mode: 0o700 });
  empty(home, "");
  return home;
}

/** Who works in a tree of a lane, as a name of a home: no two of them run there at the same time. */
export function homeNameOf(tree: string, who: string): string {
  return `${basename(dirname(tree))}-${who}`;
}

/** Nothing that is run or obeyed lies in these. */
const caches = [".cache", ".npm/_cacache", ".gradle/caches", ".gradle/wrapper", ".m2/repository"] as const;

function empty(home: string, below: string): void {
  for (const entry of fs.readdirSync(join(home, below), { withFileTypes: true })) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    const isFolder = entry.isDirectory();
    if (isFolder && caches.some((each) => each === path)) continue;
    if (isFolder && caches.some((each) => each.startsWith(`${path}/`))) empty(home, path);
    else fs.rmSync(join(home, path), { recursive: true, force: true });
  }
}

/** HOME, and where the tools are that live in the builder's home. */
export function toHomeVariables(home: string, builder: Environment): Readonly<Record<string, string>> {
  const given: Record<string, string> = { HOME: home };
  const old = builder["HOME"] ?? "";
  for (const [variable, folder] of tools) {
    const path = builder[variable] ?? (old === "" ? "" : join(old, folder));
    if (path !== "" && fs.existsSync(path)) given[variable] = path;
  }
  const go = join(builder["GOPATH"] ?? join(old, "go"), "pkg", "mod");
  if (given["GOMODCACHE"] === undefined && fs.existsSync(go)) given["GOMODCACHE"] = go;
  const maven = join(old, ".m2", "repository");
  // Read but never written: what it lacks goes to the new home.
  if (old !== "" && fs.existsSync(maven)) given["MAVEN_ARGS"] = `-Dmaven.repo.local.tail=${maven}`;
  return given;
}

/** Variable to folder of the builder's home: tool chains, version managers, and what `setup` installs there. */
const tools: readonly (readonly [string, string])[] = [
  ["ASDF_DATA_DIR", ".asdf"],
  ["ASDF_DEFAULT_TOOL_VERSIONS_FILENAME", ".tool-versions"],
  ["BUN_INSTALL", ".bun"],
  ["CARGO_HOME", ".cargo"],
  ["COREPACK_HOME", ".cache/node/corepack"],
  ["CYPRESS_CACHE_FOLDER", ".cache/Cypress"],
  ["DENO_DIR", ".cache/deno"],
  ["FNM_DIR", ".local/share/fnm"],
  ["GOMODCACHE", "go/pkg/mod"],
  ["GRADLE_RO_DEP_CACHE", ".gradle/caches"],
  ["MISE_DATA_DIR", ".local/share/mise"],
  ["MIX_HOME", ".mix"],
  ["NUGET_PACKAGES", ".nuget/packages"],
  ["NVM_DIR", ".nvm"],
  ["PLAYWRIGHT_BROWSERS_PATH", ".cache/ms-playwright"],
  ["POETRY_CACHE_DIR", ".cache/pypoetry"],
  ["PUB_CACHE", ".pub-cache"],
  ["PUPPETEER_CACHE_DIR", ".cache/puppeteer"],
  ["PYENV_ROOT", ".pyenv"],
  ["PYTHONUSERBASE", ".local"],
  ["RBENV_ROOT", ".rbenv"],
  ["RUSTUP_HOME", ".rustup"],
  ["SDKMAN_DIR", ".sdkman"],
  ["UV_PYTHON_INSTALL_DIR", ".local/share/uv/python"],
  ["VOLTA_HOME", ".volta"],
  ["WORKON_HOME", ".local/share/virtualenvs"],
  ["YARN_GLOBAL_FOLDER", ".yarn/berry"],
];
