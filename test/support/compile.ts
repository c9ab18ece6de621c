// Turns TypeScript of this project into JavaScript that plain Node runs, for tests that need real processes
// that start fast and can be killed.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Compiles a file and all it imports of this project into `folder`; returns the path of the JavaScript. */
export function compile(entry: URL, folder: string): string {
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"), "dir");
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
  const waiting = [fileURLToPath(entry)];
  for (const file of waiting)
    waiting.push(...compileOne(file, folder).filter((each) => !waiting.includes(each)));
  return outputPath(fileURLToPath(entry), folder);
}

/** Returns the files of this project that it imports. */
function compileOne(file: string, folder: string): readonly string[] {
  const text = readFileSync(file, "utf8");
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  });
  const output = outputPath(file, folder);
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(output, outputText);
  const imports = ts.preProcessFile(outputText).importedFiles.map(({ fileName }) => fileName);
  return imports
    .filter((name) => name.startsWith("."))
    .map((name) => resolve(dirname(file), name.replace(/\.js$/, ".ts")));
}

function outputPath(file: string, folder: string): string {
  return join(folder, relative(ROOT, file).replace(/\.ts$/, ".js"));
}
