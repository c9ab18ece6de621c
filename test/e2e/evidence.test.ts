// Evidence from outside: flaky and unstartable gates, deletions that the builder has to allow, and the program's own
// look before a task.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import { plain, project, quick } from "./support/e2e-project.ts";

const files = Object.fromEntries(
  Array.from({ length: 12 }, (_, index) => [`old/${index}.txt`, `${index}\n`]),
);

describe("a gate", () => {
  it("that names a failing test and passes when it is run again is called flaky, and does not send back", async () => {
    const plan = project({
      prd: plain(task("a")),
      config: { ...quick, gates: [{ name: "tests", command: "node flaky.mjs", report: "tap" }] },
      files: {
        // The second look at a candidate finds the file that the first one left beside the trees.
        "flaky.mjs": `import { existsSync, writeFileSync } from "node:fs";
const mark = process.env.TMPDIR + "/was-here";
const isFirst = existsSync("a.txt") && !existsSync(mark);
if (isFirst) writeFileSync(mark, "");
console.log("TAP version 13\\n1..2\\nok 1 - adds");
console.log(isFirst ? "not ok 2 - now and then" : "ok 2 - now and then");
process.exit(isFirst ? 1 : 0);
`,
      },
    });
    const ended = await plan.run(["run", plan.slug], { env: { TMPDIR: plan.folder } });
    expect(ended.exitCode, ended.stdout).toBe(0);
    const judged = plan.events().find(({ kind }) => kind === "gates-judged");
    expect(judged).toMatchObject({ red: [], gates: [{ gate: "tests", flaky: ["now and then"] }] });
    expect(plan.task("a")).toMatchObject({ status: "complete", attemptCount: 1 });
    expect(plan.read("report.md")).toMatch(/flaky/i);
  });

  it("that cannot start on the candidate is no pass: the work is sent back and nothing is integrated", async () => {
    const plan = project({
      prd: plain(task("a")),
      config: { ...quick, gates: [{ name: "tests", command: "./check.sh" }] },
      files: { "check.sh": "#!/bin/sh\nexit 0\n" },
      rules: [
        {
          stage: "develop",
          taskId: "a",
          code: 'fs.writeFileSync("a.txt", "x"); fs.chmodSync("check.sh", 0o644);',
          report: { summary: "done" },
        },
      ],
    });
    plan.git(["update-index", "--chmod=+x", "check.sh"]);
    plan.git(["commit", "--quiet", "-m", "executable"]);
    plan.git(["checkout", "--quiet", "--", "."]);
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode).toBe(4);
    expect(ended.stdout).toMatch(/cannot start.*check\.sh/);
    expect(plan.subjects()).toEqual([]);
    expect(plan.task("a")["status"]).not.toBe("complete");
  });
});

describe("a candidate that deletes more files than maxDeletedFiles", () => {
  const deletes = {
    stage: "develop",
    taskId: "a",
    code: 'fs.rmSync("old", { recursive: true }); fs.writeFileSync("a.txt", "x");',
    report: { summary: "tidied up" },
  };

  it("is held for the builder, whose approval lets it on to the branch", async () => {
    const plan = project({ prd: plain(task("a")), files, rules: [deletes] });
    const held = await plan.run(["run", plan.slug]);
    expect(held.exitCode, held.stdout).toBe(4);
    expect(held.stdout).toMatch(/12 files/);
    expect(plan.subjects()).toEqual([]);
    const question = plan.status()["question"] as { id: string }; // the document of the contract
    expect(question.id).toMatch(/^evidence:a:/);
    expect((await plan.run(["answer", plan.slug, question.id, "approve"])).exitCode).toBe(0);
    const ended = await plan.run(["resume", plan.slug]);
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(plan.git(["ls-tree", "-r", "--name-only", plan.branch])).not.toContain("old/");
    expect(plan.task("a")).toMatchObject({ status: "complete", attemptCount: 1 });
  });

  it("is sent back when the builder refuses, and the next attempt starts from the base", async () => {
    const plan = project({ prd: plain(task("a")), files, rules: [{ ...deletes, attempt: 1 }] });
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(4);
    expect((await plan.run(["answer", plan.slug, "reject"])).exitCode).toBe(0);
    const ended = await plan.run(["resume", plan.slug]);
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(plan.git(["ls-tree", "-r", "--name-only", plan.branch])).toContain("old/11.txt");
  });

  it("is not held where the task has allowDeletions", async () => {
    const plan = project({ prd: plain(task("a", { allowDeletions: true })), files, rules: [deletes] });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode, ended.stdout).toBe(0);
  });
});

it("before a task the program looks itself for the files and names that it speaks of, and tells the developer", async () => {
  const described = task("a", {
    description: "Change `toDate` in src/date.js as in src/gone.js",
    filesToRead: ["src/date.js", "src/gone.js"],
  });
  const plan = project({ prd: plain(described), files: { "src/date.js": "export function toDate() {}\n" } });
  expect((await plan.run(["run", plan.slug])).exitCode).toBe(0);
  const prompt = readFileSync(join(plan.runFolder, "attempts/a/1/prompt.md"), "utf8");
  expect(prompt).toMatch(/src\/gone\.js.*not/);
  expect(prompt).toMatch(/toDate.*src\/date\.js/);
});
