// Plain JavaScript of the sources, for puppet programs that are started as processes of their own and get killed.

import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";

const root = resolve(import.meta.dirname, "../../..");

/** Translates `src/core`, `src/adapters/process` and what that needs; gives the URL of one of the modules. */
export async function compileInto(folder: string): Promise<(source: string) => string> {
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  for (const source of await listSources()) {
    const target = join(folder, source.replace(/\.ts$/, ".js"));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, toJavaScript(await readFile(join(root, source), "utf8")));
  }
  return (source) => pathToFileURL(join(folder, source.replace(/\.ts$/, ".js"))).href;
}

async function listSources(): Promise<readonly string[]> {
  const rooms = ["src/core", "src/adapters/process"].map(async (room) => {
    const names = await readdir(join(root, room), { recursive: true });
    return names.filter((name) => name.endsWith(".ts")).map((name) => join(room, name));
  });
  return ["src/adapters/awake-timer.ts", ...(await Promise.all(rooms)).flat()];
}

function toJavaScript(source: string): string {
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      rewriteRelativeImportExtensions: true,
      verbatimModuleSyntax: true,
    },
  });
  return outputText;
}
