// Plans that cannot be carried out: each is refused with its place, and nothing is changed.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { task } from "../support/project-fixture.ts";
import { plain, project } from "./support/e2e-project.ts";
import { expectRefused } from "./support/refusal.ts";

interface Bad {
  readonly name: string;
  readonly prd: object | string;
  readonly words: readonly (RegExp | string)[];
  /** Places of the problems. */
  readonly paths?: readonly string[];
}

const big = "x".repeat(10 * 1024 * 1024);

const bad: readonly Bad[] = [
  {
    name: "JSON that is cut off",
    prd: '{\n  "name": "plan-x",\n  "userStories": [{ "id": "a",',
    words: [/prd\.json/, /line 3/, /column \d+/],
  },
  {
    name: "a cycle",
    prd: plain(
      task("a", { dependsOn: ["c"] }),
      task("b", { dependsOn: ["a"] }),
      task("c", { dependsOn: ["b"] }),
    ),
    words: [/a.*→.*|a -> |cycle/i, "a", "b", "c"],
  },
  {
    name: "ids that differ only in case",
    prd: plain(task("Task-1"), task("task-1")),
    words: [/task-1/i, "userStories[1].id"],
  },
  {
    name: "a dependency that does not exist",
    prd: plain(task("tide-table"), task("b", { dependsOn: ["tide-tabel"] })),
    words: ["tide-tabel", /did you mean.*tide-table/i, "userStories[1].dependsOn[0]"],
  },
  { name: "no tasks", prd: plain(), words: ["userStories"] },
  { name: "an empty title", prd: plain(task("a", { title: " " })), words: ["userStories[0].title"] },
  {
    name: "no criteria",
    prd: plain(task("a", { acceptanceCriteria: [] })),
    words: ["userStories[0].acceptanceCriteria"],
  },
  {
    name: "an unknown status",
    prd: plain(task("a", { status: "finnished" })),
    words: ["finnished", "userStories[0].status"],
  },
  {
    name: "an unknown gate",
    prd: plain(task("a", { gates: ["test"] })),
    words: [/did you mean.*tests/i, /gates/],
  },
  {
    name: "an unknown agent",
    prd: plain(task("a", { agent: "develloper" })),
    words: [/did you mean.*developer/i],
  },
  { name: "a description of 10 MB", prd: plain(task("a", { description: big })), words: [/8 MiB/] },
  { name: "no JSON at all", prd: "\u0000\u0001\u0002PNG\u0000", words: [/prd\.json/] },
  {
    name: "an invalid branch name",
    prd: { branchName: "feature/..bad", ...plain(task("a")) },
    words: ["feature/..bad", "branchName"],
  },
  ...["../x", "a/b", "CON", "con.txt", "a.lock", "a b", "-a", ".a", "a.", "", "a..b", "x".repeat(101)].map(
    (id): Bad => ({
      name: `the id ${JSON.stringify(id.slice(0, 12))}`,
      prd: plain(task(id)),
      words: ["userStories[0].id"],
    }),
  ),
];

describe("a plan with", () => {
  it.each(bad)("$name is refused", async ({ prd, words }) => {
    const plan = project({ prd });
    const problems = await expectRefused(plan, { words });
    expect(problems.length).toBeGreaterThan(0);
    for (const { file, expected, hint } of problems) {
      expect(file).toBe(plan.planFile);
      expect(expected).not.toBe("");
      expect(hint).not.toBe("");
    }
  });

  it("several things wrong is told all of them at once", async () => {
    const plan = project({
      prd: plain(
        task("a.lock"),
        task("b", { title: "" }),
        task("c", { dependsOn: ["nobody"] }),
        task("d", { acceptanceCriteria: "none" }),
      ),
    });
    const problems = await expectRefused(plan, { words: [] });
    const paths = problems.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        "userStories[0].id",
        "userStories[1].title",
        "userStories[2].dependsOn[0]",
        "userStories[3].acceptanceCriteria",
      ]),
    );
  });

  it("bytes that are no text is refused", async () => {
    const plan = project();
    writeFileSync(join(plan.checkout, plan.planFile), Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0x80]));
    await expectRefused(plan, { words: [/prd\.json/] });
  });

  it("no file is refused, with what there could be", async () => {
    const plan = project();
    rmSync(join(plan.checkout, plan.planFile));
    await expectRefused(plan, { words: [/prd\.json/, /no such file/] });
    await expectRefused(plan, { args: ["run", "elsewhere/prd.json"], words: [/elsewhere/] });
  });

  it("a folder where the file should be is refused", async () => {
    const plan = project();
    rmSync(join(plan.checkout, plan.planFile));
    mkdirSync(join(plan.checkout, plan.planFile));
    await expectRefused(plan, { words: [/prd\.json/, /not a file/] });
  });

  it("an unknown id in --only is refused with the nearest one", async () => {
    const plan = project({ prd: plain(task("tides"), task("clock")) });
    await expectRefused(plan, {
      args: ["run", plan.slug, "--only", "tids"],
      words: ["tids", /did you mean.*tides/i],
    });
  });

  it("unknown gates and agents is refused by plan as well", async () => {
    const plan = project({ prd: plain(task("a", { gates: ["test"], agent: "develloper" })) });
    const problems = await expectRefused(plan, { words: [] });
    expect(problems.map(({ path, value }) => [path, value])).toEqual([
      ["userStories[0].agent", "develloper"],
      ["userStories[0].gates", "test"],
    ]);
    expect(await expectRefused(plan, { args: ["plan", plan.slug], words: [] })).toEqual(problems);
  });

  it("a folder whose name cannot be the run's is refused for this name", async () => {
    const plan = project();
    plan.write({ "dev/work/plans/two words/prd.json": JSON.stringify(plain(task("a"))) });
    const [problem] = await expectRefused(plan, { args: ["run", "two words"], words: ["rename the folder"] });
    expect(problem).toMatchObject({
      file: "dev/work/plans/two words/prd.json",
      path: "",
      value: "two words",
    });
  });

  it("the same faults is refused by validate and plan in the same words", async () => {
    const plan = project({ prd: plain(task("a", { dependsOn: ["b"] })) });
    const problems = await expectRefused(plan, { words: [] });
    for (const command of ["validate", "plan"]) {
      expect(await expectRefused(plan, { args: [command, plan.slug], words: [] })).toEqual(problems);
    }
  });
});
