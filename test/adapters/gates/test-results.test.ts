// What gates say of their tests, by real runs: names that stay the same, report files, formats that were named, and
// what a gate has to be to count as naming its failures.

import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createGateRunner } from "../../../src/adapters/gates/run.ts";
import { createRedaction } from "../../../src/adapters/redaction/redaction.ts";
import type { GateResult } from "../../../src/core/gate-result.ts";
import type { GatePolicy } from "../../../src/core/policy.ts";
import { makeFolder } from "../process/programs.ts";

async function runGate(tree: string, gate: Partial<GatePolicy>): Promise<GateResult> {
  const runner = createGateRunner({
    runId: `named-${process.pid}`,
    runFolder: join(tree, "run"),
    environment: { PATH: process.env["PATH"] ?? "", TMPDIR: tmpdir() },
    redaction: createRedaction({}),
    homes: null,
    sandbox: null,
  });
  const policy: GatePolicy = {
    name: "tests",
    command: "true",
    timeoutMs: 60_000,
    report: "auto",
    env: [],
    ...gate,
  };
  const at = { gate: policy, cwd: tree, log: "tests.log", dispatch: "task-1/1" };
  const answer = await runner.run(at, new AbortController().signal, () => {});
  if (answer.kind !== "ran") throw new Error(answer.kind);
  return answer.result;
}

/** A gate that prints, writes and ends as it is told. */
async function gateThat(
  told: { prints?: string; warns?: string; writes?: string; exits?: number },
  gate: Partial<GatePolicy> = {},
): Promise<GateResult> {
  const tree = await makeFolder();
  await writeFile(join(tree, "told.json"), JSON.stringify(told));
  await writeFile(
    join(tree, "gate.mjs"),
    `import { readFileSync, writeFileSync } from "node:fs";
     const { prints = "", warns = "", writes, exits = 0 } = JSON.parse(readFileSync("told.json", "utf8"));
     process.stdout.write(prints);
     process.stderr.write(warns);
     if (writes !== undefined) writeFileSync(process.env.EXECUTE_PRD_TEST_REPORT, writes);
     process.exitCode = exits;`,
  );
  return runGate(tree, { command: `${process.execPath} gate.mjs`, ...gate });
}

const tap = (...failing: readonly string[]) =>
  `TAP version 13\nok 1 - fine\n${failing.map((name, at) => `not ok ${at + 2} - ${name}\n`).join("")}1..${failing.length + 1}\n`;
const junit =
  '<testsuites><testsuite name="s" failures="1"><testcase name="a"><failure/></testcase><testcase name="b"/></testsuite></testsuites>';

describe("A real runner", () => {
  const nodeTests = {
    "test/a.test.mjs": `import test, { describe, it } from "node:test";
      describe("sums", () => { it("adds", () => {}); it("adds wrongly", () => { throw new Error(String(Math.random())); }); });
      test("same", () => {}); test("same", () => { throw new Error(import.meta.url); });`,
    "test/b.test.mjs": `throw new Error("does not load");`,
  };
  const vitestTests = {
    "a.test.mjs": `const { describe, it, expect } = globalThis;
      describe("sums", () => { it("adds", () => {}); it("adds wrongly", () => { expect(Math.random()).toBe(2); }); });
      it("reads " + import.meta.dirname + "/x", () => { expect(Date.now()).toBe(0); });`,
    "b.test.mjs": `import "./missing.mjs";`,
  };
  const vitest = `${process.execPath} ${join(import.meta.dirname, "../../../node_modules/vitest/vitest.mjs")} run --root . --globals`;
  const nodeNames = ["test/a.test.mjs > same", "test/a.test.mjs > sums > adds wrongly", "test/b.test.mjs"];
  const vitestNames = ["a.test.mjs > reads x", "a.test.mjs > sums > adds wrongly", "b.test.mjs"];

  async function treeOf(files: Readonly<Record<string, string>>): Promise<string> {
    const tree = await makeFolder();
    await mkdir(join(tree, "test"));
    for (const [name, text] of Object.entries(files)) await writeFile(join(tree, name), text);
    return tree;
  }

  test.each<[string, string, Readonly<Record<string, string>>, readonly string[], GatePolicy["report"]]>([
    ["node --test", `${process.execPath} --test`, nodeTests, nodeNames, "auto"],
    [
      "node --test for people",
      `${process.execPath} --test --test-reporter=spec`,
      nodeTests,
      nodeNames,
      "node",
    ],
    ["vitest", vitest, vitestTests, vitestNames, "auto"],
    ["vitest --reporter=json", `${vitest} --reporter=json`, vitestTests, vitestNames, "vitest-json"],
    [
      "vitest with a report in a file",
      `${vitest} --reporter=default --reporter=junit --outputFile="$EXECUTE_PRD_TEST_REPORT"`,
      vitestTests,
      vitestNames,
      "junit",
    ],
  ])(
    "%s names the same failures in two runs in two folders",
    async (_what, command, files, names, report) => {
      const first = await runGate(await treeOf(files), { command, report });
      const second = await runGate(await treeOf(files), { command, report });
      expect(first).toMatchObject({ outcome: "failed", exitCode: 1, detail: "" });
      expect(first.tests).toMatchObject({ failed: names.length, failures: [...names].sort(), isNamed: true });
      expect(second.tests).toEqual(first.tests);
      expect(second.outputSha256).not.toBe(first.outputSha256);
    },
  );
});

describe("The report of a gate", () => {
  test("is read from its output", async () => {
    expect(await gateThat({ prints: tap("a", "b"), exits: 1 }, { report: "tap" })).toMatchObject({
      outcome: "failed",
      detail: "",
      tests: { passed: 1, failed: 2, skipped: 0, failures: ["a", "b"], isNamed: true },
    });
  });

  test("is not looked for on standard error, where only people read", async () => {
    expect(await gateThat({ warns: tap("a"), exits: 1 })).toMatchObject({ tests: null });
  });

  test("of another format than the one that was named is none", async () => {
    for (const exits of [0, 1]) {
      expect(await gateThat({ prints: junit, exits }, { report: "tap" })).toMatchObject({
        outcome: exits === 0 ? "passed" : "failed",
        tests: null,
        detail: 'there is no report of its tests as "report": "tap" expects it',
      });
    }
  });

  test("is never looked for with none, and no file is offered", async () => {
    const command = 'echo "$EXECUTE_PRD_TEST_REPORT"; echo "3 passed, 2 failed"; exit 1';
    const result = await runGate(await makeFolder(), { command, report: "none" });
    expect(result).toMatchObject({ tests: null, detail: "", tail: "\n3 passed, 2 failed" });
  });

  test("that is too long is not read, and said to be", async () => {
    const tree = await makeFolder();
    const command = `${process.execPath} -e "console.log('TAP version 13'); for (let n = 0; n < 1e6; n += 1) console.log('not ok'); process.exitCode = 1"`;
    const result = await runGate(tree, { command, report: "tap" });
    expect(result).toMatchObject({
      tests: null,
      detail: "it wrote too much to look for results of tests in it",
    });
  });
});

describe("A report file", () => {
  test("is read instead of the output", async () => {
    const result = await gateThat({ prints: tap("other"), writes: junit, exits: 1 }, { report: "junit" });
    expect(result.tests).toEqual({ passed: 1, failed: 1, skipped: 0, failures: ["s > a"], isNamed: true });
  });

  test("is recognised, and has to name what the output counts", async () => {
    const wanted = { failures: ["s > a"], isNamed: true };
    expect((await gateThat({ writes: junit, exits: 1 })).tests).toMatchObject(wanted);
    const less = await gateThat({ writes: junit, prints: "Tests:  2 failed, 2 total\n", exits: 1 });
    expect(less).toMatchObject({
      tests: { failures: ["s > a"], isNamed: false },
      detail: "its failures are not all named: its output counts 2 failures, its report 1",
    });
    const listed = await gateThat({ writes: junit, prints: tap("a", "b"), exits: 1 });
    expect(listed.tests?.isNamed).toBe(false);
  });

  test("that was only made says nothing: the output is read", async () => {
    expect((await gateThat({ prints: tap("a"), writes: "", exits: 1 })).tests?.failures).toEqual(["a"]);
  });

  test.each([
    ["a link", 'ln -s told.tap "$EXECUTE_PRD_TEST_REPORT"', "it is a link"],
    [
      "a second name of a file",
      'ln told.tap "$EXECUTE_PRD_TEST_REPORT"',
      "it has more than one name (a hard link)",
    ],
    ["a pipe", 'mkfifo "$EXECUTE_PRD_TEST_REPORT"', "it is not a regular file"],
    ["a folder", 'mkdir "$EXECUTE_PRD_TEST_REPORT"', "it is not a regular file"],
    [
      "too large",
      'dd if=/dev/zero of="$EXECUTE_PRD_TEST_REPORT" bs=1M count=17 2>/dev/null',
      "it is larger than 16777216 bytes",
    ],
  ])("that is %s is not read, and nothing else instead", async (_what, command, problem) => {
    const tree = await makeFolder();
    await writeFile(join(tree, "told.tap"), tap("a"));
    const result = await runGate(tree, { command: `${command}; cat told.tap; exit 1`, report: "tap" });
    expect(result).toMatchObject({
      outcome: "failed",
      tests: null,
      detail: `its report file cannot be read: ${problem}`,
    });
  });

  test("is another one each time, outside of the tree, and gone afterwards", async () => {
    const tree = await makeFolder();
    const command =
      'test ! -e "$EXECUTE_PRD_TEST_REPORT" && printf "%s\\n" "$EXECUTE_PRD_TEST_REPORT" >> paths && touch "$EXECUTE_PRD_TEST_REPORT"';
    for (let run = 0; run < 2; run += 1) expect((await runGate(tree, { command })).outcome).toBe("passed");
    const [first = "", second = ""] = (await readFile(join(tree, "paths"), "utf8")).split("\n");
    expect(first).not.toBe(second);
    for (const path of [first, second]) {
      expect(path.startsWith(tree)).toBe(false);
      await expect(readdir(join(path, ".."))).rejects.toThrow("ENOENT");
    }
  });

  test("whose folder was removed is none", async () => {
    const command = 'rm -rf "$(dirname "$EXECUTE_PRD_TEST_REPORT")"; exit 1';
    const result = await runGate(await makeFolder(), { command, report: "tap" });
    expect(result).toMatchObject({ outcome: "failed", tests: null });
  });
});

describe("Exit code 0 with failing tests", () => {
  test("is a failure where the format was named", async () => {
    for (const [failing, words] of [
      [["a"], "1 test failed"],
      [["a", "b"], "2 tests failed"],
    ] as const) {
      expect(await gateThat({ prints: tap(...failing) }, { report: "tap" })).toMatchObject({
        outcome: "failed",
        exitCode: 0,
        detail: `exit code 0 but ${words}`,
        tests: { failures: failing, isNamed: true },
      });
    }
  });

  test("is a failure where the report was only found and names each of them", async () => {
    expect(await gateThat({ prints: tap("a") })).toMatchObject({
      outcome: "failed",
      detail: "exit code 0 but 1 test failed",
      tests: { failures: ["a"], isNamed: true },
    });
  });

  test("passes and is told where what was found names none", async () => {
    expect(await gateThat({ prints: "Tests: 1 failed, 2 passed, 3 total\n" })).toMatchObject({
      outcome: "passed",
      detail: "exit code 0 but 1 test failed, as its output seems to say",
    });
  });

  test("is no matter where nothing failed", async () => {
    expect(await gateThat({ prints: tap() }, { report: "tap" })).toMatchObject({
      outcome: "passed",
      detail: "",
      tests: { passed: 1, failed: 0, failures: [], isNamed: true },
    });
  });
});

describe("A red gate does not name its failures", () => {
  test("when no test failed", async () => {
    expect(await gateThat({ prints: tap(), exits: 1 })).toMatchObject({
      outcome: "failed",
      tests: { failed: 0, isNamed: false },
    });
  });

  test("when only its closing line counts them", async () => {
    const result = await gateThat({ prints: "3 passed, 2 failed\n", exits: 1 });
    expect(result.tests).toEqual({ passed: 3, failed: 2, skipped: 0, failures: [], isNamed: false });
  });

  test("when its report is not whole, and says so", async () => {
    expect(await gateThat({ prints: tap("a").replace("1..2", "1..3"), exits: 1 })).toMatchObject({
      tests: { failures: ["a"], isNamed: false },
      detail: "its failures are not all named: the report plans 3 tests and has 2",
    });
  });

  test("when it ran out of time or was ended by a signal", async () => {
    const tree = await makeFolder();
    await writeFile(join(tree, "told.tap"), tap("a"));
    const late = await runGate(tree, { command: "cat told.tap; sleep 60", report: "tap", timeoutMs: 500 });
    expect(late).toMatchObject({ outcome: "timed out", tests: { failures: ["a"], isNamed: false } });
    const killed = await runGate(tree, { command: "cat told.tap; kill -9 $$", report: "tap" });
    expect(killed).toMatchObject({
      outcome: "failed",
      tests: { failures: ["a"], isNamed: false },
      detail: "the command was ended by signal SIGKILL; its failures are not all named: it was cut short",
    });
  });
});
