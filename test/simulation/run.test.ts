// The command that plays seeds: what it says, and with which exit code.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const program = fileURLToPath(new URL("./run.mjs", import.meta.url));

function simulate(...args: readonly string[]): { exitCode: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
  return { exitCode: status, said: stdout + stderr };
}

describe("npm run test:simulation", () => {
  it("says which seeds it played and what there was in them", () => {
    const { exitCode, said } = simulate("--seeds", "4", "--from", "11", "--jobs", "2");
    expect(said).toMatch(/^seeds 11 to 14\n8 runs, \d+ events, \d+ deaths\nsessions ended: .*\d+ completed/);
    expect(said).toMatch(/seeds a second\n\n4 of 4 seeds held, 0 failed\n$/);
    expect(exitCode).toBe(0);
  });

  it.each([["--seeds", "many"], ["--from", "0"], ["--seed", "3"], ["7"]])(
    "refuses %s %s with exit 2",
    (...args) => {
      const { exitCode, said } = simulate(...args);
      expect(said).toContain("usage: npm run test:simulation");
      expect(exitCode).toBe(2);
    },
  );
});
