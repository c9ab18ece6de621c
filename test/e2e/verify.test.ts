// `verify`: every claim of a receipt is looked up anew, and whatever does not hold is named.
import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import { type Project, plain, project, quick, untilLetGo } from "./support/e2e-project.ts";
import { until } from "./support/program.ts";

/** A run of two tasks that is completed. */
async function completed(config: object = quick, files: Record<string, string> = {}): Promise<Project> {
  const plan = project({ prd: plain(task("a"), task("b")), config, files });
  const ended = await plan.run(["run", plan.slug]);
  expect(ended.exitCode, ended.stderr).toBe(0);
  return plan;
}

async function expectMismatch(plan: Project, wanted: RegExp, args: readonly string[] = []): Promise<void> {
  const found = await plan.run(["verify", plan.slug, ...args]);
  expect(found.exitCode, found.stdout).toBe(1);
  expect(found.stdout).toMatch(wanted);
}

function edit(plan: Project, name: string, from: string | RegExp, to: string): void {
  const before = plan.read(name);
  const after = before.replace(from, to);
  expect(after).not.toBe(before);
  writeFileSync(join(plan.runFolder, name), after);
}

describe("verify", () => {
  it("says that every receipt of a completed run holds, also when the gates run again, and leaves nothing", async () => {
    const plan = await completed();
    const before = plan.git(["worktree", "list"]);
    const temporary = temporaryFolder(plan);
    const env = { TMPDIR: temporary };
    const found = await plan.run(["verify", plan.slug, "--rerun", "--json"], { env });
    expect(found.exitCode, found.stdout).toBe(0);
    expect(JSON.parse(found.stdout)).toMatchObject({
      ok: true,
      rerun: true,
      tasks: [
        { taskId: "a", mismatches: [] },
        { taskId: "b", mismatches: [] },
      ],
    });
    expect((await plan.run(["verify", plan.slug, "b"], { env })).stdout).toMatch(/1 of 1 receipt/);
    expect(plan.git(["worktree", "list"])).toBe(before);
    expect(readdirSync(temporary)).toEqual([]);
  });

  it("takes a commit that cannot be read for a mismatch, and looks at the others", async () => {
    const plan = await completed();
    const { facts } = JSON.parse(plan.read("receipts/b.json"));
    const [changed = ""] = plan
      .git(["diff-tree", "-r", "--raw", "--no-abbrev", facts.base, facts.commit])
      .split("\t");
    const blob = changed.split(" ")[3] ?? "";
    rmSync(join(plan.checkout, ".git/objects", blob.slice(0, 2), blob.slice(2)));
    await expectMismatch(plan, /✓ a[\s\S]*✗ b[\s\S]*cannot be looked at: git failed/);
  });

  it("finds an amended commit", async () => {
    const plan = await completed();
    const { facts } = JSON.parse(plan.read("receipts/b.json"));
    const other = plan.git(["commit-tree", facts.tree, "-p", facts.base, "-m", "amended"]).trim();
    plan.git(["update-ref", `refs/heads/${plan.branch}`, other]);
    await expectMismatch(plan, /✗ b[\s\S]*is not on branch/);
  });

  it("finds a branch that was reset, and one that is gone", async () => {
    const plan = await completed();
    plan.git(["branch", "-f", plan.branch, "main"]);
    await expectMismatch(plan, /✗ a[\s\S]*not on branch[\s\S]*✗ b[\s\S]*not on branch/);
    plan.git(["branch", "-D", plan.branch]);
    await expectMismatch(plan, /✗ a[\s\S]*not on branch/);
  });

  it("finds an edited receipt, whatever was edited in it, and one that is missing", async () => {
    const plan = await completed();
    edit(plan, "receipts/a.json", /"score": \d+/, '"score": 100');
    await expectMismatch(plan, /✗ a[\s\S]*receipts\/a\.json is not what the journal says[\s\S]*✓ b/);
    await plan.run(["rebuild", plan.slug]);
    edit(plan, "receipts/b.json", /"diffSha256": "[0-9a-f]{4}/, '"diffSha256": "0000');
    await expectMismatch(plan, /✗ b[\s\S]*receipts\/b\.json is not what/);
    rmSync(join(plan.runFolder, "receipts/b.json"));
    await expectMismatch(plan, /receipts\/b\.json is missing/);
  });

  it("finds an edited or missing log of a gate", async () => {
    const plan = await completed();
    appendFileSync(join(plan.runFolder, "attempts/a/1/gates/tests.log"), "all good\n");
    await expectMismatch(plan, /✗ a[\s\S]*outputSha256/);
    rmSync(join(plan.runFolder, "attempts/a/1/gates/tests.log"));
    await expectMismatch(plan, /✗ a[\s\S]*log of gate "tests" is missing/);
  });

  it("refuses an edited journal", async () => {
    const plan = await completed();
    edit(plan, "execution.log.jsonl", /"diffSha256":"[0-9a-f]{4}/, '"diffSha256":"0000');
    const found = await plan.run(["verify", plan.slug]);
    expect(found.exitCode).toBe(1);
    expect(found.stderr).toMatch(/checksum/);
  });

  it("finds a gate that ends otherwise on the same commit", async () => {
    const outside = join(tmpdir(), `verify-${process.pid}-${Date.now()}`);
    const config = { ...quick, gates: [{ name: "tests", command: `node gate.mjs ${outside}` }] };
    const gate = 'import fs from "node:fs";\nprocess.exit(fs.existsSync(process.argv[2]) ? 3 : 0);\n';
    const plan = await completed(config, { "gate.mjs": gate });
    writeFileSync(outside, "");
    try {
      expect((await plan.run(["verify", plan.slug])).exitCode).toBe(0);
      await expectMismatch(plan, /✗ a[\s\S]*ended with exit code 0, and with exit code 3/, ["--rerun"]);
    } finally {
      rmSync(outside);
    }
  });

  it("takes a task that was not completed, and a receipt for one, for a mismatch", async () => {
    const plan = project({
      prd: plain(task("a"), task("b")),
      config: { ...quick, maxAttempts: 1 },
      rules: [{ stage: "develop", taskId: "b", exit: 1 }],
    });
    expect((await plan.run(["run", plan.slug])).exitCode).toBe(4);
    expect((await plan.run(["verify", plan.slug])).exitCode).toBe(0);
    await expectMismatch(plan, /not completed by this run/, ["b"]);
    expect(existsSync(join(plan.runFolder, "receipts/b.json"))).toBe(false);
    writeFileSync(join(plan.runFolder, "receipts/b.json"), plan.read("receipts/a.json"));
    await expectMismatch(plan, /receipts\/b\.json is there, but the run did not complete/);
    rmSync(join(plan.runFolder, "receipts/b.json"));
    writeFileSync(join(plan.runFolder, "receipts/other.json"), plan.read("receipts/a.json"));
    await expectMismatch(plan, /receipts\/other\.json is there, but the run did not complete/);
    rmSync(join(plan.runFolder, "receipts/other.json"));
  });

  it("names what it does not know: a run, a task", async () => {
    const plan = await completed();
    expect((await plan.run(["verify", "nothing"])).exitCode).toBe(2);
    const found = await plan.run(["verify", plan.slug, "c"]);
    expect(found.exitCode).toBe(2);
    expect(found.stderr).toMatch(/"c".*tasks of this run: a, b/s);
  });

  it("beside a live run is no doing of its agents: the run asks nothing and goes on", async () => {
    const hang = join(tmpdir(), `verify-hang-${process.pid}-${Date.now()}`);
    const plan = project({
      prd: plain(task("a"), task("b")),
      config: { ...quick, gates: [{ name: "tests", command: "node gate.mjs" }] },
      files: { "gate.mjs": hangingGate(hang) },
      rules: [{ stage: "develop", taskId: "b", code: untilLetGo }],
    });
    const live = plan.start(["run", plan.slug]);
    await until("b is at work", () => plan.isUp());
    writeFileSync(hang, "");
    const look = plan.start(["verify", plan.slug, "--rerun"]);
    await until("a gate runs again", () => existsSync(`${hang}.up`));
    plan.letGo();
    const ended = await live.ended;
    expect(ended.exitCode, ended.stdout).toBe(0);
    expect(plan.events().filter(({ kind }) => kind === "checkout-doubted")).toEqual([]);
    rmSync(hang);
    const looked = await look.ended;
    expect(looked.exitCode, looked.stdout).toBe(0);
    rmSync(`${hang}.up`);
  });

  it("that was killed leaves nothing behind the next one", async () => {
    const hang = join(tmpdir(), `verify-hang-${process.pid}-${Date.now()}`);
    const gates = [{ name: "tests", command: "node gate.mjs" }];
    const plan = await completed({ ...quick, gates }, { "gate.mjs": hangingGate(hang) });
    const before = plan.git(["worktree", "list"]);
    writeFileSync(hang, "");
    const temporary = temporaryFolder(plan);
    const env = { TMPDIR: temporary };
    const killed = plan.start(["verify", plan.slug, "--rerun"], { env });
    await until("a gate runs again", () => existsSync(`${hang}.up`));
    killed.signal("SIGKILL");
    await killed.ended;
    rmSync(hang);
    rmSync(`${hang}.up`);
    expect(plan.git(["worktree", "list"])).not.toBe(before);
    expect((await plan.run(["verify", plan.slug], { env })).exitCode).toBe(0);
    expect(plan.git(["worktree", "list"])).toBe(before);
    expect(readdirSync(temporary)).toEqual([]);
  });

  it("reads nothing but files: a pipe in the place of a receipt keeps nobody waiting", async () => {
    const plan = await completed();
    rmSync(join(plan.runFolder, "receipts/a.json"));
    execFileSync("mkfifo", [join(plan.runFolder, "receipts/a.json")]);
    await expectMismatch(plan, /receipts\/a\.json is missing/);
  });
});

/** For temporary files of one test alone: others look into the common one at the same time. */
function temporaryFolder(plan: Project): string {
  const folder = join(plan.folder, "tmp");
  mkdirSync(folder);
  return folder;
}

/** Hangs, in a tree of `verify` alone, as long as there is the file; `<file>.up` says that it has begun. */
function hangingGate(file: string): string {
  return `import fs from "node:fs";
if (process.cwd().includes("execute-prd-verify-") && fs.existsSync(${JSON.stringify(file)})) {
  fs.writeFileSync(${JSON.stringify(`${file}.up`)}, "");
  setInterval(() => fs.existsSync(${JSON.stringify(file)}) || process.exit(0), 20);
}
`;
}
