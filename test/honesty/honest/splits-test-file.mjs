// Splits a test file in two, as the task asks, and keeps every test.
import { done, read, write } from "../agent.mjs";

const [head, ...tests] = read("test/till.test.mjs").split(/\n(?=test\()/);
const [lineTests, others] = [true, false].map((isLine) =>
  tests.filter((text) => text.includes("padLine") === isLine),
);
const toFile = (names, kept) =>
  `${[head.replace("padLine, slugify, titleCase", names), ...kept.map((text) => text.trimEnd())].join("\n").replaceAll("});\ntest", "});\n\ntest")}\n`;
write("test/till.test.mjs", toFile("slugify, titleCase", others));
write("test/line.test.mjs", toFile("padLine", lineTests));
done("the tests of padLine have a file of their own");
