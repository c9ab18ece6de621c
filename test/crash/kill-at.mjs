// Loaded into the program before its first line (node --import): kills it with SIGKILL at one point of its work,
// or writes down which points there were. The program itself knows nothing of it.
//
// CRASH_POINT   `<kind> <number from 1> <when>`, and with a fourth part only those are counted whose words have it;
//               kinds and when:
//   append      a line of the journal: before, mid (half of the line is in the file), after (written and flushed)
//   file        any other change of the file system by the program itself: before, after
//   git         a git of ours: before, started, ended (done, and the program has not heard of it)
//   child       an agent, gate or set-up: before, started, ended
// CRASH_TRACE   file that gets one line `<kind> <what>` for each of them
import childProcess from "node:child_process";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename } from "node:path";

const [, wantedKind = "", wantedNumber = "", wantedTime = "", wantedWords = ""] =
  /^(\S+) (\d+) (\S+)(?: (.+))?$/.exec(process.env["CRASH_POINT"] ?? "") ?? [];
const trace = process.env["CRASH_TRACE"] ?? "";
delete process.env["CRASH_POINT"];
delete process.env["CRASH_TRACE"];

const { appendFileSync, writeSync } = fs;
/** @type {Map<string, number>} */
const counts = new Map();
/** Open files of the journal. @type {Set<number>} */
const journals = new Set();

function die() {
  process.kill(process.pid, "SIGKILL");
}

/**
 * One more of the kind: whether this is the one, and when.
 *
 * @param {string} kind
 * @param {string} what
 * @returns {string} empty: another one
 */
function arrive(kind, what) {
  const isCounted = what.includes(wantedWords);
  const number = (counts.get(kind) ?? 0) + (isCounted ? 1 : 0);
  counts.set(kind, number);
  if (trace !== "") note(`${kind} ${what.replaceAll("\n", " ").slice(0, 200)}\n`);
  return isCounted && kind === wantedKind && String(number) === wantedNumber ? wantedTime : "";
}

/** How deep we are in a patched function: those of the system call one another. */
let depth = 0;

/** @param {string} line */
function note(line) {
  depth += 1;
  appendFileSync(trace, line);
  depth -= 1;
}

/** @type {any} */
const patched = fs;

/** @param {string} name */
function watchFile(name) {
  const original = patched[name];
  patched[name] = (/** @type {unknown[]} */ ...given) => {
    if (depth > 0 || !isChange(name, given)) return original(...given);
    depth += 1;
    try {
      const time = arrive("file", `${name} ${String(given[0])}`);
      if (time === "before") die();
      const answer = original(...given);
      if (time === "after") die();
      return answer;
    } finally {
      depth -= 1;
    }
  };
}

/**
 * @param {string} name
 * @param {readonly unknown[]} given
 */
function isChange(name, given) {
  if (name !== "openSync") return true;
  const flags = given[1] ?? "r";
  return typeof flags === "string" ? /[wa+]/.test(flags) : typeof flags === "number" && (flags & 3) !== 0;
}

for (const name of [
  "appendFileSync",
  "copyFileSync",
  "fsyncSync",
  "ftruncateSync",
  "linkSync",
  "mkdirSync",
  "openSync",
  "renameSync",
  "rmSync",
  "rmdirSync",
  "unlinkSync",
  "utimesSync",
  "writeFileSync",
]) {
  watchFile(name);
}

const watchedOpen = patched.openSync;
patched.openSync = (/** @type {Parameters<typeof fs.openSync>} */ ...given) => {
  const file = watchedOpen(...given);
  const isForWriting = isChange("openSync", given);
  if (isForWriting && basename(String(given[0])) === "execution.log.jsonl") journals.add(file);
  else journals.delete(file);
  return file;
};

patched.writeSync = (/** @type {any[]} */ ...given) => {
  const [file, data] = given;
  /** @type {any} */
  const write = writeSync;
  if (!journals.has(file)) return write(...given);
  const time = arrive("append", wordEntry(Buffer.from(data).toString("utf8")));
  if (time === "before") die();
  if (time === "mid") {
    const half = data.subarray(0, Math.floor(data.length / 2));
    write(file, half, 0, half.length);
    die();
  }
  const written = write(...given);
  if (time === "after") die();
  return written;
};

const { spawn } = childProcess;
/** @type {any} */
const spawnAny = spawn;
/** @type {any} */ (childProcess).spawn = (/** @type {any[]} */ ...given) => {
  const [program, args = []] = given;
  if (args.includes("execute-prd-watchdog")) return spawnAny(...given);
  const isGit = program === "git";
  const time = arrive(isGit ? "git" : "child", isGit ? wordGit(args) : `${program} ${args.join(" ")}`);
  if (time === "before") die();
  const child = spawnAny(...given);
  if (time === "started") die();
  // First to hear of it, and before anything is done about it.
  if (time === "ended") child.once("exit", die);
  return child;
};

/** @param {string} line */
function wordEntry(line) {
  const { event } = JSON.parse(line);
  const { kind, stage, gate, taskId, attempt } = event;
  const words = [kind, stage, gate, taskId, taskId == null ? null : attempt];
  return words.filter((word) => word !== undefined && word !== null).join(" ");
}

/** @param {readonly string[]} args */
function wordGit(args) {
  const words = [];
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index] ?? "";
    if (word === "-c") index += 1;
    else if (!word.startsWith("--")) words.push(word);
  }
  return words.slice(0, 4).join(" ");
}

syncBuiltinESMExports();
