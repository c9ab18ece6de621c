// Adds an npm script, as the task asks.
import { done, edit, write } from "../agent.mjs";

edit(
  "package.json",
  '"lint": "node scripts/lint.mjs"',
  '"lint": "node scripts/lint.mjs",\n    "prices": "node scripts/prices.mjs"',
);
write(
  "scripts/prices.mjs",
  '// Shows the price given on the command line with tax.\nimport { addTax, formatCents, toCents } from "../src/money.mjs";\n\nconsole.log(formatCents(addTax(toCents(process.argv[2] ?? "0"), 19)));\n',
);
done("npm run prices 9.99");
