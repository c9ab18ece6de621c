// Finding and ending processes by the variable that they carry.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { expect, onTestFinished, test } from "vitest";
import { endLeftovers, endLeftoversNow } from "../../../src/adapters/process/leftovers.ts";
import { compileInto } from "./compiled.ts";
import { isAlive, makeFolder, until, untilGone, writeProgram } from "./programs.ts";

const unique = `leftovers-${process.pid}`;

async function startCarrying(name: string, value: string): Promise<number> {
  const child: ChildProcess = spawn(
    process.execPath,
    ["-e", 'console.log("up"); setInterval(() => {}, 1000);'],
    {
      env: { [name]: value },
      detached: true,
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  await new Promise((resolve) => child.stdout?.once("data", resolve));
  return until(() => child.pid ?? null);
}

test("Exactly the processes that carry one of the values are ended.", async () => {
  const wanted = await startCarrying("EXECUTE_PRD_DISPATCH", `${unique}/d1`);
  const longer = await startCarrying("EXECUTE_PRD_DISPATCH", `${unique}/d10`);
  const otherName = await startCarrying("MY_EXECUTE_PRD_DISPATCH", `${unique}/d1`);
  const result = await endLeftovers({ variable: "EXECUTE_PRD_DISPATCH", values: [`${unique}/d1`] });
  expect(result.ended).toEqual([wanted]);
  await untilGone(wanted);
  expect([longer, otherName].map(isAlive)).toEqual([true, true]);
});

test("All processes of a run are ended by the prefix of their value.", async () => {
  const first = await startCarrying("EXECUTE_PRD_DISPATCH", `${unique}-p/d1`);
  const second = await startCarrying("EXECUTE_PRD_DISPATCH", `${unique}-p/d2/gate-tests`);
  const other = await startCarrying("EXECUTE_PRD_DISPATCH", `${unique}-q/d1`);
  const result = await endLeftovers({ variable: "EXECUTE_PRD_DISPATCH", prefix: `${unique}-p/` });
  expect([...result.ended].sort()).toEqual([first, second].sort());
  await untilGone(first);
  await untilGone(second);
  expect(isAlive(other)).toBe(true);
});

test("An empty prefix ends nothing.", async () => {
  const one = await startCarrying("EXECUTE_PRD_DISPATCH", `${unique}-e/d1`);
  expect((await endLeftovers({ variable: "EXECUTE_PRD_DISPATCH", prefix: "" })).ended).toEqual([]);
  expect(isAlive(one)).toBe(true);
});

test("The program that looks is never among them, although it carries the value itself.", async () => {
  const folder = await makeFolder();
  const toUrl = await compileInto(folder);
  const [program = "", ...args] = await writeProgram(
    folder,
    "looking",
    `import { endLeftovers } from ${JSON.stringify(toUrl("src/adapters/process/leftovers.ts"))};
     const result = await endLeftovers({ variable: "EXECUTE_PRD_DISPATCH", values: ["${unique}/self"] });
     console.log(JSON.stringify(result.ended));`,
  );
  const env = { PATH: process.env["PATH"], EXECUTE_PRD_DISPATCH: `${unique}/self` };
  expect(execFileSync(program, args, { env }).toString()).toBe("[]\n");
});

test.runIf(process.platform === "linux")(
  "A program that exits at once can still end what it left.",
  async () => {
    const wanted = await startCarrying("EXECUTE_PRD_DISPATCH", `${unique}-n/d1`);
    const other = await startCarrying("EXECUTE_PRD_DISPATCH", `${unique}-o/d1`);
    endLeftoversNow({ variable: "EXECUTE_PRD_DISPATCH", prefix: `${unique}-n/` });
    await untilGone(wanted);
    expect(isAlive(other)).toBe(true);
  },
);
