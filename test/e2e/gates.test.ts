// Gates at work: red before anybody began, without an end, and with far too much to say.
import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import { plain, project, quick } from "./support/e2e-project.ts";

const light = { ...quick, review: { enabled: false } };

describe("a gate that is red on the base", () => {
  const redBase = () =>
    project({
      prd: plain(task("a")),
      config: {
        ...light,
        gates: [
          { name: "tests", command: "node check.mjs" },
          { name: "lint", command: "node lint.mjs" },
        ],
      },
      files: { "lint.mjs": 'console.log("line 3: no semicolon");\nprocess.exit(2);\n' },
    });

  it("stops the run before the first task, with exit 4 and its output; drop goes on without it", async () => {
    const plan = redBase();
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode).toBe(4);
    expect(ended.stdout).toContain("line 3: no semicolon");
    expect(ended.stdout).toMatch(/answer plan-x baseline:lint drop/);
    expect(plan.status()).toMatchObject({
      status: "blocked",
      reason: expect.stringContaining("line 3: no semicolon"),
      question: { id: "baseline:lint", options: [{ id: "drop" }, { id: "accept" }] },
    });
    expect(plan.events().some(({ kind }) => kind === "dispatch-started")).toBe(false);
    expect(plan.read("attempts/_run/baseline/1/gates/lint.log")).toContain("no semicolon");
    expect((await plan.run(["answer", plan.slug, "maybe"])).exitCode).toBe(2);
    expect((await plan.run(["answer", plan.slug, "baseline:lint", "drop"])).exitCode).toBe(0);
    const resumed = await plan.run(["resume", plan.slug]);
    expect(resumed.exitCode, resumed.stdout).toBe(0);
    const gates = plan.events().filter((event) => event.kind === "gate-started" && event["taskId"] === "a");
    expect(gates.map((event) => event["gate"])).toEqual(["tests"]);
    expect(plan.read("report.md")).toContain("lint");
  });

  it("runs on when it was accepted, and is told but not judged", async () => {
    const plan = redBase();
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(4);
    expect((await plan.run(["answer", plan.slug, "accept"])).exitCode).toBe(0);
    const resumed = await plan.run(["resume", plan.slug]);
    expect(resumed.exitCode, resumed.stdout).toBe(0);
    expect(plan.task("a")).toMatchObject({ status: "complete", notes: expect.stringContaining("lint") });
    expect(plan.read("receipts/a.json")).toContain('"lint"');
    expect(plan.read("progress.md")).toContain("lint: ✗");
  });

  it("is looked at again when it was repaired by a commit on the run's branch", async () => {
    const plan = redBase();
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(4);
    plan.git(["switch", "--quiet", plan.branch]);
    plan.commit({ "lint.mjs": 'console.log("fine");\n' }, "Mend the lint");
    plan.git(["switch", "--quiet", "main"]);
    const resumed = await plan.run(["resume", plan.slug]);
    expect(resumed.exitCode, resumed.stdout).toBe(0);
    expect(plan.subjects()).toEqual(["Mend the lint", "Make a", "Remember what plan-x taught"]);
    expect(resumed.stdout).toMatch(/foreign|adopt|commit.*put/);
  });
});

describe("a gate without an end", () => {
  it("is ended by its timer and named; no process of it is left", async () => {
    const watch = "console.log('watching for changes'); setInterval(() => {}, 1000);\n";
    const plan = project({
      prd: plain(task("a")),
      config: { ...light, gates: [{ name: "watcher", command: "node watch.mjs", timeoutMs: 700 }] },
      files: { "watch.mjs": watch },
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode).toBe(4);
    expect(plan.status()["reason"]).toMatch(/"watcher".*did not end in time/);
    expect(ended.stdout).toContain("watching for changes");
    expect(plan.children()).toEqual([]);
  });

  it("in a candidate sends the work back with that reason", async () => {
    const plan = project({
      prd: plain(task("a")),
      config: {
        ...light,
        maxAttempts: 1,
        gates: [{ name: "tests", command: "node check.mjs", timeoutMs: 1_000, env: ["TEST_AGENT"] }],
      },
      rules: [{ stage: "develop", write: { "hang.txt": "x" } }],
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode).toBe(4);
    expect(plan.task("a")["notes"]).toMatch(/tests/);
    expect(plan.read("progress.md")).toMatch(/tests: ✗.*(time|end)/);
    expect(plan.children()).toEqual([]);
  });
});

describe("a gate that prints 50 MB", () => {
  it("is judged by its exit code; what is kept of it is bounded", async () => {
    const noisy = `const line = "x".repeat(1023) + "\\n";
for (let count = 0; count < 50 * 1024; count += 1) {
  if (!process.stdout.write(line)) await new Promise((resolve) => process.stdout.once("drain", resolve));
}
console.log("the last word");
`;
    const plan = project({
      prd: plain(task("a")),
      config: { ...light, memory: { enabled: false }, gates: [{ name: "noisy", command: "node noisy.mjs" }] },
      files: { "noisy.mjs": noisy },
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode, ended.stdout.slice(-2_000)).toBe(0);
    const log = join(plan.runFolder, "attempts", "a", "1", "gates", "noisy.log");
    expect(statSync(log).size).toBeLessThan(65 * 1024 * 1024);
    expect(plan.read("attempts/a/1/gates/noisy.log").slice(-100)).toContain("the last word");
    expect(plan.read("execution.log.jsonl").length).toBeLessThan(100_000);
    expect(ended.stdout.length).toBeLessThan(100_000);
  });
});

describe("the gates of a task", () => {
  it("are those it names; a task that names none has them all", async () => {
    const plan = project({
      prd: plain(task("a", { gates: ["second"] }), task("b"), task("c", { gates: [] })),
      config: {
        ...light,
        gates: [
          { name: "first", command: "node check.mjs" },
          { name: "second", command: "node check.mjs" },
        ],
      },
    });
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(0);
    const gates = plan.events().filter((event) => event.kind === "gate-started" && event["taskId"] !== null);
    expect(gates.map((event) => `${String(event["taskId"])} ${String(event["gate"])}`)).toEqual([
      "a second",
      "b first",
      "b second",
    ]);
  });

  it("see the candidate in a tree of its own, without what the developer's tree has beside it", async () => {
    const plan = project({
      prd: plain(task("a")),
      config: { ...light, gates: [{ name: "clean", command: "node clean.mjs" }] },
      files: {
        ".gitignore": "dev/executions/*/\nbuild/\n",
        "clean.mjs": `import { existsSync } from "node:fs";
if (existsSync("build/cheat.js") || existsSync("leftover.txt")) process.exit(1);
`,
      },
      rules: [{ stage: "develop", write: { "build/cheat.js": "x", "a.txt": "a" } }],
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(plan.git(["ls-tree", "-r", "--name-only", plan.branch])).not.toContain("cheat");
  });
});
