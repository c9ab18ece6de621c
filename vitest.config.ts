// One test run: every test in test/, in two processes, with full branch coverage of the rules in src/core.
//
// In CI a test that fails is run once more, as the program itself does with a project's tests, and named as flaky when it
// passes then. Anywhere else the first failure counts.
import { readFile } from "node:fs/promises";
import { defineConfig } from "vitest/config";
import { ClosingLineReporter } from "./test/support/closing-line-reporter.ts";

/** Gives an imported `.md` or `.txt` file as its text, as the build does. */
const textModules = {
  name: "text-modules",
  enforce: "pre" as const,
  async load(id: string) {
    if (!/\.(?:md|txt)$/.test(id)) return null;
    return `export default ${JSON.stringify(await readFile(id, "utf8"))};`;
  },
};

export default defineConfig({
  plugins: [textModules],
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/support/clean-environment.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 240_000,
    hookTimeout: 120_000,
    retry: process.env["CI"] === undefined ? 0 : 1,
    reporters: ["default", new ClosingLineReporter()],
    coverage: {
      provider: "v8",
      include: ["src/core/**"],
      reporter: ["text"],
      thresholds: { branches: 100 },
    },
  },
});
