// What `setup` may do in the sandbox beside what gates may: it has the builder's home, reads what private package
// registries ask for, and fills the caches of package managers.

import fs from "node:fs";
import { join } from "node:path";
import type { Confinement, Sandbox } from "./confinement.ts";
import { registryCredentials } from "./sandbox-secrets.ts";

export function confineSetup(sandbox: Sandbox, tree: string): Confinement {
  const writable = caches
    .filter(({ of }) => of === null || fs.existsSync(join(tree, of)))
    .flatMap(({ folder }) => makeCache(join(sandbox.home, folder)));
  return {
    sandbox: { ...sandbox, visible: [...sandbox.visible, sandbox.home] },
    tree,
    writable: [...writable, ...others.map((folder) => join(sandbox.home, folder)).filter(isFolder)],
    spared: registryCredentials,
  };
}

/** Made where they are missing: in a home that cannot be written the package manager could not. */
const caches: readonly { readonly folder: string; readonly of: string | null }[] = [
  { folder: ".cache", of: null },
  { folder: ".npm", of: "package.json" },
  { folder: ".cargo/registry", of: "Cargo.toml" },
  { folder: ".cargo/git", of: "Cargo.toml" },
  { folder: "go/pkg", of: "go.mod" },
  { folder: ".m2/repository", of: "pom.xml" },
  { folder: ".gradle/caches", of: "gradlew" },
  { folder: ".gradle/wrapper", of: "gradlew" },
];

/** Stores of packages that are used where they are there already; nothing in which programs of the builder lie. */
const others = [
  ".bun/install/cache",
  ".cargo/git",
  ".cargo/registry",
  ".composer/cache",
  ".deno",
  ".gradle/caches",
  ".gradle/daemon",
  ".gradle/native",
  ".gradle/wrapper",
  ".hex",
  ".ivy2",
  ".local/share/pnpm/store",
  ".local/share/virtualenvs",
  ".local/state/pnpm",
  ".nuget/packages",
  ".pnpm-store",
  ".pub-cache/hosted",
  ".yarn/berry",
  "Library/Caches",
  "Library/pnpm/store",
] as const;

function makeCache(path: string): readonly string[] {
  try {
    fs.mkdirSync(path, { recursive: true });
    return [path];
  } catch {
    return []; // a home that cannot be written has no caches
  }
}

function isFolder(path: string): boolean {
  return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
