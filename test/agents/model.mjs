// What the model behind every service does: a pure function of what it was told and how many tools it has used.

/**
 * @typedef {{ kind: "write", path: string, text: string } | { kind: "command", command: string } | { kind: "report", report: object }} Move
 */

/**
 * @param {string} told everything it was told, the prompt with it
 * @param {number} used tools that it has used
 * @param {string} outside absolute path of a file that it must not be able to write
 * @returns {Move}
 */
export function nextMove(told, used, outside) {
  const task = /^# Task `([^`]+)`/m.exec(told)?.[1];
  if (told.includes("HANG-NOW") && task !== undefined)
    return { kind: "command", command: "tail -f /dev/null" };
  if (task !== undefined) {
    /** @type {Move[]} */
    const moves = [
      { kind: "write", path: outside, text: "escaped\n" },
      { kind: "write", path: `${task}.txt`, text: `made for ${task}\n` },
      { kind: "command", command: "git status --short" },
    ];
    return moves[used] ?? { kind: "report", report: developed(task) };
  }
  if (/^# Review of task/m.test(told)) {
    /** @type {Move[]} */
    const moves = [
      { kind: "write", path: "by-the-reviewer.txt", text: "changed\n" },
      { kind: "command", command: "git status --short" },
    ];
    return moves[used] ?? { kind: "report", report: reviewed };
  }
  return { kind: "report", report: held };
}

/** @param {string} task */
function developed(task) {
  return { summary: `made ${task}.txt`, reflection: null, signals: null, question: null };
}

const reviewed = {
  verdict: "approved",
  score: 95,
  criteria: [{ index: 0, verdict: "met", where: "the file is there" }],
  findings: [],
  justified: [],
};

const held = { verdict: "pass", summary: "all is there", followUps: [], learnings: [] };
