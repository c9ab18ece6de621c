// No child outlives the program, also when the program is killed without a chance to clean up: with a puppet program
// that is killed for real.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { startWatchdog } from "../../../src/adapters/process/watchdog.ts";
import { compileInto } from "./compiled.ts";
import { isAlive, makeFolder, readPid, until, untilGone, writeProgram } from "./programs.ts";

const waitForEver = "setInterval(() => {}, 1000);";

/** A program that launches an agent which ignores signals and has a child in its group. */
async function startPuppet(folder: string, point: string | null = null): Promise<ChildProcess> {
  const toUrl = await compileInto(folder);
  const agent = await writeProgram(
    folder,
    "agent",
    `import { spawn } from "node:child_process";
     import { writeFileSync } from "node:fs";
     for (const name of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(name, () => {});
     const child = spawn(process.execPath, ["-e", ${JSON.stringify(waitForEver)}], { stdio: "inherit" });
     writeFileSync("grandchild", String(child.pid));
     const escaped = spawn(process.execPath, ["-e", ${JSON.stringify(waitForEver)}], { stdio: "ignore", detached: true });
     writeFileSync("escaped", String(escaped.pid));
     writeFileSync("agent", String(process.pid));
     ${waitForEver}`,
  );
  const puppet = await writeProgram(
    folder,
    "puppet",
    `import { launch } from ${JSON.stringify(toUrl("src/adapters/process/launch.ts"))};
     await launch({ run: ${JSON.stringify(agent)}, cwd: ${JSON.stringify(folder)}, dispatch: "puppet-${process.pid}/d1", timeoutMs: 60_000 }, new AbortController().signal);`,
  );
  const [program = "", ...args] = puppet;
  const preload = point === null ? [] : ["--import", killAt];
  const env = { ...process.env, CRASH_POINT: point ?? "" };
  return spawn(program, [...preload, ...args], { cwd: folder, env, stdio: "inherit" });
}

const killAt = new URL("../../crash/kill-at.mjs", import.meta.url).href;

test("The whole group of an agent is gone soon after the program was killed with SIGKILL.", async () => {
  const folder = await makeFolder();
  const puppet = await startPuppet(folder);
  const agent = await readPid(`${folder}/agent`);
  const grandchild = await readPid(`${folder}/grandchild`);
  onTestFinished(() => {
    for (const pid of [agent, grandchild]) if (isAlive(pid)) process.kill(pid, "SIGKILL");
  });
  expect([agent, grandchild].map(isAlive)).toEqual([true, true]);
  puppet.kill("SIGKILL");
  await untilGone(agent);
  await untilGone(grandchild);
});

test.runIf(process.platform === "linux")("A process that left the agent's group is gone, too.", async () => {
  const folder = await makeFolder();
  const puppet = await startPuppet(folder);
  await readPid(`${folder}/agent`);
  const escaped = await readPid(`${folder}/escaped`);
  onTestFinished(() => {
    for (const pid of findMarked()) process.kill(pid, "SIGKILL");
  });
  expect(isAlive(escaped)).toBe(true);
  puppet.kill("SIGKILL");
  await untilGone(escaped);
});

test.runIf(process.platform === "linux")(
  "A child is gone although the program was killed before it could say which group that is.",
  async () => {
    const folder = await makeFolder();
    const puppet = await startPuppet(folder, "child 1 started");
    const [, signal] = await once(puppet, "exit");
    expect(signal).toBe("SIGKILL");
    onTestFinished(() => {
      for (const pid of findMarked()) process.kill(pid, "SIGKILL");
    });
    await until(() => (findMarked().length === 0 ? true : null), 3_000);
    await until(() => (findMarked().length === 0 ? true : null), 500); // also not one that was just being made
  },
);

test("An expected child that did not come, or that has ended, is not looked for.", async () => {
  const watchdog = startWatchdog();
  const mark = `puppet-${process.pid}/d1`;
  watchdog.expect(mark)(undefined);
  const bystander = spawn("sleep", ["60"], { env: { EXECUTE_PRD_DISPATCH: mark }, stdio: "ignore" });
  onTestFinished(() => void bystander.kill("SIGKILL"));
  const { group } = startGroup();
  watchdog.guard(group);
  watchdog.close();
  await untilGone(group);
  expect(isAlive(bystander.pid ?? 0)).toBe(true);
});

test("A child that was started under the same mark after the end of the program is left alone.", async () => {
  const watchdog = startWatchdog();
  const mark = `puppet-${process.pid}/d2`;
  watchdog.expect(mark);
  const { group } = startGroup();
  watchdog.guard(group);
  watchdog.close();
  await untilGone(group); // the watchdog has seen the end
  await delay(60); // more than the grain of a process's start time
  const next = spawn("sleep", ["60"], {
    env: { EXECUTE_PRD_DISPATCH: mark },
    stdio: "ignore",
    detached: true,
  });
  onTestFinished(() => void next.kill("SIGKILL"));
  await delay(1_200); // all that it does after the end
  expect(isAlive(next.pid ?? 0)).toBe(true);
});

/** Processes that carry the mark of a puppet's agent. */
function findMarked(): readonly number[] {
  const mark = `EXECUTE_PRD_DISPATCH=puppet-${process.pid}/d1`;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/environ`, "latin1").split("\0").includes(mark);
      } catch {
        return false; // gone meanwhile
      }
    })
    .map(Number)
    .filter(isAlive);
}

function startGroup(): { child: ChildProcess; group: number } {
  const child = spawn("/bin/sh", ["-c", "while :; do sleep 1; done"], { detached: true, stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, group: child.pid ?? 0 };
}

test("A closing watchdog ends the guarded groups and no released one.", async () => {
  const watchdog = startWatchdog();
  const [kept, released, last] = [startGroup(), startGroup(), startGroup()];
  for (const { group } of [kept, released, last]) watchdog.guard(group);
  watchdog.release(released.group);
  watchdog.close();
  await untilGone(kept.group);
  await untilGone(last.group);
  expect(isAlive(released.group)).toBe(true);
});

test("A watchdog that was killed is replaced by one that knows all guarded groups.", async () => {
  const others = findWatchdogs();
  const watchdog = startWatchdog();
  const { group } = startGroup();
  watchdog.guard(group);
  const first = await until(() => findWatchdogs().find((pid) => !others.includes(pid)) ?? null);
  process.kill(first, "SIGKILL");
  await until(() => findWatchdogs().find((pid) => ![...others, first].includes(pid)) ?? null);
  watchdog.close();
  await untilGone(group);
});

/** The running watchdogs of this test program, by the process table. */
function findWatchdogs(): readonly number[] {
  const lines = execFileSync("ps", ["-axo", "pid=,ppid=,stat=,args="]).toString().split("\n");
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, state]) => Number(parent) === process.pid && !state?.startsWith("Z"))
    .filter((words) => words.includes("execute-prd-watchdog"))
    .map(([pid]) => Number(pid));
}
