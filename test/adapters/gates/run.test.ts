// Gates as real commands: each way in which one can end, and what is kept of it.

import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createGateRunner } from "../../../src/adapters/gates/run.ts";
import { createRedaction } from "../../../src/adapters/redaction/redaction.ts";
import type { GatePolicy } from "../../../src/core/policy.ts";
import { isAlive, makeFolder, readPid, untilGone, writeProgram } from "../process/programs.ts";

const path = process.env["PATH"] ?? "";

interface Asked extends Partial<GatePolicy> {
  readonly signal?: AbortSignal;
  readonly onOutput?: (line: string) => void;
}

async function runGate(tree: string, { signal, onOutput, ...gate }: Asked) {
  const runner = createGateRunner({
    runId: `gates-${process.pid}`,
    runFolder: join(tree, "run"),
    environment: {
      PATH: path,
      HOME: "/home/somebody",
      DEPLOY_TOKEN: "a-secret-of-the-builder",
      EXTRA: "wanted",
    },
    redaction: createRedaction({}),
    homes: null,
    sandbox: null,
  });
  const policy: GatePolicy = {
    name: "tests",
    command: "true",
    timeoutMs: 20_000,
    report: "auto",
    env: [],
    ...gate,
  };
  const log = "attempts/task-1/1/gates/tests.log";
  const at = { gate: policy, cwd: tree, log, dispatch: "task-1/1" };
  const answer = await runner.run(at, signal ?? new AbortController().signal, onOutput ?? (() => {}));
  const stored = await readFile(join(tree, "run", log), "utf8").catch(() => null);
  return { answer, stored };
}

async function resultOf(tree: string, gate: Asked) {
  const { answer } = await runGate(tree, gate);
  if (answer.kind !== "ran") throw new Error(answer.kind);
  return answer.result;
}

async function treeWith(source: string): Promise<string> {
  const tree = await makeFolder();
  await writeProgram(tree, "check", source);
  return tree;
}

const check = `${process.execPath} check.mjs`;

describe("A gate", () => {
  test("passes with exit code 0, its whole output in the log", async () => {
    const tree = await treeWith(
      'console.log("x".repeat(9_000)); console.log("Tests:  1 skipped, 4 passed, 5 total");',
    );
    const lines: string[] = [];
    const { answer, stored } = await runGate(tree, { command: check, onOutput: (line) => lines.push(line) });
    const text = `${"x".repeat(9_000)}\nTests:  1 skipped, 4 passed, 5 total\n`;
    expect(stored).toBe(text);
    expect(answer).toEqual({
      kind: "ran",
      result: {
        gate: "tests",
        command: check,
        outcome: "passed",
        exitCode: 0,
        durationMs: expect.any(Number),
        outputSha256: createHash("sha256").update(text).digest("hex"),
        outputBytes: text.length,
        tail: expect.stringMatching(/x\nTests: {2}1 skipped, 4 passed, 5 total$/),
        detail: "",
        tests: { passed: 4, failed: 0, skipped: 1, failures: [], isNamed: true },
      },
    });
    expect(lines.at(-1)).toBe("Tests:  1 skipped, 4 passed, 5 total");
  });

  test("fails with any other exit code, the tests counted", async () => {
    const tree = await treeWith(
      'console.log("test result: FAILED. 3 passed; 2 failed; 0 ignored"); process.exitCode = 101;',
    );
    expect(await resultOf(tree, { command: check })).toMatchObject({
      outcome: "failed",
      exitCode: 101,
      tests: { passed: 3, failed: 2 },
    });
  });

  test("counts tests also from lines far before the end", async () => {
    const line = 'console.log("test result: ok. 3 passed; 0 failed; 0 ignored");';
    const tree = await treeWith(`${line} console.log(("x".repeat(99) + "\\n").repeat(1000)); ${line}`);
    expect(await resultOf(tree, { command: check })).toMatchObject({ tests: { passed: 6, failed: 0 } });
  });

  test("that is ended by a signal fails and says which", async () => {
    const tree = await treeWith('process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000);');
    expect(await resultOf(tree, { command: check })).toMatchObject({
      outcome: "failed",
      exitCode: null,
      detail: "the command was ended by signal SIGKILL",
    });
  });

  test("sees the allow-list, CI=1 and what its policy names, and nothing on stdin", async () => {
    const tree = await treeWith(
      "let bytes = 0; for await (const chunk of process.stdin) bytes += chunk.length; console.log(JSON.stringify({ ...process.env, bytes }));",
    );
    const { tail } = await resultOf(tree, { command: check, env: ["EXTRA"] });
    expect(JSON.parse(tail)).toEqual({
      PATH: path,
      HOME: "/home/somebody",
      CI: "1",
      EXTRA: "wanted",
      EXECUTE_PRD_DISPATCH: `gates-${process.pid}.task-1/1/gate-tests`,
      EXECUTE_PRD_TEST_REPORT: expect.stringMatching(/^\/.*test-report$/),
      bytes: 0,
    });
  });

  test("may be a line for the shell", async () => {
    const result = await resultOf(await makeFolder(), {
      command: 'test "$CI" = 1 && echo "3 passed, 0 failed"',
    });
    expect(result).toMatchObject({ outcome: "passed", tests: { passed: 3, failed: 0 } });
  });

  test("that is stopped is interrupted, its group with it", async () => {
    const tree = await treeWith(
      `import { spawn } from "node:child_process";
       import { writeFileSync } from "node:fs";
       const child = spawn("sleep", ["60"], { stdio: "inherit" });
       writeFileSync("pid", String(child.pid));
       console.log("ready");
       setInterval(() => {}, 1000);`,
    );
    const stop = new AbortController();
    const { answer } = await runGate(tree, {
      command: check,
      signal: stop.signal,
      onOutput: () => stop.abort(),
    });
    expect(answer).toEqual({ kind: "interrupted" });
    const pid = await readPid(join(tree, "pid"));
    await untilGone(pid);
    expect(isAlive(pid)).toBe(false);
  });
});

describe("A gate that takes too long", () => {
  test("timed out", async () => {
    const tree = await treeWith('console.log("testing"); setInterval(() => {}, 1000);');
    expect(await resultOf(tree, { command: check, timeoutMs: 600 })).toMatchObject({
      outcome: "timed out",
      tail: "testing",
      detail: "",
    });
  });

  test("has not passed although it exits with 0 when told to stop", async () => {
    const tree = await treeWith('process.on("SIGTERM", () => process.exit(0)); setInterval(() => {}, 1000);');
    expect(await resultOf(tree, { command: check, timeoutMs: 600 })).toMatchObject({
      outcome: "timed out",
      exitCode: 0,
    });
  });

  test.each([
    ["vitest", " PASS  Waiting for file changes...\\n       press h to show help, press q to quit"],
    ["vitest, coloured", "\\u001b[32m PASS \\u001b[39m Waiting for file changes..."],
    ["jest", "Watch Usage\\n › Press f to run only failed tests."],
    ["tsc", "[10:00:00] Found 0 errors. Watching for file changes."],
  ])("in the watch mode of %s says so", async (_program, output) => {
    const tree = await treeWith(`console.log("${output}"); setInterval(() => {}, 1000);`);
    expect(await resultOf(tree, { command: check, timeoutMs: 600 })).toMatchObject({
      outcome: "timed out",
      detail: "the command started a watch mode; use a command that ends, e.g. vitest run",
    });
  });
});

describe("A gate cannot start", () => {
  test.each([
    [
      "when its program does not exist",
      "no-such-checker --all",
      'the program "no-such-checker" was not found',
    ],
    [
      "when its program may not be executed",
      "./plain-file",
      'the program "./plain-file" may not be executed (EACCES)',
    ],
    [
      "when its program in a shell line does not exist",
      "no-such-checker --all && true",
      'the program "no-such-checker" was not found (exit code 127)',
    ],
    [
      "when its program in a shell line may not be executed",
      "./plain-file; exit $?",
      'the program "./plain-file" may not be executed (exit code 126)',
    ],
    [
      "when only the shell knows which program",
      '"no such checker" --all',
      "a program in it was not found (exit code 127)",
    ],
  ])("%s", async (_what, command, detail) => {
    const tree = await makeFolder();
    await writeFile(join(tree, "plain-file"), "x");
    await chmod(join(tree, "plain-file"), 0o644);
    expect(await resultOf(tree, { command })).toMatchObject({ outcome: "cannot start", detail, tests: null });
  });

  test("when its tree is gone", async () => {
    const tree = await makeFolder();
    await mkdir(join(tree, "sub"));
    const runner = createGateRunner({
      runId: "r",
      runFolder: join(tree, "run"),
      environment: { PATH: path },
      redaction: createRedaction({}),
      homes: null,
      sandbox: null,
    });
    const gate: GatePolicy = { name: "t", command: "true", timeoutMs: 1_000, report: "auto", env: [] };
    const at = { gate, cwd: join(tree, "gone"), log: "t.log", dispatch: "x" };
    expect(await runner.run(at, new AbortController().signal, () => {})).toMatchObject({
      result: { outcome: "cannot start", exitCode: null, detail: expect.stringContaining("does not exist") },
    });
  });

  test("but fails when a program deeper down is missing, with a hint", async () => {
    const tree = await makeFolder();
    await writeFile(join(tree, "run.sh"), "#!/bin/sh\nno-such-checker\n", { mode: 0o755 });
    for (const command of ["./run.sh", "./run.sh && true"]) {
      expect(await resultOf(tree, { command })).toMatchObject({
        outcome: "failed",
        exitCode: 127,
        detail:
          'exit code 127: a program that the command starts was not found; is "setup" needed, or not complete?',
      });
    }
  });
});
