// Git commands of this program that are still running although the program that started them died. They are left to
// finish, because a killed git leaves lock files behind; the next start waits for them before it uses the repository.

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
    return (
      read("cmdline").includes(toBytes(`--git-dir=${gitCommonDir}`)) &&
      read("environ").split("\0").includes(`${ownGitMark}=1`)
    );
  }).length;
}

/** Where the environment of processes cannot be read as data, their arguments have to do: ours carry this setting. */
function countByPs(gitCommonDir: string): Promise<number> {
  return new Promise((resolve) => {
    execFile("ps", ["-axww", "-o", "args="], { maxBuffer: 64 * 1024 * 1024 }, (_error, stdout) => {
      const isOwn = (line: string): boolean =>
        line.includes(`--git-dir=${gitCommonDir}`) && line.includes("core.hooksPath=/dev/null");
      resolve(stdout.split("\n").filter(isOwn).length);
    });
  });
}

function toBytes(text: string): string {
  return Buffer.from(text).toString("latin1");
}
