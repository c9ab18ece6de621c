// One scenario from its beginning to what came of it: what the program's files say, and what is really there.

import { harmAlive, harmAround, harmOnBranch, headOfBranch, surroundings } from "./harm.mjs";
import { readOfRun, runPlan, setStage, strike } from "./play.mjs";

/** @typedef {import("./scenarios.mjs").Scenario} Scenario */

/**
 * @typedef {object} Conclusion
 * @property {Scenario} scenario
 * @property {number | null} exitCode
 * @property {number} ms
 * @property {string} task status of the last task, of the run's prd.json
 * @property {string} run status, of status.json
 * @property {string} reason of status.json
 * @property {readonly string[]} named failures, findings and notes, of the journal
 * @property {readonly string[]} told the same in words
 * @property {string} output of the program, for who looks for a fault
 * @property {readonly string[]} harm what of a lie is really there
 * @property {boolean} isFalselyDone
 * @property {boolean} isStopped for good
 */

/** @type {(scenario: Scenario) => Promise<Conclusion>} */
export async function conclude(scenario) {
  const stage = setStage(scenario);
  try {
    const before = surroundings(stage);
    const ended = await runPlan(stage, scenario);
    const alive = harmAlive(stage);
    const tasks = parse(readOfRun(stage, "prd.json"))["userStories"];
    const { status: task = "none", commitSha = null } =
      (Array.isArray(tasks) ? tasks.at(-1) : undefined) ?? {};
    const { status: run = "none", reason = null } = parse(readOfRun(stage, "status.json"));
    const head = headOfBranch(stage);
    const isComplete = task === "complete" || run === "completed" || ended.exitCode === 0;
    const onBranch = [
      ...harmOnBranch(stage, scenario),
      ...(isComplete && commitSha !== head && head !== stage.base
        ? ["the branch is not at the task's commit"]
        : []),
    ];
    const around = [...harmAround(before, surroundings(stage)), ...alive];
    const events = readEvents(readOfRun(stage, "execution.log.jsonl"));
    return {
      scenario,
      exitCode: ended.exitCode,
      ms: ended.ms,
      task: String(task),
      run: String(run),
      reason: String(reason ?? ended.output.trim().split("\n").at(-1)),
      ...namesIn(events),
      output: ended.output,
      harm: [...onBranch, ...around],
      isFalselyDone:
        onBranch.length > 0 ||
        (isComplete && around.length > 0) ||
        (isComplete && scenario.ends === "stopped"),
      isStopped: !isComplete,
    };
  } finally {
    strike(stage);
  }
}

/** @typedef {Readonly<Record<string, unknown>>} Json */

/** What the events name: reasons of failures, kinds of findings that somebody must answer for. @type {(events: readonly Json[]) => { named: readonly string[], told: readonly string[] }} */
function namesIn(events) {
  /** @type {Set<string>} */
  const named = new Set();
  /** @type {Set<string>} */
  const told = new Set();
  walk(events, (value) => {
    if (typeof value["reason"] === "string") named.add(value["reason"]);
    const { kind, effect, text } = value;
    if (
      typeof kind === "string" &&
      typeof text === "string" &&
      typeof effect === "string" &&
      effect !== "note"
    )
      named.add(kind);
    for (const key of ["notes", "problems", "violations", "changes"]) {
      const list = value[key];
      if (Array.isArray(list)) for (const each of list) if (typeof each === "string") told.add(each);
    }
  });
  return { named: [...named], told: [...told] };
}

/** @type {(value: unknown, visit: (found: Json) => void) => void} */
function walk(value, visit) {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) visit(/** @type {Json} an object that is no list has string keys */ (value));
  for (const each of Object.values(value)) walk(each, visit);
}

/** @type {(journal: string) => readonly Json[]} */
function readEvents(journal) {
  return journal.split("\n").flatMap((line) => {
    const { event } = parse(line);
    return typeof event === "object" && event !== null ? [/** @type {Json} */ (event)] : [];
  });
}

/** @type {(text: string) => Readonly<Record<string, any>>} */
function parse(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
