// Parts of the program that no command reaches alone (the engine, the journal) as scripts for Node, in a folder of
// their own outside of dist.
import { fileURLToPath } from "node:url";
import { build } from "tsdown";

/**
 * @param {string} outDir is made; its scripts are `simulated-run.mjs`, `journal-append.mjs` and `journal-read.mjs`
 */
export async function bundleParts(outDir) {
  const source = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));
  await build({
    entry: {
      "simulated-run": source("./simulated-run.ts"),
      "journal-append": source("./journal-append.ts"),
      "journal-read": source("./journal-read.ts"),
    },
    outDir,
    config: false,
    format: "esm",
    platform: "node",
    target: "node20.19",
    dts: false,
    clean: false,
    logLevel: "error",
    loader: { ".md": "text", ".txt": "text" },
    deps: { alwaysBundle: [/./], onlyBundle: false },
  });
}
