// Work and words of agents that are out of the ordinary: names, nested repositories, forged trailers, secrets.
import { describe, expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import { plain, project, quick } from "./support/e2e-project.ts";

const light = { ...quick, review: { enabled: false }, memory: { enabled: false } };

describe("a developer who", () => {
  it("uses file names with line breaks, quotes, dashes and other letters gets them committed as they are", async () => {
    const names = [
      "-rf",
      "a\nb",
      "q\"uo'te",
      "tab\there",
      "ünïcödé – 夏",
      " lead",
      "trail ",
      ":(top)",
      "*.txt",
      "#x#",
    ];
    const plan = project({
      prd: plain(task("a"), task("b", { dependsOn: ["a"] })),
      config: quick,
      rules: [
        {
          stage: "develop",
          taskId: "a",
          code: `for (const name of ${JSON.stringify(names)}) fs.writeFileSync(path.resolve(name), name); fs.mkdirSync("--all"); fs.writeFileSync("--all/x", "x");`,
          write: {},
        },
        { stage: "develop", taskId: "b", delete: ["a\nb", "-rf"] },
      ],
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
    const listed = plan.git(["ls-tree", "-r", "-z", "--name-only", `${plan.branch}~2`]).split("\0");
    expect(listed).toEqual(expect.arrayContaining([...names, "--all/x"]));
    const after = plan.git(["ls-tree", "-r", "-z", "--name-only", plan.branch]).split("\0");
    expect(after).not.toContain("a\nb");
    expect(after).not.toContain("-rf");
    expect(
      plan
        .read("progress.md")
        .split("\n")
        .some((line) => line === "b (added)"),
    ).toBe(false);
  });

  it("leaves a repository inside is told so; it never becomes a pointer", async () => {
    const plan = project({
      prd: plain(task("a")),
      config: { ...light, maxAttempts: 2 },
      rules: [
        {
          stage: "develop",
          attempt: 1,
          code: 'fs.mkdirSync("inner"); sh("git", "init", "-q", "inner"); fs.writeFileSync("inner/f.txt", "f"); sh("git", "-C", "inner", "add", "."); sh("git", "-C", "inner", "commit", "-q", "-m", "inner");',
        },
        { stage: "develop", attempt: 2, delete: ["inner/.git"] },
      ],
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(plan.task("a")).toMatchObject({ attemptCount: 2 });
    expect(plan.read("attempts/a/2/prompt.md")).toMatch(/inner/);
    expect(plan.git(["ls-tree", "-r", plan.branch])).not.toContain("commit ");
  });

  it("links out of the tree, makes pipes and sockets gets only the link committed", async () => {
    const plan = project({
      prd: plain(task("a")),
      config: light,
      rules: [
        {
          stage: "develop",
          code: 'fs.symlinkSync("/etc/passwd", "outside"); fs.symlinkSync("../../../..", "up"); sh("mkfifo", "pipe");',
        },
      ],
    });
    const ended = await plan.run(["run", plan.slug]);
    expect([0, 4], ended.stdout + ended.stderr).toContain(ended.exitCode);
    if (ended.exitCode === 0) {
      const tree = plan.git(["ls-tree", plan.branch]);
      expect(tree).toMatch(/^120000 .*outside$/m);
      expect(tree).not.toContain("pipe");
    }
  });

  it("commits by itself, with forged trailers, ends in one commit of the program's", async () => {
    const plan = project({
      prd: plain(task("a")),
      config: light,
      rules: [
        {
          stage: "develop",
          code: `fs.writeFileSync("one.txt", "1"); sh("git", "add", "-A"); sh("git", "commit", "-q", "-m", "one\\n\\nPRD-Run: forged\\nPRD-Task: b");
fs.writeFileSync("two.txt", "2"); sh("git", "add", "-A"); sh("git", "commit", "-q", "-m", "two");`,
        },
      ],
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(plan.subjects()).toEqual(["Make a"]);
    expect(plan.git(["diff", "--name-only", "main", plan.branch]).split("\n")).toEqual([
      "a.txt",
      "one.txt",
      "two.txt",
    ]);
    expect(plan.git(["log", "--format=%B", `main..${plan.branch}`])).not.toContain("forged");
    const agentRef = plan.git(["for-each-ref", "--format=%(refname)", "refs/execute-prd"]).split("\n");
    const own = agentRef.find((ref) => ref.endsWith("/a/1/agent")) ?? "none";
    expect(plan.git(["log", "--format=%s", `main..${own}`]).split("\n")).toEqual(["two", "one"]);
  });

  it("stays in the middle of a rebase or with an unmerged index does not stop the run", async () => {
    const plan = project({
      prd: plain(task("a"), task("b")),
      config: light,
      rules: [
        {
          stage: "develop",
          taskId: "a",
          code: `fs.writeFileSync("README.md", "x"); sh("git", "commit", "-qam", "x"); sh("git", "checkout", "-q", "--detach", "HEAD~1");
fs.writeFileSync("README.md", "y"); sh("git", "commit", "-qam", "y");
try { sh("git", "merge", "-q", "HEAD@{2}"); } catch {}
fs.writeFileSync("README.md", "resolved");`,
        },
      ],
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
    expect(plan.git(["show", `${plan.branch}:README.md`])).toBe("resolved");
    expect(plan.subjects()).toEqual(["Make a", "Make b"]);
  });
});

describe("a task whose title", () => {
  it("has line breaks and trailers of its own makes a subject of one line and no trailer", async () => {
    const title = "Make a\n\nPRD-Task: z\nPRD-Run: forged\nSigned-off-by: nobody";
    const plan = project({ prd: plain(task("a", { title })), config: light });
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(0);
    const body = plan.git(["log", "-1", "--format=%B", plan.branch]);
    const [subject = "", blank] = body.split("\n");
    expect(subject).toContain("Make a");
    expect(blank).toBe("");
    const trailer = (key: string) =>
      plan.git(["log", "-1", `--format=%(trailers:key=${key},valueonly,separator=%x2C)`, plan.branch]);
    expect(trailer("PRD-Task")).toBe("a");
    expect(trailer("PRD-Run")).toBe(plan.status()["runId"]);
    expect(trailer("Signed-off-by")).toBe("");
    expect(plan.task("a")["title"]).toBe(title);
  });

  it("is hostile to Markdown does not break progress.md apart", async () => {
    const title = "x\n\n---\n\n## Task b: Make b\n**Status**: complete";
    const plan = project({
      prd: plain(task("a", { title }), task("b")),
      config: { ...light, maxAttempts: 1 },
      rules: [{ stage: "develop", exit: 1 }],
    });
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(4);
    expect(plan.read("progress.md")).not.toMatch(/^\*\*Status\*\*: complete/m);
  });
});

describe("a variable of the builder's environment", () => {
  it("reaches an agent or a gate only when the configuration names it", async () => {
    const look = "console.log(Object.keys(process.env).filter((name) => name.startsWith('TIDE_')).join());\n";
    const plan = project({
      prd: plain(task("a")),
      config: {
        ...light,
        gates: [
          { name: "bare", command: "node look.mjs" },
          { name: "named", command: "node look.mjs", env: ["TIDE_URL"] },
        ],
      },
      files: { "look.mjs": look },
      rules: [
        {
          stage: "develop",
          code: 'fs.writeFileSync("a.txt", Object.keys(env).filter((name) => name.startsWith("TIDE_")).join() + "!");',
          write: {},
        },
      ],
    });
    const env = { TIDE_API_KEY: "a-secret-of-the-builder", TIDE_URL: "tide://" };
    const ended = await plan.run(["run", plan.slug], { env });
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(plan.git(["show", `${plan.branch}:a.txt`])).toBe("!");
    expect(plan.read("attempts/a/1/gates/bare.log").trim()).toBe("");
    expect(plan.read("attempts/a/1/gates/named.log").trim()).toBe("TIDE_URL");
  });
});
