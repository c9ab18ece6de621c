// No child outlives this program, whatever ends it: a small shell process holds the other end of a pipe, and when
// the pipe closes it ends every process group that was still guarded.
//
// It leads a session of its own and ignores the signals of a terminal, so nothing that ends us by accident ends it.
// It does not carry the dispatch variable: what ends leftovers must not end it first.

import { type ChildProcess, spawn } from "node:child_process";
import { hasGroups } from "./group.ts";

export interface Watchdog {
  /** From now on the group is ended when this program is gone. */
  guard(group: number): void;
  release(group: number): void;
  /** Ends the watchdog, and with it what is still guarded. */
  close(): void;
}

const script = `
trap '' HUP INT TERM QUIT PIPE
set -f
guarded=
while read -r verb group; do
  others=
  for one in $guarded; do
    [ "$one" = "$group" ] || others="$others $one"
  done
  guarded=$others
  [ "$verb" != add ] || guarded="$guarded $group"
done
[ -n "$guarded" ] || exit 0
for one in $guarded; do kill -s TERM -- "-$one"; done
sleep 1
for one in $guarded; do kill -s KILL -- "-$one"; done
`;

// An agent that keeps killing its watchdog gets no endless contest: the next start ends what it left behind.
const maxRestarts = 5;

/** Does nothing on Windows, which has no process groups. */
export function startWatchdog(): Watchdog {
  const guarded = new Set<number>();
  let running: ChildProcess | null = null;
  let restarts = 0;
  function send(verb: "add" | "del", group: number): void {
    running?.stdin?.write(`${verb} ${group}\n`);
  }
  // Also after the watchdog itself was killed: the new one is told of every group that is guarded now.
  function start(): void {
    const child = spawnWatchdog();
    running = child;
    const onGone = () => {
      if (running !== child) return;
      running = null;
      if (guarded.size === 0 || restarts === maxRestarts) return;
      restarts += 1;
      start();
    };
    child.once("exit", onGone).once("error", onGone);
    child.stdin?.on("error", () => {}); // its end is told by "exit"
    for (const group of guarded) send("add", group);
  }
  return {
    guard: (group) => {
      if (!hasGroups) return;
      guarded.add(group);
      if (running === null) start();
      else send("add", group);
    },
    release: (group) => {
      if (guarded.delete(group)) send("del", group);
    },
    close: () => {
      running?.stdin?.end();
      running = null;
      guarded.clear();
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
