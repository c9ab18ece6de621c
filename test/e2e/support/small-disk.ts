// File systems with little room, for tests that fill them up; root alone can make them.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";

export const canMount =
  process.platform === "linux" && process.getuid?.() === 0 && mountSmall("probe") !== null;

/** A file system of this size in memory, unmounted after the test; null where that cannot be done. */
export function mountSmall(size: string, at?: string): string | null {
  const isProbe = size === "probe";
  const folder =
    at ?? join(process.env["TMPDIR"] ?? "/tmp", `execute-prd-small-${process.pid}-${Date.now()}`);
  mkdirSync(folder, { recursive: true });
  const remove = (): void => {
    run("umount", ["-l", folder]);
    if (at === undefined) run("rmdir", [folder]);
  };
  try {
    run("mount", ["-t", "tmpfs", "-o", `size=${isProbe ? "1m" : size}`, "tmpfs", folder]);
  } catch {
    return null;
  }
  if (isProbe) remove();
  else onTestFinished(remove);
  return folder;
}

/** Gives a small file system more room. */
export function makeRoom(folder: string, size: string): void {
  run("mount", ["-o", `remount,size=${size}`, folder]);
}

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { stdio: "ignore" });
}
