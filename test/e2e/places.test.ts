// Where a run may be started from, and repositories that are not as plain as most.
import { existsSync, mkdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import { type Project, plain, project, quick } from "./support/e2e-project.ts";
import { checkoutSnapshot } from "./support/snapshot.ts";

const light = { ...quick, review: { enabled: false }, memory: { enabled: false } };
const one = plain(task("a"));

async function expectCompleted(
  plan: Project,
  at: { cwd?: string; args?: readonly string[] } = {},
): Promise<void> {
  const { cwd = plan.checkout, args = ["run", plan.slug] } = at;
  const ended = await plan.run(args, { cwd });
  expect(ended.exitCode, ended.stdout + ended.stderr).toBe(0);
}

describe("a run is started", () => {
  it("from a detached HEAD", async () => {
    const plan = project({ prd: one, config: light });
    plan.git(["switch", "--quiet", "--detach"]);
    await expectCompleted(plan);
    expect(plan.status()).toMatchObject({ status: "completed", baseName: plan.head() });
    expect(plan.read("report.md")).toContain(`git merge ${plan.branch}`);
    expect(plan.git(["rev-parse", "--abbrev-ref", "HEAD"])).toBe("HEAD");
  });

  it("from a linked worktree, whose run folder it is", async () => {
    const plan = project({ prd: one, config: light });
    const tree = join(plan.folder, "linked");
    plan.git(["worktree", "add", "--quiet", "-b", "side", tree]);
    const before = checkoutSnapshot(plan.checkout, { branch: plan.branch });
    await expectCompleted(plan, { cwd: tree });
    expect(existsSync(join(tree, "dev", "executions", plan.slug, "status.json"))).toBe(true);
    expect(existsSync(plan.runFolder)).toBe(false);
    expect(plan.git(["log", "--format=%s", `side..${plan.branch}`])).toBe("Make a");
    expect(checkoutSnapshot(plan.checkout, { branch: plan.branch })).toEqual(before);
    expect(existsSync(plan.worktrees)).toBe(true);
  });

  it("from a subfolder, and from elsewhere with --cwd", async () => {
    const plan = project({ prd: one, config: light });
    const below = join(plan.checkout, "src", "deep");
    mkdirSync(below, { recursive: true });
    await expectCompleted(plan, { cwd: below });
    expect(plan.status()).toMatchObject({ status: "completed" });
    const again = await plan.run(["status", plan.slug, "--cwd", below], { cwd: "/" });
    expect(again.stdout).toContain("completed");
  });

  it("with a path of a prd.json, relative to where one is", async () => {
    const plan = project({ prd: one, config: light });
    plan.write({ "plans/My Harbour Plan.json": JSON.stringify({ ...one, name: "My Harbour Plan" }) });
    await expectCompleted(plan, {
      cwd: join(plan.checkout, "plans"),
      args: ["run", "./My Harbour Plan.json"],
    });
    expect(existsSync(join(plan.checkout, "dev", "executions", "my-harbour-plan", "report.md"))).toBe(true);
    expect(plan.git(["log", "-1", "--format=%s", "feature/my-harbour-plan"])).toBe("Make a");
  });

  it("in a folder whose name has spaces, quotes and letters of other alphabets", async () => {
    const plan = project({ prd: one, config: quick, folder: "péché d'été – 夏 (v2) $HOME" });
    await expectCompleted(plan);
    expect(plan.git(["show", `${plan.branch}:a.txt`])).toBe("a, attempt 1");
    const rebuilt = await plan.run(["rebuild", plan.slug]);
    expect(rebuilt.exitCode).toBe(0);
  });

  it("where the run folder is not ignored, and it ignores itself", async () => {
    const plan = project({ prd: one, config: light, files: { ".gitignore": "nothing\n" } });
    await expectCompleted(plan);
    expect(plan.git(["status", "--porcelain", "-uall"])).toBe("");
  });
});

describe("a repository", () => {
  it("whose files are dirty at birth (CRLF blobs, text=auto) keeps them out of the commits", async () => {
    const plan = project({ prd: one, config: quick });
    plan.git(["config", "core.autocrlf", "false"]);
    plan.commit({ "old.txt": "one\r\ntwo\r\n", "own.sh": "x\r\n" }, "CRLF");
    plan.commit({ ".gitattributes": "*.txt text\n*.sh text eol=lf\n" }, "attributes");
    const tree = plan.git(["rev-parse", "HEAD:old.txt"]);
    await expectCompleted(plan);
    expect(plan.git(["diff", "--name-only", "main", `${plan.branch}~1`])).toBe("a.txt");
    expect(plan.git(["rev-parse", `${plan.branch}:old.txt`])).toBe(tree);
  });

  it("with core.autocrlf=true commits only what the task changed", async () => {
    const plan = project({ prd: one, config: light });
    plan.commit({ "lf.md": "a\nb\n", "crlf.md": "a\r\nb\r\n" }, "both");
    plan.git(["config", "core.autocrlf", "true"]);
    await expectCompleted(plan);
    expect(plan.git(["diff", "--name-only", "main", plan.branch])).toBe("a.txt");
  });

  it("with a submodule has it in the trees, and keeps the pointer", async () => {
    const plan = project({
      prd: one,
      config: { ...light, gates: [{ name: "sub", command: "node sub.mjs" }] },
      files: { "sub.mjs": 'import { readFileSync } from "node:fs";\nreadFileSync("lib/lib.txt");\n' },
    });
    const library = join(plan.folder, "library");
    mkdirSync(library);
    const at = { cwd: library };
    plan.git(["init", "--quiet"], at);
    plan.write({ "lib.txt": "lib" }, library);
    plan.git(["add", "-A"], at);
    plan.git(["commit", "--quiet", "-m", "lib"], at);
    plan.git(["config", "--global", "protocol.file.allow", "always"]);
    plan.git(["submodule", "--quiet", "add", library, "lib"]);
    plan.git(["commit", "--quiet", "-m", "submodule"]);
    plan.setRules([{ stage: "develop", code: 'fs.readFileSync("lib/lib.txt");' }]);
    await expectCompleted(plan);
    expect(plan.git(["diff", "--name-only", "main", plan.branch])).toBe("a.txt");
    expect(plan.git(["ls-tree", plan.branch, "lib"])).toContain("commit");
  });

  it("in which uncommitted work lies has it told and left alone", async () => {
    const plan = project({ prd: one, config: light });
    plan.write({ "README.md": "changed\n", "new.txt": "new\n" });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode).toBe(0);
    expect(String(plan.events()[0]?.["told"])).toMatch(/2 uncommitted.*(README\.md|new\.txt)/);
    expect(readFileSync(join(plan.checkout, "README.md"), "utf8")).toBe("changed\n");
    expect(plan.git(["show", `${plan.branch}:README.md`])).toBe("a project");
  });

  it("hands over files that only the main checkout has, read-only", async () => {
    const plan = project({
      prd: plain(task("a", { filesToRead: ["notes/tides.md"] })),
      config: light,
      rules: [
        {
          stage: "develop",
          code: `const [found] = request.handedOver;
fs.writeFileSync("a.txt", fs.readFileSync(found.path, "utf8")); fs.writeFileSync("where.txt", found.path);`,
          write: {},
        },
      ],
    });
    plan.write({ "notes/tides.md": "high at nine" });
    await expectCompleted(plan);
    expect(plan.git(["show", `${plan.branch}:a.txt`])).toBe("high at nine");
    expect(plan.git(["show", `${plan.branch}:where.txt`])).not.toContain(realpathSync(plan.checkout));
  });
});

describe("setup", () => {
  const withSetup = (setup: string, files: Record<string, string> = {}) =>
    project({ prd: one, config: { ...light, setup }, files });

  it("runs in each new tree, sees the main checkout, and what it writes is in no commit", async () => {
    const plan = withSetup("node setup.mjs", {
      "setup.mjs":
        'import { appendFileSync, readFileSync, writeFileSync } from "node:fs";\nwriteFileSync("made.txt", readFileSync(process.env.EXECUTE_PRD_CHECKOUT + "/.env"));\nappendFileSync("README.md", "set up\\n");\n',
      "check.mjs":
        'import { readFileSync } from "node:fs";\nif (readFileSync("made.txt", "utf8") !== "KEY=1") process.exit(1);\n',
      ".gitignore": "dev/executions/*/\n.env\n",
    });
    plan.write({ ".env": "KEY=1" });
    await expectCompleted(plan);
    expect(plan.git(["diff", "--name-only", "main", plan.branch])).toBe("a.txt");
  });

  it("that fails pauses the run with its output, exit 3; mended, resume goes on", async () => {
    const plan = withSetup("node setup.mjs", {
      "setup.mjs": 'console.log("no registry"); process.exit(9);\n',
    });
    const ended = await plan.run(["run", plan.slug]);
    expect(ended.exitCode).toBe(3);
    expect(plan.status()).toMatchObject({
      status: "paused",
      reason: expect.stringMatching(/exit code 9.*no registry/s),
    });
    plan.setConfig({ ...light, setup: "" });
    await expectCompleted(plan, { args: ["resume", plan.slug] });
  });

  it("that is slow is ended by pause --now", async () => {
    const plan = withSetup("node setup.mjs", { "setup.mjs": "setInterval(() => {}, 1000);\n" });
    const live = plan.start(["run", plan.slug]);
    await plan.event(({ kind }) => kind === "gate-started", "the base's gate is prepared");
    const begun = performance.now();
    expect((await plan.run(["pause", plan.slug, "--now"])).exitCode).toBe(0);
    expect((await live.ended).exitCode).toBe(3);
    expect(performance.now() - begun).toBeLessThan(30_000);
  });
});
