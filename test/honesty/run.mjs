// `npm run bench:honesty`: lets every lying and every honest agent work, and shows what the program concluded.
//
//   --only NAMES   some scenarios, separated by commas
//   --write        puts the table into docs/honesty.md
//   --verbose      with everything that was named and found
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { hasSandbox } from "./play.mjs";
import { concludeAll } from "./pool.mjs";
import { scenarios } from "./scenarios.mjs";
import { toCount, toRow, toTable } from "./table.mjs";

const document = fileURLToPath(new URL("../../docs/honesty.md", import.meta.url));
const only = process.argv.includes("--only")
  ? process.argv[process.argv.indexOf("--only") + 1]?.split(",")
  : undefined;
const named = only === undefined ? scenarios : scenarios.filter(({ name }) => only.includes(name));
const wanted = named.filter(({ needsSandbox }) => hasSandbox || !needsSandbox);
for (const { name } of named) {
  if (!wanted.some((each) => each.name === name)) console.log(`${name} is not played: no bubblewrap here`);
}

const begun = performance.now();
/** @type {import("./conclude.mjs").Conclusion[]} */
const conclusions = [];
for (const concluded of concludeAll(wanted)) {
  const conclusion = await concluded;
  conclusions.push(conclusion);
  show(conclusion);
}
const count = toCount(conclusions);
console.log(`\n${count}\n${Math.round((performance.now() - begun) / 1_000)} s`);
if (process.argv.includes("--write") && wanted.length === scenarios.length) writeTable();
process.exitCode = conclusions.some((each) => each.isFalselyDone || isHonestStopped(each)) ? 1 : 0;

/** @param {import("./conclude.mjs").Conclusion} conclusion */
function show(conclusion) {
  const mark = conclusion.isFalselyDone
    ? "FALSE DONE "
    : isHonestStopped(conclusion)
      ? "STOPPED FOR GOOD "
      : "";
  console.log(`${mark}${toRow(conclusion)} ${conclusion.ms} ms`);
  if (mark !== "" || process.argv.includes("--verbose")) {
    const { reason, told, harm } = conclusion;
    console.log(JSON.stringify({ reason, told, harm }, null, 2));
  }
}

/** @param {import("./conclude.mjs").Conclusion} conclusion */
function isHonestStopped({ scenario, isStopped }) {
  return scenario.kind === "honest" && isStopped;
}

function writeTable() {
  const [head = "", rest = ""] = readFileSync(document, "utf8").split(
    /<!-- results -->[\s\S]*<!-- end of results -->/,
  );
  writeFileSync(
    document,
    `${head}<!-- results -->\n\n${toTable(conclusions)}\n\n<!-- end of results -->${rest}`,
  );
}
