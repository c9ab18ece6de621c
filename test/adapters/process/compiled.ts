// Plain JavaScript of the sources, for puppet programs that are started as processes of their own and get killed.

import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";

const root = resolve(import.meta.dirname, "../../..");

/** Translates `src/core` and `src/adapters/process` into `folder`; gives the URL of one of its modules. */
export async function compileInto(folder: string): Promise<(source: string) => string> {
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  for (const room of ["src/core", "src/adapters/process"]) {
    const names = await readdir(join(root, room), { recursive: true });
    for (const name of names.filter((each) => each.endsWith(".ts"))) {
      const source = join(room, name);
      const target = join(folder, source.replace(/\.ts$/, ".js"));
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, toJavaScript(await readFile(join(root, source), "utf8")));
    }
  }
  return (source) => pathToFileURL(join(folder, source.replace(/\.ts$/, ".js"))).href;
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
