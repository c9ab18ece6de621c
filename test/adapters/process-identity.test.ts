import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { isAlive, thisProcess } from "../../src/adapters/process-identity.ts";
import type { ProcessIdentity } from "../../src/schema/owner.ts";

const me = thisProcess();

test("this process is alive, and says which it is", () => {
  expect(me.pid).toBe(process.pid);
  expect(me.host).not.toBe("");
  if (process.platform !== "win32") {
    expect(me.startTime).toMatch(/\d/);
    expect(me.bootId).toMatch(/^[0-9a-f-]{36}$/i);
  }
  expect(isAlive(me)).toBe("alive");
});

test("two processes with one start time each have their own identity", async () => {
  const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  const pid = child.pid ?? 0;
  expect(isAlive({ ...me, pid, startTime: null })).toBe("alive");
  expect(isAlive({ ...me, pid, startTime: "0" })).toBe("dead");
  child.kill("SIGSTOP");
  expect(isAlive({ ...me, pid, startTime: null })).toBe("alive");
  child.kill("SIGKILL");
  await once(child, "close");
  expect(isAlive({ ...me, pid, startTime: null })).toBe("dead");
});

test("a zombie is dead", async () => {
  // The shell starts a child, which ends when pipe 3 does, and becomes a program that never asks for its end.
  const program = `console.log("ready"); process.stdin.resume()`;
  const script = `sh -c 'read line <&3' & echo $!; exec "${process.execPath}" -e '${program}'`;
  const parent = spawn("sh", ["-c", script], { stdio: ["pipe", "pipe", "inherit", "pipe"] });
  const lines = createInterface({ input: parent.stdout as Readable })[Symbol.asyncIterator](); // as asked for above
  const pid = Number((await lines.next()).value);
  expect((await lines.next()).value).toBe("ready");
  expect(isAlive({ ...me, pid, startTime: null })).toBe("alive");
  (parent.stdio[3] as Writable).end(); // as asked for above
  await untilZombie(pid);
  expect(isAlive({ ...me, pid, startTime: null })).toBe("dead");
  parent.kill("SIGKILL");
  await once(parent, "close");
});

async function untilZombie(pid: number): Promise<void> {
  while (
    !/^Z/.test(spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).stdout.trim())
  ) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("death is believed only when it is proved", () => {
  const gone = spawnSync(process.execPath, ["-e", "0"]).pid;
  const cases: readonly (readonly [string, Partial<ProcessIdentity>, string])[] = [
    ["no process has the pid", { pid: gone }, "dead"],
    ["the start time is another", { startTime: "another" }, "dead"],
    ["the boot is another", { bootId: "another" }, "dead"],
    ["the host is another", { host: "another", pid: gone }, "unknown"],
    ["the host and the boot are others", { host: "another", bootId: "another" }, "unknown"],
    ["the start time was not recorded", { startTime: null }, "alive"],
    ["the boot was not recorded", { bootId: null, pidNamespace: null }, "alive"],
  ];
  test.each(cases)("%s", (_, change, expected) => {
    expect(isAlive({ ...me, ...change })).toBe(expected);
  });

  test("the pid counts in another namespace", () => {
    if (me.pidNamespace === null) return; // only Linux has them
    expect(isAlive({ ...me, pidNamespace: "another", pid: gone })).toBe("unknown");
  });

  test("a process of another user is alive", () => {
    if (process.getuid?.() === 0) return expect(isAlive({ ...me, pid: 1, startTime: null })).toBe("alive");
    expect(() => process.kill(1, 0)).toThrow("EPERM");
    expect(isAlive({ ...me, pid: 1, startTime: null })).toBe("alive");
  });
});
