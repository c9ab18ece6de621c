// One git that stays answers as the git that is started for each question, whatever becomes of it meanwhile.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openObjectReader } from "../../../src/adapters/git/object-reader.ts";
import { describe } from "../../../src/core/failure.ts";
import { failureOf, gitFixture, toValue } from "../../support/git-fixture.ts";

const doing = "reading";

function open(files?: Record<string, string>) {
  const at = gitFixture(files);
  const reader = openObjectReader(at.commonDir);
  onTestFinished(() => reader.close());
  const ask = async (what: "info" | "contents", names: readonly string[]) =>
    toValue(await reader.ask(what, { names, doing })).toString("latin1");
  const asGit = (option: string, names: readonly string[]) =>
    execFileSync("git", ["cat-file", option], {
      cwd: at.checkout,
      input: `${names.join("\n")}\n`,
      maxBuffer: 2 ** 26,
    });
  return { ...at, reader, ask, asGit };
}

/** The reader's process, by the repository that it was started for. */
function processesOf(commonDir: string): number[] {
  const ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return ids.map(Number).filter((id) => {
    try {
      const words = readFileSync(`/proc/${id}/cmdline`, "utf8").split("\0");
      return words.includes(`--git-dir=${commonDir}`) && words.includes("--batch-command");
    } catch {
      return false; // gone meanwhile
    }
  });
}

test("what is there and what is not, also with the words of an answer in it", async () => {
  const at = open({ "a.txt": "a\n", "b.txt": `${"0".repeat(32)} missing\n`, "c.bin": "\0\r\n\u00e4" });
  const names = ["HEAD:a.txt", "HEAD:nothing here", "HEAD:b.txt", "HEAD:c.bin", "HEAD", "0".repeat(40)];
  for (const [what, option] of [
    ["info", "--batch-check"],
    ["contents", "--batch"],
  ] as const) {
    expect(await at.ask(what, names)).toBe(at.asGit(option, names).toString("latin1"));
  }
  expect(await at.ask("info", [])).toBe("");
});

test("questions at the same time, long ones among them, get their own answers", async () => {
  const files = Object.fromEntries(Array.from({ length: 30 }, (_, k) => [`${k}.txt`, `${k}`.repeat(60_000)]));
  const at = open(files);
  const names = Object.keys(files).map((name) => `HEAD:${name}`);
  const answers = await Promise.all([
    at.ask("contents", names),
    ...names.map((name) => at.ask("info", [name])),
  ]);
  expect(answers[0]).toBe(at.asGit("--batch", names).toString("latin1"));
  expect(answers.slice(1).join("")).toBe(at.asGit("--batch-check", names).toString("latin1"));
});

test("objects that are made or packed after it was started are found", async () => {
  const at = open();
  await at.ask("info", ["HEAD"]);
  const made = at.commit({ "new.txt": "new\n" });
  expect(await at.ask("info", [made])).toMatch(/ commit \d+\n$/);
  at.git(["gc", "--quiet", "--prune=now"]);
  expect(await at.ask("contents", ["HEAD:new.txt"])).toMatch(/ blob 4\nnew\n\n$/);
});

test.runIf(process.platform === "linux")(
  "one that somebody ended is started again, and one that is closed is gone",
  async () => {
    const at = open();
    const commonDir = at.commonDir;
    await at.ask("info", ["HEAD"]);
    const [first] = processesOf(commonDir);
    if (first === undefined) throw new Error("there is no process");
    process.kill(first, "SIGKILL");
    expect(await at.ask("info", ["HEAD"])).toMatch(/ commit \d+\n$/);
    expect(processesOf(commonDir)).not.toContain(first);
    at.reader.close();
    await expect.poll(() => processesOf(commonDir)).toEqual([]);
  },
);

test("a repository that is not there is a failure", async () => {
  const at = gitFixture();
  const reader = openObjectReader(join(at.folder, "nowhere"));
  expect(describe(failureOf(await reader.ask("info", { names: ["HEAD"], doing })))).toContain("reading");
});
