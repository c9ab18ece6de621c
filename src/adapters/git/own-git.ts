// Git commands of this program that are still running although the program that started them died. They are left to
// finish, because a killed git leaves lock files behind; the next start waits for them before it uses the repository.
// Those of a program that lives (a run of another plan) are its own business.

import { execFile } from "node:child_process";
import fs from "node:fs";
import { limits } from "../../core/limits.ts";
import { unless } from "../storage.ts";
import { ownGitMark } from "./run-git.ts";

/** Resolves when no such command works on the repository any more, or after `timeoutMs`; says how many are left. */
export async function waitForOwnGit(
  gitCommonDir: string,
  timeoutMs: number = limits.gitTimeoutMs,
): Promise<number> {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    const running = await countOwnGit(gitCommonDir);
    if (running === 0 || performance.now() >= giveUpAt) return running;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

const pollMs = 50;

function countOwnGit(gitCommonDir: string): Promise<number> {
  return process.platform === "linux" ? Promise.resolve(countByProc(gitCommonDir)) : countByPs(gitCommonDir);
}

function countByProc(gitCommonDir: string): number {
  const processes = fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return processes.filter((id) => {
    const read = (name: string): string =>
      unless(["ENOENT", "ESRCH", "EACCES", "EPERM"], () =>
        fs.readFileSync(`/proc/${id}/${name}`, "latin1"),
      ) ?? "";
    if (!read("cmdline").includes(toBytes(`--git-dir=${gitCommonDir}`))) return false;
    const mark = read("environ")
      .split("\0")
      .find((entry) => entry.startsWith(`${ownGitMark}=`));
    // A child whose parent ends gets another one.
    const parent = /^PPid:\s*(\d+)$/m.exec(read("status"))?.[1];
    return mark !== undefined && parent !== undefined && mark !== `${ownGitMark}=${parent}`;
  }).length;
}

/** Where the environment of processes cannot be read as data, their arguments have to do: ours carry this setting. */
function countByPs(gitCommonDir: string): Promise<number> {
  return new Promise((resolve) => {
    execFile("ps", ["-axww", "-o", "ppid=,args="], { maxBuffer: 64 * 1024 * 1024 }, (_error, stdout) => {
      // A child whose parent ended is given to the first process.
      const isOwn = (line: string): boolean =>
        /^\s*1\s/.test(line) &&
        line.includes(`--git-dir=${gitCommonDir}`) &&
        line.includes("core.hooksPath=/dev/null");
      resolve(stdout.split("\n").filter(isOwn).length);
    });
  });
}

function toBytes(text: string): string {
  return Buffer.from(text).toString("latin1");
}
