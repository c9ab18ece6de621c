// Scenarios two at a time: each waits for processes most of the time, and two is what a small machine bears.

import { conclude } from "./conclude.mjs";

/** @typedef {import("./scenarios.mjs").Scenario} Scenario */
/** @typedef {import("./conclude.mjs").Conclusion} Conclusion */

const atOnce = 2;

/** What will be concluded of each, in the order of the list. @type {(scenarios: readonly Scenario[]) => readonly Promise<Conclusion>[]} */
export function concludeAll(scenarios) {
  /** @type {Promise<unknown>[]} */
  const lanes = Array.from({ length: atOnce }, () => Promise.resolve());
  return scenarios.map((scenario, index) => {
    const lane = index % atOnce;
    const concluded = (lanes[lane] ?? Promise.resolve()).then(() => conclude(scenario));
    lanes[lane] = concluded.catch(() => undefined); // whoever waits for this one is told; the next begins all the same
    return concluded;
  });
}
