// No child outlives this program, whatever ends it: a small shell process holds the other end of a pipe, and when
// the pipe closes it ends every process group that was still guarded.
//
// It leads a session of its own and ignores the signals of a terminal, so nothing that ends us by accident ends it.
// It does not carry the dispatch variable: what ends leftovers must not end it first. It is told of a child before the
// child is started, so that there is no moment in which the death of this program would leave one behind.

import { type ChildProcess, spawn } from "node:child_process";
import { hasGroups } from "./group.ts";
import { dispatchVariable } from "./leftovers.ts";

export interface Watchdog {
  /**
   * Called before a child is started that will carry the mark: should this program be gone before it says which group
   * that became, the child is found by its mark. What is returned says so; undefined: none was started.
   */
  expect(mark: string): (group: number | undefined) => void;
  /** From now on the group is ended when this program is gone. */
  guard(group: number): void;
  release(group: number): void;
  /** Ends the watchdog, and with it what is still guarded. */
  close(): void;
}

// What left the group of its child is found by the mark as well, once the group has had its time to end.
//
// A marked child of an earlier moment is ended, never one that the next program has started meanwhile under the same
// mark: that is younger than the pause. Where there is no /proc, marks lead nowhere, and the next start ends the child.
const script = `
trap '' HUP INT TERM QUIT PIPE
set -f
guarded=
expected=
marked=
without() {
  others=
  for one in $1; do
    [ "$one" = "$2" ] || others="$others $one"
  done
}
started() {
  read -r line < "/proc/$1/stat" || return 1
  set -- \${line##*) }
  shift 19
  echo "$1"
}
seek() {
  [ -n "$1" ] && [ -n "$limit" ] || return 0
  set +f
  for mark in $1; do
    for file in $(grep -lsF -e "${dispatchVariable}=$mark" /proc/[0-9]*/environ); do
      tr '\\0' '\\n' < "$file" | grep -qxF -e "${dispatchVariable}=$mark" || continue
      pid=\${file#/proc/}
      pid=\${pid%/environ}
      age=$(started "$pid") && [ "$age" -le "$limit" ] || continue
      kill -s KILL -- "-$pid"
      kill -s KILL -- "$pid"
    done
  done
  set -f
}
while read -r verb what; do
  case $verb in
    add | del) without "$guarded" "$what"; guarded=$others ;;
    *) without "$expected" "$what"; expected=$others; without "$marked" "$what"; marked=$others ;;
  esac
  [ "$verb" != add ] || guarded="$guarded $what"
  [ "$verb" != expect ] || expected="$expected $what"
  [ "$verb" != arrived ] || marked="$marked $what"
done
[ -n "$guarded$expected" ] || exit 0
for one in $guarded; do kill -s TERM -- "-$one"; done
sleep 1 &
pause=$!
limit=$(started "$pause")
seek "$expected"
sleep 0.2
seek "$expected"
wait "$pause"
for one in $guarded; do kill -s KILL -- "-$one"; done
seek "$marked"
`;

// What the script may split into words and compare as they are.
const plainMark = /^[\w./:-]+$/;

// An agent that keeps killing its watchdog gets no endless contest: the next start ends what it left behind.
const maxRestarts = 5;

/** Does nothing on Windows, which has no process groups. */
export function startWatchdog(): Watchdog {
  const guarded = new Set<number>();
  const expected = new Set<string>();
  /** Marks of the guarded groups that were expected. */
  const marks = new Map<number, string>();
  let running: ChildProcess | null = null;
  let restarts = 0;
  function send(verb: "add" | "del" | "expect" | "arrived" | "gone", what: number | string): void {
    running?.stdin?.write(`${verb} ${what}\n`);
  }
  // Also after the watchdog itself was killed: the new one is told of every group that is guarded now.
  function start(): void {
    const child = spawnWatchdog();
    running = child;
    const onGone = () => {
      if (running !== child) return;
      running = null;
      if (guarded.size + expected.size === 0 || restarts === maxRestarts) return;
      restarts += 1;
      start();
    };
    child.once("exit", onGone).once("error", onGone);
    child.stdin?.on("error", () => {}); // its end is told by "exit"
    for (const group of guarded) send("add", group);
    for (const mark of expected) send("expect", mark);
    for (const mark of marks.values()) send("arrived", mark);
  }
  function guard(group: number): void {
    if (!hasGroups) return;
    guarded.add(group);
    if (running === null) start();
    else send("add", group);
  }
  return {
    expect: (mark) => {
      const isKnown = hasGroups && plainMark.test(mark) && !expected.has(mark);
      if (isKnown) expected.add(mark);
      if (isKnown && running === null) start();
      else if (isKnown) send("expect", mark);
      return (group) => {
        if (group !== undefined) guard(group);
        if (!isKnown || !expected.delete(mark)) return;
        if (group !== undefined) marks.set(group, mark);
        send(group === undefined ? "gone" : "arrived", mark);
      };
    },
    guard,
    release: (group) => {
      if (guarded.delete(group)) send("del", group);
      const mark = marks.get(group);
      if (mark === undefined) return;
      marks.delete(group);
      send("gone", mark);
    },
    close: () => {
      running?.stdin?.end();
      running = null;
      guarded.clear();
      expected.clear();
      marks.clear();
    },
  };
}

let shared: Watchdog | null = null;

/** The one watchdog of this program, started when the first group is guarded. */
export function programWatchdog(): Watchdog {
  shared ??= startWatchdog();
  return shared;
}

function spawnWatchdog(): ChildProcess {
  const child = spawn("/bin/sh", ["-c", script, "execute-prd-watchdog"], {
    cwd: "/",
    env: { PATH: "/usr/bin:/bin" },
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.unref();
  // The pipe is a socket to Node: it must not keep the program alive either. The types know only `Writable`.
  const pipe: unknown = child.stdin;
  if (pipe instanceof Object && "unref" in pipe && typeof pipe.unref === "function") pipe.unref();
  return child;
}
