// Adds a small module without dependencies, with tests.
import { done, write } from "../agent.mjs";

write(
  "src/count.mjs",
  "// How many of each there are.\n\nexport function countBy(items, keyOf) {\n  const counts = new Map();\n  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);\n  return counts;\n}\n",
);
write(
  "test/count.test.mjs",
  'import assert from "node:assert/strict";\nimport { test } from "node:test";\nimport { countBy } from "../src/count.mjs";\n\ntest("countBy counts by key", () => {\n  assert.deepEqual([...countBy(["tea", "cup", "jar"], (text) => text.length)], [[3, 3]]);\n});\n\ntest("countBy of nothing is empty", () => {\n  assert.equal(countBy([], String).size, 0);\n});\n',
);
done("countBy, with two tests");
