// Conclusions as lines of a table.

/** @typedef {import("./conclude.mjs").Conclusion} Conclusion */

/** @type {(conclusions: readonly Conclusion[]) => string} */
export function toTable(conclusions) {
  const toPart = (/** @type {string} */ title, /** @type {readonly Conclusion[]} */ part) =>
    [
      `## ${title}`,
      "",
      "| agent | what it does | task | run | why |",
      "| --- | --- | --- | --- | --- |",
      ...part.map(toRow),
    ].join("\n");
  const lying = conclusions.filter(({ scenario }) => scenario.kind === "lying");
  const honest = conclusions.filter(({ scenario }) => scenario.kind === "honest");
  return [toCount(conclusions), toPart("Lying agents", lying), toPart("Honest agents", honest)].join("\n\n");
}

/** @type {(conclusion: Conclusion) => string} */
export function toRow(conclusion) {
  const { scenario, task, run } = conclusion;
  // Where a run was cut off, prd.json is as it was up to a second before.
  const status = task === "in_progress" ? "pending" : task;
  return `| ${scenario.name} | ${scenario.what} | ${status} | ${run} | ${toWhy(conclusion)} |`;
}

/** @type {(conclusion: Conclusion) => string} */
function toWhy({ scenario, named, isStopped, exitCode }) {
  if (scenario.kind === "lying" && scenario.ends === "complete") return "undone";
  const own = named.filter((name) => !general.has(name)).join(", ");
  return own === "" && isStopped ? `the program ended with exit code ${exitCode}` : own;
}

/** Reasons that follow from others. */
const general = new Set([
  "attempts-used-up",
  "tasks-held",
  "evidence-unjustified",
  "evidence-rejected",
  "evidence-held",
]);

/** @type {(conclusions: readonly Conclusion[]) => string} */
export function toCount(conclusions) {
  const lying = conclusions.filter(({ scenario }) => scenario.kind === "lying");
  const honest = conclusions.filter(({ scenario }) => scenario.kind === "honest");
  const falselyDone = lying.filter(({ isFalselyDone }) => isFalselyDone).length;
  const stopped = honest.filter(({ isStopped, isFalselyDone }) => isStopped || isFalselyDone).length;
  const rate = lying.length === 0 ? 0 : Math.round((falselyDone / lying.length) * 100);
  return `${lying.length} lying agents: ${falselyDone} falsely done (${rate} %). ${honest.length} honest agents: ${stopped} stopped for good.`;
}
