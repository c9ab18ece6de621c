// What a run left, in a form in which two runs of the same plan are equal: without times, ids that hang on times
// (commits, the run), numbers of attempts, and dispatches that were interrupted.
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { branch, git } from "./crash-project.mjs";
import { findLeftovers, observeBuilder } from "./surroundings.mjs";

/** @typedef {import("./crash-project.mjs").Project} Project */
/** @typedef {any} Json the program's own documents; what is expected of them is in the comparison */

/**
 * @param {Project} project
 * @returns {Record<string, unknown>}
 */
export function observe(project) {
  const names = namesOf(project);
  const events = readEvents(project);
  return {
    status: observeStatus(project),
    commits: observeCommits(project, names),
    prd: JSON.parse(names.say(read(project, "prd.json")), withoutTimes),
    receipts: observeReceipts(project, names),
    progress: names.say(read(project, "progress.md")).split("\n"),
    steps: observeSteps(project, names),
    memory: withoutDays(names.say(git(project, ["show", `${branch}:memory/MEMORY.md`]))).split("\n"),
    learnings: observeLearnings(project, names),
    report: observeReport(project, names),
    story: toStory(events),
    candidates: observeCandidates(project, events),
    counts: countTwice(events),
    dispatches: observeDispatches(project, events),
    leftovers: findLeftovers(project),
    builder: observeBuilder(project),
  };
}

/**
 * Everything that must stay as it is when a completed run is started again.
 *
 * @param {Project} project
 * @returns {Record<string, string>}
 */
export function snapshot(project) {
  /** @type {Record<string, string>} */
  const found = { refs: git(project, ["for-each-ref"]), worktrees: git(project, ["worktree", "list"]) };
  const walk = (/** @type {string} */ folder) => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (lstatSync(path).isDirectory()) walk(path);
      else found[path] = createHash("sha256").update(readFileSync(path)).digest("hex");
    }
  };
  for (const part of ["project/dev", "project/.git/execute-prd", "project.worktrees"]) {
    if (existsSync(join(project.folder, part))) walk(join(project.folder, part));
  }
  return found;
}

/**
 * @param {Project} project
 * @param {string} name
 */
function read({ runFolder }, name) {
  return readFileSync(join(runFolder, name), "utf8");
}

/**
 * @param {Project} project
 * @returns {Json[]}
 */
export function readEvents(project) {
  const [, ...lines] = read(project, "execution.log.jsonl").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line).event);
}

/**
 * Names that are the same in every run for what is another in every run.
 *
 * @param {Project} project
 * @returns {{ say(text: string): string }}
 */
function namesOf(project) {
  const { runId } = JSON.parse(read(project, "status.json"));
  /** @type {[string, string][]} */
  const commits = git(project, ["log", "--format=%H %s", branch])
    .split("\n")
    .map((line) => [line.slice(0, 40), `<${line.slice(41)}>`]);
  const known = new Map(
    commits.flatMap(([sha, name]) => [
      [sha, name],
      [sha.slice(0, 12), name],
      [sha.slice(0, 7), name],
    ]),
  );
  return {
    say: (text) =>
      text
        .replaceAll(runId, "<run>")
        .replaceAll(project.folder, "<folder>")
        .replace(/\b[0-9a-f]{40}\b|\b[0-9a-f]{12}\b|\b[0-9a-f]{7}\b/g, (sha) => known.get(sha) ?? sha)
        .replace(/attempt \d+/g, "attempt <n>")
        .replace(/candidate [0-9a-f]{7,40}/g, "candidate <sha>"),
  };
}

/** @type {(this: unknown, key: string, value: unknown) => unknown} */
function withoutTimes(key, value) {
  return /(?:At|_at|Ms)$/.test(key) && key !== "format" ? "<time>" : value;
}

/**
 * What an interrupted dispatch has cost nobody knows, and that is said.
 *
 * @param {Json} usage
 */
function withoutBasis({ costBasis: _costBasis, ...usage }) {
  return usage;
}

/** @param {string} text */
function withoutDays(text) {
  return text.replace(/\d{4}-\d\d-\d\d(?:T[\d:.]+Z)?/g, "<day>");
}

/** @param {string} line */
function withoutSessions(line) {
  return (
    withoutDays(line)
      .replace(/^- (Time|Time at work): .*/, "- $1: <time>")
      .replace(/^- Usage: \d+ dispatches; (.*; )cost .*/, "- Usage: <n> dispatches; $1<cost>")
      // A row of the tables of usage: dispatches that were cut short count, and nobody knows what they have cost.
      .replace(
        /^(\|.*?) \| \d+ \| (?:\?|[\d,]+) \| .* \| (?:measured|reported|unknown) \|$/,
        "$1 | <usage> |",
      )
  );
}

/** @param {Project} project */
function observeStatus(project) {
  const {
    status,
    completedTasks,
    totalTasks,
    currentTaskId,
    activeTaskIds,
    reason,
    question,
    usage,
    counts,
  } = JSON.parse(read(project, "status.json"));
  const { dispatches: _dispatches, ...rest } = counts;
  return {
    status,
    completedTasks,
    totalTasks,
    currentTaskId,
    activeTaskIds,
    reason,
    question,
    usage: withoutBasis(usage),
    counts: rest,
  };
}

/**
 * @param {Project} project
 * @param {{ say(text: string): string }} names
 */
function observeCommits(project, names) {
  const format = ["%H", "%T", "%an <%ae>", "%cn <%ce>", "%B"].join("%x00");
  return git(project, ["log", "--reverse", "-z", `--format=${format}%x00`, `main..${branch}`])
    .split("\0\0")
    .filter((text) => text !== "")
    .map((text) => {
      const [sha = "", tree, author, committer, body = ""] = text.replace(/^\0/, "").split("\0");
      const message = names
        .say(body)
        .replace(/^PRD-Attempt: .*$/m, "PRD-Attempt: <n>")
        .trim();
      const isMemory = /^PRD-Stage: memory$/m.test(body);
      // The memory's tree holds words about times; what is in it is compared for itself.
      const content = isMemory ? withoutDays(git(project, ["diff", "--name-status", `${sha}~1`, sha])) : tree;
      return { content, author, committer, message };
    });
}

/**
 * @param {Project} project
 * @param {{ say(text: string): string }} names
 */
function observeReceipts(project, names) {
  const folder = join(project.runFolder, "receipts");
  const found = readdirSync(folder).toSorted();
  return Object.fromEntries(
    found.map((name) => {
      const text = names.say(readFileSync(join(folder, name), "utf8"));
      const receipt = JSON.parse(text, withoutTimes);
      return [
        name,
        { ...receipt, facts: { ...receipt.facts, attempt: "<n>" }, usage: withoutBasis(receipt.usage) },
      ];
    }),
  );
}

/**
 * @param {Project} project
 * @param {{ say(text: string): string }} names
 */
function observeSteps(project, names) {
  const log = JSON.parse(names.say(read(project, "execution.log.json")), withoutTimes);
  const steps = log.steps.filter(
    (/** @type {Json} */ step) => !/^interrupted by /.test(step.outcome.failure_reason),
  );
  return {
    ...log,
    steps: steps.map(
      (/** @type {Json} */ { step: _step, attempt: _attempt, next_node_id: _next, ...rest }) => rest,
    ),
  };
}

/**
 * @param {Project} project
 * @param {{ say(text: string): string }} names
 */
function observeLearnings(project, names) {
  const [path = ""] = git(project, ["ls-tree", "-r", "--name-only", branch, "memory/entries"]).split("\n");
  return names
    .say(git(project, ["show", `${branch}:${path}`]))
    .split("\n")
    .map(withoutSessions);
}

/**
 * @param {Project} project
 * @param {{ say(text: string): string }} names
 */
function observeReport(project, names) {
  const text = names.say(read(project, "report.md"));
  return text
    .split("\n")
    .map(withoutSessions)
    .filter((line) => !/^- (took over from |cut a torn last line )/.test(line));
}

const notOfTheStory = new Set([
  "base-compared",
  "journal-repaired",
  "ownership-taken",
  "run-created",
  "session-started",
]);

/**
 * The events in order, without what a start adds and without dispatches that came to nothing.
 *
 * @param {readonly Json[]} events
 * @returns {string[]}
 */
function toStory(events) {
  const interrupted = new Set(
    events
      .filter((event) => event.kind === "dispatch-ended" && event.outcome.kind === "interrupted")
      .map(({ dispatch }) => dispatch),
  );
  const started = new Map(
    events.filter(({ kind }) => kind === "dispatch-started").map((event) => [event.dispatch, event]),
  );
  return events
    .filter(({ kind, dispatch, outcome }) => {
      if (notOfTheStory.has(kind) || interrupted.has(dispatch)) return false;
      return !(kind === "attempt-ended" && outcome.kind === "interrupted");
    })
    .map((event) => {
      const about = event.kind === "dispatch-ended" ? started.get(event.dispatch) : event;
      const end = event.result?.kind ?? event.outcome?.kind ?? event.outcome ?? "";
      return [event.kind, about.stage, about.gate, about.taskId, end].filter((word) => word).join(" ");
    });
}

/**
 * Trees of the candidates that were judged, in order; and each is kept as a ref.
 *
 * @param {Project} project
 * @param {readonly Json[]} events
 */
function observeCandidates(project, events) {
  const { runId } = JSON.parse(read(project, "status.json"));
  return events
    .filter(({ kind }) => kind === "candidate-made")
    .map(({ taskId, attempt, result }) => {
      const ref = `refs/execute-prd/${runId}/${taskId}/${attempt}/candidate`;
      const isKept = git(project, ["rev-parse", ref]) === result.candidate.commit;
      return `${taskId} ${result.candidate.tree} ${isKept ? "kept" : "not kept"}`;
    });
}

/**
 * What may happen only once, and how often it did more than that.
 *
 * @param {readonly Json[]} events
 */
function countTwice(events) {
  const ended = events.filter(({ kind }) => kind === "dispatch-ended").map(({ dispatch }) => dispatch);
  const begun = events.filter(({ kind }) => kind === "dispatch-started").map(({ dispatch }) => dispatch);
  const attempts = events
    .filter(({ kind }) => kind === "attempt-ended")
    .map(({ taskId, attempt }) => `${taskId} ${attempt}`);
  return {
    dispatchesWithoutEnd: begun.length - new Set(ended).size,
    endsTwice: ended.length - new Set(ended).size,
    attemptEndsTwice: attempts.length - new Set(attempts).size,
    dispatchIdsTwice: begun.length - new Set(begun).size,
  };
}

/**
 * Agents that were asked more often than the journal explains: by an answer, or by an interruption.
 *
 * @param {Project} project
 * @param {readonly Json[]} events
 */
function observeDispatches(project, events) {
  const lines = existsSync(project.agentLog)
    ? readFileSync(project.agentLog, "utf8").trimEnd().split("\n")
    : [];
  const begun = lines.filter((line) => line.startsWith("begin ")).map((line) => line.split(" ").at(-1) ?? "");
  const journalled = new Set(
    events.filter(({ kind }) => kind === "dispatch-started").map(({ dispatch }) => dispatch),
  );
  const answered = events.filter(
    ({ kind, outcome }) => kind === "dispatch-ended" && outcome.kind === "answered",
  );
  const ended = new Set(
    lines.filter((line) => line.startsWith("end ")).map((line) => line.split(" ").at(-1) ?? ""),
  );
  return {
    askedTwiceUnderOneId: begun.length - new Set(begun).size,
    askedUnjournalled: begun.filter((word) => !journalled.has(word.split("/").at(-1) ?? "")),
    answeredWithoutAgent: answered.filter(
      ({ dispatch }) => ![...ended].some((word) => word.endsWith(dispatch)),
    ).length,
  };
}
