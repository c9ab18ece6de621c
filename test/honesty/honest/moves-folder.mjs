// Moves the sources to another folder, as the task asks, with all that names it.
import { readdirSync } from "node:fs";
import { done, git, read, write } from "../agent.mjs";

git("mv", "src", "lib");
const tests = readdirSync("test")
  .filter((name) => name.endsWith(".mjs"))
  .map((name) => `test/${name}`);
for (const path of tests) write(path, read(path).replaceAll("../src/", "../lib/"));
write("scripts/lint.mjs", read("scripts/lint.mjs").replaceAll('filesIn("src")', 'filesIn("lib")'));
done("the sources are in lib");
